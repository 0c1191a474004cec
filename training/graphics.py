"""Renders what the suitability gate must recognise: web pages, charts, text pages and drawings.

Nothing is downloaded: pages are laid out by Chromium, charts by matplotlib, the rest by Pillow, with words
and shapes drawn from a seed. The limits of the gate are fitted on the designs in FIT and measured on those
in CHECK, which have no design in common.
"""

import io
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import sync_playwright

Rng = np.random.Generator
Designs = Mapping[str, tuple[Callable[[Rng], Image.Image | str], ...]]
"""Functions that draw an image, or the HTML of one, by the kind of graphic."""

WORDS = (  # noqa: SIM905 - a list would take a line a word
    "the of and to in is that for it as was with be by on not he this are or his from at which but "
    "have an had they you were their one all we can her has there been if more when will would who so "
    "no market school water report office paper window garden station letter morning village engineer "
    "kitchen history"
).split(" ")
COLOURS = (  # noqa: SIM905
    "#1a73e8 #d93025 #188038 #f9ab00 #202124 #5f6368 #8430ce #007b83 #e8710a #ffffff #f1f3f4 #0b57d0"
).split(" ")


@dataclass(frozen=True)
class Graphic:
    """One rendered file."""

    kind: str
    """A key of FIT and CHECK."""
    design: str
    data: bytes

    @property
    def is_colourless(self) -> bool:
        """Whether it is text or a line drawing and nothing else."""
        return self.kind == "text_page" or self.design in {"pen", "pencil", "plan"}


def render_graphics(designs: Designs, count: int, *, seed: int) -> list[Graphic]:
    """`count` files, the kinds and designs in turn.

    One in three stays a PNG; the others are saved as JPEG (quality 50 to 95), half of them reduced first.
    Chromium is found at /usr/bin/chromium or where ASLI_CHROMIUM says.
    """
    # In a thread of its own, since Playwright refuses one in which another of its browsers runs.
    with ThreadPoolExecutor(max_workers=1) as pool:
        rng = np.random.default_rng(seed)
        return pool.submit(lambda: list(_render(designs, count, rng))).result()


