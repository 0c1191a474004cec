"""What tests of every package share."""

import io
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from detector.analysis import Detector
from tests.models import write_tiny_model, write_tiny_report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright leaves an event loop running, in which nobody can start another."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def photo_jpeg() -> bytes:
    """A photograph, 512 x 512, that scikit-image ships."""
    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file that scores brightness."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def tiny_report(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The evaluation report that belongs to `tiny_model`."""
    return write_tiny_report(tmp_path_factory.mktemp("report") / "report.json", tiny_model)


@pytest.fixture(scope="session")
def tiny_detector(tiny_model: Path, tiny_report: Path) -> Detector:
    """`tiny_model`, loaded."""
    return Detector.load(tiny_model, tiny_report, threads=1)
