"""The app that most tests of the service call."""

from pathlib import Path

import pytest

from detector.analysis import Detector
from tests.apps import Caller, EmbeddedService
from tests.fakes import FakeClock


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
