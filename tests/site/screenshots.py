"""Pictures of every page and of a result, to look at: `make screenshots`.

They show the shipped model and its report, at three widths, light and dark.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from skimage import data

from static_site.render import render_site
from tests.site.running import launch_chromium, running_site

WIDTHS = (320, 768, 1280)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FOLDERS = {"en": "", "id": "/id"}
PAGES = ("index", "detect", "about", "help", "privacy", "404")


def take_screenshots(
    browser: Browser,
    url: str,
    out: Path,
    photo: Path,
    *,
    languages: Sequence[str],
    widths: Sequence[int] = WIDTHS,
    themes: Sequence[Literal["light", "dark"]] = THEMES,
) -> None:
    """Write one PNG for each page, language, width and theme."""
    out.mkdir(parents=True, exist_ok=True)
    for theme in themes:
        for width in widths:
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=theme, base_url=url
            )
            page = context.new_page()
            for language in languages:
                name = f"{language}-{width}-{theme}"
                for title in PAGES:
                    page.goto(f"{FOLDERS[language]}/{title}.html", wait_until="networkidle")
                    page.screenshot(path=out / f"{title}-{name}.png", full_page=True)
                _take_result(page, f"{FOLDERS[language]}/detect.html", photo, out, name)
            context.close()


def _take_result(page: Page, address: str, photo: Path, out: Path, name: str) -> None:
    page.goto(address, wait_until="networkidle")
    page.set_input_files("#file", photo)
    page.locator("#check").wait_for()
    page.screenshot(path=out / f"chosen-{name}.png", full_page=True)
    page.click("#check")
    page.locator("#verdict").wait_for()
    if page.locator("#heatmap-show").is_visible():
        page.check("#heatmap-show")
        page.locator("#heatmap").evaluate("image => image.decode()")
    page.screenshot(path=out / f"result-{name}.png", full_page=True)


def main() -> None:
    """Take the pictures from the command line."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--photo", type=Path, help="image to check; an astronaut by default")
    parser.add_argument("--languages", nargs="+", default=["en", "id"], choices=sorted(FOLDERS))
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--themes", nargs="+", default=THEMES, choices=THEMES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        work = Path(folder)
        photo = options.photo or work / "astronaut.jpg"
        if options.photo is None:
            Image.fromarray(data.astronaut()).save(photo, quality=90)
        render_site(work / "site")
        with running_site(work / "site", work) as url:
            browser = launch_chromium(playwright)
            take_screenshots(
                browser,
                url,
                options.out,
                photo,
                languages=options.languages,
                widths=options.widths,
                themes=options.themes,
            )
            browser.close()


if __name__ == "__main__":
    main()
