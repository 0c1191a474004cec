"""What an image went through before we got it, made alike for both classes.

AI images often come without any JPEG history and photographs never do, so that a network could learn the
one for the other (Grommelt et al., "Fake or JPEG? Revealing Common Biases in Generated Image Detection
Datasets", 2024).
"""

import io
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin

SMALLEST_SIDE = 128
"""Photographs are not reduced below this, in pixels."""

_KERNELS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)

JpegTables = dict[str, Any]
"""How a JPEG was saved: Pillow's options `qtables` and `subsampling`."""


def jpeg_tables(data: bytes) -> JpegTables | None:
    """Those of a file; None when it is no JPEG."""
    with Image.open(io.BytesIO(data)) as file:
        if not isinstance(file, JpegImagePlugin.JpegImageFile):
            return None
        sampling = JpegImagePlugin.get_sampling(file)
        return {"qtables": file.quantization, "subsampling": max(sampling, 0)}


def saved_like(image_HWC: np.ndarray, tables: JpegTables | None) -> np.ndarray:
    """The image, uint8 [H, W, 3], after one save with these tables; as it was without any."""
    if tables is None:
        return image_HWC
    buffer = io.BytesIO()
    Image.fromarray(image_HWC).save(buffer, "JPEG", **tables)
    return np.asarray(Image.open(buffer))


def reduced(
    image_HWC: np.ndarray, rng: np.random.Generator, smallest_side: int = SMALLEST_SIDE
) -> np.ndarray:
    """The image at 0.5 to 0.9 of its size, by a kernel drawn by chance: this erases its JPEG grid."""
    height, width = image_HWC.shape[:2]
    factor = max(rng.uniform(0.5, 0.9), min(0.9, smallest_side / min(height, width)))
    size = (round(width * factor), round(height * factor))
    kernel = _KERNELS[rng.integers(len(_KERNELS))]
    return np.asarray(Image.fromarray(image_HWC).resize(size, kernel))
