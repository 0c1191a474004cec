"""Serves the rendered site beside the API, the way the cloud's file store does."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from lambda_api.problems import install_problem_handlers

API_PREFIX = "/v1"


def website(site_dir: Path) -> ASGIApp:
    """The pages under `site_dir`. A missing one is answered with the 404.html of its own language."""
    languages = sorted(page.parent for page in site_dir.glob("*/404.html"))
    site = Starlette(
        routes=[
            *(
                Mount(f"/{folder.name}", _Pages(directory=folder, html=True))
                for folder in languages
            ),
            Mount("/", _Pages(directory=site_dir, html=True)),
        ]
    )
    install_problem_handlers(site, limits={})
    return site


class ApiBesideSite:
    """Sends /v1 and all below it to the API, everything else to the site."""

    def __init__(self, api: ASGIApp, site: ASGIApp) -> None:
        self._api = api
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_api = path == API_PREFIX or path.startswith(f"{API_PREFIX}/")
        await (self._api if is_api else self._site)(scope, receive, send)


class _Pages(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A browser asks again each time, so a newly rendered site is never mixed with an old one.
        response.headers.setdefault("Cache-Control", "no-cache")
        return response
