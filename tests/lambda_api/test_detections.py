import io
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from detector.analysis import Detector
from lambda_api.schemas import DetectionResult
from tests.apps import PROBLEM, Caller
from tests.fakes import FakeClock
from tests.images import padded_png, plain_image
from tests.signing import MADE, sign


def test_result_has_shape_of_contract(call: Caller, photo_jpeg: bytes) -> None:
    """A photograph is answered with every field of the contract, and its own facts."""
    response = call.detect(photo_jpeg)

    assert 200 == response.status_code
    result = response.json()
    assert set(DetectionResult.model_fields) == set(result)
    assert "succeeded" == result["status"]
    assert "2026-10-06T09:30:00Z" == result["created_at"]
    assert "2026-10-07T09:30:00Z" == result["expires_at"]
    assert (512, 512, len(photo_jpeg)) == tuple(
        result["media"][key] for key in ("width", "height", "bytes")
    )
    assert f"/v1/detections/{result['id']}/heatmap" == result["heatmap_url"]
    assert "clean" == result["expected_errors"]["condition"]
    assert {"decode", "score", "provenance", "heatmap", "total"} == set(result["timings_ms"])


def test_result_drops_no_field_of_analysis(tiny_detector: Detector, photo_jpeg: bytes) -> None:
    """Whatever the detector says is sent."""
    analysis = tiny_detector.analyze_image(photo_jpeg, heatmap=True).to_dict()
    fields = DetectionResult.model_fields

    assert set(analysis) <= set(fields)
    for name in ("pixel", "provenance", "media", "expected_errors", "model"):
        annotation = fields[name].annotation
        model = getattr(annotation, "__args__", [annotation])[0]
        assert set(analysis[name]) == set(model.model_fields) - {"media_deleted_at"}


@pytest.mark.parametrize(
    ("grey", "verdict", "reason"),
    [
        (255, "likely_ai", "score_high"),
        (118, "inconclusive", "score_middle"),
        (0, "no_ai_signs_found", "score_low"),
    ],
)
def test_verdict_follows_score(call: Caller, grey: int, verdict: str, reason: str) -> None:
    """The verdict is the band of the score."""
    result = call.detect(plain_image("PNG", (300, 300), grey)).json()

    assert (verdict, [reason]) == (result["verdict"], result["reasons"])


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_formats(call: Caller, image_format: str) -> None:
    """Every published format is analysed, whatever the file is called."""
    from pillow_heif import register_heif_opener

    register_heif_opener()

    response = call.detect(plain_image(image_format), name="a.txt")

    assert 200 == response.status_code


def test_result_can_be_read_again(call: Caller, photo_jpeg: bytes) -> None:
    """A kept result equals the one that was sent, and no cache may keep either."""
    first = call.detect(photo_jpeg)
    again = call("GET", f"/v1/detections/{first.json()['id']}")

    assert first.json() == again.json()
    assert "no-store" == first.headers["cache-control"] == again.headers["cache-control"]


def test_heatmap_is_png_in_image_proportions(call: Caller) -> None:
    """The heatmap is a PNG with transparency that has the image's proportions."""
    result = call.detect(plain_image("PNG", (640, 320), 255)).json()
    response = call("GET", result["heatmap_url"])

    assert "image/png" == response.headers["content-type"]
    picture = Image.open(io.BytesIO(response.content))
    assert ("RGBA", (640, 320)) == (picture.mode, picture.size)


def test_deleted_result_is_gone(call: Caller, photo_jpeg: bytes) -> None:
    """Deleting takes result and heatmap away at once, and may be repeated."""
    path = f"/v1/detections/{call.detect(photo_jpeg).json()['id']}"

    assert [204, 204] == [call("DELETE", path).status_code for _ in range(2)]
    for address in (path, f"{path}/heatmap"):
        response = call("GET", address)
        assert (410, "gone") == (response.status_code, response.json()["code"])


def test_expired_result_is_gone(call: Caller, photo_jpeg: bytes, clock: FakeClock) -> None:
    """A result lives for a day, to the second."""
    path = f"/v1/detections/{call.detect(photo_jpeg).json()['id']}"

    clock.advance(timedelta(hours=24, seconds=-1))
    assert 200 == call("GET", path).status_code
    clock.advance(timedelta(seconds=1))
    assert 410 == call("GET", path).status_code


def test_media_is_not_stored(call: Caller, photo_jpeg: bytes, tmp_path: Path) -> None:
    """Neither the image's bytes nor its file name are anywhere in the data folder."""
    call.detect(photo_jpeg, name="holiday-in-ubud.jpg")

    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert stored
    assert not any(photo_jpeg[1000:1100] in content for content in stored)
    assert not any(b"holiday" in content for content in stored)


def test_largest_file_is_accepted(call: Caller) -> None:
    """A file of exactly 4,194,304 bytes is analysed."""
    response = call.detect(padded_png(4_194_304))

    assert 200 == response.status_code
    assert 4_194_304 == response.json()["media"]["bytes"]


def test_one_byte_more_is_refused(call: Caller) -> None:
    """A file of 4,194,305 bytes is refused with the limit."""
    response = call.detect(padded_png(4_194_305))

    assert PROBLEM == response.headers["content-type"]
    assert (413, 4_194_304) == (response.status_code, response.json()["limit"])


def test_ids_are_unguessable(call: Caller) -> None:
    """Ids differ and carry at least 128 random bits."""
    image = plain_image("PNG")
    ids = {call.detect(image).json()["id"] for _ in range(5)}

    assert 5 == len(ids)
    assert all(len(each.removeprefix("det_")) * 6 >= 128 for each in ids)


def test_provenance_is_sent(call: Caller) -> None:
    """What the file says stands beside the verdict, which it does not change."""
    dark = plain_image("JPEG", (300, 300), 0)
    plain, signed = call.detect(dark).json(), call.detect(sign(dark, MADE)).json()

    assert {"state": "none_found", "signals": [], "disagrees": False} == plain["provenance"]
    assert {
        "state": "valid_untrusted",
        "signals": [
            {
                "source": "c2pa",
                "claim": "made_with_ai",
                "validation": "valid_untrusted",
                "detail": "Imagined Images",
            }
        ],
        "disagrees": True,
    } == signed["provenance"]
    assert ("no_ai_signs_found", ["score_low"]) == (signed["verdict"], signed["reasons"])
    assert plain["pixel"] == signed["pixel"]
