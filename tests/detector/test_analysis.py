"""The whole way from bytes to an answer."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from detector.analysis import Detector
from detector.errors import EmptyFile, ModelLoadError
from tests.images import plain_image
from tests.models import TINY_MANIFEST, write_tiny_model, write_tiny_report


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
    buffer = io.BytesIO()
    Image.open(io.BytesIO(plain_image("PNG", (300, 300)))).save(buffer, "JPEG", quality=40)
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


def test_a_flipped_answer_is_withheld(tmp_path: Path) -> None:
    """What a model sees in grain alone does not survive JPEG 50."""
    model = write_tiny_model(tmp_path / "grain.onnx", looks_at="grain")
    detector = Detector.load(model, write_tiny_report(tmp_path / "report.json", model))
    analysis = detector.analyze_image(plain_image("PNG", (300, 300)))
    stability = analysis.pixel.stability

    assert ("inconclusive", ("unstable_under_resave",)) == (analysis.verdict, analysis.reasons)
    assert "likely_ai" == analysis.pixel.band
    assert stability is not None
    assert ("jpeg_75", "jpeg_50", "resize_768") == stability.variants
    assert 0 <= stability.min < TINY_MANIFEST.bands.high
    assert stability.min <= stability.max <= 1


def test_a_graphic_is_not_scored(tiny_detector: Detector) -> None:
    """Nothing that comes from a score is there, and nothing is 0 instead."""
    buffer = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(buffer, "PNG")
    analysis = tiny_detector.analyze_image(buffer.getvalue(), heatmap=True)

    assert "not_applicable" == analysis.verdict
    assert (None, None, None) == (
        analysis.pixel.score,
        analysis.pixel.band,
        analysis.pixel.stability,
    )
    assert (None, None) == (analysis.heatmap_png, analysis.expected_errors)


def test_strongly_compressed_images_come_without_a_clear_answer(tiny_detector: Detector) -> None:
    """Nor with error rates, which were not measured at such a quality."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(plain_image("PNG", (300, 300), 250))).save(buffer, "JPEG", quality=35)
    analysis = tiny_detector.analyze_image(buffer.getvalue())

    assert ("inconclusive", ("strongly_compressed",)) == (analysis.verdict, analysis.reasons)
    assert ("likely_ai", None) == (analysis.pixel.band, analysis.expected_errors)


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
