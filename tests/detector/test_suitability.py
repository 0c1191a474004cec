"""The gate for what is no photograph, and for what is too small or too degraded."""

import io

import pytest
from PIL import Image, ImageDraw
from skimage import data

from detector.image import decode_image
from detector.suitability import find_obstacles
from detector.verdict import EXCLUDING, Reason
from tests.images import plain_image

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "camera", "cat", "grass", "brick")


def _obstacles(encoded: bytes) -> tuple[Reason, ...]:
    decoded = decode_image(encoded)
    return find_obstacles(decoded.pixels, decoded.facts)


def _saved(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _table() -> Image.Image:
    """A window with a coloured bar, and rows of text with rules between them."""
    image = Image.new("RGB", (640, 480), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 640, 60), fill="#1a73e8")
    for y in range(80, 470, 24):
        draw.text((20, y), "invoice number, amount, due date " * 3, fill="black")
        draw.line((10, y + 18, 630, y + 18), fill="#cccccc")
    return image


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("quality", [40, 75, 95])
def test_photographs_pass(name: str, quality: int) -> None:
    """Colour or black and white, rich in texture or calm, at any measured quality."""
    image = Image.fromarray(getattr(data, name)()).convert("RGB")

    assert () == _obstacles(_saved(image, format="JPEG", quality=quality))


@pytest.mark.parametrize("brightness", [0.2, 2.0])
def test_dark_and_over_exposed_photographs_pass(brightness: float) -> None:
    """Few tones do not make a graphic."""
    image = Image.fromarray(data.astronaut()).point(lambda v: min(255, round(v * brightness)))

    assert () == _obstacles(_saved(image, format="PNG"))


@pytest.mark.parametrize("options", [{"format": "PNG"}, {"format": "JPEG", "quality": 60}])
@pytest.mark.parametrize("scale", [1.0, 0.6])
def test_a_screenshot_is_a_flat_graphic(options: dict[str, object], scale: float) -> None:
    """Also after JPEG and reduction."""
    image = _table()
    image = image.resize((round(640 * scale), round(480 * scale)), Image.Resampling.LANCZOS)

    assert (Reason.FLAT_GRAPHIC,) == _obstacles(_saved(image, **options))


def test_colourless_graphics_are_text_or_drawings() -> None:
    """The same rows of text without the coloured bar."""
    assert (Reason.TEXT_OR_DRAWING,) == _obstacles(_saved(_table().convert("L"), format="PNG"))


def test_one_colour_all_over_is_a_graphic() -> None:
    """There is nothing in it to judge."""
    obstacles = _obstacles(_saved(Image.new("RGB", (300, 200), "orange"), format="PNG"))

    assert not EXCLUDING.isdisjoint(obstacles)


@pytest.mark.parametrize(("side", "obstacles"), [(127, (Reason.SMALL_IMAGE,)), (128, ())])
def test_small_images_are_named(side: int, obstacles: tuple[Reason, ...]) -> None:
    """The shorter side counts."""
    assert obstacles == _obstacles(plain_image("PNG", (300, side)))


@pytest.mark.parametrize(("quality", "obstacles"), [(39, (Reason.STRONGLY_COMPRESSED,)), (40, ())])
def test_degraded_images_are_named(quality: int, obstacles: tuple[Reason, ...]) -> None:
    """By the quality that the file's own tables tell."""
    image = Image.fromarray(data.coffee())

    assert obstacles == _obstacles(_saved(image, format="JPEG", quality=quality))


def test_several_obstacles_are_all_named() -> None:
    """A small, strongly compressed picture of text."""
    image = _table().convert("L").crop((0, 80, 300, 180))
    obstacles = _obstacles(_saved(image, format="JPEG", quality=20))

    assert {Reason.SMALL_IMAGE, Reason.STRONGLY_COMPRESSED} < set(obstacles)
    assert not EXCLUDING.isdisjoint(obstacles)
