import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from static_site.formats import LANGUAGES
from static_site.render import PAGES, render_site
from tests.pseudo import plain_words, pseudo, write_pseudo_locales
from tests.static_site.conftest import SAMPLE_REPORT

VOID = {"meta", "link", "img", "input", "br", "path", "rect", "circle", "ellipse"}
SPOKEN_ATTRIBUTES = {"alt", "aria-label", "title", "placeholder", "aria-valuetext"}
BRAND = "Asli"


class Words(HTMLParser):
    """All that visitors read or hear, but for what is marked as being in a language of its own."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_other = tag in {"script", "style"} or ("lang" in values and tag != "html")
        if tag not in VOID:
            self._open.append(is_other)
        if not (is_other or any(self._open)):
            self.found += [values[name] or "" for name in SPOKEN_ATTRIBUTES & values.keys()]
            if values.get("name") == "description":
                self.found.append(values["content"] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of drawings; they have no words of their own."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.found.append(data)


def strings(value: Any) -> Iterator[str]:
    """Every string of the report, which pages may quote."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


@pytest.fixture(scope="module")
def pseudo_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pseudo")
    render_site(folder / "site", SAMPLE_REPORT, locales=write_pseudo_locales(folder / "locales"))
    return folder / "site"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_every_word_of_a_page_is_in_the_catalogue(
    page: str, language: Any, pseudo_site: Path, report: dict[str, Any]
) -> None:
    """In a language without plain letters, none are left but names, dates, and what the report says."""
    html = (pseudo_site / language.address(page).lstrip("/")).read_text("utf-8")
    quoted = {BRAND, *language.months, *strings(report)}
    known = re.compile("|".join(map(re.escape, sorted(quoted, key=len, reverse=True))))
    left = [word for text in Words(html).found for word in plain_words(known.sub("", text))]
    assert [] == left


def test_the_search_finds_plain_words() -> None:
    """What does not come from the catalogue is found, in texts and in attributes."""
    html = f'<p>{pseudo("Home")} Hello</p><img alt="Picture"><b lang="en">English</b>'
    assert ["Hello", "Picture"] == [w for text in Words(html).found for w in plain_words(text)]
