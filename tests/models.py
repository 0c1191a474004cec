"""A model of a few nodes with the contract of the shipped one, so that tests need no weights."""

import dataclasses
import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from detector.labels import CLASS_NAMES
from detector.manifest import METADATA_KEY, Bands, Calibration, ModelManifest, VideoScale
from detector.preprocess import PreprocessSpec

GAIN = 12.0
FULL_GRAIN = 16.0
LOGIT_BIAS = 0.5
LARGEST_PHOTOGRAPH_PX = 720
LARGEST_FOOTAGE_PX = 360
EVALUATION_ID = "evaluation-of-the-tiny-model"

TINY_MANIFEST = ModelManifest(
    model_id="tiny-brightness",
    version="0.0.1",
    class_names=CLASS_NAMES,
    spec=PreprocessSpec(),
    logit_bias=LOGIT_BIAS,
    calibration=Calibration(slope=1.0, bias=0.0),
    bands=Bands(low=0.2, high=0.8),
    precision="fp32",
    recipe="tiny",
    trained_on=("brightness",),
    commit="0000000",
    checkpoint_sha256="0" * 64,
    evaluation_id=EVALUATION_ID,
)
MEASURED_ON_VIDEO = dataclasses.replace(
    TINY_MANIFEST, video=VideoScale(Calibration(slope=0.5, bias=-1.0), Bands(low=0.1, high=0.6))
)


def write_tiny_model(
    path: Path, manifest: ModelManifest = TINY_MANIFEST, *, looks_at: str = "brightness"
) -> Path:
    """Crops with much of what it looks at get a high logit: cam = GAIN * (measure / full - 0.5).

    `looks_at` is "brightness", whose `full` is 255, or "grain": the mean difference of neighbouring
    pixels, whose `full` is FULL_GRAIN. A re-save keeps the former and removes much of the latter.
    """
    full = {"brightness": 255.0, "grain": FULL_GRAIN}[looks_at]
    differences = [
        helper.make_node("Conv", ["grey", "kernel"], ["difference"], pads=[0, 0, 0, 1]),
        helper.make_node("Abs", ["difference"], ["grain"]),
    ]
    nodes = [
        helper.make_node("Cast", ["crops"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("ReduceMean", ["planes", "axis_1"], ["grey"], keepdims=1),
        *(differences if looks_at == "grain" else ()),
        helper.make_node(
            "AveragePool",
            ["grain" if looks_at == "grain" else "grey"],
            ["cells"],
            kernel_shape=[32, 32],
            strides=[32, 32],
        ),
        helper.make_node("Squeeze", ["cells", "axis_1"], ["brightness"]),
        helper.make_node("Mul", ["brightness", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "middle"], ["cam"]),
        helper.make_node("ReduceMean", ["cam", "axes_12"], ["mean"], keepdims=0),
        helper.make_node("Add", ["mean", "bias"], ["logit"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", 224, 224, 3])],
        [
            helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["N"]),
            helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["N", 7, 7]),
        ],
        [
            helper.make_tensor("axis_1", TensorProto.INT64, [1], [1]),
            helper.make_tensor("axes_12", TensorProto.INT64, [2], [1, 2]),
            helper.make_tensor("scale", TensorProto.FLOAT, [], [GAIN / full]),
            helper.make_tensor("kernel", TensorProto.FLOAT, [1, 1, 1, 2], [-1, 1]),
            helper.make_tensor("middle", TensorProto.FLOAT, [], [GAIN / 2]),
            helper.make_tensor("bias", TensorProto.FLOAT, [], [LOGIT_BIAS]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {METADATA_KEY: manifest.to_json()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def write_tiny_report(path: Path, model: Path, *, heatmap_holds: bool = True) -> Path:
    """An evaluation report of `model`, with the fields that the detector reads."""
    row = {"ci95": [0.004, 0.022], "n_real": 600, "miss_rate": 0.25, "n_ai": 500}
    conditions = {"clean": 0.01, "web": 0.012, "hard": 0.015, "video": 0.02}
    report = {
        "id": EVALUATION_ID,
        "model": {"weights_sha256": hashlib.sha256(model.read_bytes()).hexdigest()},
        "data": {"largest_photograph_px": LARGEST_PHOTOGRAPH_PX},
        "video": {"largest_px": LARGEST_FOOTAGE_PX},
        "explanation": {"holds": heatmap_holds},
        "expected_errors": {
            name: {"false_positive_rate": rate, **row} for name, rate in conditions.items()
        },
    }
    path.write_text(json.dumps(report), "utf-8")
    return path
