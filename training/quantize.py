"""Smaller graphs, and the gate they have to pass.

`quantize` makes int8 arithmetic: weights S8 per channel and activations U8, in QDQ form, which is also
faster. `quantize_weights` and `halve_weights` only store the weights in 8 bits or in half precision and
compute in fp32, which changes the logits less, and hardly at all.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
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


class _Reader(CalibrationDataReader):
    def __init__(self, crops_NHWC: np.ndarray, batch: int = 8) -> None:
        self._batches: Iterator[np.ndarray] = iter(
            crops_NHWC[i : i + batch] for i in range(0, len(crops_NHWC), batch)
        )

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


def quantize_weights(source: Path, target: Path) -> None:
    """Store each convolution's weights as int8 with one scale per output channel, but for the first one's.

    Casting and scaling are constant, so a runtime folds them once, when it loads the graph.
    """

    def store(name: str, values: np.ndarray) -> Stored:
        scale = best_scale(values)
        small = np.round(values / scale).astype(np.int8)
        return (
            {f"{name}_int8": small, f"{name}_scale": scale},
            [
                helper.make_node("Cast", [f"{name}_int8"], [f"{name}_cast"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]),
            ],
        )

    _store_weights(source, target, store)


def halve_weights(source: Path, target: Path) -> None:
    """Store each convolution's weights as float16, but for the first one's."""

    def store(name: str, values: np.ndarray) -> Stored:
        return (
            {f"{name}_half": values.astype(np.float16)},
            [helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)],
        )

    _store_weights(source, target, store)


Stored = tuple[dict[str, np.ndarray], list[onnx.NodeProto]]
"""What takes the place of a weight: arrays by name, and the nodes that make the weight of them."""


def _store_weights(source: Path, target: Path, store: Callable[[str, np.ndarray], Stored]) -> None:
    model = onnx.load(source)
    graph = model.graph
    _, *later = (node for node in graph.node if node.op_type == "Conv")
    weights = {node.input[1] for node in later}
    restored = []
    for initializer in [i for i in graph.initializer if i.name in weights]:
        arrays, nodes = store(initializer.name, numpy_helper.to_array(initializer))
        graph.initializer.remove(initializer)
        graph.initializer.extend(numpy_helper.from_array(a, name) for name, a in arrays.items())
        restored += nodes
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*restored, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, target)


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
