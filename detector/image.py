"""From bytes to an upright sRGB image and the facts about its file.

Training and serving both read pixels through `decode_image`, so that orientation, colour profile and
transparency are handled by the same lines. Limits are checked on the header, before pixels are allocated.
"""

import functools
import hashlib
import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageCms, ImageOps

from detector.errors import (
    EmptyFile,
    FileTooLarge,
    ImageTooSmall,
    TooManyPixels,
    UndecodableMedia,
    UnsupportedType,
)

# Our name of a format -> the one Pillow plugin allowed to read it.
PILLOW_FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF"}

EXTENSIONS = {
    "jpeg": (".jpg", ".jpeg"),
    "png": (".png",),
    "webp": (".webp",),
    "avif": (".avif",),
    "heic": (".heic", ".heif"),
}
"""How files of each format are usually named. Only folders are searched by name; files are judged by bytes."""

BACKGROUND = (255, 255, 255)
"""Colour behind transparent pixels."""

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}

# Luminance table of ITU-T T.81 annex K.1, in row order.
_BASE_LUMINANCE_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What is accepted; the same numbers are published by the API and checked by the site."""

    max_bytes: int = 20 * 1000 * 1000
    max_pixels: int = 50 * 1000 * 1000
    min_side: int = 64


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """What is known about a file without judging it. Width and height are those of the upright image."""

    kind: str
    sha256: str
    bytes: int
    width: int
    height: int
    format: str
    jpeg_quality_estimate: int | None
    """1-100 on the scale of the IJG encoder; None for other formats."""
    duration_seconds: float | None = None
    """Of a video; None for images."""


@dataclass(frozen=True)
class DecodedImage:
    """An upright RGB image in sRGB, and the facts about the file it came from."""

    pixels: Image.Image
    facts: MediaFacts


def decode_image(data: bytes, limits: ImageLimits | None = None) -> DecodedImage:
    """Decode one still image; of an animation, the first frame.

    Raises EmptyFile, FileTooLarge, UnsupportedType, TooManyPixels, ImageTooSmall or UndecodableMedia.
    """
    limits = limits or ImageLimits()
    if not data:
        raise EmptyFile("The file is empty.")
    if len(data) > limits.max_bytes:
        raise FileTooLarge(f"The file has {len(data)} bytes; the limit is {limits.max_bytes}.")
    format_name = sniff_format(data)
    if format_name is None:
        raise UnsupportedType(
            f"Not one of {', '.join(sorted(PILLOW_FORMATS))}, judged by its bytes."
        )

    image = _open(data, format_name)
    _check_size(image.size, limits)
    if format_name == "jpeg" and not _has_complete_scan(data):
        raise UndecodableMedia("The JPEG ends before its image does.")
    quality = _estimate_jpeg_quality(image) if format_name == "jpeg" else None
    pixels = _load_upright_srgb(image)
    facts = MediaFacts(
        kind="image",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        width=pixels.width,
        height=pixels.height,
        format=format_name,
        jpeg_quality_estimate=quality,
    )
    return DecodedImage(pixels, facts)


def sniff_format(data: bytes) -> str | None:
    """Name the format by its magic bytes; None when it is not a supported image."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        box = data[8 : min(int.from_bytes(data[:4], "big"), 128)]
        brands = {box[i : i + 4] for i in (0, *range(8, len(box), 4))}
        if brands & _AVIF_BRANDS:
            return "avif"
        if brands & _HEIC_BRANDS:
            return "heic"
    return None


@functools.cache
def _register_heif() -> None:
    pillow_heif.register_heif_opener()


def _open(data: bytes, format_name: str) -> Image.Image:
    """Parse the header only."""
    if format_name == "heic":
        _register_heif()
    try:
        return Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[format_name]])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels("The image declares more pixels than can be read.") from error
    except Exception as error:  # decoders of hostile bytes raise every kind of exception
        raise UndecodableMedia(f"The {format_name.upper()} header cannot be read.") from error


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise TooManyPixels(f"{width} x {height} is more than {limits.max_pixels} pixels.")
    if min(size) < limits.min_side:
        raise ImageTooSmall(f"{width} x {height}: each side must have {limits.min_side} pixels.")


def _has_complete_scan(data: bytes) -> bool:
    """Walk the JPEG's segments to its first scan and look for the end marker after it."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xDA:
            return data.find(b"\xff\xd9", at) != -1
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _load_upright_srgb(image: Image.Image) -> Image.Image:
    try:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _flatten(_to_srgb(image))
    except Exception as error:  # decoders of hostile bytes raise every kind of exception
        raise UndecodableMedia("The image data is damaged or incomplete.") from error


def _to_srgb(image: Image.Image) -> Image.Image:
    """Apply the embedded colour profile; one that cannot be read is ignored, as viewers do."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in {"P", "PA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if not profile or image.mode not in {"L", "RGB", "CMYK", "RGBA"}:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).startswith("sRGB"):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image


def _flatten(image: Image.Image) -> Image.Image:
    """To RGB: 16-bit grey scaled, palettes resolved, transparency laid on BACKGROUND."""
    if image.mode.startswith("I"):
        wide = np.asarray(image, dtype=np.float32)
        image = Image.fromarray(np.clip(wide / 257.0 + 0.5, 0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        backdrop = Image.new("RGBA", image.size, (*BACKGROUND, 255))
        image = Image.alpha_composite(backdrop, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _estimate_jpeg_quality(image: Image.Image) -> int | None:
    """The IJG quality whose luminance table is nearest to the file's own, in mean absolute distance."""
    tables = getattr(image, "quantization", None)
    if not tables:
        return None
    own = np.asarray(tables[min(tables)], dtype=np.float64)
    distances = np.abs(_ijg_luminance_tables() - own).mean(axis=1)
    return int(distances.argmin()) + 1


@functools.cache
def _ijg_luminance_tables() -> npt.NDArray[np.float64]:
    """Tables for quality 1-100 as `float64 [100, 64]`, scaled as libjpeg does."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables = (_BASE_LUMINANCE_TABLE.reshape(1, 64) * scale + 50) // 100
    return tables.clip(1, 255).astype(np.float64)
