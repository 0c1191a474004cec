"""Writing to us from the Help page, and saying that a result looks wrong."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from static_site.formats import ENGLISH, Language
from tests.site.conftest import Watch
from tests.site.test_detection import check_image, open_detection, say
from tests.site.test_pages import grave_faults

pytestmark = pytest.mark.browser

REFERENCE = r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}"
TEXT = "How do I read the score under Details?"


def said(language: Language, key: str) -> re.Pattern[str]:
    """The message with a reference in its place."""
    return re.compile(re.escape(say(language, key)).replace(r"\{reference\}", REFERENCE))


def test_a_message_is_sent_by_keyboard(page: Page, language: Language) -> None:
    """Without a mouse: choose the kind, write, send; the reference number is shown and read out."""
    page.goto(language.address("help"))
    page.focus("#kind-question")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#kind-suggestion")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type(TEXT)
    page.keyboard.press("Tab")
    page.keyboard.type("name@example.org")
    page.keyboard.press("Tab")
    with page.expect_request("**/v1/messages") as sent:
        page.keyboard.press("Enter")

    expect(page.locator("#message-sent")).to_have_text(said(language, "script.message.sent"))
    expect(page.locator("#message-sent")).to_be_focused()
    expect(page.locator("#message-text")).to_have_value("")
    expected = {"kind": "suggestion", "text": TEXT, "email": "name@example.org"}
    assert expected == json.loads(sent.value.post_data or "")


@pytest.mark.parametrize(
    ("text", "email", "key", "field"),
    [
        ("", "", "script.message.short", "message-text"),
        ("   123456789   ", "", "script.message.short", "message-text"),
        ("x" * 2001, "", "script.message.long", "message-text"),
        (TEXT, "nobody", "script.message.email", "message-email"),
    ],
)
def test_a_fault_is_said_and_leads_to_its_field(
    page: Page, language: Language, text: str, email: str, key: str, field: str
) -> None:
    """Nothing is sent; the summary takes the focus, and its link leads to the field, which is marked."""
    page.goto(language.address("help"))
    page.fill("#message-text", text)
    page.fill("#message-email", email)
    page.click("#message-send")

    expect(page.locator("#error-summary")).to_be_focused()
    expect(page.locator("#error-link")).to_have_text(say(language, key))
    assert grave_faults(page) == []
    page.click("#error-link")
    expect(page.locator(f"#{field}")).to_be_focused()
    expect(page.locator(f"#{field}")).to_have_attribute("aria-invalid", "true")


def test_a_fault_can_be_cured(page: Page) -> None:
    """After the correction the message goes out and the summary is gone."""
    page.goto(ENGLISH.address("help"))
    page.click("#message-send")
    page.fill("#message-text", TEXT)
    page.click("#message-send")

    expect(page.locator("#message-sent")).to_be_visible()
    expect(page.locator("#error-summary")).to_be_hidden()


@pytest.mark.parametrize(
    ("status", "code", "key"),
    [
        (429, "rate_limited", "script.error.rate_limited"),
        (500, "internal", "script.error.internal"),
    ],
)
def test_what_was_written_is_not_lost(
    page: Page, language: Language, watch: Watch, status: int, code: str, key: str
) -> None:
    """When the service refuses, the text stays in the form, and the reason is said."""
    watch.failed_answers_are_expected = True

    def refuse(route: Route) -> None:
        route.fulfill(
            status=status,
            content_type="application/problem+json",
            body=json.dumps({"code": code}),
        )

    page.route("**/v1/messages", refuse, times=1)
    page.goto(language.address("help"))
    page.fill("#message-text", TEXT)
    page.click("#message-send")

    expect(page.locator("#error-text")).to_have_text(say(language, key))
    expect(page.locator("#message-text")).to_have_value(TEXT)
    page.click("#message-send")
    expect(page.locator("#message-sent")).to_be_visible()


def test_a_wrong_result_can_be_reported(
    page: Page, language: Language, images: dict[str, Path]
) -> None:
    """By default only an answer goes out, in JSON; the file stays where it is."""
    open_detection(page, language)
    check_image(page, images["photo"])
    page.click("#feedback summary")
    assert grave_faults(page) == []
    page.check("#label-photograph")
    with page.expect_request("**/feedback") as sent:
        page.click("#feedback-send")

    assert {"label": "photograph"} == json.loads(sent.value.post_data or "")
    expect(page.locator("#feedback-sent")).to_have_text(said(language, "script.feedback.sent"))
    expect(page.locator("#feedback-sent")).to_be_focused()


def test_the_file_goes_along_only_when_ticked(page: Page, images: dict[str, Path]) -> None:
    """Then, and only then, it is sent again; the next result starts without the tick."""
    open_detection(page)
    check_image(page, images["photo"])
    page.click("#feedback summary")
    expect(page.locator("#feedback-keep")).not_to_be_checked()
    page.check("#feedback-keep")
    with page.expect_request("**/feedback") as sent:
        page.click("#feedback-send")

    assert sent.value.headers["content-type"].startswith("multipart/form-data")
    expect(page.locator("#feedback-sent")).to_be_visible()
    page.click("#again")
    check_image(page, images["dark"])
    page.click("#feedback summary")
    expect(page.locator("#feedback-keep")).not_to_be_checked()


def test_a_failed_report_is_said(
    page: Page, language: Language, images: dict[str, Path], watch: Watch
) -> None:
    """A result that is gone in the meantime cannot be reported; the form says so."""
    watch.failed_answers_are_expected = True
    open_detection(page, language)
    check_image(page, images["photo"])
    page.route(
        "**/feedback",
        lambda route: route.fulfill(
            status=410, content_type="application/problem+json", body='{"code": "gone"}'
        ),
    )
    page.click("#feedback summary")
    page.click("#feedback-send")

    expect(page.locator("#feedback-error")).to_have_text(say(language, "script.error.gone"))
    expect(page.locator("#feedback-error")).to_be_focused()
