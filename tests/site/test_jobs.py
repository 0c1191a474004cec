"""Videos and large images: uploads that become jobs, whose page may be closed and opened again."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from static_site.formats import ENGLISH, INDONESIAN, Language
from static_site.render import render_site
from tests.images import padded_png
from tests.pseudo import plain_words, write_pseudo_locales
from tests.site.conftest import SAMPLE_REPORT, Watch
from tests.site.test_detection import open_detection, say
from tests.site.test_pages import grave_faults, overflow
from tests.videos import changing, encode

pytestmark = pytest.mark.browser

JOB = re.compile(r"/v1/detections/det_[\w-]+$")
JOB_IN_ADDRESS = re.compile(r"/detect\.html#det_[\w-]{24}$")
FRAMES = {
    "frames": [{"t": t, "score": score} for t, score in enumerate((0.05, 0.2, 0.9, 0.95, 0.1))],
    "segments": [{"start": 2.0, "end": 4.0}],
}


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds that begin dark and end bright, 320 x 240."""
    path = tmp_path_factory.mktemp("video") / "clip.webm"
    path.write_bytes(encode(changing([30] * 25 + [220] * 25, size=(320, 240)), "webm"))
    return path


@pytest.fixture(scope="session")
def large_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More bytes than one request may carry."""
    path = tmp_path_factory.mktemp("large") / "large.png"
    path.write_bytes(padded_png(5_000_000))
    return path


def check_file(page: Page, path: Path) -> None:
    page.set_input_files("#file", path)
    page.click("#check")


def test_a_large_image_goes_as_an_upload(page: Page, large_image: Path) -> None:
    """What does not fit into one request is uploaded under a neutral name, and becomes a job."""
    open_detection(page)
    with page.expect_request("**/v1/uploads") as asked:
        check_file(page, large_image)
    assert {"content_type": "image/png", "bytes": 5_000_000} == json.loads(
        asked.value.post_data or ""
    )
    expect(page.locator("#verdict")).to_be_visible()
    expect(page).to_have_url(JOB_IN_ADDRESS)
    expect(page.locator("#result-image")).to_be_visible()


def test_a_new_job_is_given_a_second(page: Page, large_image: Path) -> None:
    """At once it is never done: the first look comes when an image usually is."""
    open_detection(page)
    with page.expect_response(re.compile(r"/v1/detections$")):
        check_file(page, large_image)
    begun = time.monotonic()
    with page.expect_response(JOB):
        pass
    assert time.monotonic() - begun > 0.8
    expect(page.locator("#verdict")).to_be_visible()


def test_a_video_that_never_opens_can_be_checked(page: Page, video: Path) -> None:
    """A browser that neither plays nor refuses it does not keep the visitor from sending it."""
    page.add_init_script("Object.defineProperty(HTMLMediaElement.prototype, 'src', {set() {}})")
    open_detection(page)
    page.set_input_files("#file", video)
    expect(page.locator("#no-preview")).to_be_visible()
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_video_that_was_not_measured_says_why(
    page: Page, language: Language, video: Path, scheme: Any
) -> None:
    """Without a scale for videos there is no answer; the sentence says so, and the curve is explained."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    open_detection(page, language)
    check_file(page, video)
    body = say(language, "script.body.video_not_measured")
    expect(page.locator("#verdict-body")).to_have_text(body)
    expect(page.locator("#verdict-extent")).to_contain_text("5")
    expect(page.locator("#timeline-summary")).to_have_text(
        say(language, "script.timeline.unmeasured")
    )
    expect(page.locator("#timeline-limits")).to_be_hidden()
    page.click("#timeline summary")
    expect(page.locator("#timeline-rows tr")).to_have_count(5)
    assert grave_faults(page) == []
    assert 0 == overflow(page)


def measured(route: Route) -> None:
    """The service's answer about a video, as a model with a scale for videos would give it."""
    response = route.fetch()
    answer = response.json()
    if answer["status"] != "succeeded":
        route.fulfill(response=response)
        return
    errors = {
        "condition": "video",
        "false_positive_rate": 0.02,
        "ci95": [0.01, 0.04],
        "n_real": 300,
        "miss_rate": 0.5,
        "n_ai": 200,
    }
    verdict = {"verdict": "likely_ai", "reasons": ["score_high"], "expected_errors": errors}
    route.fulfill(response=response, json={**answer, **FRAMES, **verdict})


