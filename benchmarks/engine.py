"""The detector against the least that can be done: decode with Pillow, run onnxruntime on the same crops."""

import dataclasses
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import onnxruntime
from PIL import Image

from benchmarks.turns import in_turns
from detector.analysis import MODEL_PATH, Detector
from detector.classifier import Evidence, OnnxClassifier
from detector.preprocess import Crops


@dataclass
class RecordingClassifier:
    """Keeps the crops of every run of another classifier."""

    inner: OnnxClassifier
    runs: list[np.ndarray] = field(default_factory=list)

    @property
    def manifest(self) -> object:
        return self.inner.manifest

    @property
    def weights_sha256(self) -> str:
        return self.inner.weights_sha256

    def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
        self.runs.append(np.concatenate([crops.pixels for crops in images]))
        return self.inner.score_together(images)


def crops_scored(detector: Detector, data: bytes) -> list[np.ndarray]:
    """The batches of crops, uint8 [N, 224, 224, 3], that the analysis of a file gives to the model."""
    recorder = RecordingClassifier(detector.classifier)
    dataclasses.replace(detector, classifier=recorder).analyze_image(data)  # type: ignore[arg-type]
    return recorder.runs


def measure_engine(detector: Detector, data: bytes, *, rounds: int) -> dict[str, object]:
    """Both ways' medians in milliseconds, their ratio, and where the detector's time goes."""
    steps: list[dict[str, float]] = []
    seconds = in_turns(
        {
            "raw": _raw(data, crops_scored(detector, data)),
            "engine": lambda: steps.append(detector.analyze_image(data).timings_ms),
        },
        rounds=rounds,
    )
    return {
        "engine_ms": seconds["engine"] * 1000,
        "raw_ms": seconds["raw"] * 1000,
        "ratio": seconds["engine"] / seconds["raw"],
        "steps_ms": {name: median(step[name] for step in steps) for name in steps[0]},
    }


def _raw(data: bytes, runs: list[np.ndarray]) -> Callable[[], None]:
    session = onnxruntime.InferenceSession(MODEL_PATH, providers=["CPUExecutionProvider"])

    def decode_and_run() -> None:
        Image.open(io.BytesIO(data)).convert("RGB")
        for crops in runs:
            session.run(["logit", "cam"], {"crops": crops})

    return decode_and_run
