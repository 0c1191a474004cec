"""Logs and metrics: what happened, to which request, and never with what content.

A log line is one JSON object. It holds the id of the request, but no path, since that may hold the
id of a result, and of an exception its kind and place, but no message, since that may quote a file.
"""

import json
import logging
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from detector.analysis import Analysis, ModelInfo
from detector.errors import DetectorError
from detector.evaluation import EvaluationReport
from detector.image import ImageLimits
from detector.manifest import ModelManifest
from detector.video_file import VideoLimits
from lambda_api.ports import MediaDetector, Metrics, Progress

logger = logging.getLogger(__name__)

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is being answered, also in the threads that work for it."""

API_PREFIX = "/v1"

UNMATCHED = "unmatched"
"""Stands for every path that leads nowhere."""

_METHODS = re.compile("GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS")


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["stack"] = [
                f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line)


def log_as_json(stream: TextIO | None = None) -> None:
    """Send every log of this process to `stream`, by default the standard output, as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lambda_api").setLevel(logging.INFO)


class Observation:
    """Logs and counts every request to the API."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith(API_PREFIX):  # the site's files are no events
            await self._app(scope, receive, send)
            return
        REQUEST_ID.set(scope["state"]["request_id"])
        started = time.perf_counter()
        status = 500

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if _METHODS.fullmatch(scope["method"]) else "OTHER"
        route = getattr(scope.get("route"), "path", UNMATCHED)
        self._metrics.answered(method, route, status, seconds)
        facts: Mapping[str, object] = {
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        logger.info("request", extra={"facts": facts})


@dataclass
class DelegatingDetector:
    """Answers everything as `inner` does."""

    inner: MediaDetector

    @property
    def manifest(self) -> ModelManifest:
        return self.inner.manifest

    @property
    def model(self) -> ModelInfo:
        return self.inner.model

    @property
    def report(self) -> EvaluationReport:
        return self.inner.report

    @property
    def limits(self) -> ImageLimits:
        return self.inner.limits

    @property
    def video_limits(self) -> VideoLimits:
        return self.inner.video_limits

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        return self.inner.analyze_image(data, heatmap=heatmap)

    def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
        return self.inner.analyze_file(path, heatmap=heatmap, progress=progress)


@dataclass
class ObservedDetector(DelegatingDetector):
    """Counts the verdicts and failures of another detector."""

    metrics: Metrics

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        return self._observed(lambda: self.inner.analyze_image(data, heatmap=heatmap))

    def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
        return self._observed(
            lambda: self.inner.analyze_file(path, heatmap=heatmap, progress=progress)
        )

    def _observed(self, analyse: Callable[[], Analysis]) -> Analysis:
        started = time.perf_counter()
        try:
            analysis = analyse()
        except DetectorError as error:
            self.metrics.refused(error.code)
            raise
        self.metrics.analysed(analysis.verdict, time.perf_counter() - started)
        return analysis
