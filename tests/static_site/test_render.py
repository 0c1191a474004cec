import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from static_site.catalogue import CatalogueError
from static_site.formats import EN_DASH, LANGUAGES, Language
from static_site.render import DEFAULT_REPORT, HERE, PAGES, render_site
from static_site.sample import draw_sample
from tests.static_site.conftest import SAMPLE_REPORT

ReadPage = Callable[[str], str]

TABLES = (
    *("expected_errors", "reals", "generators", "curves", "summary"),
    *("unseen_photographs", "stability", "suitability", "explanation"),
)
"""The sections of a report whose numbers About shows."""


class Elements(HTMLParser):
    """Every start tag with its attributes, and the text of the body."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(" ".join(data.split()))

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def locales_without(folder: Path, key: str) -> Path:
    shutil.copytree(HERE / "locales", folder)
    path = folder / "id.json"
    messages = json.loads(path.read_text("utf-8"))
    del messages[key]
    path.write_text(json.dumps(messages), "utf-8")
    return folder


@pytest.mark.parametrize("key", ["home.lead", "script.error.busy"])
def test_a_missing_message_fails_the_render(tmp_path: Path, key: str) -> None:
    """A message that a page or a script needs must exist in every language."""
    with pytest.raises(CatalogueError, match=re.escape(f"id: there is no message {key}")):
        render_site(tmp_path / "out", SAMPLE_REPORT, locales=locales_without(tmp_path / "l", key))


@pytest.mark.parametrize("key", ["home.forgotten", "script.forgotten"])
def test_an_unused_message_fails_the_render(tmp_path: Path, key: str) -> None:
    """A message that no page and no script uses is refused by name."""
    locales = shutil.copytree(HERE / "locales", tmp_path / "locales")
    path = locales / "en.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), key: "x"}), "utf-8")
    with pytest.raises(CatalogueError, match=re.escape(key)):
        render_site(tmp_path / "out", SAMPLE_REPORT, locales=locales)


def test_rendering_again_replaces_old_files(tmp_path: Path) -> None:
    """A script that no longer exists does not survive in the output."""
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "old.js").touch()
    render_site(tmp_path, SAMPLE_REPORT)
    assert not (tmp_path / "js" / "old.js").exists()


def test_the_api_address_is_left_to_the_deployment(site: Path) -> None:
    """The rendered configuration asks for the API where the site is."""
    assert json.loads((site / "config.json").read_text("utf-8")) == {"api": ""}


def test_nothing_is_inline(page_path: str, read_page: ReadPage) -> None:
    """No page holds a script, a style or a handler that the content security policy would block."""
    page = Elements(read_page(page_path))
    assert page.attributes("style") == []
    name = Path(page_path).stem
    scripts = [a for a in page.attributes("script") if a.get("type") != "application/json"]
    names = ["install", *([f"{name}-page"] if name in {"detect", "help"} else [])]
    assert scripts == [{"type": "module", "src": f"/js/{name}.js"} for name in names]
    assert [
        name
        for _, attributes in page.tags
        for name in attributes
        if name == "style" or name.startswith("on")
    ] == []


def test_links_and_assets_exist(page_path: str, read_page: ReadPage, site: Path) -> None:
    """Every address on a page leads to a file of the site, and every fragment to an element."""
    for tag, attributes in Elements(read_page(page_path)).tags:
        for name in ("href", "src"):
            address = attributes.get(name)
            if address is None:
                continue
            path, _, fragment = address.partition("#")
            assert not path or path.startswith("/"), f"<{tag}> leads to {address}"
            target = site / (path.lstrip("/") or page_path)
            assert target.is_file(), f"<{tag}> leads to {address}"
            if fragment and "$" not in fragment:
                ids = {a.get("id") for _, a in Elements(target.read_text("utf-8")).tags}
                assert fragment in ids, f"<{tag}> leads to {address}"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_the_site_can_be_installed(language: Language, read_page: ReadPage, site: Path) -> None:
    """Each language has a manifest in its own words, whose addresses lead to files of the site."""
    links = Elements(read_page(language.address("index").lstrip("/"))).attributes("link")
    (address,) = [link["href"] for link in links if link.get("rel") == "manifest"]
    values = json.loads((site / str(address).lstrip("/")).read_text("utf-8"))
    assert values["lang"] == language.code
    for path in (values["start_url"], values["id"], *(icon["src"] for icon in values["icons"])):
        assert (site / path.lstrip("/")).is_file(), path
    worker = (site / "sw.js").read_text("utf-8")
    (pattern,) = re.findall(r"const SHARE = /(.+)/;", worker)
    assert re.search(pattern, values["share_target"]["action"])


def test_the_sample_is_drawn_alike_each_time(site: Path) -> None:
    """The picture to try is small, and depends on nothing but the program."""
    sample = (site / "samples" / "landscape.jpg").read_bytes()
    assert sample == draw_sample.__wrapped__()
    assert len(sample) < 150_000


def test_scripts_import_files_that_exist(site: Path) -> None:
    """Every import of a module names a file beside it."""
    for script in (site / "js").rglob("*.js"):
        for imported in re.findall(r'from "(\.[^"]+)"', script.read_text("utf-8")):
            assert (script.parent / imported).is_file(), f"{script.name} imports {imported}"


def test_scripts_never_parse_markup(site: Path) -> None:
    """No script turns text into markup or code."""
    for script in (site / "js").rglob("*.js"):
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
            script.read_text("utf-8"),
        )
        assert found == [], script.name


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize("page", PAGES)
def test_pages_name_their_language(language: Language, page: str, read_page: ReadPage) -> None:
    """The page says its language and links to itself in each."""
    elements = Elements(read_page(language.address(page).lstrip("/")))
    assert elements.attributes("html") == [{"lang": language.code}]
    alternates = {
        link["hreflang"]: link["href"] for link in elements.attributes("a") if "hreflang" in link
    }
    assert alternates == {other.code: other.address(page) for other in LANGUAGES}


def test_pages_have_landmarks_and_one_heading(page_path: str, read_page: ReadPage) -> None:
    """Each page has one h1, one main part that the skip link leads to, and unique ids."""
    page = Elements(read_page(page_path))
    assert len(page.attributes("h1")) == 1
    assert [a.get("id") for a in page.attributes("main")] == ["main"]
    assert page.attributes("a")[0] == {"class": "skip-link", "href": "#main"}
    assert len(page.attributes("header")) >= 1
    assert len(page.attributes("footer")) >= 1
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert sorted(set(ids), key=str) == sorted(ids, key=str)


def test_references_between_elements_hold(page_path: str, read_page: ReadPage) -> None:
    """Every label, description and name points to an element on the page."""
    page = Elements(read_page(page_path))
    ids = {a.get("id") for _, a in page.tags}
    for _, attributes in page.tags:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert set((attributes.get(name) or "").split()) <= ids


def test_pages_go_without_scripts(read_page: ReadPage) -> None:
    """Where scripts are switched off, the Detection page says what they are needed for."""
    for path in ("detect.html", "id/detect.html"):
        assert Elements(read_page(path)).attributes("noscript")


def percent(language: Language, value: float) -> str:
    text = f"{value * 100:.1f}%"
    return text.replace(".", ",") if language.code == "id" else text


def percent_range(language: Language, low: float, high: float) -> str:
    return percent(language, low).rstrip("%") + EN_DASH + percent(language, high)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_about_shows_the_numbers_of_the_report(
    language: Language, read_page: ReadPage, report: dict[str, Any]
) -> None:
    """Each measured rate of the report stands on About, written as the language does."""
    text = Elements(read_page(language.address("about").lstrip("/"))).text
    for row in report["reals"] + report["generators"] + report["unseen_photographs"]:
        if row["likely_ai_rate"] is not None:
            assert percent(language, row["likely_ai_rate"]) in text
    for errors in report["expected_errors"].values():
        assert percent(language, errors["false_positive_rate"]) in text
        assert percent(language, errors["miss_rate"]) in text
    for row in report["summary"]:
        for name in ("accuracy", "balanced_accuracy"):
            if row[name] is not None:
                assert percent(language, row[name]) in text
    for row in report["summary"] + report["unseen_photographs"]:
        assert language.decimal(row["auroc"]) in text
    assert report["id"] in text
    assert report["model"]["weights_sha256"] in text


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_about_follows_the_report(
    language: Language, report: dict[str, Any], tmp_path: Path
) -> None:
    """When a number in the report changes, so does the page: none of them is typed."""
    changed = json.loads(json.dumps(report))
    numbers: list[float] = []

    def mark(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: mark(item) for key, item in value.items()}
        if isinstance(value, list):
            return [mark(item) for item in value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        numbers.append(value)
        return 7777 if isinstance(value, int) else 0.07777

    for table in TABLES:
        changed[table] = mark(changed[table])
    path = tmp_path / "report.json"
    path.write_text(json.dumps(changed), "utf-8")
    render_site(tmp_path / "out", path)

    html = (tmp_path / "out" / language.address("about").lstrip("/")).read_text("utf-8")
    cells = re.findall(r'<td class="number[^"]*">(.*?)</td>', html)
    paper = re.findall(r'<td class="number[^"]*">(.*?)</td>', html.split('id="paper-caption"')[1])[
        :4
    ]
    written = {re.sub("<[^>]+>", "", cell) for cell in cells} - set(paper)
    expected = {"7,777", "15,554", "0.078", "7.8%", f"7.8{EN_DASH}7.8%", f"0.078{EN_DASH}0.078"}
    if language.code == "id":
        expected = {text.translate(str.maketrans(".,", ",.")) for text in expected}
    dashes = {text for text in written if text.startswith(EN_DASH)}
    assert numbers
    assert written - dashes == expected


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize("is_measured", [True, False])
def test_errors_on_videos_are_shown_once_measured(
    language: Language, is_measured: bool, report: dict[str, Any], tmp_path: Path
) -> None:
    """A model with a scale for videos has a row for them among the mistakes to expect."""
    errors = {**report["expected_errors"]["clean"], "false_positive_rate": 0.0321}
    known = {**report["expected_errors"], **({"video": errors} if is_measured else {})}
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**report, "expected_errors": known}), "utf-8")
    render_site(tmp_path / "out", path)
    about = (tmp_path / "out" / language.address("about").lstrip("/")).read_text("utf-8")
    assert is_measured == ('<th scope="row">Video</th>' in about)
    assert is_measured == (percent(language, 0.0321) in about)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_generators_never_seen_are_ranked_against_photographs_never_met(
    language: Language, tmp_path: Path
) -> None:
    """A column for each of their sources, whatever the order of the report's rows."""
    sample = json.loads(SAMPLE_REPORT.read_text("utf-8"))
    rows = sample["unseen_photographs"]
    titles = list(dict.fromkeys(row["title"] for row in rows))
    expected = []
    for measured in sample["summary"]:
        if measured["set"] == "unseen":
            same = [row for row in rows if row["condition"] == measured["condition"]]
            beside = {row["title"]: row["auroc"] for row in same}
            expected.append([measured["auroc"], *(beside[title] for title in titles)])

    sample["unseen_photographs"] = [row for row in rows if row["title"] == titles[0]][::-1] + [
        row for row in rows if row["title"] != titles[0]
    ]
    table = _unseen_table(language, sample, tmp_path)
    lines = [
        [
            float(cell.replace(",", "."))
            for cell in re.findall(r'class="number">([\d.,]+)</td>', line)
        ]
        for line in table.split("<tr>")[2:]
    ]
    assert lines == [[pytest.approx(value, abs=6e-4) for value in line] for line in expected]
    for title in titles:
        assert f'<span lang="en">{title}</span>' in table


