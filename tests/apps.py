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
from lambda_api.adapters.log_notifier import LogNotifier
from lambda_api.adapters.prometheus import PrometheusMetrics
from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteCallCounter, SqliteKeyStore, SqliteMessageStore
from lambda_api.admission import Admission, Rates
from lambda_api.app import create_app
from lambda_api.dependencies import Dependencies
from lambda_api.desk import Desk
from lambda_api.gate import AnalysisGate
from lambda_api.observability import ObservedDetector
from lambda_api.ports import ImageDetector, Notifier
from lambda_api.services import DetectionService, ServiceLimits
from tests.fakes import FakeClock

PROBLEM = "application/problem+json"
LIFETIME = timedelta(hours=24)
UNLIMITED = Rates(
    anonymous_per_minute=10**6,
    anonymous_per_day=10**6,
    keyed_per_minute=10**6,
    messages_per_hour=10**6,
)


def build_app(
    detector: ImageDetector | ModelLoadError,
    data_dir: Path,
    *,
    clock: FakeClock | None = None,
    places: int = 2,
    wait_seconds: float = 5,
    allowed_origins: tuple[str, ...] = (),
    site_dir: Path | None = None,
    rates: Rates = UNLIMITED,
    proxies: int = 0,
    notifier: Notifier | None = None,
) -> ASGIApp:
    clock = clock or FakeClock()
    metrics = PrometheusMetrics()
    if not isinstance(detector, ModelLoadError):
        detector = ObservedDetector(detector, metrics)
    limits = ServiceLimits(image=ImageLimits(), result_lifetime=LIFETIME)
    store = FilesystemResultStore(data_dir / "detections", now=clock())
    database = Database(data_dir)
    return create_app(
        Dependencies(
            detections=DetectionService(
                detector, store, clock=clock, result_lifetime=limits.result_lifetime
            ),
            gate=AnalysisGate(places, wait_seconds=wait_seconds),
            limits=limits,
            admission=Admission(
                SqliteKeyStore(database),
                SqliteCallCounter(database),
                rates=rates,
                clock=clock,
                proxies=proxies,
            ),
            metrics=metrics,
            metrics_text=metrics.as_text,
            desk=Desk(SqliteMessageStore(database), notifier or LogNotifier(), clock=clock),
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