def _render(designs: Designs, count: int, rng: Rng) -> Iterator[Graphic]:
    kinds = list(designs)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("ASLI_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page()
        for i in range(count):
            kind = kinds[i % len(kinds)]
            design = designs[kind][i // len(kinds) % len(designs[kind])]
            made = design(rng)
            if isinstance(made, str):
                width, height = [(1280, 800), (412, 870), (820, 1100)][rng.integers(3)]
                page.set_viewport_size({"width": width, "height": height})
                page.set_content(made)
                made = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            yield Graphic(kind, design.__name__.strip("_"), _save(made, rng))
        browser.close()


def _save(image: Image.Image, rng: Rng) -> bytes:
    buffer = io.BytesIO()
    way = rng.integers(3)
    if way == 0:
        image.save(buffer, "PNG")
        return buffer.getvalue()
    if way == 2:
        scale = float(rng.uniform(0.4, 0.9))
        size = [max(64, round(side * scale)) for side in image.size]
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    image.save(buffer, "JPEG", quality=int(rng.integers(50, 96)))
    return buffer.getvalue()


def _text(rng: Rng, words: int) -> str:
    return " ".join(rng.choice(WORDS, words)).capitalize() + "."


def _colour(rng: Rng) -> str:
    return str(rng.choice(COLOURS))


def _html(rng: Rng, body: str, css: str = "") -> str:
    dark = rng.random() < 0.3
    page, ink = ("#17181c", "#e3e3e3") if dark else ("#ffffff", "#222222")
    font = rng.choice(["sans-serif", "serif", "monospace"], p=[0.6, 0.3, 0.1])
    return (
        f"<style>body{{margin:0;background:{page};color:{ink};font:{rng.integers(13, 19)}px/1.5 {font}}}"
        f".p{{padding:{rng.integers(10, 40)}px}}{css}</style>{body}"
    )


def _article(rng: Rng) -> str:
    hero = f"<div style='height:180px;background:linear-gradient({_colour(rng)},{_colour(rng)})'></div>"
    body = "".join(f"<p>{_text(rng, int(rng.integers(30, 90)))}</p>" for _ in range(12))
    return _html(rng, f"{hero}<div class=p><h1>{_text(rng, 6)}</h1>{body}</div>")


def _chat(rng: Rng) -> str:
    bubbles = "".join(
        f"<div style='margin:8px {'8px 8px 90px' if rng.random() < 0.5 else '90px 8px 8px'};padding:10px;"
        f"border-radius:14px;background:{_colour(rng)};color:#888'>{_text(rng, int(rng.integers(3, 25)))}</div>"
        for _ in range(14)
    )
    return _html(rng, f"<div style='background:{_colour(rng)};padding:14px'>Chat</div>{bubbles}")


def _spreadsheet(rng: Rng) -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{rng.integers(0, 99999)}</td>" for _ in range(9)) + "</tr>"
        for _ in range(40)
    )
    return _html(rng, f"<table>{rows}</table>", "td{border:1px solid #bbb;padding:2px 14px}")


def _dashboard(rng: Rng) -> str:
    cards = "".join(
        f"<div class=c><b>{_text(rng, 3)}</b><div style='height:{rng.integers(20, 90)}px;"
        f"background:{_colour(rng)}'></div>{_text(rng, 8)}</div>"
        for _ in range(12)
    )
    css = (
        ".g{display:grid;grid-template-columns:repeat(3,1fr);gap:12px}"
        ".c{border:1px solid #ccc;border-radius:8px;padding:12px}"
    )
    return _html(rng, f"<div class='p g'>{cards}</div>", css)


def _editor(rng: Rng) -> str:
    lines = "".join(
        f"<div><span style='color:#888'>{n:4d}</span> {'&nbsp;' * int(rng.integers(0, 12))}"
        f"<span style='color:{_colour(rng)}'>{rng.choice(WORDS)}</span>"
        f" = {_text(rng, int(rng.integers(1, 9)))}</div>"
        for n in range(1, 50)
    )
    return _html(rng, f"<div style='font-family:monospace'>{lines}</div>")


def _feed(rng: Rng) -> str:
    posts = "".join(
        f"<div class=p><span style='display:inline-block;width:40px;height:40px;border-radius:50%;"
        f"background:radial-gradient({_colour(rng)},{_colour(rng)})'></span> <b>{_text(rng, 2)}</b>"
        f"<p>{_text(rng, int(rng.integers(8, 40)))}</p><div style='height:120px;border-radius:12px;"
        f"background:linear-gradient(120deg,{_colour(rng)},{_colour(rng)})'></div></div>"
        for _ in range(5)
    )
    return _html(rng, posts)


def _plotted(rng: Rng, draw: Callable[..., object]) -> Image.Image:
    """A chart as it is saved by default, with titles, grid or neither."""
    figure = Figure(
        figsize=(float(rng.uniform(4, 9)), float(rng.uniform(4, 9))), dpi=int(rng.integers(70, 140))
    )
    axes = figure.add_subplot()
    draw(axes)
    axes.set_title(_text(rng, 4))
    axes.set_xlabel(str(rng.choice(WORDS)))
    axes.grid(visible=bool(rng.random() < 0.5))
    if rng.random() < 0.25:
        figure.set_facecolor("#20232a")
        axes.set_facecolor("#2b2f38")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer).convert("RGB")


def _lines(rng: Rng) -> Image.Image:
    return _plotted(rng, lambda axes: axes.plot(rng.normal(size=(60, 4)).cumsum(axis=0)))


def _bars(rng: Rng) -> Image.Image:
    n = int(rng.integers(4, 14))
    return _plotted(rng, lambda axes: axes.bar(rng.choice(WORDS, n, replace=False), rng.random(n)))


def _points(rng: Rng) -> Image.Image:
    x, y, c = rng.normal(size=(3, 250))
    return _plotted(rng, lambda axes: axes.scatter(x, y, c=c, s=30, alpha=0.7))


def _shares(rng: Rng) -> Image.Image:
    n = int(rng.integers(3, 8))
    return _plotted(rng, lambda axes: axes.pie(rng.random(n) + 0.2, labels=rng.choice(WORDS, n)))


def _areas(rng: Rng) -> Image.Image:
    values = rng.random((4, 40)).cumsum(axis=1)
    return _plotted(rng, lambda axes: axes.stackplot(range(40), values, alpha=0.8))


def _histogram(rng: Rng) -> Image.Image:
    return _plotted(rng, lambda axes: axes.hist(rng.normal(size=(500, 2)), bins=30))


def _font(rng: Rng, size: int) -> ImageFont.FreeTypeFont:
    """One of the fonts that matplotlib brings."""
    family = str(rng.choice(["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"]))
    return ImageFont.truetype(font_manager.findfont(family), size)


def _typed(rng: Rng, *, columns: int = 1) -> Image.Image:
    """A clean page of text, 700 to 1100 pixels wide."""
    width = int(rng.integers(700, 1100))
    page = Image.new("L", (width, int(width * 1.3)), 255)
    draw = ImageDraw.Draw(page)
    size = int(rng.integers(14, 24))
    font = _font(rng, size)
    across = (width - 120) // columns
    for column in range(columns):
        y = 80
        while y < page.height - 80:
            words = _text(rng, int(across / size / 3.4)) if rng.random() < 0.92 else ""
            draw.text((60 + column * across, y), words, fill=int(rng.integers(0, 60)), font=font)
            y += int(size * 1.6)
    return page


