"""The way from a file to a verdict, in a browser."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pillow_heif
import pytest
from PIL import Image
from playwright.sync_api import Browser, FilePayload, Page, Route, expect

from static_site.formats import ENGLISH, INDONESIAN, Language
from static_site.render import HERE
from tests.site.conftest import Watch, visit

pytestmark = pytest.mark.browser

DETECTIONS = re.compile(r"/v1/detections$")


def say(language: Language, key: str) -> str:
    messages: dict[str, str] = json.loads((HERE / "locales" / f"{language.code}.json").read_text())
    return messages[key]


def open_detection(page: Page, language: Language = ENGLISH) -> None:
    page.goto(language.address("detect"))
    expect(page.locator("#limits")).not_to_be_empty()


def check_image(page: Page, image: Path) -> None:
    page.set_input_files("#file", image)
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()


def answer_with(page: Page, status: int, body: dict[str, Any]) -> None:
    """Let the next upload be answered with a problem."""
    page.route(
        DETECTIONS,
        lambda route: route.fulfill(
            status=status, content_type="application/problem+json", body=json.dumps(body)
        ),
        times=1,
    )


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        ("bright", "likely_ai"),
        ("middle", "inconclusive"),
        ("dark", "no_ai_signs_found"),
        ("small", "inconclusive"),
        ("compressed", "inconclusive"),
        ("graphic", "not_applicable"),
    ],
)
def test_the_verdict_comes_in_words(
    page: Page, language: Language, images: dict[str, Path], image: str, verdict: str
) -> None:
    """Each verdict has its headline in the page's language, announced and focused."""
    open_detection(page, language)
    check_image(page, images[image])
    headline = say(language, f"script.headline.{verdict}")
    expect(page.locator("#verdict")).to_have_text(headline)
    expect(page.locator("#verdict")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(headline)
    expect(page.locator("#verdict-card")).to_contain_text(say(language, "script.caution"))
    expect(page.locator("#reasons li")).to_have_count(1)
    expect(page.locator(".verdict-icon:visible")).to_have_count(1)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (ENGLISH, "6 of 600 photographs"),
        (INDONESIAN, "6 dari 600 foto"),
    ],
    ids=["en", "id"],
)
def test_the_verdict_states_measured_mistakes(
    page: Page, images: dict[str, Path], language: Language, sentence: str
) -> None:
    """The counts of mistakes come from the errors that the API sends."""
    open_detection(page, language)
    check_image(page, images["bright"])
    expect(page.locator("#verdict-body")).to_contain_text(sentence)


def change_answer(page: Page, image: Path, changes: dict[str, Any]) -> None:
    """Let every upload be answered with what the API says about `image`, with changes."""
    file = FilePayload(name="image", mimeType="image/jpeg", buffer=image.read_bytes())
    answer = page.request.post("/v1/detections", multipart={"file": file}).json()
    page.route(DETECTIONS, lambda route: route.fulfill(json={**answer, **changes}))


def test_without_measured_mistakes_no_number_is_made_up(
    page: Page, images: dict[str, Path]
) -> None:
    """When no errors were measured, the sentence has no numbers."""
    change_answer(page, images["bright"], {"expected_errors": None})
    open_detection(page)
    check_image(page, images["bright"])
    expect(page.locator("#verdict-body")).to_have_text(
        say(ENGLISH, "script.body.likely_ai_unmeasured")
    )


@pytest.mark.parametrize(
    "reason",
    [
        *("unstable_under_resave", "small_image", "strongly_compressed"),
        *("few_frames", "video_not_measured"),
    ],
)
def test_each_kind_of_uncertainty_has_its_words(
    page: Page, language: Language, images: dict[str, Path], reason: str
) -> None:
    """Why we cannot tell is said in the answer and among the reasons."""
    change_answer(page, images["middle"], {"reasons": [reason]})
    open_detection(page, language)
    check_image(page, images["middle"])
    expect(page.locator("#verdict-body")).to_have_text(say(language, f"script.body.{reason}"))
    expect(page.locator("#reasons li")).to_have_text([say(language, f"script.reason.{reason}")])


