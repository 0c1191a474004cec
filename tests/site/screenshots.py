"""Pictures of every page and state, to look at: `make screenshots`.

They show the shipped model and its report, at three widths, light and dark. What the service would
answer in rare states is put into its mouth.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from skimage import data

from static_site.render import PAGES, render_site
from tests.site.running import launch_chromium, running_site
from tests.videos import encode

WIDTHS = (320, 768, 1280)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FOLDERS = {"en": "", "id": "/id"}
JOB_ID = "det_" + "x" * 24
JOB = re.compile(r"/v1/detections/det_[\w-]+$")


@dataclass(frozen=True)
class Files:
    """What is chosen in the pictures."""

    photo: Path
    other: Path
    text: Path
    video: Path


def make_files(folder: Path, photo: Path | None) -> Files:
    """Photographs that scikit-image ships, a video that moves over one of them, and a file that is no image."""
    files = Files(
        photo=photo or folder / "astronaut.jpg",
        other=folder / "a coffee cup that somebody gave a very long name.jpg",
        text=folder / "notes.jpg",
        video=folder / "clip.webm",
    )
    if photo is None:
        Image.fromarray(data.astronaut()).save(files.photo, quality=90)
    Image.fromarray(data.coffee()).save(files.other, quality=90)
    files.text.write_text("No image.")
    pan = [
        Image.fromarray(np.ascontiguousarray(data.coffee()[:360, x : x + 480])) for x in range(120)
    ]
    files.video.write_bytes(encode([(i / 10, picture) for i, picture in enumerate(pan)], "webm"))
    return files


def choose(page: Page, files: Files) -> None:
    page.set_input_files("#file", files.photo)
    page.locator("#check").wait_for()


def result(page: Page, files: Files) -> None:
    choose(page, files)
    page.click("#check")
    page.locator("#verdict").wait_for()
    if page.locator("#heatmap-show").is_visible():
        page.click("#heatmap-show")
        page.locator("#heatmap").evaluate("image => image.decode()")


def details(page: Page, files: Files) -> None:
    result(page, files)
    page.click("#details summary")
    page.click("#feedback summary")


def reported(page: Page, files: Files) -> None:
    details(page, files)
    page.click("#feedback-send")
    page.locator("#feedback-sent").wait_for()


def choose_video(page: Page, files: Files) -> None:
    page.set_input_files("#file", files.video)
    page.locator("#check").wait_for()


def video(page: Page, files: Files) -> None:
    choose_video(page, files)
    page.click("#check")
    page.locator("#timeline-chart svg").wait_for()
    page.click("#timeline summary")
    page.wait_for_timeout(300)


def measured_video(page: Page, files: Files) -> None:
    """As with a model that has a scale for videos.

    The answers are changed in the page: where requests are intercepted, Chromium may load a video for ever.
    """
    page.add_init_script(
        """const ask = window.fetch;
        window.fetch = async (...asked) => {
          const response = await ask(...asked);
          if (!/\\/v1\\/(model|detections\\/det_[\\w-]+)$/.test(response.url) || !response.ok) return response;
          const values = await response.json();
          if (response.url.endsWith("/v1/model")) values.video_bands = { low: 0.2, high: 0.8 };
          if (values.status === "succeeded") {
            const scores = [0.1, 0.15, 0.4, 0.85, 0.9, 0.93, 0.88, 0.5, 0.3, 0.2, 0.1, 0.12];
            values.frames.forEach((frame, i) => { frame.score = scores[i]; });
            const segments = [{ start: 3.5, end: 7.5 }];
            Object.assign(values, { verdict: "likely_ai", reasons: ["score_high"], segments });
          }
          return new Response(JSON.stringify(values), response);
        };"""
    )
    page.reload(wait_until="networkidle")
    video(page, files)


def sending(page: Page, files: Files) -> None:
    # An answer that never comes, without a route that is left open.
    page.add_init_script("XMLHttpRequest.prototype.send = () => {}")
    page.reload(wait_until="networkidle")
    choose(page, files)
    page.click("#check")
    page.locator("#progress").wait_for()


def slow(page: Page, files: Files) -> None:
    """All is sent, and no answer comes."""
    page.clock.install()
    page.add_init_script(
        """XMLHttpRequest.prototype.send = function () {
          this.upload.dispatchEvent(new ProgressEvent("load"));
        };"""
    )
    page.reload(wait_until="networkidle")
    choose(page, files)
    page.click("#check")
    page.clock.run_for(15_100)
    page.locator("#progress-wait:not(:empty)").wait_for()


def examining(page: Page, _files: Files) -> None:
    job = {"id": JOB_ID, "status": "processing", "progress": 0.4}
    page.route(JOB, lambda route: route.fulfill(json=job))
    page.goto(f"{page.url}#{JOB_ID}")
    page.locator("#progress-wait:not(:empty)").wait_for()


def choose_several(page: Page, files: Files) -> None:
    page.set_input_files("#file", [files.photo, files.text, files.other])
    page.locator("#list-run").wait_for()


def sending_several(page: Page, files: Files) -> None:
    page.add_init_script("XMLHttpRequest.prototype.send = () => {}")
    page.reload(wait_until="networkidle")
    choose_several(page, files)
    page.click("#list-run")
    page.locator(".file progress:visible").wait_for()


def several(page: Page, files: Files) -> None:
    choose_several(page, files)
    page.click("#list-run")
    page.locator("#list-exports").wait_for()


def wrong_file(page: Page, files: Files) -> None:
    page.set_input_files("#file", files.text)
    page.locator("#error-summary").wait_for()


def problem(status: int, code: str) -> Callable[[Page, Files], None]:
    """The service answers so."""

    def fail(page: Page, files: Files) -> None:
        body = json.dumps({"code": code})
        page.route("**/v1/detections", lambda route: route.fulfill(status=status, body=body))
        choose(page, files)
        page.click("#check")
        page.locator("#error-summary").wait_for()

    return fail


def gone(page: Page, _files: Files) -> None:
    page.route(JOB, lambda route: route.fulfill(status=410, json={"code": "gone"}))
    page.goto(f"{page.url}#{JOB_ID}")
    page.locator("#error-summary").wait_for()


def offline(page: Page, files: Files) -> None:
    choose(page, files)
    page.context.set_offline(True)
    page.click("#check")
    page.locator("#error-summary").wait_for()
    page.context.set_offline(False)


def deleted(page: Page, files: Files) -> None:
    result(page, files)
    page.click("#delete")
    page.locator("#notice").wait_for()


def sample(page: Page, _files: Files) -> None:
    page.click("#sample a")
    page.locator("#verdict").wait_for()
    page.locator("#result-image").evaluate("image => image.decode()")


def write(page: Page, text: str) -> None:
    page.goto(page.url.replace("/detect.html", "/help.html"))
    page.fill("#message-text", text)
    page.click("#message-send")


def unsendable_message(page: Page, _files: Files) -> None:
    write(page, "Hello")
    page.locator("#error-summary").wait_for()


def sent_message(page: Page, _files: Files) -> None:
    write(page, "Which of my pictures may I send?")
    page.locator("#message-sent").wait_for()


STATES: dict[str, Callable[[Page, Files], None]] = {
    "chosen": choose,
    "chosen-video": choose_video,
    "chosen-several": choose_several,
    "sending": sending,
    "sending-several": sending_several,
    "slow": slow,
    "examining": examining,
    "result": result,
    "result-details": details,
    "result-reported": reported,
    "result-sample": sample,
    "result-video": video,
    "result-video-measured": measured_video,
    "result-several": several,
    "deleted": deleted,
    "error-file": wrong_file,
    "error-offline": offline,
    "error-full": problem(503, "busy"),
    "error-limited": problem(429, "rate_limited"),
    "error-failed": problem(500, "internal"),
    "error-gone": gone,
    "help-wrong": unsendable_message,
    "help-sent": sent_message,
}
"""Each entered from the Detection page."""


def take_screenshots(
    browser: Browser,
    url: str,
    out: Path,
    files: Files,
    *,
    languages: Sequence[str],
    widths: Sequence[int] = WIDTHS,
    themes: Sequence[Literal["light", "dark"]] = THEMES,
) -> None:
    """Write one PNG for each page and state, language, width and theme."""
    out.mkdir(parents=True, exist_ok=True)
    for theme in themes:
        for width in widths:
            context = browser.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=theme,
                base_url=url,
                has_touch=width < 700,
                is_mobile=width < 700,
                service_workers="block",
            )
            for language in languages:
                name = f"{language}-{width}-{theme}"
                for title in PAGES:
                    page = context.new_page()
                    page.goto(f"{FOLDERS[language]}/{title}.html", wait_until="networkidle")
                    page.screenshot(path=out / f"{title}-{name}.png", full_page=True)
                    page.close()
                for title, enter in STATES.items():
                    page = context.new_page()
                    page.goto(f"{FOLDERS[language]}/detect.html", wait_until="networkidle")
                    enter(page, files)
                    page.screenshot(path=out / f"{title}-{name}.png", full_page=True)
                    page.close()
            context.close()


def main() -> None:
    """Take the pictures from the command line."""
    parser = argparse.ArgumentParser(description="Take pictures of every page and state.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--photo", type=Path, help="image to check; an astronaut by default")
    parser.add_argument("--languages", nargs="+", default=["en", "id"], choices=sorted(FOLDERS))
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--themes", nargs="+", default=THEMES, choices=THEMES)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        work = Path(folder)
        render_site(work / "site")
        with running_site(work / "site", work) as url:
            browser = launch_chromium(playwright)
            take_screenshots(
                browser,
                url,
                options.out,
                make_files(work, options.photo),
                languages=options.languages,
                widths=options.widths,
                themes=options.themes,
            )
            browser.close()


if __name__ == "__main__":
    main()
