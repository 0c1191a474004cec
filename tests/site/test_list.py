"""Several files at once."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from static_site.formats import ENGLISH, Language
from tests.site.conftest import Watch
from tests.site.test_detection import DETECTIONS, open_detection, say
from tests.site.test_pages import grave_faults, overflow

pytestmark = pytest.mark.browser


def choose(page: Page, images: dict[str, Path], *names: str) -> None:
    page.set_input_files("#file", [images[name] for name in names])
    expect(page.locator("#list-run")).to_be_focused()


def statuses(page: Page, language: Language, *keys: str) -> None:
    """Wait until the rows say these."""
    words = [say(language, f"script.{key}") for key in keys]
    expect(page.locator(".file-status")).to_have_text(words)


def test_each_file_has_its_row_and_its_result(
    page: Page, language: Language, images: dict[str, Path]
) -> None:
    """One bad file does not stop the others; each result opens and leads back."""
    open_detection(page, language)
    choose(page, images, "bright", "text", "dark")
    page.click("#list-run")
    statuses(
        page,
        language,
        "headline.likely_ai",
        "error.unsupported_type",
        "headline.no_ai_signs_found",
    )
    summary = say(language, "script.list.done").format(done=2, n=3)
    expect(page.locator("#list-heading")).to_have_text(summary)
    expect(page.get_by_role("status")).to_have_text(summary)
    expect(page.locator("#list-run")).to_be_hidden()
    assert grave_faults(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert 0 == overflow(page)

    page.get_by_role("button", name="dark.jpg").click()
    expect(page.locator("#verdict")).to_be_focused()
    expect(page.locator("#result-name")).to_have_text("dark.jpg")
    expect(page.locator("#list")).to_be_hidden()
    page.click("#back")
    expect(page.locator("#list-heading")).to_be_focused()


def test_the_list_can_be_downloaded(page: Page, images: dict[str, Path], tmp_path: Path) -> None:
    """As CSV, in which no name becomes a formula, and as JSON with the caution."""
    formula = tmp_path / '=2+5 "x".jpg'
    formula.write_bytes(images["bright"].read_bytes())
    open_detection(page)
    page.set_input_files("#file", [formula, images["empty"]])
    page.click("#list-run")
    expect(page.locator("#list-exports")).to_be_visible()

    with page.expect_download() as download:
        page.click("#list-csv")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert ['\'=2+5 "x".jpg', "empty.jpg"] == [row["file"] for row in rows]
    assert ["likely_ai", ""] == [row["verdict"] for row in rows]
    assert ["", "empty_file"] == [row["problem"] for row in rows]
    assert float(rows[0]["score"]) > 0.9

    with page.expect_download() as download:
        page.click("#list-json")
    values = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert say(ENGLISH, "script.caution") == values["caution"]
    assert rows[0]["sha256"] == values["results"][0]["media"]["sha256"]


def test_a_list_survives_a_reload_and_a_deletion(page: Page, images: dict[str, Path]) -> None:
    """The address holds all of its results; a deleted one leaves it."""
    open_detection(page)
    choose(page, images, "bright", "dark", "middle")
    page.click("#list-run")
    expect(page.locator("#list-exports")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#det_[\w-]+\+det_[\w-]+\+det_[\w-]+$"))
    page.reload()
    statuses(
        page,
        ENGLISH,
        "headline.likely_ai",
        "headline.no_ai_signs_found",
        "headline.inconclusive",
    )
    page.get_by_role("button", name="File 2").click()
    page.click("#delete")
    expect(page.locator("#notice")).to_be_focused()
    statuses(page, ENGLISH, "headline.likely_ai", "headline.inconclusive")
    expect(page).to_have_url(re.compile(r"#det_[\w-]+\+det_[\w-]+$"))


def test_a_list_can_be_stopped_and_gone_on_with(page: Page, images: dict[str, Path]) -> None:
    """Stop ends what runs and starts nothing more; what is left can be checked later."""
    held: list[Route] = []
    page.route(DETECTIONS, lambda route: held.append(route))
    open_detection(page)
    choose(page, images, "bright", "dark")
    page.click("#list-run")
    expect(page.locator("#list-stop")).to_be_focused()
    expect(page.locator(".file progress:visible")).to_have_count(1)
    page.click("#list-stop")
    expect(page.locator(".file-status").first).to_have_text(say(ENGLISH, "script.list.cancelled"))
    assert 1 == len(held)

    page.unroute(DETECTIONS)
    page.click("#list-run")
    statuses(page, ENGLISH, "headline.likely_ai", "headline.no_ai_signs_found")


@pytest.mark.parametrize("body", ["null", '{"status": '], ids=["surprising", "cut"])
def test_a_senseless_answer_fails_only_its_own_file(page: Page, watch: Watch, body: str) -> None:
    """Even what no part of the page expects neither stops the list nor hides how to go on."""
    ids = ["det_" + letter * 24 for letter in "xy"]
    failed = {"id": ids[1], "status": "failed", "problem": {"code": "analysis_failed"}}
    page.route(f"**/{ids[0]}", lambda route: route.fulfill(body=body))
    page.route(f"**/{ids[1]}", lambda route: route.fulfill(json=failed))
    page.goto(f"{ENGLISH.address('detect')}#{'+'.join(ids)}")
    statuses(page, ENGLISH, "error.internal", "error.analysis_failed")
    expect(page.locator("#list-stop")).to_be_hidden()
    expect(page.locator("#list-run")).to_be_visible()
    if body == "null":  # a fault of the page is still said in the console
        assert watch.faults
        watch.faults.clear()


def test_a_deletion_does_not_stop_the_list(page: Page, images: dict[str, Path]) -> None:
    """A result may go while the next file is examined; what is left is a list, even of one file."""
    held: list[Route] = []
    open_detection(page)
    choose(page, images, "bright", "dark")
    page.route(DETECTIONS, lambda route: held.append(route))
    page.route(DETECTIONS, lambda route: route.continue_(), times=1)
    page.click("#list-run")
    page.get_by_role("button", name="bright.jpg").click()
    page.click("#delete")
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator("#list-stop")).to_be_visible()
    expect(page.locator(".file")).to_have_count(1)
    held.pop().continue_()
    statuses(page, ENGLISH, "headline.no_ai_signs_found")
    expect(page.locator("#list-stop")).to_be_hidden()
    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#list-exports")).to_be_visible()


def test_a_late_deletion_leaves_another_result_open(page: Page, images: dict[str, Path]) -> None:
    """When it is confirmed, the visitor may be reading another result."""
    held: list[Route] = []
    open_detection(page)
    choose(page, images, "bright", "dark")
    page.click("#list-run")
    page.get_by_role("button", name="bright.jpg").click()
    page.route("**/v1/detections/det_*", lambda route: held.append(route))
    page.click("#delete")
    page.click("#back")
    page.get_by_role("button", name="dark.jpg").click()
    expect(page.locator("#result-name")).to_have_text("dark.jpg")
    held.pop().continue_()
    expect(page).to_have_url(re.compile(r"#det_[\w-]+$"))
    expect(page.locator("#result-name")).to_be_visible()
    page.click("#back")
    statuses(page, ENGLISH, "headline.no_ai_signs_found")


def test_an_address_opens_each_job_once_and_not_too_many(page: Page) -> None:
    """However long an address somebody made, the page asks for at most as many jobs as it takes files."""
    ids = [f"det_{number:024}" for number in range(30)]
    failed = {"status": "failed", "problem": {"code": "analysis_failed"}}
    page.route("**/v1/detections/det_*", lambda route: route.fulfill(json=failed))
    page.goto(f"{ENGLISH.address('detect')}#{'+'.join([ids[0], *ids])}")
    statuses(page, ENGLISH, *["error.analysis_failed"] * 20)
