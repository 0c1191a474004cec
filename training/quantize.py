"""Static int8 quantisation of the exported graph, and the gate it has to pass.

Weights are S8 per channel and activations U8 in QDQ form. Weights use 7 of their 8 bits, because
processors without VNNI saturate when they add two 8-bit products.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
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

    The first convolution, and all from the class activation map on, stay in fp32.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared))
        nodes = list(onnx.load(prepared).graph.node)
        convolutions = [i for i, node in enumerate(nodes) if node.op_type == "Conv"]
        kept = [nodes[convolutions[0]], *nodes[convolutions[-1] :]]
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
            nodes_to_exclude=[node.name for node in kept],
            calibrate_method=CalibrationMethod.MinMax,
        )


@dataclass(frozen=True)
class Comparison:
    """int8 against fp32 over the same images."""

    auroc_change: dict[str, float]
    """Per generator and condition: int8 minus fp32."""
    agreement: float
    """Share of images that land in the same band, 0..1."""

    @property
    def passed(self) -> bool:
        worst = max(map(abs, self.auroc_change.values()))
        return worst <= MAX_AUROC_CHANGE and self.agreement >= MIN_AGREEMENT


def auroc_change(labels: np.ndarray, fp32_logits: np.ndarray, int8_logits: np.ndarray) -> float:
    """AUROC of the quantised logits minus that of the others."""
    return auroc(labels, int8_logits) - auroc(labels, fp32_logits)
