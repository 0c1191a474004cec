"""Scores of re-saves beside the score of the image."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from detector.classifier import Evidence, OnnxClassifier
from detector.preprocess import Crops, cut_crops
from detector.stability import RESAVES, Stability, score_with_resaves
from tests.models import write_tiny_model


@pytest.fixture(scope="module")
def brightness(tiny_model: Path) -> OnnxClassifier:
    return OnnxClassifier.load(tiny_model, threads=1)


@pytest.fixture(scope="module")
def grain(tmp_path_factory: pytest.TempPathFactory) -> OnnxClassifier:
    path = tmp_path_factory.mktemp("grain") / "grain.onnx"
    return OnnxClassifier.load(write_tiny_model(path, looks_at="grain"), threads=1)


def _grainy(width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(0).normal(128, 10, (height, width, 1)).clip(0, 255)
    return Image.fromarray(np.repeat(noise, 3, axis=2).astype(np.uint8))


def _score(classifier: OnnxClassifier, image: Image.Image) -> tuple[float, Stability]:
    crops = cut_crops(image, classifier.manifest.spec)
    evidence, stability = score_with_resaves(classifier, image, crops)
    return evidence.probability, stability


def test_three_resaves_are_named() -> None:
    """JPEG 75, JPEG 50, and a reduction to at most 768 pixels, which makes every image smaller."""
    assert ["jpeg_75", "jpeg_50", "resize_768"] == [resave.name for resave in RESAVES]
    assert [75, 50] == [resave.jpeg_quality for resave in RESAVES[:2]]
    assert 768 == RESAVES[2].max_long_side
    assert (512, 384) > RESAVES[2].apply(_grainy(512, 384)).size


@pytest.mark.parametrize("size", [(160, 120), (256, 256), (512, 300), (1000, 700), (1024, 400)])
def test_the_image_itself_scores_as_it_does_alone(
    grain: OnnxClassifier, size: tuple[int, int]
) -> None:
    """Being scored together with its re-saves changes nothing."""
    image = _grainy(*size)
    crops = cut_crops(image, grain.manifest.spec)
    alone = grain.score(crops)
    together, _ = score_with_resaves(grain, image, crops)

    np.testing.assert_allclose(alone.logits, together.logits, rtol=1e-5)
    np.testing.assert_allclose(alone.cams, together.cams, rtol=1e-5)
    assert alone.probability == pytest.approx(together.probability)


def test_what_a_resave_keeps_stays(brightness: OnnxClassifier) -> None:
    """Neither JPEG nor size changes brightness, although only a third of the crops is compared."""
    small = np.asarray(Image.fromarray(data.astronaut()).resize((28, 28)))
    image = Image.fromarray(np.tile(small, (24, 24, 1)))
    score, stability = _score(brightness, image)

    assert stability.min == pytest.approx(score, abs=0.02)
    assert stability.max == pytest.approx(score, abs=0.02)


def test_what_a_resave_removes_shows(grain: OnnxClassifier) -> None:
    """JPEG 50 smooths grain, so the lowest score is far below the image's own."""
    score, stability = _score(grain, _grainy(512, 512))

    assert score > 0.8
    assert stability.min < 0.4 < stability.max <= score + 0.05


def test_crops_are_compared_with_those_at_their_own_place(grain: OnnxClassifier) -> None:
    """An image with grain in one half only is compared half with half, whatever the grid after reduction."""
    calm = Image.new("RGB", (1000, 500), (128, 128, 128))
    calm.paste(_grainy(1000, 250), (0, 250))
    _, stability = _score(grain, calm)

    assert stability.max < 0.8


def test_a_few_more_crops_are_scored_in_one_run(grain: OnnxClassifier) -> None:
    """Three for one crop, three for four, nine for nine."""
    runs: list[int] = []

    class Counting(OnnxClassifier):
        def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
            runs.append(sum(len(crops.boxes) for crops in images))
            return super().score_together(images)

    counting = Counting(grain._session, grain.manifest, grain.weights_sha256)
    for size in ((256, 256), (400, 400), (1024, 700)):
        _score(counting, _grainy(*size))

    assert [1 + 3, 4 + 3, 9 + 9] == runs
