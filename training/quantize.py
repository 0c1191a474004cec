"""Smaller graphs, and the gate they have to pass.

`quantize` makes int8 arithmetic: weights S8 per channel and activations U8, in QDQ form, which is also
faster. `quantize_weights` and `halve_weights` only store the convolutions' weights smaller, most of them in 8 bits or
all but the first one's in half precision, and compute in fp32, which changes the logits less, and hardly at all.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from training.metrics import auroc

MAX_AUROC_CHANGE = 0.005
MIN_AGREEMENT = 0.99
_BATCH = 8
_FIRST_STAGES = ("backbone.layer1.", "backbone.layer2.")
_BIAS, _CORRECTED_BIAS = "_bias", "_corrected_bias"
_HALVED, _EIGHT_BITS, _SCALE = "_half", "_int8", "_scale"


class _Reader(CalibrationDataReader):
    def __init__(self, crops_NHWC: np.ndarray) -> None:
        self._batches = _batches(crops_NHWC)

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"crops": batch}


def quantize(source: Path, target: Path, crops_NHWC: np.ndarray) -> None:
    """Quantise `source` with activation ranges measured on real serving crops, uint8 [N, S, S, 3].

    Weights use 7 of their 8 bits, because processors without VNNI saturate when they add two 8-bit
    products. The first convolution and the head stay in fp32; of the sums only those that a Relu follows
    are the backbone's.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared))
        nodes = list(onnx.load(prepared).graph.node)
        first = next(node for node in nodes if node.op_type == "Conv")
        into_relu = {name for node in nodes if node.op_type == "Relu" for name in node.input}
        sums = [n for n in nodes if n.op_type == "Add" and not into_relu & set(n.output)]
        quantize_static(
            str(prepared),
            str(target),
            _Reader(crops_NHWC),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Relu", "MaxPool"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[node.name for node in (first, *sums)],
            calibrate_method=CalibrationMethod.MinMax,
        )


def quantize_weights(source: Path, target: Path, crops_NHWC: np.ndarray) -> None:
    """Store the convolutions' weights as int8 with one scale per output channel, but for those of the first two
    stages, where little is stored and errors grow most: they are float16, and the very first ones stay float32.

    What rounding moves of each channel's mean output goes into its bias, as follows from the mean inputs over
    `crops_NHWC`, uint8 [N, S, S, 3], if the padding, too, had those means (Nagel et al., "Data-Free Quantization
    Through Weight Equalization and Bias Correction", ICCV 2019). Casting and scaling are constant, so a runtime
    folds them once, when it loads the graph. `stored_weights` reads what is stored.
    """

    def store(name: str, values: np.ndarray) -> Stored:
        if name.startswith(_FIRST_STAGES):
            return _halved(name, values)
        scale = best_scale(values)
        small = np.round(values / scale).astype(np.int8)
        return Stored(
            arrays={name + _EIGHT_BITS: small, name + _SCALE: scale},
            nodes=[
                helper.make_node(
                    "Cast", [name + _EIGHT_BITS], [f"{name}_cast"], to=TensorProto.FLOAT
                ),
                helper.make_node("Mul", [f"{name}_cast", name + _SCALE], [name]),
            ],
            values=small * scale,
        )

    _store_weights(source, target, store, _mean_inputs(source, crops_NHWC))


def halve_weights(source: Path, target: Path) -> None:
    """Store each convolution's weights as float16, but for the first one's."""
    _store_weights(source, target, _halved, {})