def measured_card(route: Route) -> None:
    response = route.fetch()
    route.fulfill(
        response=response, json={**response.json(), "video_bands": {"low": 0.1, "high": 0.8}}
    )


def test_a_measured_video_shows_where(page: Page, language: Language, video: Path) -> None:
    """With a scale for videos, sentence, chart and table say where the signs are."""
    page.route(JOB, measured)
    page.route("**/v1/model", measured_card)
    open_detection(page, language)
    check_file(page, video)
    body = page.locator("#verdict-body")
    expect(body).to_contain_text("0:02\N{EN DASH}0:04")
    expect(body).to_contain_text("6")
    expect(body).to_contain_text("300")
    expect(page.locator("#timeline-chart .chart-segment")).to_have_count(1)
    expect(page.locator("#timeline-chart .chart-limit")).to_have_count(2)
    page.click("#timeline summary")
    rows = page.locator("#timeline-rows tr td:last-child")
    bands = ["no_ai_signs_found", "inconclusive", "likely_ai", "likely_ai", "inconclusive"]
    expect(rows).to_have_text([say(language, f"script.headline.{band}") for band in bands])


def at(page: Page) -> float:
    """Where the video is, in seconds."""
    seconds: float = page.locator("#result-video").evaluate("video => video.currentTime")
    return seconds


def test_the_video_is_searched_by_click_and_by_keyboard(page: Page, video: Path) -> None:
    """Chart, slider and table lead to the same frame, and the slider says its time and score."""
    open_detection(page)
    check_file(page, video)
    expect(page.locator("#timeline-chart svg")).to_be_visible()
    slider = page.locator("#timeline-seek")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"^At 0:02: score \d+%$"))
    assert 2.5 == pytest.approx(at(page), abs=0.2)

    chart = page.locator("#timeline-chart")
    box = chart.bounding_box()
    assert box is not None
    chart.click(position={"x": box["width"] * 0.87, "y": 20})
    expect(page.locator("#timeline-here")).to_contain_text("0:04")
    assert 4.5 == pytest.approx(at(page), abs=0.2)

    page.click("#timeline summary")
    page.focus("#timeline-rows tr:nth-child(2) button")
    page.keyboard.press("Enter")
    expect(slider).to_have_value("1")
    assert 1.5 == pytest.approx(at(page), abs=0.2)


def test_a_result_survives_a_reload(page: Page, images: dict[str, Path]) -> None:
    """The address leads back to the result, in both languages; the file itself stays on the visitor's device."""
    open_detection(page)
    check_file(page, images["bright"])
    expect(page).to_have_url(JOB_IN_ADDRESS)
    page.keyboard.press("Tab")
    page.focus(".skip-link")
    page.keyboard.press("Enter")  # another address in the page does not make it forget
    expect(page).to_have_url(JOB_IN_ADDRESS)
    page.reload()
    expect(page.locator("#verdict")).to_have_text(say(ENGLISH, "script.headline.likely_ai"))
    expect(page.locator("#result-no-image")).to_have_text(say(ENGLISH, "script.picture.gone"))
    page.click("#feedback summary")
    expect(page.locator("#feedback-keep-row")).to_be_hidden()
    page.click(".languages a[hreflang=id]")
    expect(page.locator("#verdict")).to_have_text(say(INDONESIAN, "script.headline.likely_ai"))
    page.click("#again")
    expect(page).to_have_url(re.compile(r"/detect\.html$"))


PENDING = {
    "id": "det_" + "x" * 24,
    "status": "processing",
    "created_at": "2026-10-06T09:30:00Z",
    "expires_at": "2026-10-07T09:30:00Z",
}