def test_without_a_heatmap_nothing_is_said_of_regions(page: Page, images: dict[str, Path]) -> None:
    """What was not scored has no heatmap, and the caption goes with it."""
    open_detection(page)
    check_image(page, images["graphic"])
    expect(page.locator("#heatmap-controls")).to_be_hidden()
    expect(page.locator("#heatmap-caption")).to_be_hidden()


def test_a_verdict_of_the_future_is_not_misread(page: Page, images: dict[str, Path]) -> None:
    """A verdict or reason that the page does not know is shown as "We can't tell"."""
    invented = {"verdict": "moon_phase", "reasons": ["full_moon"]}
    change_answer(page, images["bright"], invented)
    open_detection(page)
    check_image(page, images["bright"])
    expect(page.locator("#verdict")).to_have_text(say(ENGLISH, "script.headline.inconclusive"))
    expect(page.locator("#reasons li")).to_have_count(0)


@pytest.mark.parametrize(
    ("image", "headline", "body", "value"),
    [
        ("dark", "none", "none_text", ""),
        ("signed", "made", "untrusted_text", "Imagined Images"),
        ("labelled", "label_ai", "label_text", "Midjourney"),
    ],
)
def test_what_the_file_says_stands_beside_the_verdict(
    page: Page,
    language: Language,
    images: dict[str, Path],
    image: str,
    headline: str,
    body: str,
    value: str,
) -> None:
    """Each kind of origin information has its words, and names the signer or the generator."""
    open_detection(page, language)
    check_image(page, images[image])
    statements = page.locator("#provenance-list li")
    expect(statements).to_have_count(1)
    for part in (headline, body):
        before, _, after = say(language, f"script.provenance.{part}").partition("{")
        expect(statements).to_contain_text(before)
        expect(statements).to_contain_text(after.partition("}")[2])
    expect(statements).to_contain_text(value)


@pytest.mark.parametrize(("image", "disagrees"), [("labelled", True), ("signed", False)])
def test_a_disagreement_is_said(
    page: Page, language: Language, images: dict[str, Path], image: str, disagrees: bool
) -> None:
    """Where label and detector contradict each other the page says so, and picks neither."""
    open_detection(page, language)
    check_image(page, images[image])
    notice = page.locator("#provenance-disagrees")
    expect(notice).to_be_visible(visible=disagrees)
    if disagrees:
        expect(notice).to_contain_text(say(language, "result.disagrees"))
        headline = say(language, "script.headline.no_ai_signs_found")
        expect(page.locator("#verdict")).to_have_text(headline)


def test_a_damaged_signature_is_ignored_aloud(page: Page, images: dict[str, Path]) -> None:
    """A broken manifest states nothing, and a kind of statement from the future is left out."""
    signals = [
        {"source": "c2pa", "claim": "unknown", "validation": "invalid", "detail": None},
        {"source": "smoke", "claim": "seen", "validation": "notarised", "detail": "x"},
    ]
    provenance = {"state": "invalid", "signals": signals, "disagrees": False}
    change_answer(page, images["bright"], {"provenance": provenance})
    open_detection(page)
    check_image(page, images["bright"])
    expect(page.locator("#provenance-list li")).to_have_count(1)
    expect(page.locator("#provenance-list")).to_contain_text(
        say(ENGLISH, "script.provenance.invalid")
    )


def test_details_hold_the_numbers(page: Page, language: Language, images: dict[str, Path]) -> None:
    """Details are closed at first, and show the score at most as 99 %."""
    open_detection(page, language)
    check_image(page, images["bright"])
    expect(page.locator("#detail-list")).to_be_hidden()
    page.click("#details summary")
    details = page.locator("#detail-list")
    expect(details.locator("dd").first).to_have_text("99%")
    bands = say(language, "script.detail.bands_text").format(low="20%", high="80%")
    low_to_high = say(language, "script.detail.stability_text").format(low="99%", high="99%")
    for text in (
        bands,
        low_to_high,
        "400 \N{MULTIPLICATION SIGN} 300",
        "JPEG",
        "tiny-brightness 0.0.1",
    ):
        expect(details).to_contain_text(text)