@pytest.mark.parametrize("changed", [{"auroc": None}, {"n_ai": 1}, {"generators": ["others"]}])
def test_other_generators_are_not_shown_as_the_same_ones(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    """Nor what was not measured."""
    sample = json.loads(SAMPLE_REPORT.read_text("utf-8"))
    rows = [{**row, **changed} for row in sample["unseen_photographs"]]
    table = _unseen_table(LANGUAGES[0], {**sample, "unseen_photographs": rows}, tmp_path)
    assert rows[0]["title"] not in table


def _unseen_table(language: Language, report: dict[str, Any], folder: Path) -> str:
    path = folder / "report.json"
    path.write_text(json.dumps(report), "utf-8")
    render_site(folder / "out", path)
    about = (folder / "out" / language.address("about").lstrip("/")).read_text("utf-8")
    return about.split('id="unseen-caption"')[1].split("</table>")[0]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_the_robustness_chart_needs_every_number(
    language: Language, report: dict[str, Any], tmp_path: Path
) -> None:
    """It is drawn from the summary, and left out where AUROC was not measured in each condition."""
    path = tmp_path / "report.json"
    for auroc, n_charts in ((0.9, 1), (None, 0)):
        rows = [{**row, "auroc": auroc} for row in report["summary"]]
        path.write_text(json.dumps({**report, "summary": rows}), "utf-8")
        render_site(tmp_path / "out", path)
        about = (tmp_path / "out" / language.address("about").lstrip("/")).read_text("utf-8")
        assert n_charts == about.count("robustness-chart")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_the_roc_curve_is_that_of_the_report(
    language: Language, report: dict[str, Any], tmp_path: Path
) -> None:
    """A line for each condition, and beside it what is found at 1, 3 and 10 %; neither without points."""
    roc = {
        "false_positive_rate": [0.0, 0.01, 0.04, 1.0],
        "true_positive_rate": [0.1, 0.5, 0.7, 1.0],
    }
    path = tmp_path / "report.json"
    for curves in ([{"condition": "web", "roc": roc}], []):
        path.write_text(json.dumps({**report, "curves": curves}), "utf-8")
        render_site(tmp_path / "out", path)
        about = (tmp_path / "out" / language.address("about").lstrip("/")).read_text("utf-8")
        table = about.partition('id="roc-caption"')[2].partition("</table>")[0]
        cells = re.findall(r'<td class="number">(.*?)</td>', table)

        assert len(curves) == about.count("roc-chart")
        assert len(curves) == about.count('d="M38.0 291.0L40.9 175.0L49.6 117.0L328.0 30.0"')
        expected = [percent(language, share) for share in (0.5, 0.5, 0.7)]
        assert (expected if curves else []) == cells


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize("has_section", [True, False])
def test_without_checks_nothing_is_said_of_them(
    language: Language, has_section: bool, report: dict[str, Any], tmp_path: Path
) -> None:
    """A report from before the checks has no such part, and then no heatmap either."""
    changed = {name: report[name] for name in report if has_section or name != "stability"}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(changed), "utf-8")
    render_site(tmp_path / "out", path)
    about = (tmp_path / "out" / language.address("about").lstrip("/")).read_text("utf-8")
    assert has_section == ('id="checks"' in about)
    assert has_section == ('href="#checks"' in about)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