def follow(page: Page, answers: list[dict[str, Any]], language: Language = ENGLISH) -> None:
    """Open the address of a job that the service tells this about, one after the other."""

    def answer(route: Route) -> None:
        values = answers.pop(0) if len(answers) > 1 else answers[0]
        route.fulfill(
            status=values.get("http", 200),
            json=values,
            headers={"Retry-After": "1", "Content-Type": "application/json"},
        )

    page.route(JOB, answer)
    page.goto(f"{language.address('detect')}#{PENDING['id']}")


def test_the_progress_of_a_job_is_true(page: Page) -> None:
    """Waiting, then the share of frames as the service says it; the page may be left meanwhile."""
    follow(
        page,
        [{**PENDING, "status": "queued", "progress": 0}, {**PENDING, "progress": 0.25}],
    )
    text = page.locator("#progress-text")
    expect(text).to_have_text(say(ENGLISH, "script.progress.waiting"))
    expect(page.locator("#progress-wait")).to_have_text(say(ENGLISH, "script.progress.job"))
    expect(text).to_have_text("Examining your file: 25%")
    expect(page.locator("#progress-bar")).to_have_js_property("value", 25)
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.analysing"))
    assert grave_faults(page) == []


def test_cancelling_deletes_the_job(page: Page) -> None:
    """Cancel tells the service to delete job and file, and the address forgets it."""
    follow(page, [{**PENDING, "progress": 0.25}])
    expect(page.locator("#progress-text")).to_contain_text("25%")
    with page.expect_request(
        lambda request: request.method == "DELETE" and PENDING["id"] in request.url
    ):
        page.click("#cancel")
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.cancelled"))
    expect(page.locator("#file")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/detect\.html$"))


def test_cancelling_an_upload_deletes_it(page: Page, large_image: Path) -> None:
    """What was sent of a file is deleted, too, when its job has not begun."""
    held: list[Route] = []
    page.route("**/v1/uploads/files", lambda route: held.append(route))
    open_detection(page)
    with page.expect_response("**/v1/uploads") as ticket:
        check_file(page, large_image)
    id_ = ticket.value.json()["upload_id"]
    while not held:
        page.wait_for_timeout(20)
    with page.expect_request(lambda request: request.method == "DELETE" and id_ in request.url):
        page.click("#cancel")
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.cancelled"))


def test_a_deletion_that_fails_is_not_called_done(page: Page, watch: Watch) -> None:
    """When the service does not confirm it, the page says that a day may pass."""
    watch.failed_answers_are_expected = True
    follow(page, [{**PENDING, "progress": 0.25}])
    expect(page.locator("#progress-text")).to_contain_text("25%")
    page.route(JOB, lambda route: route.fulfill(status=500))
    page.click("#cancel")
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.expiring"))


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({**PENDING, "status": "failed", "problem": {"code": "undecodable_media"}}, "undecodable_media"),
        ({**PENDING, "status": "failed", "problem": {"code": "analysis_failed"}}, "analysis_failed"),
        ({"http": 410, "code": "gone"}, "gone"),
        ({"http": 404, "code": "not_found"}, "not_found"),
    ],
    ids=["damaged", "failed", "gone", "unknown"],
)  # fmt: skip
def test_a_job_without_a_result_has_words(
    page: Page, language: Language, watch: Watch, answer: dict[str, Any], key: str
) -> None:
    """A failed, expired or unknown job is said in words, and the form is there for another file."""
    watch.failed_answers_are_expected = True
    follow(page, [answer], language)
    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.locator("#error-summary")).to_contain_text(say(language, f"script.error.{key}"))
    expect(page.locator("#drop-zone")).to_be_visible()
    assert grave_faults(page) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_broken_connection_does_not_end_the_waiting(
    page: Page, watch: Watch, status: int
) -> None:
    """The page goes on looking when the service is away or overrun for a moment."""
    watch.failed_answers_are_expected = True
    page.clock.install()
    broken = {"http": status}
    follow(page, [{**PENDING, "progress": 0.1}, broken, broken, {**PENDING, "progress": 0.5}])
    text = page.locator("#progress-text")
    expect(text).to_have_text("Examining your file: 10%")
    for _ in range(3):  # each look waits longer than the one before
        with page.expect_response(JOB):
            page.clock.run_for(10_000)
    expect(text).to_have_text("Examining your file: 50%")


