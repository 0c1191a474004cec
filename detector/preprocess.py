"""The crops that the model sees, cut the same way in training, evaluation and serving."""

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class PreprocessSpec:
    """How crops are cut from an image. Travels inside the model file's manifest."""

    crop_size: int = 224
    """Side of a crop in pixels."""
    max_crops_per_axis: int = 3
    """Crops lie on an even grid from edge to edge; an axis gets round(side / crop_size) of them, 1 to this."""
    max_long_side: int = 1024
    """Larger images are reduced to this first; smaller ones keep their native pixels. See ADR 0003."""

    def __post_init__(self) -> None:
        if (
            self.crop_size < 32
            or self.max_crops_per_axis < 1
            or self.max_long_side < self.crop_size
        ):
            raise ValueError(f"Not a usable preprocessing spec: {self}")


@dataclass(frozen=True)
class Crops:
    """The crops of one image, and where they lie in it."""

    pixels: np.ndarray
    """uint8 [N, S, S, 3] RGB."""
    boxes: tuple[tuple[int, int], ...]
    """(left, top) of each crop in the image, in pixels; negative where the image was extended."""
    size: tuple[int, int]
    """(width, height) of the image that was cut, without what was added to it."""


def cut_crops(image: Image.Image, spec: PreprocessSpec) -> Crops:
    """Cut the grid of crops from an RGB image. Sides shorter than a crop are extended by reflection."""
    image = shrink_to(image, spec.max_long_side)
    size = spec.crop_size
    before_x, before_y = (max(size - side, 0) // 2 for side in image.size)
    canvas_HWC = _pad_to(np.asarray(image), size)
    height, width = canvas_HWC.shape[:2]
    corners = [(left, top) for top in _positions(height, spec) for left in _positions(width, spec)]
    pixels = np.stack([canvas_HWC[top : top + size, left : left + size] for left, top in corners])
    boxes = tuple((left - before_x, top - before_y) for left, top in corners)
    return Crops(pixels, boxes, image.size)


def shrink_to(image: Image.Image, long_side: int) -> Image.Image:
    """Reduce so that the long side is at most `long_side` pixels; never enlarge."""
    factor = long_side / max(image.size)
    if factor >= 1:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _positions(side: int, spec: PreprocessSpec) -> list[int]:
    count = min(max(round(side / spec.crop_size), 1), spec.max_crops_per_axis)
    free = side - spec.crop_size
    if count == 1:
        return [free // 2]
    return [round(i * free / (count - 1)) for i in range(count)]


def _pad_to(image_HWC: np.ndarray, size: int) -> np.ndarray:
    missing = [max(size - side, 0) for side in image_HWC.shape[:2]]
    if not any(missing):
        return image_HWC
    widths = [(m // 2, m - m // 2) for m in missing]
    return np.pad(image_HWC, [*widths, (0, 0)], mode="symmetric")