def _letter(rng: Rng) -> Image.Image:
    return _typed(rng).convert("RGB")


def _newspaper(rng: Rng) -> Image.Image:
    return _typed(rng, columns=3).convert("RGB")


def _scanned(rng: Rng, page: Image.Image) -> Image.Image:
    """Turned by up to a degree, on tinted paper lit from one side, blurred, with grain."""
    page = page.rotate(float(rng.uniform(-1, 1)), Image.Resampling.BICUBIC, fillcolor=255)
    page = page.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.0))))
    grey_HW = np.asarray(page, dtype=np.float32)
    light_W = np.linspace(1.0, rng.uniform(0.88, 0.98), page.width)
    paper = rng.uniform([225, 220, 200], [252, 250, 245])
    grain = rng.normal(0, rng.uniform(0.5, 3.0), (*grey_HW.shape, 1))
    image_HWC = grey_HW[..., None] / 255 * paper * light_W[:, None] + grain
    return Image.fromarray(image_HWC.clip(0, 255).astype(np.uint8))


def _scan(rng: Rng) -> Image.Image:
    return _scanned(rng, _typed(rng))


def _scanned_columns(rng: Rng) -> Image.Image:
    return _scanned(rng, _typed(rng, columns=2))


def _form(rng: Rng) -> Image.Image:
    """A scanned form: lines to fill in, and little else."""
    page = _typed(rng)
    draw = ImageDraw.Draw(page)
    for y in range(60, page.height - 60, 70):
        draw.rectangle((50, y, page.width - 50, y + 50), outline=40, fill=255, width=2)
        draw.text((60, y + 10), _text(rng, 3), fill=30, font=_font(rng, 18))
    return _scanned(rng, page)


def _icon(rng: Rng) -> Image.Image:
    """Flat shapes, drawn large and reduced for smooth edges."""
    side = int(rng.integers(128, 512))
    image = Image.new("RGB", (side * 4, side * 4), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(0, side * 3, 2)
        w, h = rng.uniform(side * 0.4, side * 2.5, 2)
        shape = rng.choice(["ellipse", "rectangle", "rounded_rectangle"])
        extra = {"radius": 60} if shape == "rounded_rectangle" else {}
        getattr(draw, shape)((x, y, x + w, y + h), fill=_colour(rng), **extra)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def _logo(rng: Rng) -> Image.Image:
    """A name beside a sign on one colour."""
    height = int(rng.integers(130, 260))
    image = Image.new("RGB", (height * 3, height), _colour(rng))
    draw = ImageDraw.Draw(image)
    draw.regular_polygon(
        (height // 2, height // 2, height // 3), int(rng.integers(3, 9)), fill=_colour(rng)
    )
    draw.text(
        (height, height // 3),
        str(rng.choice(WORDS)),
        fill=_colour(rng),
        font=_font(rng, height // 3),
    )
    return image


def _strokes(rng: Rng, *, width: int, fill: int) -> Image.Image:
    """Curved strokes on white, as a pen leaves them."""
    image = Image.new("L", (800, 600), 255)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(15, 50))):
        steps = rng.normal(0, 22, (30, 2)).cumsum(axis=0)
        path = steps + rng.uniform([50, 50], [750, 550])
        draw.line(path.ravel().tolist(), fill=fill, width=width, joint="curve")
    return image


def _pen(rng: Rng) -> Image.Image:
    return _strokes(rng, width=3, fill=0).convert("RGB")


def _pencil(rng: Rng) -> Image.Image:
    return _scanned(rng, _strokes(rng, width=2, fill=int(rng.integers(50, 110))))


def _plan(rng: Rng) -> Image.Image:
    """Thin straight lines and a few words, as in a floor plan or a diagram."""
    image = Image.new("RGB", (900, 700), "#ffffff")
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(8, 20))):
        x, y = rng.integers(20, 700, 2).tolist()
        w, h = rng.integers(40, 180, 2).tolist()
        draw.rectangle((x, y, x + w, y + h), outline="#000000", width=2)
        draw.text((x + 4, y + 4), str(rng.choice(WORDS)), fill="#333333", font=_font(rng, 14))
    return image


FIT: Designs = {
    "web_page": (_article, _chat, _spreadsheet),
    "chart": (_lines, _bars, _points),
    "text_page": (_letter, _scan),
    "drawing": (_icon, _pen),
}
CHECK: Designs = {
    "web_page": (_dashboard, _editor, _feed),
    "chart": (_shares, _areas, _histogram),
    "text_page": (_newspaper, _scanned_columns, _form),
    "drawing": (_logo, _plan, _pencil),
}