def test_a_page_out_of_sight_does_not_give_up(page: Page) -> None:
    """Only the time in which the page may look counts: an hour in the background ends nothing."""
    page.clock.install()
    follow(page, [{**PENDING, "progress": 0.1}])
    expect(page.locator("#progress-text")).to_have_text("Examining your file: 10%")
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.clock.run_for(60 * 60_000)
    with page.expect_response(JOB):
        page.evaluate(hide, False)
    page.wait_for_timeout(200)
    expect(page.locator("#progress-text")).to_have_text("Examining your file: 10%")
    expect(page.locator("#error-summary")).to_be_hidden()


def test_an_uploaded_file_is_not_sent_twice(page: Page, watch: Watch, large_image: Path) -> None:
    """When only the request for its analysis was lost, only that is repeated."""
    watch.failed_answers_are_expected = True
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    asking = re.compile(r"/v1/detections$")
    page.route(asking, lambda route: route.abort("connectionreset"), times=1)
    open_detection(page)
    check_file(page, large_image)
    expect(page.locator("#error-text")).to_have_text(say(ENGLISH, "script.error.network"))
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()
    assert 1 == sum(url.endswith("/v1/uploads/files") for url in sent)
    assert 2 == sum(asking.search(url) is not None for url in sent)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("**/v1/uploads", 503, "busy"),
        ("**/v1/uploads", 429, "rate_limited"),
        ("**/v1/uploads/files", 403, "upload_refused"),
        (re.compile(r"/v1/detections$"), 422, "upload_missing"),
    ],
    ids=["full", "limited", "refused", "missing"],
)
def test_an_upload_that_fails_can_be_tried_again(
    page: Page, watch: Watch, large_image: Path, path: str | re.Pattern[str], status: int, code: str
) -> None:
    """A full, limiting or refusing service is said in words; the file stays chosen, and a second try works."""
    watch.failed_answers_are_expected = True
    page.route(path, lambda route: route.fulfill(status=status, json={"code": code}), times=1)
    open_detection(page)
    check_file(page, large_image)
    known = "upload_refused" if code == "upload_missing" else code
    expect(page.locator("#error-text")).to_have_text(say(ENGLISH, f"script.error.{known}"))
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()


FROM_ELSEWHERE = re.compile(
    r"\bAsli\b|clip\.webm|bright\.jpg|text\.jpg|det_[\w-]+|\b[0-9a-f]{64}\b|tiny-brightness 0\.0\.1"
    r"|evaluation-of-the-tiny-model|\b(JPE?G|PNG|WebP|AVIF|HEIC|WEBM)\b"
    # units, dates and lists are written by the browser
    r"|\b([kM]B|ms|seconds|or|and|at)\b|\b\d+ \w+ \d{4}\b"
)


def test_scripts_say_nothing_outside_the_catalogue(
    page: Page, video: Path, images: dict[str, Path], tmp_path: Path
) -> None:
    """With a catalogue without plain letters, no state of the page has any of its own."""
    render_site(
        tmp_path / "site", SAMPLE_REPORT, locales=write_pseudo_locales(tmp_path / "locales")
    )
    html = (tmp_path / "site" / "detect.html").read_text("utf-8")
    page.route("**/detect.html", lambda route: route.fulfill(body=html, content_type="text/html"))

    def left() -> list[str]:
        text: str = page.evaluate(
            """() => [document.querySelector("main").innerText,
                 ...[...document.querySelectorAll("main [aria-label], main [aria-valuetext]")]
                   .map((part) => `${part.ariaLabel} ${part.ariaValueText}`)].join(" ")"""
        )
        return plain_words(FROM_ELSEWHERE.sub("", text.replace("null", "")))

    open_detection(page)
    check_file(page, video)
    expect(page.locator("#verdict")).to_be_visible()
    page.click("#timeline summary")
    page.click("#details summary")
    assert [] == left()
    page.set_input_files("#file", [video, images["bright"], images["text"]])
    page.click("#list-run")
    expect(page.locator("#list-exports")).to_be_visible()
    assert [] == left()
    page.set_input_files("#file", images["text"])
    expect(page.locator("#error-link")).to_be_visible()
    assert [] == left()
