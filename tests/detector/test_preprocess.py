"""The crops: how many, where, and that they are the image's own pixels."""

import numpy as np
import pytest
from PIL import Image

from detector.preprocess import PreprocessSpec, cut_crops, shrink_to


def _noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ((64, 64), 1),
        ((224, 224), 1),
        ((256, 256), 1),
        ((400, 533), 4),
        ((1024, 768), 9),
        ((4000, 300), 3),
    ],
)
def test_the_number_of_crops_grows_with_the_image(size: tuple[int, int], count: int) -> None:
    """One to three along each side, so that an image has one to nine."""
    assert (count, 224, 224, 3) == cut_crops(_noise(*size), PreprocessSpec()).pixels.shape


def test_crops_are_native_pixels() -> None:
    """Nothing is resized below the limit: each crop is found in the image at its box."""
    image = _noise(533, 400)
    crops = cut_crops(image, PreprocessSpec())

    for pixels, (left, top) in zip(crops.pixels, crops.boxes, strict=True):
        assert np.array_equal(np.asarray(image)[top : top + 224, left : left + 224], pixels)


def test_the_grid_reaches_every_edge() -> None:
    """The first crop starts at the corner and the last one ends at the opposite corner."""
    crops = cut_crops(_noise(800, 600), PreprocessSpec())

    assert (0, 0) == crops.boxes[0]
    assert (800 - 224, 600 - 224) == crops.boxes[-1]


def test_small_images_are_extended_by_reflection() -> None:
    """A crop of a small image repeats its own pixels and adds no new colour."""
    image = Image.new("RGB", (100, 70), (10, 200, 30))

    assert {(10, 200, 30)} == {
        tuple(p) for p in cut_crops(image, PreprocessSpec()).pixels.reshape(-1, 3)
    }


def test_large_images_are_reduced_first() -> None:
    """The canvas has the longest side of the spec, in the image's own proportions."""
    assert (1024, 512) == cut_crops(_noise(4096, 2048), PreprocessSpec()).size


def test_shrinking_never_enlarges() -> None:
    """A small image comes back as it was."""
    image = _noise(300, 200)

    assert shrink_to(image, 768) is image


@pytest.mark.parametrize(
    "values", [{"crop_size": 8}, {"max_crops_per_axis": 0}, {"max_long_side": 100}]
)
def test_unusable_specs_are_refused(values: dict[str, int]) -> None:
    """A spec that cannot give crops is the caller's mistake."""
    with pytest.raises(ValueError, match="Not a usable preprocessing spec"):
        PreprocessSpec(**values)