def stored_weights(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a graph by their names in fp32, put together and as float32 where they are stored smaller."""
    arrays = {each.name: numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer}
    found = {}
    for name, values in arrays.items():
        if name.endswith(_EIGHT_BITS):
            weight = name.removesuffix(_EIGHT_BITS)
            found[weight] = values * arrays[weight + _SCALE]
        elif name.endswith(_CORRECTED_BIAS):
            found[name.removesuffix(_CORRECTED_BIAS) + _BIAS] = values.astype(np.float32)
        elif not name.endswith(_SCALE):
            found[name.removesuffix(_HALVED)] = values.astype(np.float32)
    return found


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What takes the place of a weight."""

    arrays: dict[str, np.ndarray]
    nodes: list[onnx.NodeProto]
    """They make the weight of the arrays."""
    values: np.ndarray
    """What they make."""


def _halved(name: str, values: np.ndarray) -> Stored:
    half = values.astype(np.float16)
    return Stored(
        arrays={name + _HALVED: half},
        nodes=[helper.make_node("Cast", [name + _HALVED], [name], to=TensorProto.FLOAT)],
        values=half.astype(np.float32),
    )


def _store_weights(
    source: Path,
    target: Path,
    store: Callable[[str, np.ndarray], Stored],
    mean_inputs: Mapping[str, np.ndarray],
) -> None:
    """Write `source` with what `store` makes of the weight of each convolution but the first one.

    Of the convolutions whose `mean_inputs` [I] are given, by the name of the weight, the bias is corrected.
    """
    model = onnx.load(source)
    graph = model.graph
    initializers = {each.name: each for each in graph.initializer}
    _, *later = (node for node in graph.node if node.op_type == "Conv")
    restored = []
    for convolution in later:
        _, weight, *bias = convolution.input
        values = numpy_helper.to_array(initializers[weight])
        stored = store(weight, values)
        graph.initializer.remove(initializers[weight])
        graph.initializer.extend(
            numpy_helper.from_array(a, name) for name, a in stored.arrays.items()
        )
        restored += stored.nodes
        if weight in mean_inputs:
            moved = (stored.values - values).sum((2, 3)) @ mean_inputs[weight]
            before = numpy_helper.to_array(initializers[bias[0]]) if bias else 0
            corrected = weight + _CORRECTED_BIAS
            graph.initializer.append(
                numpy_helper.from_array((before - moved).astype(np.float32), corrected)
            )
            del convolution.input[2:]
            convolution.input.append(corrected)
    used = {name for node in graph.node for name in node.input}
    for name in initializers.keys() - used:
        graph.initializer.remove(initializers[name])
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*restored, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, target)


def _mean_inputs(source: Path, crops_NHWC: np.ndarray) -> dict[str, np.ndarray]:
    """By the name of each convolution's weight, the mean of each channel that goes into it: float32 [I]."""
    model = onnx.load(source)
    graph = model.graph
    inputs = {node.input[1]: node.input[0] for node in graph.node if node.op_type == "Conv"}
    names = {tensor: f"mean_of_{tensor}" for tensor in inputs.values()}
    graph.initializer.append(numpy_helper.from_array(np.array([0, 2, 3]), "mean_axes"))
    for tensor, name in names.items():
        node = helper.make_node("ReduceMean", [tensor, "mean_axes"], [name], keepdims=0)
        graph.node.append(node)
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = InferenceSession(model.SerializeToString())
    batches = list(_batches(crops_NHWC))
    found = [session.run(list(names.values()), {"crops": batch}) for batch in batches]
    means = [
        np.average(batch_means, axis=0, weights=[len(batch) for batch in batches])
        for batch_means in zip(*found, strict=True)
    ]
    by_tensor = dict(zip(names, means, strict=True))
    return {weight: by_tensor[tensor].astype(np.float32) for weight, tensor in inputs.items()}


def _batches(crops_NHWC: np.ndarray) -> Iterator[np.ndarray]:
    return (crops_NHWC[i : i + _BATCH] for i in range(0, len(crops_NHWC), _BATCH))


def best_scale(weights: np.ndarray) -> np.ndarray:
    """Of each output channel [O, I, H, W], the step with the least squared error: float32 [O, 1, 1, 1].

    The largest weight becomes one of the levels 64 to 127. Weights that lie on such a grid already, as those
    of a network that was stored in 8 bits before, keep their values.
    """
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    largest[largest == 0] = 1
    best = largest / 127
    least = np.full_like(largest, np.inf)
    for level in range(64, 128):
        scale = largest / level
        error = np.square(weights - np.round(weights / scale) * scale).sum((1, 2, 3), keepdims=True)
        better = error < least
        best, least = np.where(better, scale, best), np.where(better, error, least)
    return best.astype(np.float32)


@dataclass(frozen=True)
class Comparison:
    """A smaller graph against fp32 over the same images."""

    precision: str

    auroc_change: dict[str, float]
    """Per generator and condition: the smaller graph's minus that of fp32."""
    agreement: float
    """Share of images, each in every condition, that land in the same band, 0..1; bands are fitted for each graph."""

    @property
    def passed(self) -> bool:
        worst = max(map(abs, self.auroc_change.values()))
        return worst <= MAX_AUROC_CHANGE and self.agreement >= MIN_AGREEMENT


def auroc_change(labels: np.ndarray, fp32_logits: np.ndarray, smaller_logits: np.ndarray) -> float:
    """AUROC of the smaller graph's logits minus that of the others."""
    return auroc(labels, smaller_logits) - auroc(labels, fp32_logits)
