"""The site with the shipped model: the main job, end to end."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from detector.analysis import REPORT_PATH
from detector.evaluation import EvaluationReport
from static_site.render import render_site
from tests.site.conftest import Watch, visit
from tests.site.running import running_site

pytestmark = [pytest.mark.browser, pytest.mark.model]

HEADLINES = {
    "": ["Signs of AI generation found", "We can\u2019t tell", "No signs of AI generation found"],
    "/id": [
        "Ditemukan tanda buatan AI",
        "Kami tidak dapat memastikan",
        "Tidak ditemukan tanda buatan AI",
    ],
}


@pytest.fixture(scope="module")
def shipped_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of what `make serve` starts."""
    work = tmp_path_factory.mktemp("shipped")
    render_site(work / "site")
    with running_site(work / "site", work) as url:
        yield url


@pytest.mark.parametrize("folder", list(HEADLINES))
def test_a_photograph_gets_a_verdict_a_heatmap_and_details(
    browser: Browser,
    shipped_url: str,
    watch: Watch,
    photo_jpeg: bytes,
    tmp_path: Path,
    folder: str,
) -> None:
    """In each language: a headline in words, a heatmap if they were verified, and the model's version."""
    is_explained = EvaluationReport.load(REPORT_PATH).heatmap_is_verified
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(photo_jpeg)
    with visit(browser, shipped_url, watch) as context:
        page = context.new_page()
        page.goto(f"{folder}/detect.html")
        page.set_input_files("#file", photo)
        page.click("#check")
        page.locator("#verdict").wait_for()

        assert page.locator("#verdict").inner_text() in HEADLINES[folder]
        expect(page.locator("#heatmap-controls")).to_be_visible(visible=is_explained)
        if is_explained:
            page.check("#heatmap-show")
            expect(page.locator("#heatmap")).to_be_visible()
        page.click("#details summary")
        expect(page.locator("#detail-list")).to_contain_text("resnet50-asli")
