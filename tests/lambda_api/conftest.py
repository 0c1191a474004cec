"""The app that most tests of the service call."""

from pathlib import Path

import pytest

from detector.analysis import Detector
from tests.apps import Caller, build_app
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def call(tiny_detector: Detector, tmp_path: Path, clock: FakeClock) -> Caller:
    """An app with the tiny model and an empty store."""
    return Caller(build_app(tiny_detector, tmp_path / "data", clock=clock))
