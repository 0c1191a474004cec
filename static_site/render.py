"""Render the site: `python -m static_site.render --out build/site`.

Pages are plain files without inline script or style, so that a strict content security policy
holds. English pages lie at the root, the other languages in a folder each.
"""

import argparse
import json
import re
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from static_site.catalogue import Catalogue, script_keys
from static_site.evaluation import Evaluation
from static_site.flowchart import NARROW, WIDE
from static_site.formats import LANGUAGES, Language
from static_site.installing import MANIFEST, SERVICE_WORKER, manifest
from static_site.sample import draw_sample

HERE = Path(__file__).resolve().parent
DEFAULT_REPORT = HERE.parent / "detector" / "models" / "report.json"
"""Found by place, since importing the detector would load its runtime."""

PAGES = ("index", "detect", "about", "help", "privacy", "404")
FOLDERS = ("css", "js", "icons")
"""Sent as they are, and so is the service worker."""

SAMPLE = "samples/landscape.jpg"

_IMPORT = re.compile(r"""^import .* from "(\./[^"]+|\.\./[^"]+)";$""", re.MULTILINE)

CONFIG = {"api": ""}
"""Read by the scripts at run time. An empty address means: the API is where the site is."""


def render_site(
    out: Path, report: Path = DEFAULT_REPORT, *, locales: Path = HERE / "locales"
) -> None:
    """Write the whole site into `out`, replacing what an earlier render left there.

    `report` is the evaluation report of the served model; every measured number comes from it.
    """
    values = json.loads(report.read_text("utf-8"))
    keys = script_keys(_scripts())
    files: dict[Path, str] = {}
    for language in LANGUAGES:
        catalogue = Catalogue.load(locales / f"{language.code}.json")
        files |= _render_language(language, catalogue, values, catalogue.for_scripts(keys))
        catalogue.refuse_unused(except_for=Evaluation(values).absent_parts)

    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
        shutil.copytree(HERE / folder, out / folder)
    for path, text in files.items():
        _target(out / path).write_text(text, "utf-8")
    shutil.copy(HERE / SERVICE_WORKER, out / SERVICE_WORKER)
    _target(out / SAMPLE).write_bytes(draw_sample())
    (out / "config.json").write_text(_json(CONFIG), "utf-8")


def _target(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def _render_language(
    language: Language,
    catalogue: Catalogue,
    report: dict[str, Any],
    script_messages: Mapping[str, str],
) -> dict[Path, str]:
    environment = _environment()
    environment.globals |= {
        "t": catalogue.text,
        "language": language,
        "languages": LANGUAGES,
        "evaluation": Evaluation(report),
        "flowcharts": (WIDE, NARROW),
        "script_messages": script_messages,
        "modules": _modules,
        "manifest": MANIFEST,
    }
    pages = {
        Path(language.address(page).lstrip("/")): environment.get_template(f"{page}.html").render(
            page=page
        )
        for page in PAGES
    }
    path = Path(language.folder.lstrip("/")) / MANIFEST
    return {**pages, path: _json(manifest(language, catalogue))}


def _scripts() -> list[Path]:
    return sorted((HERE / "js").rglob("*.js"))


def _modules(entry: str) -> list[str]:
    """The addresses of a page's script and of all it imports, for the browser to fetch at once."""
    found: list[Path] = []
    waiting = [HERE / "js" / entry]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.append(script)
            names = _IMPORT.findall(script.read_text("utf-8"))
            waiting += [(script.parent / name).resolve() for name in names]
    return sorted(path.relative_to(HERE).as_posix() for path in found)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "pages"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrap"] = lambda text, width: textwrap.wrap(str(text), width)
    return environment


def main() -> None:
    """Render from the command line."""
    parser = argparse.ArgumentParser(description="Render the website to plain files.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument(
        "--report", type=Path, default=DEFAULT_REPORT, help="evaluation report (JSON)"
    )
    arguments = parser.parse_args()
    render_site(arguments.out, arguments.report)


if __name__ == "__main__":
    main()
