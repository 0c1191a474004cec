"""The service's app around a given detector, and a caller that needs no server."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.types import ASGIApp

from detector.errors import ModelLoadError
from detector.image import ImageLimits
from lambda_api.adapters.filesystem import FilesystemResultStore
from lambda_api.app import create_app
from lambda_api.dependencies import Dependencies
from lambda_api.gate import AnalysisGate
from lambda_api.ports import ImageDetector
from lambda_api.services import DetectionService, ServiceLimits
from tests.fakes import FakeClock

PROBLEM = "application/problem+json"
LIFETIME = timedelta(hours=24)


def build_app(
    detector: ImageDetector | ModelLoadError,
    data_dir: Path,
    *,
    clock: FakeClock | None = None,
    places: int = 2,
    wait_seconds: float = 5,
    allowed_origins: tuple[str, ...] = (),
    site_dir: Path | None = None,
) -> ASGIApp:
    clock = clock or FakeClock()
    limits = ServiceLimits(image=ImageLimits(), result_lifetime=LIFETIME)
    store = FilesystemResultStore(data_dir, now=clock())
    return create_app(
        Dependencies(
            detections=DetectionService(
                detector, store, clock=clock, result_lifetime=limits.result_lifetime
            ),
            gate=AnalysisGate(places, wait_seconds=wait_seconds),
            limits=limits,
            allowed_origins=allowed_origins,
            site_dir=site_dir,
        )
    )


class Caller:
    """Sends one request at a time straight into an app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def call() -> httpx.Response:
            async with session(self.app) as client:
                return await client.request(method, path, **request)

        return asyncio.run(call())

    def detect(self, data: bytes, name: str = "photo.jpg") -> httpx.Response:
        return self("POST", "/v1/detections", files={"file": (name, data)})


def session(app: ASGIApp) -> httpx.AsyncClient:
    """For requests that run at the same time."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://asli.test")
