"""From frames to one score, and from a video file to an answer."""

import json
from pathlib import Path

import pytest

from detector.analysis import Detector
from detector.classifier import OnnxClassifier
from detector.errors import UnsupportedType
from detector.evaluation import EvaluationReport
from detector.manifest import Bands, Calibration, VideoScale
from detector.video import ScoredFrame, Segment, aggregate, find_segments
from tests.images import plain_image
from tests.models import MEASURED_ON_VIDEO, write_tiny_model, write_tiny_report
from tests.signing import MADE, sign
from tests.videos import SIZE, changing, encode, steady


@pytest.fixture(scope="module")
def video_detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    """The small model with bands for video: a frame's score is its brightness."""
    folder = tmp_path_factory.mktemp("measured")
    model = write_tiny_model(folder / "tiny.onnx", MEASURED_ON_VIDEO)
    return Detector.load(model, write_tiny_report(folder / "report.json", model), threads=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clip.mp4"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.3], 0.3),
        ([0.9, 0.1], 0.1),
        ([0.9, 0.2, 0.1], 0.2),
        ([0.9, 0.8, 0.1, 0.1], 0.8),
        ([0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1], 0.1),
        ([0.5, 0.9, 0.7, *[0.1] * 9], 0.5),
    ],
)
def test_the_rule_takes_what_a_quarter_of_the_frames_reach(
    values: list[float], expected: float
) -> None:
    """Rounded up, and never fewer than two frames."""
    assert expected == aggregate(values)


@pytest.mark.parametrize("n", range(2, 65))
def test_one_frame_alone_changes_nothing_much(n: int) -> None:
    """However high it is, the result stays where other frames are."""
    assert aggregate([0.1] * n) == aggregate([*[0.1] * (n - 1), 1.0])


def test_segments_are_runs_of_high_frames() -> None:
    """Each lasts until the next frame that was looked at, the last one until the end."""
    frames = [
        ScoredFrame(float(t), score) for t, score in enumerate([0.9, 0.9, 0.1, 0.8, 0.1, 0.9])
    ]

    assert (Segment(0.0, 2.0), Segment(3.0, 4.0), Segment(5.0, 6.5)) == find_segments(
        frames, 0.8, 6.5
    )
    assert () == find_segments(frames, 0.95, 6.5)


@pytest.mark.parametrize(
    ("greys", "verdict", "segments"),
    [
        ([255] * 8, "likely_ai", [[0.5, 8.0]]),
        ([118] * 8, "inconclusive", []),
        ([0] * 8, "no_ai_signs_found", []),
        ([0, 0, 255, 0, 0, 0, 0, 0], "no_ai_signs_found", [[2.5, 3.5]]),
        ([0, 0, 255, 255, 0, 0, 0, 0], "likely_ai", [[2.5, 4.5]]),
    ],
)
def test_the_verdict_follows_the_frames(
    video_detector: Detector,
    path: Path,
    greys: list[int],
    verdict: str,
    segments: list[list[float]],
) -> None:
    """A single bad frame is shown and changes nothing; a quarter of the frames does."""
    path.write_bytes(encode(changing([grey for grey in greys for _ in range(10)])))
    values = video_detector.analyze_video(path).to_dict()

    assert verdict == values["verdict"] == values["pixel"]["band"]
    assert [0.5 + i for i in range(8)] == pytest.approx(
        [f["t"] for f in values["frames"]], abs=0.11
    )
    found = [[each["start"], each["end"]] for each in values["segments"]]
    assert segments == [pytest.approx(each, abs=0.11) for each in found]


def test_an_answer_about_a_video_is_plain_json(video_detector: Detector, path: Path) -> None:
    """With what it adds to that about an image, and the errors measured on footage."""
    path.write_bytes(encode(steady(3, 200)))
    values = video_detector.analyze_file(path).to_dict()

    assert values == json.loads(json.dumps(values))
    assert ("video", "mp4", *SIZE) == tuple(
        values["media"][name] for name in ("kind", "format", "width", "height")
    )
    assert 3.0 == pytest.approx(values["media"]["duration_seconds"], abs=0.11)
    assert 3.0 == pytest.approx(values["analysed_seconds"], abs=0.11)
    assert ("quarter_of_frames", False) == (values["aggregation"], values["audio_analysed"])
    assert "video" == values["expected_errors"]["condition"]
    assert values["pixel"]["calibrated"]


def test_images_have_no_timeline(tiny_detector: Detector, path: Path) -> None:
    """The same way in serves them, whatever their name says."""
    path.write_bytes(plain_image("PNG"))
    values = tiny_detector.analyze_file(path).to_dict()

    assert "image" == values["media"]["kind"]
    assert not {"frames", "segments", "aggregation", "analysed_seconds"} & values.keys()


