"""The whole way from bytes to an answer."""

import json
from pathlib import Path

import pytest

from detector.analysis import Detector
from detector.errors import EmptyFile, ModelLoadError
from tests.images import plain_image
from tests.models import write_tiny_report


@pytest.mark.parametrize(
    ("grey", "verdict"), [(255, "likely_ai"), (118, "inconclusive"), (0, "no_ai_signs_found")]
)
def test_the_verdict_follows_the_pixels(tiny_detector: Detector, grey: int, verdict: str) -> None:
    """Through decoding, crops, graph, calibration and bands."""
    assert verdict == tiny_detector.analyze_image(plain_image("PNG", (300, 300), grey)).verdict


def test_an_answer_is_plain_json(tiny_detector: Detector, photo_jpeg: bytes) -> None:
    """What is sent equals what is read back, and says which errors to expect."""
    values = tiny_detector.analyze_image(photo_jpeg, heatmap=True).to_dict()

    assert values == json.loads(json.dumps(values))
    assert {"false_positive_rate": 0.01, "condition": "clean"}.items() <= values[
        "expected_errors"
    ].items()
    assert "heatmap_png" not in values


def test_the_condition_is_that_of_the_file(tiny_detector: Detector) -> None:
    """A strongly compressed file gets the error rates of strongly compressed files."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (300, 300)).save(buffer, "JPEG", quality=40)
    errors = tiny_detector.analyze_image(buffer.getvalue()).expected_errors

    assert errors is not None
    assert "hard" == errors.condition


def test_the_heatmap_is_made_only_when_asked_for(
    tiny_detector: Detector, photo_jpeg: bytes
) -> None:
    """It costs time that most callers need not spend."""
    assert tiny_detector.analyze_image(photo_jpeg).heatmap_png is None
    asked = tiny_detector.analyze_image(photo_jpeg, heatmap=True).heatmap_png

    assert asked is not None
    assert asked.startswith(b"\x89PNG")


def test_the_same_bytes_give_the_same_score(tiny_detector: Detector, photo_jpeg: bytes) -> None:
    """Twenty times."""
    scores = {tiny_detector.analyze_image(photo_jpeg).pixel.score for _ in range(20)}

    assert 1 == len(scores)


def test_bad_bytes_raise(tiny_detector: Detector) -> None:
    """There is no default answer."""
    with pytest.raises(EmptyFile):
        tiny_detector.analyze_image(b"")


def test_a_report_of_another_model_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    """Error rates are never borrowed."""
    other = tmp_path / "other.onnx"
    other.write_bytes(tiny_model.read_bytes() + b"\x00")
    report = write_tiny_report(tmp_path / "report.json", other)

    with pytest.raises(ModelLoadError, match="measures another model"):
        Detector.load(tiny_model, report)


def test_small_images_come_without_error_rates(tiny_detector: Detector) -> None:
    """None were measured on images this small, so none are given."""
    analysis = tiny_detector.analyze_image(plain_image("PNG", (100, 100)))

    assert ("inconclusive", None) == (analysis.verdict, analysis.expected_errors)


@pytest.mark.parametrize(("side", "warnings"), [(720, ()), (721, ("larger_than_measured",))])
def test_large_images_come_with_a_warning(
    tiny_detector: Detector, side: int, warnings: tuple[str, ...]
) -> None:
    """The error rates were measured on smaller photographs, and the answer says so."""
    assert warnings == tiny_detector.analyze_image(plain_image("PNG", (side, 300))).warnings
