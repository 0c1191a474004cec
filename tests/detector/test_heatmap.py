"""The picture over the image."""

import io

import numpy as np
from PIL import Image

from detector.classifier import Evidence
from detector.heatmap import region_scores, render_heatmap
from detector.preprocess import Crops, PreprocessSpec, cut_crops
from tests.models import TINY_MANIFEST

LOW, HIGH = -20.0, 20.0


def _crops(width: int, height: int, *boxes: tuple[int, int]) -> Crops:
    return Crops(np.zeros((len(boxes), 224, 224, 3), dtype=np.uint8), boxes, (width, height))


def _evidence(*cams: np.ndarray) -> Evidence:
    return Evidence(np.zeros(len(cams)), np.stack(cams).astype(np.float32), 0.5)


def _rgba(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_picture_is_opaque_where_the_map_is_high() -> None:
    """A hot left half of a crop is coloured, its cold right half is clear."""
    cam = np.full((7, 7), LOW)
    cam[:, :3] = HIGH

    opacity = _rgba(render_heatmap(_evidence(cam), _crops(224, 224, (0, 0)), TINY_MANIFEST))[..., 3]

    assert opacity[:, :64].min() > 150
    assert opacity[:, 160:].max() == 0


def test_no_response_gives_a_clear_picture() -> None:
    """The scale is absolute: a low map is not stretched to its own maximum."""
    cam = np.full((7, 7), LOW)
    cam[3, 3] = LOW + 5

    opacity = _rgba(render_heatmap(_evidence(cam), _crops(224, 224, (0, 0)), TINY_MANIFEST))[..., 3]

    assert 0 == opacity.max()


def test_what_no_crop_covered_stays_clear() -> None:
    """Pixels that were not examined get no colour."""
    hot = np.full((7, 7), HIGH)
    crops = _crops(600, 224, (0, 0), (376, 0))

    scores = region_scores(_evidence(hot, hot), crops, TINY_MANIFEST)

    assert (224, 600) == scores.shape
    assert scores[:, 224:376].max() == 0
    assert scores[:, :224].min() > 0.99


def test_the_picture_has_the_sides_of_a_small_image() -> None:
    """What was added by reflection is cut away again, and the map stays in its place."""
    image = Image.new("RGB", (600, 100))
    crops = cut_crops(image, PreprocessSpec())
    cam = np.full((7, 7), LOW)
    cam[3, 0] = HIGH
    cold = np.full((7, 7), LOW)
    scores = region_scores(_evidence(cam, *[cold] * (len(crops.boxes) - 1)), crops, TINY_MANIFEST)

    assert (100, 600) == scores.shape
    assert scores[42:58, 2:14].min() > 0.9
    assert scores[:, 300:].max() < 0.1


def test_overlapping_crops_are_averaged() -> None:
    """Two crops that disagree meet in the middle where they overlap."""
    crops = _crops(324, 224, (0, 0), (100, 0))
    evidence = _evidence(np.full((7, 7), 4.0), np.full((7, 7), -4.0 - 2 * TINY_MANIFEST.logit_bias))

    scores = region_scores(evidence, crops, TINY_MANIFEST)

    np.testing.assert_allclose(0.5, scores[:, 100:224], atol=1e-4)
