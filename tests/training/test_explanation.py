"""Whether a heatmap points at what a score comes from."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.classifier import Evidence, OnnxClassifier
from detector.labels import FAKE
from detector.preprocess import Crops
from tests.models import write_tiny_model
from training.explanation import blur_where, hottest, measure_explanation
from training.records import Record


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    """Calm grey images with grain in one corner."""
    found = []
    for i in range(6):
        noise = np.random.default_rng(i).normal(128, 40, (90, 90)).clip(0, 255)
        grey_HW = np.full((256, 256), 128, dtype=np.uint8)
        grey_HW[20:110, 20:110] = noise.astype(np.uint8)
        path = tmp_path / f"{i}.png"
        Image.fromarray(grey_HW).save(path)
        found.append(
            Record(
                path=path, label=FAKE, generator="grain", family="", source="s", group=path.name, split="test"
            )
        )  # fmt: skip
    return found


def test_a_map_of_grain_holds_for_a_model_of_grain(tmp_path: Path, records: list[Record]) -> None:
    """Blurring the grainy corner lowers the score; blurring elsewhere cannot."""
    model = write_tiny_model(tmp_path / "grain.onnx", looks_at="grain")
    section = measure_explanation(OnnxClassifier.load(model, threads=1), records)

    assert (6, 6, 1.0, True) == tuple(
        section[key] for key in ("n", "lowered_more", "share", "holds")
    )


def test_a_map_that_points_elsewhere_fails(tmp_path: Path, records: list[Record]) -> None:
    """The same map turned upside down names the calm parts, whose blurring changes nothing."""

    class UpsideDown(OnnxClassifier):
        def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
            return [
                dataclasses.replace(evidence, cams=-evidence.cams)
                for evidence in super().score_together(images)
            ]

    classifier = UpsideDown.load(write_tiny_model(tmp_path / "grain.onnx", looks_at="grain"))
    section = measure_explanation(classifier, records)

    assert (0, False) == (section["lowered_more"], section["holds"])


def test_the_hottest_are_as_many_as_asked_for() -> None:
    """Also where many scores are equal."""
    scores = np.zeros((20, 30))
    scores[5, 5] = 1
    chosen = hottest(scores, 0.1)

    assert (60, True) == (chosen.sum(), chosen[5, 5])


def test_only_what_is_asked_for_is_blurred() -> None:
    """The rest keeps its pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    mask = np.zeros((64, 64), dtype=bool)
    mask[:32] = True
    blurred = np.asarray(blur_where(Image.fromarray(noise), mask))

    assert np.array_equal(noise[32:], blurred[32:])
    assert blurred[:32].std() < noise[:32].std() / 2
