"""A running site with a browser on it. Nothing here may leave the machine."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    sync_playwright,
)

from static_site.formats import LANGUAGES, Language
from static_site.render import render_site
from tests.images import plain_image
from tests.metadata import exif, jpeg_with
from tests.serving import ROOT
from tests.signing import MADE, sign
from tests.site.running import launch_chromium, running_site

LONGEST_VISIT_SECONDS = 150
"""No test needs half of it."""
SAMPLE_REPORT = ROOT / "tests" / "static_site" / "sample_report.json"


@pytest.fixture(scope="session")
def rendered_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's files, from a made-up report."""
    out = tmp_path_factory.mktemp("site")
    render_site(out, SAMPLE_REPORT)
    return out


@pytest.fixture(scope="session")
def site_url(
    rendered_site: Path,
    tiny_model: Path,
    tiny_report: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The address of a server with site and API, which scores brightness."""
    model = {"ASLI_MODEL_PATH": str(tiny_model), "ASLI_REPORT_PATH": str(tiny_report)}
    with running_site(rendered_site, tmp_path_factory.mktemp("server"), model) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@dataclass
class Watch:
    """What went wrong in the browser while a test ran."""

    faults: list[str] = field(default_factory=list)
    failed_answers_are_expected: bool = False
    """The browser reports each answer of status 400 and above, and each broken connection."""

    def note(self, fault: str) -> None:
        is_expected = self.failed_answers_are_expected and "Failed to load resource" in fault
        if not is_expected and "blocked by Playwright" not in fault:
            self.faults.append(fault)


@pytest.fixture
def watch() -> Watch:
    """Collects console errors, policy violations and requests to other hosts."""
    return Watch()


@pytest.fixture(autouse=True)
def _no_visit_is_endless() -> Iterator[None]:
    with pages_end_after(LONGEST_VISIT_SECONDS):
        yield


@contextmanager
def pages_end_after(seconds: float) -> Iterator[None]:
    """Pages still open then end as if they had crashed, which fails their test; the browser goes on.

    pytest's own time limit does not reach a test that waits inside Playwright.
    """
    timer = threading.Timer(seconds, _end_pages)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_pages() -> None:
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "--type=renderer" in process.cmdline():
                process.kill()


@contextmanager
def visit(browser: Browser, url: str, watch: Watch, **options: Any) -> Iterator[BrowserContext]:
    """A fresh visitor of the site at `url`. A fault seen by `watch` fails the test."""
    with browser.new_context(base_url=url, **options) as context:
        context.set_default_timeout(20_000)

        def check_host(request: Request) -> None:
            if not request.url.startswith((url, "blob:", "data:")):
                watch.note(f"request to {request.url}")

        def check_message(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                watch.note(f"console: {message.text}")

        context.on("request", check_host)
        context.on("console", check_message)
        context.on("weberror", lambda error: watch.note(f"uncaught: {error.error}"))
        yield context
    assert [] == watch.faults


@pytest.fixture
def context(browser: Browser, site_url: str, watch: Watch) -> Iterator[BrowserContext]:
    """One whose requests can all be seen and answered by the test."""
    # A service worker would hide some of them.
    options = {"reduced_motion": "reduce", "service_workers": "block"}
    with visit(browser, site_url, watch, **options) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab."""
    return context.new_page()


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.code)
def language(request: pytest.FixtureRequest) -> Language:
    """Each language of the site in turn."""
    chosen: Language = request.param
    return chosen


def strongly_compressed(jpeg: bytes) -> bytes:
    """Saved again at a quality at which nothing was measured."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(buffer, "JPEG", quality=20)
    return buffer.getvalue()


def one_colour() -> bytes:
    """The simplest of graphics."""
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), "orange").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory, photo_jpeg: bytes) -> dict[str, Path]:
    """Files by what they are, for choosing in the browser."""
    folder = tmp_path_factory.mktemp("images")
    files = {
        "photo": photo_jpeg,
        "bright": plain_image("JPEG", (400, 300), 250),
        "dark": plain_image("PNG", (400, 300), 5),
        "middle": plain_image("WEBP", (400, 300), 118),
        "small": plain_image("PNG", (100, 100), 250),
        "tiny": plain_image("PNG", (20, 20)),
        "compressed": strongly_compressed(photo_jpeg),
        "graphic": one_colour(),
        "labelled": jpeg_with(plain_image("JPEG", (400, 300), 5), exif=exif(software="Midjourney")),
        "signed": sign(plain_image("JPEG", (400, 300), 250), MADE),
        "text": b"This is not an image, whatever its name says.",
        "empty": b"",
        "large": b"\xff\xd8\xff" + b"\0" * 20_000_000,
        "cut": photo_jpeg[: len(photo_jpeg) // 2],
    }
    paths = {}
    for name, data in files.items():
        paths[name] = folder / f"{name}.jpg"
        paths[name].write_bytes(data)
    return paths
