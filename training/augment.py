"""Augmentation drawn once per pair and applied to both halves, so that nothing of it tells them apart.

The order is that of Wang et al. (CVPR 2020), blur before JPEG before the final crop, which leaves the
8x8 JPEG grid at a random phase. Reals alone are sometimes softened, sharpened or re-sampled first and
stay labelled real: without that a network learns that soft means AI. Images are mirrored but never turned
upside down, as no portrait is.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

MARGIN = 16
"""Pixels cut away after compression, to move the JPEG grid."""

_KERNELS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


@dataclass(frozen=True, kw_only=True)
class AugmentSpec:
    """Probabilities and ranges of one recipe's augmentation."""

    untouched: float = 0.25
    """Share of pairs that are only cropped and mirrored, hard reals apart."""
    resize: float = 0.2
    resize_range: tuple[float, float] = (0.5, 1.5)
    blur: float = 0.15
    blur_sigma: tuple[float, float] = (0.1, 1.5)
    noise: float = 0.05
    noise_sigma: tuple[float, float] = (1.0, 6.0)
    """In grey levels of 0..255."""
    jpeg: float = 0.65
    jpeg_quality: tuple[int, int] = (35, 98)
    second_jpeg: float = 0.1
    webp: float = 0.1
    webp_quality: tuple[int, int] = (50, 95)
    hard_real: float = 0.2
    """Share of reals that are processed alone before the shared steps."""


def augment_pair(
    real_HWC: np.ndarray,
    fake_HWC: np.ndarray,
    size: int,
    spec: AugmentSpec,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Cut and process both images alike; uint8 [H, W, 3] in, uint8 [size, size, 3] out.

    Of the larger image only a part of the smaller one's size is used, drawn by chance: what has to be
    extended by reflection, and how far, is the same for both.
    """
    if real_HWC.shape != fake_HWC.shape:
        real_HWC, fake_HWC = _of_one_size(real_HWC, fake_HWC, rng)
    touched = rng.random() >= spec.untouched
    factor = rng.uniform(*spec.resize_range) if touched and rng.random() < spec.resize else 1.0
    height, width = real_HWC.shape[:2]
    window = math.ceil((size + MARGIN) / factor)
    top = int(rng.integers(max(height - window, 0) + 1))
    left = int(rng.integers(max(width - window, 0) + 1))
    mirrored = rng.random() < 0.5
    images = [
        Image.fromarray(_cut(image_HWC, top, left, window, mirrored=mirrored))
        for image_HWC in (real_HWC, fake_HWC)
    ]
    if rng.random() < spec.hard_real:
        images[0] = _process_real(images[0], rng)
    if touched:
        side, kernel = size + MARGIN, _KERNELS[rng.integers(len(_KERNELS))]
        if factor != 1.0:
            images = [image.resize((side, side), kernel) for image in images]
        images = _degrade(images, spec, rng)
    x, y = (int(v) for v in rng.integers(MARGIN + 1, size=2))
    real, fake = (np.asarray(image)[y : y + size, x : x + size] for image in images)
    return real, fake


def resize_pair(
    real_HWC: np.ndarray, fake_HWC: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Both images whole, mirrored alike; uint8 [H, W, 3] in, uint8 [size, size, 3] out."""
    mirrored = rng.random() < 0.5
    real, fake = (
        np.asarray(whole(Image.fromarray(image_HWC), size)) for image_HWC in (real_HWC, fake_HWC)
    )
    return (real[:, ::-1], fake[:, ::-1]) if mirrored else (real, fake)


def whole(image: Image.Image, size: int) -> Image.Image:
    """The image squeezed into a square of this side."""
    return image.resize((size, size), Image.Resampling.BICUBIC)


def _of_one_size(
    real_HWC: np.ndarray, fake_HWC: np.ndarray, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    height, width = np.minimum(real_HWC.shape[:2], fake_HWC.shape[:2])
    for image_HWC in (real_HWC, fake_HWC):
        top = int(rng.integers(image_HWC.shape[0] - height + 1))
        left = int(rng.integers(image_HWC.shape[1] - width + 1))
        yield image_HWC[top : top + height, left : left + width]


def _cut(image_HWC: np.ndarray, top: int, left: int, window: int, *, mirrored: bool) -> np.ndarray:
    cut = image_HWC[top : top + window, left : left + window]
    missing = (window - cut.shape[0], window - cut.shape[1])
    if any(missing):
        cut = np.pad(cut, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")
    if mirrored:
        cut = cut[:, ::-1]
    return np.ascontiguousarray(cut)


def _degrade(
    images: list[Image.Image], spec: AugmentSpec, rng: np.random.Generator
) -> list[Image.Image]:
    if rng.random() < spec.blur:
        blur = ImageFilter.GaussianBlur(rng.uniform(*spec.blur_sigma))
        images = [image.filter(blur) for image in images]
    if rng.random() < spec.noise:
        noise = rng.normal(
            0.0, rng.uniform(*spec.noise_sigma), (images[0].height, images[0].width, 3)
        )
        images = [
            Image.fromarray(np.clip(np.asarray(image) + noise + 0.5, 0, 255).astype(np.uint8))
            for image in images
        ]
    if rng.random() < spec.webp:
        quality = int(rng.integers(spec.webp_quality[0], spec.webp_quality[1] + 1))
        images = [encode(image, "WEBP", quality=quality, method=0) for image in images]
    passes = int(rng.random() < spec.jpeg) + int(rng.random() < spec.second_jpeg)
    for _ in range(passes):
        quality = int(rng.integers(spec.jpeg_quality[0], spec.jpeg_quality[1] + 1))
        subsampling = "4:2:0" if rng.random() < 0.7 else "4:4:4"
        images = [
            encode(image, "JPEG", quality=quality, subsampling=subsampling) for image in images
        ]
    return images


def _process_real(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """What cameras, editors and websites do to photographs."""
    match rng.integers(5):
        case 0:
            return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.3)))
        case 1:
            return image.filter(ImageFilter.MedianFilter(3))
        case 2:
            return image.filter(
                ImageFilter.UnsharpMask(rng.uniform(0.5, 2), int(rng.integers(50, 180)), 2)
            )
        case 3:
            factor = rng.uniform(0.45, 0.9)
            small = (max(8, round(image.width * factor)), max(8, round(image.height * factor)))
            down, up = (_KERNELS[i] for i in rng.integers(len(_KERNELS), size=2))
            return image.resize(small, down).resize(image.size, up)
        case _:
            return encode(image, "WEBP", quality=int(rng.integers(40, 95)), method=0)


def encode(image: Image.Image, format_name: str, **options: object) -> Image.Image:
    """The image after one lossy save."""
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    with Image.open(buffer) as saved:
        return saved.convert("RGB")