def test_the_heatmap_is_off_until_asked_for(page: Page, images: dict[str, Path]) -> None:
    """The heatmap is fetched when it is switched on, and its slider sets its opacity."""
    fetched: list[str] = []
    page.on(
        "request",
        lambda request: fetched.append(request.url) if "heatmap" in request.url else None,
    )
    open_detection(page)
    check_image(page, images["photo"])
    expect(page.locator("#heatmap")).to_be_hidden()
    expect(page.locator("#heatmap-strength")).to_be_disabled()
    own = len([url for url in fetched if url.endswith("/heatmap")])
    assert own == 0

    page.check("#heatmap-show")
    heatmap = page.locator("#heatmap")
    expect(heatmap).to_be_visible()
    heatmap.evaluate("image => image.decode()")
    assert heatmap.bounding_box() == pytest.approx(page.locator("#result-image").bounding_box())
    page.locator("#heatmap-strength").fill("30")
    expect(heatmap).to_have_css("opacity", "0.3")

    page.uncheck("#heatmap-show")
    expect(heatmap).to_be_hidden()


def test_a_missing_heatmap_is_said(page: Page, images: dict[str, Path], watch: Watch) -> None:
    """When the heatmap cannot be loaded, a sentence says so."""
    watch.failed_answers_are_expected = True
    page.route(re.compile(r"/heatmap$"), lambda route: route.fulfill(status=404))
    open_detection(page)
    check_image(page, images["photo"])
    page.click("#heatmap-show")
    expect(page.locator("#heatmap-failed")).to_be_visible()
    expect(page.locator("#heatmap")).to_be_hidden()


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("text", "unsupported_type"),
        ("empty", "empty_file"),
        ("large", "file_too_large"),
        ("tiny", "image_too_small"),
    ],
)
def test_bad_files_are_not_sent(
    page: Page, language: Language, images: dict[str, Path], image: str, code: str
) -> None:
    """A file that breaks a published limit is refused in the page's language before any upload."""
    page.route(DETECTIONS, lambda route: route.abort())
    open_detection(page, language)
    page.set_input_files("#file", images[image])
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    message = say(language, f"script.error.{code}").split("(")[0]
    expect(page.locator("#error-link")).to_contain_text(message)
    page.click("#error-link")
    expect(page.locator("#file")).to_be_focused()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (422, "missing_field"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (410, "gone"),
        (413, "file_too_large"),
        (422, "empty_file"),
        (415, "unsupported_type"),
        (422, "too_many_pixels"),
        (422, "image_too_small"),
        (422, "undecodable_media"),
        (422, "no_video_track"),
        (422, "no_frames"),
        (422, "encrypted_media"),
        (422, "unsupported_codec"),
        (429, "rate_limited"),
        (429, "quota_exceeded"),
        (503, "model_load_failed"),
        (503, "busy"),
        (500, "internal"),
    ],
)
def test_every_problem_has_words(
    page: Page, images: dict[str, Path], watch: Watch, status: int, code: str
) -> None:
    """Each code of the API leads to its own sentence, in a summary that takes the focus."""
    watch.failed_answers_are_expected = True
    answer_with(page, status, {"code": code, "title": "Words that are not for visitors"})
    open_detection(page, INDONESIAN)
    page.set_input_files("#file", images["photo"])
    page.click("#check")
    summary = page.locator("#error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(say(INDONESIAN, f"script.error.{code}").split("(")[0])
    expect(summary).not_to_contain_text("visitors")
    expect(page.locator("#start")).to_be_visible()


def test_a_broken_image_is_refused_by_the_api(
    page: Page, language: Language, images: dict[str, Path], watch: Watch
) -> None:
    """The API's own answer to a truncated JPEG reaches the visitor in words."""
    watch.failed_answers_are_expected = True
    open_detection(page, language)
    page.set_input_files("#file", images["cut"])
    page.click("#check")
    expect(page.locator("#error-link")).to_have_text(
        say(language, "script.error.undecodable_media")
    )


def test_an_answer_that_is_no_problem_document_has_words(
    page: Page, images: dict[str, Path], watch: Watch
) -> None:
    """What a gateway answers in HTML becomes a sentence of ours."""
    watch.failed_answers_are_expected = True
    page.route(DETECTIONS, lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"))
    open_detection(page)
    page.set_input_files("#file", images["photo"])
    page.click("#check")
    expect(page.locator("#error-text")).to_have_text(say(ENGLISH, "script.error.internal"))


def test_after_a_broken_connection_the_image_can_be_sent_again(
    page: Page, images: dict[str, Path], watch: Watch
) -> None:
    """A network failure keeps the chosen image, and a second try works."""
    watch.failed_answers_are_expected = True
    page.route(DETECTIONS, lambda route: route.abort("connectionreset"), times=1)
    open_detection(page)
    page.set_input_files("#file", images["photo"])
    page.click("#check")
    expect(page.locator("#error-text")).to_have_text(say(ENGLISH, "script.error.network"))
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#error-summary")).to_be_hidden()


def test_offline_is_said(page: Page, images: dict[str, Path], watch: Watch) -> None:
    """Without a connection the page says so, and keeps the image."""
    watch.failed_answers_are_expected = True
    open_detection(page)
    page.set_input_files("#file", images["photo"])
    page.context.set_offline(True)
    page.click("#check")
    expect(page.locator("#error-text")).to_have_text(say(ENGLISH, "script.error.offline"))
    expect(page.locator("#chosen")).to_be_visible()


def test_without_limits_the_api_still_decides(
    page: Page, images: dict[str, Path], watch: Watch
) -> None:
    """When the limits cannot be loaded, the page says so and a bad file is refused by the API."""
    watch.failed_answers_are_expected = True
    page.route(re.compile("/v1/limits"), lambda route: route.fulfill(status=500))
    open_detection(page)
    expect(page.locator("#limits")).to_have_text(say(ENGLISH, "script.limits.unknown"))
    page.set_input_files("#file", images["text"])
    page.click("#check")
    expect(page.locator("#error-link")).to_have_text(say(ENGLISH, "script.error.unsupported_type"))


def hold_answers(page: Page) -> list[Route]:
    held: list[Route] = []
    page.route(DETECTIONS, lambda route: held.append(route))
    return held


def test_waiting_is_explained_and_can_be_cancelled(page: Page, images: dict[str, Path]) -> None:
    """A long wait brings a word after 2 s and another after 15 s, and Cancel ends it."""
    page.clock.install()
    page.add_init_script(
        """XMLHttpRequest.prototype.send = function () {
          this.upload.dispatchEvent(new ProgressEvent("load"));
        };"""
    )
    open_detection(page)
    page.set_input_files("#file", images["photo"])
    page.click("#check")
    expect(page.locator("#cancel")).to_be_focused()
    expect(page.locator("#progress-text")).to_have_text(say(ENGLISH, "script.progress.analysing"))
    expect(page.locator("#progress-wait")).to_be_empty()
    page.clock.run_for(2_100)
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.starting"))
    page.clock.run_for(13_000)
    expect(page.locator("#progress-wait")).to_have_text(say(ENGLISH, "script.progress.slow"))

    page.click("#cancel")
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#check")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(say(ENGLISH, "script.progress.expiring"))


def test_a_late_answer_to_another_image_is_dropped(page: Page, images: dict[str, Path]) -> None:
    """After choosing another image, the first one's answer changes nothing."""
    held = hold_answers(page)
    open_detection(page)
    page.set_input_files("#file", images["bright"])
    page.click("#check")
    expect(page.locator("#progress")).to_be_visible()
    page.set_input_files("#file", images["dark"])
    expect(page.locator("#chosen-name")).to_have_text("dark.jpg")
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#result")).to_be_hidden()
    expect(page.locator("#chosen-name")).to_have_text("dark.jpg")


def test_upload_progress_is_shown(page: Page, images: dict[str, Path]) -> None:
    """The page shows the share of bytes that were sent."""
    open_detection(page)
    page.evaluate(
        """() => {
          window.seen = [];
          const text = document.getElementById("progress-text");
          new MutationObserver(() => window.seen.push(text.textContent))
            .observe(text, {childList: true});
        }"""
    )
    check_image(page, images["photo"])
    seen = page.evaluate("window.seen")
    assert any(re.fullmatch(r"Sending your file: \d+%", text) for text in seen)


def test_another_image_can_be_checked(page: Page, images: dict[str, Path]) -> None:
    """From a result the visitor gets back to an empty form, even with the same file."""
    open_detection(page)
    check_image(page, images["dark"])
    page.click("#again")
    expect(page.locator("#file")).to_be_focused()
    expect(page.locator("#result")).to_be_hidden()
    check_image(page, images["dark"])


def test_a_result_can_be_deleted(page: Page, language: Language, images: dict[str, Path]) -> None:
    """Deleting says so, and the API no longer knows the result."""
    open_detection(page, language)
    with page.expect_response(DETECTIONS) as answer:
        check_image(page, images["photo"])
    page.click("#delete")
    notice = page.locator("#notice")
    expect(notice).to_be_focused()
    expect(notice).to_have_text(say(language, "script.result.deleted"))
    address = f"/v1/detections/{answer.value.json()['id']}"
    assert page.request.get(address).status == 410


def test_the_report_holds_no_file_name(page: Page, images: dict[str, Path]) -> None:
    """The downloaded report repeats the API's answer and the caution, without the file's name."""
    open_detection(page)
    with page.expect_response(DETECTIONS) as answer:
        check_image(page, images["photo"])
    with page.expect_download() as download:
        page.click("#download")
    text = Path(download.value.path()).read_text("utf-8")
    assert json.loads(text) == {**answer.value.json(), "caution": say(ENGLISH, "script.caution")}
    assert "photo.jpg" not in text + download.value.suggested_filename


def test_the_file_name_is_not_sent(page: Page, images: dict[str, Path]) -> None:
    """The upload travels under a neutral name."""
    page.add_init_script(
        """window.names = [];
        const append = FormData.prototype.append;
        FormData.prototype.append = function (...values) {
          window.names.push(values[2]);
          return append.apply(this, values);
        };"""
    )
    open_detection(page)
    check_image(page, images["photo"])
    assert page.evaluate("window.names") == ["image"]


CARRY = """([bytes, names]) => {
  const carrier = new DataTransfer();
  for (const name of names) {
    carrier.items.add(new File([new Uint8Array(bytes)], name, {type: "image/jpeg"}));
  }
  return carrier;
}"""


def test_an_image_can_be_dropped(page: Page, images: dict[str, Path]) -> None:
    """A dropped file lands in the file input and leads to a verdict."""
    open_detection(page)
    data = list(images["bright"].read_bytes())
    carrier = page.evaluate_handle(CARRY, [data, ["dropped.jpg"]])
    page.dispatch_event("#drop-zone", "drop", {"dataTransfer": carrier})
    expect(page.locator("#chosen-name")).to_have_text("dropped.jpg")
    assert page.evaluate("document.getElementById('file').files[0].name") == "dropped.jpg"
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()


@pytest.mark.parametrize(
    ("names", "code"), [([f"{i}.jpg" for i in range(21)], "too_many_files"), ([], "no_file")]
)
def test_an_unusable_drop_is_said(
    page: Page, images: dict[str, Path], names: list[str], code: str
) -> None:
    """Dropping too many files, or something that is no file, gives a message and not silence."""
    open_detection(page)
    carrier = page.evaluate_handle(CARRY, [list(images["dark"].read_bytes()), names])
    page.dispatch_event("#drop-zone", "drop", {"dataTransfer": carrier})
    expect(page.locator("#error-link")).to_have_text(say(ENGLISH, f"script.error.{code}"))


def test_an_image_can_be_pasted(page: Page, images: dict[str, Path]) -> None:
    """A pasted file is chosen."""
    open_detection(page)
    carrier = page.evaluate_handle(CARRY, [list(images["bright"].read_bytes()), ["pasted.jpg"]])
    page.evaluate(
        """carrier => document.dispatchEvent(
             new ClipboardEvent("paste", {clipboardData: carrier, bubbles: true}))""",
        carrier,
    )
    expect(page.locator("#chosen-name")).to_have_text("pasted.jpg")


PHONE = {"viewport": {"width": 390, "height": 800}, "is_mobile": True, "has_touch": True}


def test_a_photograph_can_be_taken(
    browser: Browser, site_url: str, watch: Watch, images: dict[str, Path], language: Language
) -> None:
    """A phone has a second button, which opens its camera; what it took is the chosen file."""
    with visit(browser, site_url, watch, **PHONE) as context:
        page = context.new_page()
        open_detection(page, language)
        expect(page.locator("label[for=camera]")).to_be_visible()
        expect(page.locator("#camera")).to_have_attribute("capture", "environment")
        page.set_input_files("#camera", images["bright"])
        page.click("#check")
        expect(page.locator("#verdict")).to_be_visible()


def test_a_printed_result_keeps_all(
    page: Page, language: Language, images: dict[str, Path]
) -> None:
    """On paper are the answer with its caution, the reasons, the origin and every detail, but no button."""
    page.add_init_script("window.print = () => window.dispatchEvent(new Event('beforeprint'))")
    open_detection(page, language)
    check_image(page, images["photo"])
    page.click("#print")
    page.emulate_media(media="print")
    for kept in ("#verdict", "#verdict-card .caution", "#reasons li", "#provenance-list li"):
        expect(page.locator(kept).first).to_be_visible()
    expect(page.locator("#detail-list dd:visible")).to_have_count(13)
    expect(page.locator("button:visible, .menu:visible")).to_have_count(0)


def test_a_format_without_preview_can_be_checked(
    page: Page, tmp_path: Path, photo_jpeg: bytes
) -> None:
    """HEIC, which Chromium cannot show, still leads to a verdict, with a word in its place."""
    path = tmp_path / "phone.heic"
    path.write_bytes(heic(photo_jpeg))
    open_detection(page)
    page.set_input_files("#file", path)
    expect(page.locator("#no-preview")).to_be_visible()
    page.click("#check")
    expect(page.locator("#verdict")).to_be_visible()
    expect(page.locator("#result-no-image")).to_be_visible()
    page.check("#heatmap-show")
    expect(page.locator("#heatmap")).to_be_visible()


def heic(jpeg: bytes) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as image:
        image.resize((256, 256)).save(buffer, "HEIF")
    return buffer.getvalue()


def test_the_whole_way_by_keyboard(page: Page, images: dict[str, Path]) -> None:
    """Choosing, checking, the heatmap, details and going on need no mouse."""
    # From the start, since a dialog that is expected only when the key goes down may come too early.
    page.on("filechooser", lambda chooser: chooser.set_files(images["photo"]))
    open_detection(page)

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.locator(selector).evaluate("element => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
        pytest.fail(f"{selector} cannot be reached by Tab")

    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    tab_to("#file")
    page.keyboard.press("Enter")
    expect(page.locator("#check")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_be_focused()
    tab_to("#heatmap-show")
    page.keyboard.press("Space")
    tab_to("#heatmap-strength")
    before = page.locator("#heatmap-strength").input_value()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#heatmap-strength").input_value() != before
    tab_to("#details summary")
    page.keyboard.press("Enter")
    expect(page.locator("#detail-list")).to_be_visible()
    tab_to("#again")
    page.keyboard.press("Enter")
    expect(page.locator("#file")).to_be_focused()
