import json
from pathlib import Path

from detector.analysis import Detector
from detector.image import PILLOW_FORMATS, ImageLimits
from lambda_api.schemas import ModelCard
from tests.apps import Caller, build_app
from tests.models import EVALUATION_ID, MEASURED_ON_VIDEO, write_tiny_model, write_tiny_report


def test_model_card_is_manifest_and_report(
    call: Caller, tiny_detector: Detector, tiny_report: Path
) -> None:
    """The model card repeats the manifest and carries the whole evaluation report."""
    card = call("GET", "/v1/model").json()

    assert set(ModelCard.model_fields) == set(card)
    assert "tiny-brightness" == card["id"]
    assert {"low": 0.2, "high": 0.8} == card["bands"]
    assert card["video_bands"] is None
    assert {"method": "platt", "slope": 1.0, "bias": 0.0} == card["calibration"]
    assert tiny_detector.model.weights_sha256 == card["weights_sha256"]
    assert EVALUATION_ID == card["evaluation_id"]
    assert json.loads(tiny_report.read_text()) == card["evaluation"]


def test_bands_for_videos_are_published(tmp_path: Path) -> None:
    """A model that was measured on footage has bands of its own for videos."""
    model = write_tiny_model(tmp_path / "tiny.onnx", MEASURED_ON_VIDEO)
    report = write_tiny_report(tmp_path / "report.json", model)
    card = Caller(build_app(Detector.load(model, report), tmp_path / "data"))("GET", "/v1/model")

    assert {"low": 0.1, "high": 0.6} == card.json()["video_bands"]


def test_limits_are_those_of_detector(call: Caller) -> None:
    """The published limits are the enforced ones."""
    limits = call("GET", "/v1/limits").json()
    image = ImageLimits()

    assert list(PILLOW_FORMATS) == [each["name"] for each in limits["formats"]]
    assert all(each["extensions"] for each in limits["formats"])
    assert (4_194_304, image.max_bytes) == (limits["max_upload_bytes"], limits["max_file_bytes"])
    assert (image.max_pixels, image.min_side) == (limits["max_pixels"], limits["min_side_px"])
    assert 24 == limits["result_retention_hours"]


def test_model_and_limits_may_be_cached(call: Caller) -> None:
    """What changes only with a release may be cached for some minutes."""
    for path in ("/v1/model", "/v1/limits"):
        assert "public, max-age=300" == call("GET", path).headers["cache-control"]


def test_health_and_readiness(call: Caller) -> None:
    """With a model the service is alive and ready."""
    assert {"status": "ok"} == call("GET", "/v1/healthz").json()
    assert {"status": "ready"} == call("GET", "/v1/readyz").json()