@pytest.mark.parametrize("holds", [True, False])
def test_help_explains_only_a_verified_heatmap(
    language: Language, holds: bool, report: dict[str, Any], tmp_path: Path
) -> None:
    """Where the measurement failed, no heatmap is shown and none is explained."""
    changed = {**report, "explanation": {**report["explanation"], "holds": holds}}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(changed), "utf-8")
    render_site(tmp_path / "out", path)
    page = (tmp_path / "out" / language.address("help").lstrip("/")).read_text("utf-8")
    assert holds == bool(re.search("heatmap|peta panas", page))


def test_what_was_not_measured_is_said(read_page: ReadPage) -> None:
    """A dash is read out as "not measured"."""
    assert "not measured" in Elements(read_page("about.html")).text
    assert "tidak diukur" in Elements(read_page("id/about.html")).text


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_about_shows_the_paper_with_its_uncertainty(
    language: Language, read_page: ReadPage
) -> None:
    """The paper's accuracy stands with its number of images and its interval."""
    text = " ".join(Elements(read_page(language.address("about").lstrip("/"))).text)
    interval = percent_range(language, 0.756, 0.912)
    assert percent(language, 0.85) in text
    assert interval in text
    assert re.search(r"68 (of|dari) 80", text)
    assert re.search(r"20 (of|dari) 32", text)


@pytest.mark.model
@pytest.mark.skipif(not DEFAULT_REPORT.exists(), reason="no model is shipped yet")
def test_the_shipped_report_renders(tmp_path: Path) -> None:
    """The report beside the shipped model has everything that the pages show."""
    render_site(tmp_path)
    assert json.loads(DEFAULT_REPORT.read_text("utf-8"))["id"] in (
        tmp_path / "about.html"
    ).read_text("utf-8")


def test_a_report_without_numbers_renders(report: dict[str, Any], tmp_path: Path) -> None:
    """Where nothing was measured the site still renders."""

    def emptied(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: emptied(item) for key, item in value.items()}
        if isinstance(value, list):
            return [emptied(item) for item in value]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number else value

    changed = report | {table: emptied(report[table]) for table in TABLES}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(changed), "utf-8")
    render_site(tmp_path / "out", path)
    assert "None" not in (tmp_path / "out" / "about.html").read_text("utf-8")
