"""Decoding: what is accepted, what is refused, and what the pixels look like afterwards."""

import io
import tracemalloc
import zipfile

import numpy as np
import pillow_heif
import pytest
from PIL import Image
from skimage import data

from detector import errors
from detector.image import ImageLimits, decode_image, sniff_format
from tests.images import linear_light_profile, plain_image, png_declaring


def _photo(image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, image_format, **options)
    return buffer.getvalue()


def _heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(data.astronaut())).save(buffer, quality=90)
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photo.png", b"\x89PNG\r\n\x1a\n")
    return buffer.getvalue()


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "heic"])
def test_every_supported_format_decodes(name: str) -> None:
    """Each format gives the picture back, nearly unchanged."""
    encoded = _heic() if name == "heic" else _photo(name.upper())

    decoded = decode_image(encoded)

    assert name == decoded.facts.format
    assert (512, 512) == decoded.pixels.size
    difference = np.asarray(decoded.pixels).astype(float) - data.astronaut()
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (b"", errors.EmptyFile),
        (png_declaring(60_000, 60_000), errors.TooManyPixels),
        (png_declaring(9_000, 9_000), errors.TooManyPixels),
        (plain_image("PNG", (63, 200)), errors.ImageTooSmall),
        (_photo("JPEG")[:9_000], errors.UndecodableMedia),
        (_photo("PNG")[:9_000], errors.UndecodableMedia),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, errors.UndecodableMedia),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, errors.UndecodableMedia),
        (_zip(), errors.UnsupportedType),
        (b"GIF89a" + b"\0" * 100, errors.UnsupportedType),
        (b"just words", errors.UnsupportedType),
        (b"\0" * 21_000_000, errors.FileTooLarge),
    ],
    ids=[
        "empty", "60000x60000", "81 megapixels", "narrow", "cut JPEG", "cut PNG", "JPEG header only",
        "PNG header only", "ZIP named .png", "GIF", "text", "21 MB",
    ],
)  # fmt: skip
def test_bad_files_raise_their_own_error(
    encoded: bytes, expected: type[errors.DetectorError]
) -> None:
    """Whatever is wrong with a file, its error says which kind of wrong."""
    with pytest.raises(expected) as caught:
        decode_image(encoded)

    assert type(caught.value) is expected


@pytest.mark.parametrize("size", [(60_000, 60_000), (7_500, 7_500)])
def test_too_many_pixels_are_refused_before_they_are_allocated(size: tuple[int, int]) -> None:
    """Refusing a file that declares gigabytes takes less than a megabyte."""
    encoded = png_declaring(*size)
    tracemalloc.start()
    with pytest.raises(errors.TooManyPixels):
        decode_image(encoded)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1_000_000


def test_a_truncated_jpeg_is_refused_before_its_pixels_are_allocated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The missing end marker is noticed without decoding."""
    monkeypatch.setattr(
        Image.Image,
        "load_prepare",
        lambda _self: pytest.fail("pixels were allocated"),
        raising=False,
    )
    cut = _photo("JPEG")[:20_000]

    with pytest.raises(errors.UndecodableMedia):
        decode_image(cut)


def test_a_thumbnail_does_not_pass_for_the_end_of_its_jpeg() -> None:
    """An end marker inside metadata does not make a cut file whole."""
    exif = Image.Exif()
    exif[0x010E] = "x" + plain_image("JPEG").decode("latin-1")
    cut = _photo("JPEG", exif=exif)[:20_000]

    with pytest.raises(errors.UndecodableMedia):
        decode_image(cut)


def test_bytes_after_the_end_of_a_jpeg_are_ignored() -> None:
    """Phones append data of their own; the picture stays readable."""
    assert (512, 512) == decode_image(_photo("JPEG") + b"trailer of a phone").pixels.size


def test_orientation_is_applied() -> None:
    """EXIF orientation 6 turns a wide picture upright, and its facts with it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.fromarray(data.astronaut()[:300])
    buffer = io.BytesIO()
    wide.save(buffer, "JPEG", exif=exif)

    decoded = decode_image(buffer.getvalue())

    assert (300, 512) == decoded.pixels.size
    assert (300, 512) == (decoded.facts.width, decoded.facts.height)


@pytest.mark.parametrize(
    ("profile", "expected"), [(linear_light_profile(), 137), (b"not a profile", 64), (None, 64)]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colour_profiles_are_applied(profile: bytes | None, expected: int, mode: str) -> None:
    """64 in linear light is 137 in sRGB; a profile that cannot be read changes nothing."""
    buffer = io.BytesIO()
    grey = Image.new("RGB", (100, 100), (64, 64, 64))
    grey = grey.quantize(2) if mode == "P" else grey.convert(mode)
    grey.save(buffer, "PNG", icc_profile=profile)

    pixel = decode_image(buffer.getvalue()).pixels.getpixel((50, 50))

    assert pixel == pytest.approx((expected,) * 3, abs=1)


def test_transparency_is_laid_on_white() -> None:
    """A fully transparent picture is white, not black."""
    buffer = io.BytesIO()
    Image.new("RGBA", (100, 100), (0, 0, 0, 0)).save(buffer, "PNG")

    assert (255, 255, 255) == decode_image(buffer.getvalue()).pixels.getpixel((50, 50))


def test_sixteen_bit_grey_keeps_its_range() -> None:
    """Middle grey stays middle grey."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((100, 100), 32768, dtype=np.uint16)).save(buffer, "PNG")

    assert (128, 128, 128) == decode_image(buffer.getvalue()).pixels.getpixel((50, 50))


def test_cmyk_becomes_rgb() -> None:
    """Print colours are converted."""
    buffer = io.BytesIO()
    Image.new("CMYK", (100, 100), (0, 0, 0, 0)).save(buffer, "JPEG")

    assert (255, 255, 255) == decode_image(buffer.getvalue()).pixels.getpixel((50, 50))


@pytest.mark.parametrize("quality", [10, 40, 50, 60, 75, 90, 95, 100])
def test_jpeg_quality_is_recovered_from_the_tables(quality: int) -> None:
    """The estimate equals the quality that the encoder was asked for."""
    assert quality == decode_image(_photo("JPEG", quality=quality)).facts.jpeg_quality_estimate


def test_other_formats_have_no_jpeg_quality() -> None:
    """None, not a number that means nothing."""
    assert decode_image(_photo("PNG")).facts.jpeg_quality_estimate is None


def test_limits_can_be_changed() -> None:
    """The caller decides what is too large."""
    with pytest.raises(errors.FileTooLarge):
        decode_image(plain_image("PNG"), ImageLimits(max_bytes=10))


def test_formats_are_named_by_bytes() -> None:
    """The magic number decides; an unknown one has no name."""
    assert "png" == sniff_format(plain_image("PNG"))
    assert sniff_format(b"\0\0\0\x18ftypisom") is None
