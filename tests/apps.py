"""The service's app around a given detector, and a caller that needs no server."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from detector.errors import ModelLoadError
from detector.image import ImageLimits
from detector.video_file import VideoLimits
from lambda_api.adapters.log_notifier import LogNotifier
from lambda_api.adapters.prometheus import PrometheusMetrics
from lambda_api.admission import Admission, Rates
from lambda_api.app import create_app
from lambda_api.dependencies import Dependencies
from lambda_api.desk import Desk
from lambda_api.embedded import EmbeddedStorage, EmbeddedWorker
from lambda_api.gate import AnalysisGate
from lambda_api.observability import ObservedDetector
from lambda_api.ports import MediaDetector, Notifier
from lambda_api.processing import JobProcessor
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
LEASE = timedelta(seconds=60)


class EmbeddedService:
    """All parts of an embedded service on one data folder, with a worker that does not run by itself."""

    def __init__(
        self,
        detector: MediaDetector | ModelLoadError,
        data_dir: Path,
        *,
        clock: FakeClock | None = None,
    ) -> None:
        clock = clock or FakeClock()
        self.clock = clock
        self.metrics = PrometheusMetrics()
        if not isinstance(detector, ModelLoadError):
            detector = ObservedDetector(detector, self.metrics)
        self.limits = ServiceLimits(
            image=ImageLimits(), video=VideoLimits(), result_lifetime=LIFETIME
        )
        self.storage = EmbeddedStorage(data_dir, clock=clock)
        storage = self.storage
        self.detections = DetectionService(
            detector,
            jobs=storage.jobs,
            blobs=storage.blobs,
            queue=storage.queue,
            clock=clock,
            limits=self.limits,
        )
        self.processor = JobProcessor(
            detector, jobs=storage.jobs, blobs=storage.blobs, clock=clock, lease=LEASE
        )
        self.worker = EmbeddedWorker(
            storage, processor=self.processor, detections=self.detections, clock=clock
        )

    def work(self) -> None:
        """Do everything that is queued."""
        while (job_id := self.storage.queue.take(wait_seconds=0)) is not None:
            self.worker.work_on(job_id)

    def app(
        self,
        *,
        places: int = 2,
        wait_seconds: float = 5,
        allowed_origins: tuple[str, ...] = (),
        site_dir: Path | None = None,
        rates: Rates = UNLIMITED,
        proxies: int = 0,
        notifier: Notifier | None = None,
    ) -> ASGIApp:
        storage = self.storage
        return create_app(
            Dependencies(
                detections=self.detections,
                gate=AnalysisGate(places, wait_seconds=wait_seconds),
                limits=self.limits,
                idempotency=self.storage.idempotency,
                clock=self.clock,
                admission=Admission(
                    storage.keys, storage.calls, rates=rates, clock=self.clock, proxies=proxies
                ),
                desk=Desk(storage.messages, notifier or LogNotifier(), clock=self.clock),
                metrics=self.metrics,
                metrics_text=self.metrics.as_text,
                receiver=self.storage.blobs,
                allowed_origins=allowed_origins,
                site_dir=site_dir,
            )
        )


def build_app(
    detector: MediaDetector | ModelLoadError,
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
    return EmbeddedService(detector, data_dir, clock=clock).app(
        places=places,
        wait_seconds=wait_seconds,
        allowed_origins=allowed_origins,
        site_dir=site_dir,
        rates=rates,
        proxies=proxies,
        notifier=notifier,
    )


def errors_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error. How much else is logged depends on which entry point was imported."""
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


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
