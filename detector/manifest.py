"""What a model file says about itself: the JSON under the key `asli` of the ONNX metadata."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detector.errors import ModelLoadError
from detector.preprocess import PreprocessSpec

METADATA_KEY = "asli"
SCHEMA = 1


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: probability = sigmoid(slope * logit + bias), fitted at equal class weights."""

    slope: float
    bias: float

    def probability(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Calibrated probabilities, 0..1, of one logit or of an array of them."""
        z = np.clip(self.slope * np.asarray(logits, dtype=np.float64) + self.bias, -60.0, 60.0)
        return 1.0 / (1.0 + np.exp(-z))


@dataclass(frozen=True)
class Bands:
    """Limits on the calibrated probability. Below `low`: no signs found; from `high`: likely AI."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"Bands must satisfy 0 <= low <= high <= 1, got {self}")

    def flagged(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which lie in the likely-AI band; any shape."""
        return np.asarray(probabilities) >= self.high

    def cleared(self, probabilities: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which lie in the band without signs; any shape."""
        return np.asarray(probabilities) < self.low


@dataclass(frozen=True)
class VideoScale:
    """How the logits of video frames are read. Fitted on footage, whose compression is another."""

    calibration: Calibration
    bands: Bands


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """Everything needed to use a model's logits, and where the model came from."""

    model_id: str
    version: str
    class_names: tuple[str, str]
    spec: PreprocessSpec
    logit_bias: float
    """mean(cam) + logit_bias == logit, for every crop."""
    calibration: Calibration
    bands: Bands
    precision: str
    """`fp32`; `int8` for a graph that computes in it; `int8-weights` or `half-weights` for one that computes in
    fp32 and stores most of its weights so."""
    recipe: str
    trained_on: tuple[str, ...]
    """Generators whose images were in the training data."""
    commit: str
    """Commit of the code that trained the weights or, if that was later, fitted the head."""
    checkpoint_sha256: str
    evaluation_id: str
    """`id` of the evaluation report that belongs to this file."""
    video: VideoScale | None = None
    """None for a model that was never measured on footage; its answers to videos are inconclusive."""
    schema: int = SCHEMA

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ModelManifest":
        """Raises ModelLoadError when the text is not a manifest of this schema."""
        try:
            values: dict[str, Any] = json.loads(text)
            if values["schema"] != SCHEMA:
                raise ModelLoadError(
                    f"Manifest schema is {values['schema']}; this program reads {SCHEMA}."
                )
            values["class_names"] = tuple(values["class_names"])
            values["trained_on"] = tuple(values["trained_on"])
            values["spec"] = PreprocessSpec(**values["spec"])
            values["calibration"] = Calibration(**values["calibration"])
            values["bands"] = Bands(**values["bands"])
            if video := values.get("video"):
                calibration, bands = Calibration(**video["calibration"]), Bands(**video["bands"])
                values["video"] = VideoScale(calibration, bands)
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelLoadError(f"The model's manifest cannot be read: {error}") from error