def test_the_video_scale_is_its_own(
    tiny_detector: Detector, video_detector: Detector, path: Path
) -> None:
    """The same clip gets another score on the scale for images than from the fit on footage."""
    path.write_bytes(encode(steady(2, 150)))
    scale = VideoScale(Calibration(0.5, -1.0), Bands(0.1, 0.6))
    fitted = video_detector.analyze_file(path).pixel.score
    borrowed = tiny_detector.analyze_file(path).pixel.score

    assert scale == video_detector.manifest.video
    assert fitted is not None
    assert borrowed is not None
    assert fitted < borrowed - 0.1


def test_a_model_that_was_not_measured_on_footage_does_not_judge(
    tiny_detector: Detector, path: Path
) -> None:
    """It gives the score and says why there is no more; nothing of the images' limits is borrowed."""
    path.write_bytes(encode(steady(3, 255)))
    analysis = tiny_detector.analyze_file(path)

    assert ("inconclusive", ("video_not_measured",)) == (analysis.verdict, analysis.reasons)
    assert (None, None, False) == (
        analysis.expected_errors,
        analysis.pixel.band,
        analysis.pixel.calibrated,
    )
    assert analysis.timeline is not None
    assert () == analysis.timeline.segments


def test_one_frame_is_too_few(video_detector: Detector, path: Path) -> None:
    """A film of a single picture is inconclusive, however high it scores."""
    path.write_bytes(encode(steady(0.1, 255)))
    analysis = video_detector.analyze_file(path)

    assert ("inconclusive", ("few_frames",)) == (analysis.verdict, analysis.reasons)


def test_warnings_say_what_was_left_out(video_detector: Detector, path: Path) -> None:
    """Of a long film only the beginning is analysed; a cut one is analysed as far as it goes."""
    long = encode(steady(130, rate=1, size=(64, 64)), rate=1)
    path.write_bytes(long)
    assert ("beginning_only",) == video_detector.analyze_file(path).warnings

    cut = encode(steady(8, rate=10), "avi", codec="mjpeg")
    path.write_bytes(cut[: len(cut) // 2])
    assert ("incomplete_video",) == video_detector.analyze_file(path).warnings

    path.write_bytes(encode(steady(1, size=(368, 64))))
    assert ("larger_than_measured",) == video_detector.analyze_file(path).warnings


def test_progress_is_true_and_rises(video_detector: Detector, path: Path) -> None:
    """Each share is that of the frames scored, and the last one is 1."""
    shares: list[float] = []
    path.write_bytes(encode(steady(10, rate=5), rate=5))
    video_detector.analyze_file(path, progress=shares.append)

    assert [0.4, 0.8, 0.99, 1.0] == shares


def test_the_same_film_gives_the_same_answer(video_detector: Detector, path: Path) -> None:
    """However often, and whatever threads decode it."""
    path.write_bytes(encode(changing(list(range(0, 250, 5)))))

    assert 1 == len({video_detector.analyze_file(path).timeline for _ in range(5)})


def test_provenance_is_read_from_videos(video_detector: Detector, path: Path) -> None:
    """A signed film says so beside the answer, which it does not change."""
    plain = encode(steady(2, 0))
    path.write_bytes(sign(plain, MADE, media_type="video/mp4"))
    analysis = video_detector.analyze_file(path)

    assert "no_ai_signs_found" == analysis.verdict
    assert "valid_untrusted" == analysis.provenance.state
    assert ["made_with_ai"] == [signal.claim for signal in analysis.provenance.signals]
    assert analysis.provenance.disagrees


def test_other_files_are_refused(tiny_detector: Detector, path: Path) -> None:
    """By the one way in, and by that for videos."""
    path.write_bytes(b"just words")
    for analyze in (tiny_detector.analyze_file, tiny_detector.analyze_video):
        with pytest.raises(UnsupportedType):
            analyze(path)


def test_a_manifest_keeps_its_video_scale(video_detector: Detector, tmp_path: Path) -> None:
    """Through the model file and back."""
    model = write_tiny_model(tmp_path / "again.onnx", video_detector.manifest)

    assert MEASURED_ON_VIDEO == OnnxClassifier.load(model).manifest


def test_reports_without_footage_still_load(tiny_detector: Detector) -> None:
    """The size of the footage is then unknown."""
    values = {k: v for k, v in tiny_detector.report.values.items() if k != "video"}

    assert EvaluationReport(values).largest_footage_px is None
