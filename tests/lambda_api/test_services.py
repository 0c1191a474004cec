from datetime import timedelta
from pathlib import Path

import pytest

from detector.analysis import Detector
from detector.errors import DetectorError, ModelLoadError
from lambda_api.adapters.filesystem import FilesystemResultStore
from lambda_api.errors import DetectionGone
from lambda_api.ports import ImageDetector
from lambda_api.schemas import DetectionResult
from lambda_api.services import DetectionService, new_detection_id
from tests.fakes import FakeClock
from tests.images import plain_image

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> FilesystemResultStore:
    return FilesystemResultStore(tmp_path, now=clock())


def _service(
    detector: ImageDetector | ModelLoadError, store: FilesystemResultStore, clock: FakeClock
) -> DetectionService:
    return DetectionService(detector, store, clock=clock, result_lifetime=HOUR)


def test_result_is_kept_for_its_lifetime(
    tiny_detector: Detector, store: FilesystemResultStore, clock: FakeClock
) -> None:
    """A result is kept as it was made, until its lifetime is over."""
    service = _service(tiny_detector, store, clock)
    detection = service.analyse(plain_image("PNG"))

    assert detection.created_at + HOUR == detection.expires_at
    kept = service.get(detection.id)
    assert DetectionResult.of(detection) == DetectionResult.of(kept)
    clock.advance(HOUR)
    with pytest.raises(DetectionGone):
        service.get(detection.id)


@pytest.mark.parametrize("data", [b"", b"text", plain_image("JPEG")[:-200]])
def test_failed_analysis_keeps_nothing(
    tiny_detector: Detector,
    store: FilesystemResultStore,
    clock: FakeClock,
    tmp_path: Path,
    data: bytes,
) -> None:
    """Bytes that cannot be judged raise the detector's error and leave no trace."""
    with pytest.raises(DetectorError):
        _service(tiny_detector, store, clock).analyse(data)

    assert [] == list(tmp_path.iterdir())


def test_missing_model_is_an_error_each_time(
    store: FilesystemResultStore, clock: FakeClock
) -> None:
    """Without a model every analysis raises, even of bytes that no model could judge."""
    service = _service(ModelLoadError("why"), store, clock)

    for _ in range(2):
        with pytest.raises(ModelLoadError, match="why"):
            service.analyse(b"")


def test_ids_differ() -> None:
    """Ids are new each time and safe in an address."""
    ids = {new_detection_id() for _ in range(100)}

    assert 100 == len(ids)
    assert all(
        each.removeprefix("det_").replace("-", "").replace("_", "").isalnum() for each in ids
    )
