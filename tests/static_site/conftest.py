"""A rendered site, and what is in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from static_site.formats import LANGUAGES
from static_site.render import HERE, PAGES, render_site

SAMPLE_REPORT = Path(__file__).parent / "sample_report.json"

PAGE_PATHS = [language.address(page).lstrip("/") for language in LANGUAGES for page in PAGES]


@pytest.fixture(scope="session")
def report() -> dict[str, Any]:
    """A made-up report with every field, and some of them not measured."""
    values: dict[str, Any] = json.loads(SAMPLE_REPORT.read_text("utf-8"))
    return values


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, rendered from the made-up report."""
    out = tmp_path_factory.mktemp("site")
    render_site(out, SAMPLE_REPORT)
    return out


@pytest.fixture(scope="session")
def read_page(site: Path) -> Callable[[str], str]:
    """Read the HTML of a page by its path in the site."""
    return lambda path: (site / path).read_text("utf-8")


@pytest.fixture(params=PAGE_PATHS)
def page_path(request: pytest.FixtureRequest) -> str:
    """Each page of the site in turn."""
    return str(request.param)


@pytest.fixture(params=[language.code for language in LANGUAGES])
def messages(request: pytest.FixtureRequest) -> dict[str, str]:
    """The messages of each language in turn."""
    path = HERE / "locales" / f"{request.param}.json"
    values: dict[str, str] = json.loads(path.read_text("utf-8"))
    return values
