"""`asli detect --json` on one file of each kind, with the shipped model: every field as promised."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from skimage import data

from detector.analysis import Detector
from detector.preprocess import shrink_to
from detector.stability import RESAVES
from detector.verdict import EXCLUDING, Reason, Verdict
from tests.signing import MADE, make_signer, sign
from tests.videos import encode, panned

pytestmark = [pytest.mark.model, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
VIDEOS = ("mp4", "avi", "mov", "wmv")
SECONDS = 60
SIZE = (320, 256)
RATE = 5

Answers = Mapping[str, Mapping[str, Any]]


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _screenshot() -> Image.Image:
    """A page of text in a window with a coloured bar."""
    image = Image.new("RGB", (800, 600), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 800, 60), fill="#1a73e8")
    for y in range(80, 590, 24):
        draw.text((20, y), "the quick brown fox jumps over the lazy dog " * 3, fill="black")
    return image


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Of one run of the command over all files, by their names."""
    folder = tmp_path_factory.mktemp("files")
    photograph = Image.fromarray(data.astronaut()).resize((1000, 1000))
    photo = _jpeg(photograph, 92)
    signed = sign(photo, MADE)
    tampered = bytearray(signed)
    tampered[-30] ^= 1
    files = {
        "photo.jpg": photo,
        "jpeg_75.jpg": _jpeg(photograph, 75),
        "jpeg_50.jpg": _jpeg(photograph, 50),
        "resize_768.jpg": _jpeg(shrink_to(photograph, 768), 85),
        "signed.jpg": signed,
        "tampered.jpg": bytes(tampered),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    _screenshot().save(folder / "screenshot.png")
    pictures = list(panned(photograph, SECONDS, SIZE, rate=RATE))
    for name in VIDEOS:
        (folder / f"clip.{name}").write_bytes(encode(pictures, name, rate=RATE))
    root = folder / "root.pem"
    root.write_text(make_signer().root, "ascii")
    command = [sys.executable, "-m", "asli_cli.main", "--trust-anchors", str(root)]
    done = subprocess.run(
        [*command, "detect", "--json", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(line["path"]).name: line for line in lines}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def test_every_answer_has_the_promised_fields(answers: Answers, detector: Detector) -> None:
    """The same for all kinds of files; a video has four more, and those of its sound."""
    common = {
        "path", "verdict", "reasons", "pixel", "provenance", "media", "expected_errors",
        "model", "warnings", "timings_ms",
    }  # fmt: skip
    timeline = {"frames", "segments", "aggregation", "analysed_seconds", "audio_analysed"}

    assert 11 == len(answers)
    for name, answer in answers.items():
        is_video = name.startswith("clip")
        assert (common | timeline if is_video else common) == set(answer)
        assert {"id", "version", "weights_sha256", "evaluation_id"} == set(answer["model"])
        assert detector.model.weights_sha256 == answer["model"]["weights_sha256"]
        assert answer["verdict"] in set(Verdict)
        assert answer["reasons"]
        assert set(answer["reasons"]) <= set(Reason)
        assert {"score", "band", "calibrated", "stability"} == set(answer["pixel"])
        assert {"state", "signals", "disagrees"} == set(answer["provenance"])
        media = answer["media"]
        assert ("video" if is_video else "image") == media["kind"]
        assert 64 == len(media["sha256"])
        assert min(media["bytes"], media["width"], media["height"]) > 0
        assert answer["timings_ms"]["total"] > 0


def test_a_photograph_and_its_resaves(answers: Answers) -> None:
    """Scored, with three re-saves beside it, and with the errors measured in their condition; none is accused."""
    photo = answers["photo.jpg"]
    pixel = photo["pixel"]
    resaved = [answers[f"{each.name}.jpg"] for each in RESAVES]

    assert ["jpeg_75", "jpeg_50", "resize_768"] == pixel["stability"]["variants"]
    for answer in (photo, *resaved):
        stability = answer["pixel"]["stability"]
        assert 0 <= stability["min"] <= stability["max"] <= 1
        assert 0 <= answer["pixel"]["score"] <= 1
        assert answer["verdict"] != Verdict.LIKELY_AI
        errors = answer["expected_errors"]
        assert {
            "condition", "false_positive_rate", "ci95", "n_real", "miss_rate", "n_ai",
        } == set(errors)  # fmt: skip
        assert "none_found" == answer["provenance"]["state"]
        assert "jpeg" == answer["media"]["format"]
    assert ["clean", "clean", "hard", "clean"] == [
        answer["expected_errors"]["condition"] for answer in (photo, *resaved)
    ]
    assert [92, 75, 50, 85] == [
        answer["media"]["jpeg_quality_estimate"] for answer in (photo, *resaved)
    ]
    assert [1000, 1000, 1000, 768] == [answer["media"]["width"] for answer in (photo, *resaved)]


def test_a_screenshot_is_not_judged(answers: Answers) -> None:
    """No score, no errors, and the reason."""
    answer = answers["screenshot.png"]

    assert Verdict.NOT_APPLICABLE == answer["verdict"]
    assert EXCLUDING & {Reason(each) for each in answer["reasons"]}
    assert (None, None, None) == tuple(
        answer["pixel"][name] for name in ("score", "band", "stability")
    )
    assert answer["expected_errors"] is None


def test_what_a_file_says_stands_beside_what_its_pixels_say(answers: Answers) -> None:
    """The signed file has the photograph's score and its own statement; a tampered one is told as such."""
    photo, signed, tampered = (answers[f"{each}.jpg"] for each in ("photo", "signed", "tampered"))
    (signal,) = signed["provenance"]["signals"]

    assert photo["pixel"]["score"] == signed["pixel"]["score"]
    assert photo["verdict"] == signed["verdict"]
    assert "trusted" == signed["provenance"]["state"]
    assert ("c2pa", "made_with_ai", "trusted", "Imagined Images") == tuple(
        signal[name] for name in ("source", "claim", "validation", "detail")
    )
    says_no_signs = signed["verdict"] == Verdict.NO_AI_SIGNS_FOUND
    assert says_no_signs == signed["provenance"]["disagrees"]
    assert "invalid" == tampered["provenance"]["state"]
    assert "made_with_ai" not in [each["claim"] for each in tampered["provenance"]["signals"]]


@pytest.mark.parametrize("name", VIDEOS)
def test_a_minute_of_video(answers: Answers, name: str) -> None:
    """One frame a second with its score, and the rates of mistakes that were measured on footage."""
    answer = answers[f"clip.{name}"]
    times = [frame["t"] for frame in answer["frames"]]

    assert (name, *SIZE) == tuple(answer["media"][each] for each in ("format", "width", "height"))
    assert answer["media"]["duration_seconds"] == pytest.approx(SECONDS, abs=0.5)
    assert answer["analysed_seconds"] == pytest.approx(SECONDS, abs=0.5)
    assert [i + 0.5 for i in range(SECONDS)] == pytest.approx(times, abs=0.5)
    assert all(0 <= frame["score"] <= 1 for frame in answer["frames"])
    assert all(each["start"] < each["end"] for each in answer["segments"])
    assert ("quarter_of_frames", False) == (answer["aggregation"], answer["audio_analysed"])
    assert answer["pixel"]["stability"] is None
    assert answer["pixel"]["calibrated"]
    assert answer["verdict"] != Verdict.LIKELY_AI
    assert "video" == answer["expected_errors"]["condition"]
