"""JPEG files of a given size that compress like photographs, made on the spot and always the same."""

import io

import numpy as np
from PIL import Image

MEGAPIXELS = {1: (1152, 864), 12: (4032, 3024), 20: (5184, 3888)}


def picture(megapixels: int) -> bytes:
    """One of so many MEGAPIXELS."""
    return picture_of(*MEGAPIXELS[megapixels])


def picture_of(width: int, height: int) -> bytes:
    """Soft shapes under fine grain, at JPEG quality 90."""
    random = np.random.default_rng(7)
    shapes = Image.fromarray(random.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    soft_HWC = np.asarray(shapes.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    grain_HWC = random.integers(-12, 13, soft_HWC.shape, dtype=np.int16)
    pixels_HWC = np.clip(soft_HWC + grain_HWC, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels_HWC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
