"""The app that most tests of the service call."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from detector.analysis import Detector
from lambda_api.observability import JsonFormatter
from tests.apps import Caller, EmbeddedService
from tests.fakes import FakeClock


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """An entry point that was imported leaves no handler on a stream that is closed by now."""
    yield
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service(tiny_detector: Detector, tmp_path: Path, clock: FakeClock) -> EmbeddedService:
    """An embedded service with the tiny model and nothing kept."""
    return EmbeddedService(tiny_detector, tmp_path / "data", clock=clock)


@pytest.fixture
def call(service: EmbeddedService) -> Caller:
    """Its app."""
    return Caller(service.app())
