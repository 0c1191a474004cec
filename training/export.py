"""From a checkpoint to an ONNX graph with its manifest inside."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from detector.manifest import METADATA_KEY, ModelManifest
from detector.preprocess import PreprocessSpec
from training.model import ResNet50Detector

OPSET = 20
TOLERANCE = 1e-3
"""Largest accepted difference between torch's logits and the graph's."""


def export_onnx(model: ResNet50Detector, path: Path, spec: PreprocessSpec) -> None:
    """Write the fp32 graph: `crops` uint8 [N, S, S, 3] -> `logit` float32 [N], `cam` float32 [N, S/32, S/32].

    Raises ValueError when the graph's logits differ from torch's by more than TOLERANCE.
    """
    size = spec.crop_size
    seeded = torch.Generator().manual_seed(0)
    crops = torch.randint(0, 256, (4, size, size, 3), dtype=torch.uint8, generator=seeded)
    program = torch.onnx.export(
        model,
        (crops,),
        input_names=["crops"],
        output_names=["logit", "cam"],
        dynamic_shapes=({0: torch.export.Dim("crops")},),
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    program.save(path, external_data=False)
    difference = parity(model, path, crops)
    if difference > TOLERANCE:
        raise ValueError(
            f"{path.name} differs from torch by {difference:.2g}; at most {TOLERANCE} is allowed"
        )


def parity(model: ResNet50Detector, path: Path, crops_NHWC: torch.Tensor) -> float:
    """Largest absolute difference between torch's logits and the graph's."""
    with torch.inference_mode():
        expected = model(crops_NHWC)[0].numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (actual,) = session.run(["logit"], {"crops": crops_NHWC.numpy()})
    return float(np.abs(actual - expected).max())


def write_manifest(path: Path, manifest: ModelManifest) -> None:
    """Put the manifest into an ONNX file, in place of any other."""
    graph = onnx.load(path)
    _forget_origin(graph)
    others = [entry for entry in graph.metadata_props if entry.key != METADATA_KEY]
    del graph.metadata_props[:]
    graph.metadata_props.extend(others)
    graph.metadata_props.add(key=METADATA_KEY, value=manifest.to_json())
    onnx.save(graph, path)


def _forget_origin(model: onnx.ModelProto) -> None:
    """Drop the exporter's notes, which hold paths of the machine that trained."""
    graph = model.graph
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
