"""Starts what pictures and browser tests look at: a server with site and API, and a browser."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.serving import running_service

CHROMIUM = os.environ.get("ASLI_CHROMIUM", "/usr/bin/chromium")
"""The system's own. Nothing is downloaded."""


def launch_chromium(playwright: Playwright, *options: str) -> Browser:
    """A browser without a window."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            *options,
        ],
    )


@contextmanager
def running_site(
    site: Path, work: Path, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a server with site and API, which keeps its data and its log in `work`."""
    with running_service(work, settings, options=("--site", str(site))) as url:
        yield url
