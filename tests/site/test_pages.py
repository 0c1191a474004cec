"""Every page in a browser: faults of accessibility, width, language, and life without scripts."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect

from static_site.formats import ENGLISH, INDONESIAN, Language
from static_site.render import PAGES
from tests.site.conftest import Watch, pages_end_after, visit
from tests.site.screenshots import STATES, Files, make_files

pytestmark = pytest.mark.browser

PHONE_AND_DESK: tuple[tuple[int, Literal["light", "dark"]], ...] = ((320, "dark"), (1280, "light"))


AXE = {"resultTypes": ["violations"], "preload": False}
"""The films of a page, which axe would load first, are no matter of the faults that are grave."""


def grave_faults(page: Page) -> list[tuple[str, Any]]:
    response = Axe().run(page, options=AXE).response
    return [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in response["violations"]
        if fault["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_have_no_grave_accessibility_fault(
    page: Page, language: Language, name: str, scheme: Any
) -> None:
    """No serious or critical fault is found by axe, in either colour scheme."""
    page.emulate_media(color_scheme=scheme)
    page.goto(language.address(name))
    assert grave_faults(page) == []


def overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


@pytest.mark.parametrize("name", PAGES)
def test_pages_do_not_scroll_sideways(page: Page, language: Language, name: str) -> None:
    """No page is wider than the window."""
    page.goto(language.address(name))
    for width in (320, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0, f"at {width} pixels"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """What the states are entered with."""
    return make_files(tmp_path_factory.mktemp("files"), None)


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_sound(
    page: Page, language: Language, watch: Watch, files: Files, state: str
) -> None:
    """On a phone and on a desk, in either colour scheme: no grave fault, and nothing wider than the window."""
    watch.failed_answers_are_expected = state.startswith("error-")
    page.goto(language.address("detect"), wait_until="networkidle")
    STATES[state](page, files)
    for width, scheme in PHONE_AND_DESK:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert grave_faults(page) == [], f"at {width} pixels, {scheme}"
        assert overflow(page) == 0, f"at {width} pixels"


@pytest.mark.parametrize("name", PAGES)
def test_the_language_switch_keeps_the_page(page: Page, name: str) -> None:
    """Switching language leads to the same page in the other one, and back."""
    page.goto(ENGLISH.address(name))
    page.locator(".languages a[hreflang=id]").click()
    expect(page).to_have_url(re.compile(re.escape(INDONESIAN.address(name)) + "$"))
    expect(page.locator("html")).to_have_attribute("lang", "id")
    page.locator(".languages a[hreflang=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_home_page_leads_to_detection(page: Page, language: Language) -> None:
    """The first button on Home opens the Detection page in the same language."""
    page.goto(language.address("index"))
    page.locator("main .button-primary").click()
    expect(page).to_have_url(re.compile(re.escape(language.address("detect")) + "$"))


def test_without_scripts_the_page_explains_itself(
    browser: Browser, site_url: str, watch: Watch, language: Language
) -> None:
    """Where scripts are off, the form is gone and a sentence says why."""
    with visit(browser, site_url, watch, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(language.address("detect"))
        expect(page.locator("noscript p")).to_be_visible()
        expect(page.locator("#drop-zone")).to_be_hidden()


def test_one_flowchart_shows_at_each_width(page: Page) -> None:
    """A small window shows the narrow drawing, a large one the wide drawing."""
    page.goto(ENGLISH.address("about"))
    for width, shown in ((320, "narrow"), (1280, "wide")):
        page.set_viewport_size({"width": width, "height": 800})
        expect(page.locator(".flowchart:visible")).to_have_count(1)
        expect(page.locator(f".flowchart-{shown}")).to_be_visible()


def test_a_page_that_never_yields_fails_its_test(page: Page) -> None:
    """Or a whole run of the tests would hang with it."""
    with pages_end_after(1), pytest.raises(Error, match="crashed"):
        page.evaluate("() => { for (;;); }")


def test_an_unknown_address_has_a_page(page: Page, watch: Watch) -> None:
    """A mistyped address is answered with our own page."""
    watch.failed_answers_are_expected = True
    response = page.goto("/no/such/page.html")
    assert response is not None
    assert response.status == 404
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".site-header")).to_be_visible()
