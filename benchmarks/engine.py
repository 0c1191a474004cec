"""The detector against the least that can be done: decode with Pillow, run onnxruntime on the same crops."""

import dataclasses
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import onnxruntime
from PIL import Image

from benchmarks.pictures import picture_of
from benchmarks.turns import in_turns
from detector.analysis import MODEL_PATH, Detector
from detector.classifier import SLOWER_OPTIMIZERS, Evidence, OnnxClassifier
from detector.image import decode_image
from detector.preprocess import Crops, cut_crops, shrink_to
from detector.provenance import read_provenance
from detector.suitability import find_obstacles

LONG_SIDES = (256, 512, 1024, 4000)
"""Of pictures of 4:3, in pixels; they have 1, 4, 9 and 9 crops."""


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


def measure_resaves(detector: Detector, *, rounds: int) -> dict[str, float]:
    """For each of LONG_SIDES: the median analysis over the median of one without re-saves.

    A picture of one crop pays most, since each of its three re-saves adds as much as it has itself.
    """
    ratios = {}
    for side in LONG_SIDES:
        data = picture_of(side, side * 3 // 4)
        seconds = in_turns(
            {
                "single": functools.partial(analyze_once, detector, data),
                "whole": functools.partial(detector.analyze_image, data),
            },
            rounds=rounds,
        )
        ratios[str(side)] = seconds["whole"] / seconds["single"]
    return ratios


def analyze_once(detector: Detector, data: bytes) -> None:
    """All that an analysis does, without scoring re-saves."""
    decoded = decode_image(data)
    image = shrink_to(decoded.pixels, detector.manifest.spec.max_long_side)
    find_obstacles(image, decoded.facts)
    detector.classifier.score(cut_crops(image, detector.manifest.spec))
    read_provenance(data, decoded.facts.format)


def _raw(data: bytes, runs: list[np.ndarray]) -> Callable[[], None]:
    session = onnxruntime.InferenceSession(
        MODEL_PATH,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=SLOWER_OPTIMIZERS,
    )

    def decode_and_run() -> None:
        Image.open(io.BytesIO(data)).convert("RGB")
        for crops in runs:
            session.run(["logit", "cam"], {"crops": crops})

    return decode_and_run
