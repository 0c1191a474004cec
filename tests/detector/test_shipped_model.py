"""The model that ships: its contract, its report, its speed and its memory."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from skimage import data

from benchmarks.engine import analyze_once
from detector.analysis import MODEL_PATH, REPORT_PATH, Detector
from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS
from detector.image import decode_image
from detector.preprocess import cut_crops
from detector.stability import CROPS_PER_RESAVE, RESAVES
from tests.processes import measured_detect
from tests.wording import FORBIDDEN

pytestmark = pytest.mark.model

MAX_BYTES = 30_000_000
MAX_TIME_RATIO = 2.0
MAX_STABILITY_RATIO = 2.5
MAX_MEMORY_BYTES = 700_000_000


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load()


def _photographs(folder: Path) -> list[Path]:
    """Fifty crops of scikit-image's photographs, in sizes and qualities as people send them."""
    rng = np.random.default_rng(0)
    originals = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    paths = []
    for i in range(50):
        image = Image.fromarray(originals[i % len(originals)])
        side = int(rng.integers(260, 1600))
        image = image.resize((side, round(side * image.height / image.width)))
        paths.append(folder / f"{i}.jpg")
        image.save(paths[-1], quality=int(rng.integers(50, 96)))
    return paths


def test_the_file_is_small_enough_to_keep_in_the_repository() -> None:
    """At most 30 MB."""
    assert MODEL_PATH.stat().st_size <= MAX_BYTES


def test_the_file_names_no_path() -> None:
    """An exporter notes which file on whose machine each node came from; that is removed."""
    content = MODEL_PATH.read_bytes()

    assert not any(word in content for word in (b"stack_trace", b"site-packages"))


def test_the_map_explains_the_logit(detector: Detector) -> None:
    """mean(cam) + bias is the logit, crop by crop."""
    crops = cut_crops(Image.fromarray(data.astronaut()), detector.manifest.spec)
    evidence = detector.classifier.score(crops)

    explained = evidence.cams.mean(axis=(1, 2)) + detector.manifest.logit_bias
    np.testing.assert_allclose(explained, evidence.logits, atol=1e-3)


def test_what_is_left_out_in_preparing_the_graph_changes_nothing(detector: Detector) -> None:
    """Every logit and every map is that of onnxruntime's own way, to the last bit."""
    crops = cut_crops(Image.fromarray(data.astronaut()), detector.manifest.spec)
    session = onnxruntime.InferenceSession(MODEL_PATH, providers=["CPUExecutionProvider"])
    logits, cams = session.run(["logit", "cam"], {"crops": crops.pixels})
    evidence = detector.classifier.score(crops)

    np.testing.assert_array_equal(logits, evidence.logits)
    np.testing.assert_array_equal(cams, evidence.cams)


def test_the_report_belongs_to_this_very_file(detector: Detector) -> None:
    """Its hash, version, bands and conditions are those of the model beside it."""
    values = detector.report.values

    assert values["id"] == detector.manifest.evaluation_id
    assert not values["commit"].endswith("+")
    assert values["model"]["weights_sha256"] == detector.model.weights_sha256
    assert values["model"]["version"] == detector.model.version
    assert values["bands"] == {
        "low": detector.manifest.bands.low,
        "high": detector.manifest.bands.high,
    }
    assert {"video", *(c.name for c in CONDITIONS)} == set(values["expected_errors"])


def test_the_report_avoids_the_words_we_avoid() -> None:
    """Nothing in it calls an image real or fake, since the API and the site publish it."""
    strings = list(_strings(json.loads(REPORT_PATH.read_text("utf-8"))))

    assert strings
    assert [] == [text for text in strings if FORBIDDEN.search(text.replace("_", " "))]


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        yield from _strings(each)


@pytest.mark.skipif(
    "suitability" not in json.loads(REPORT_PATH.read_text("utf-8")),
    reason="the shipped report has no such section yet: make checks",
)
def test_the_gate_keeps_its_promise(detector: Detector) -> None:
    """At least 90 of 100 graphics are set aside, and at most 2 % of 500 photographs, in each condition."""
    measured = detector.report.values["suitability"]
    graphics = measured["graphics"]

    assert 100 == sum(row["n"] for row in graphics)
    assert 90 <= sum(row["gated"] for row in graphics)
    for row in measured["photographs"]:
        assert 500 == row["n"]
        assert row["gated"] <= 10


def test_the_measured_false_positive_rate_keeps_the_promise(detector: Detector) -> None:
    """At most 3 % of the photographs of the three photo sources' test split, in each condition."""
    for condition in CONDITIONS:
        rows = [
            row
            for row in detector.report.values["reals"]
            if row["condition"] == condition.name
            and row["source"] in {"clothing", "catdog", "imagenet"}
        ]

        assert 3 == len(rows)
        assert sum(row["likely_ai"] for row in rows) / sum(row["n"] for row in rows) <= 0.03


def test_photographs_never_met_are_seldom_flagged(detector: Detector) -> None:
    """At most 3 % of the photographs of each source that it has not met, and of both, in each condition."""
    for condition in CONDITIONS:
        rows = [
            row
            for row in detector.report.values["unseen_photographs"]
            if row["condition"] == condition.name
        ]

        assert {("demos", 500), ("foods", 463)} == {(row["source"], row["n"]) for row in rows}
        assert all(row["likely_ai_rate"] <= 0.03 for row in rows)


@dataclass(frozen=True)
class Timings:
    """Medians over fifty photographs, taken in turns, in seconds."""

    analysis: float
    without_resaves: float
    needed: float
    """Pillow's decoding, and one run of as many crops as the analysis looks at."""


@pytest.fixture(scope="module")
def timings(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Timings:
    session = OnnxClassifier.load(MODEL_PATH)._session
    rows = []
    for path in _photographs(tmp_path_factory.mktemp("photographs")):
        encoded = path.read_bytes()
        crops = cut_crops(decode_image(encoded).pixels, detector.manifest.spec).pixels
        more = len(RESAVES) * max(1, len(crops) // CROPS_PER_RESAVE)
        crops = np.resize(crops, (len(crops) + more, *crops.shape[1:]))
        times = [time.perf_counter()]
        detector.analyze_image(encoded)
        times.append(time.perf_counter())
        analyze_once(detector, encoded)
        times.append(time.perf_counter())
        with Image.open(path) as image:
            image.convert("RGB")
        session.run(["logit"], {"crops": crops})
        times.append(time.perf_counter())
        rows.append(np.diff(times))
    return Timings(*np.median(rows, axis=0).tolist())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_analysis_takes_little_more_than_its_inference(timings: Timings) -> None:
    """At most twice Pillow's decoding plus one run of as many crops."""
    ratio = timings.analysis / timings.needed

    print(f"analysis / (decode + inference) = {ratio:.2f}")
    assert ratio <= MAX_TIME_RATIO


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_stability_costs_less_than_it_would_take_again_and_again(timings: Timings) -> None:
    """An analysis takes at most 2.5 times one without re-saves."""
    ratio = timings.analysis / timings.without_resaves

    print(f"with re-saves / without = {ratio:.2f}")
    assert ratio <= MAX_STABILITY_RATIO


@pytest.mark.slow
def test_a_twenty_megapixel_photograph_fits_in_memory(tmp_path: Path) -> None:
    """Less than 700 MB at the peak, the interpreter, the libraries and the model included."""
    path = tmp_path / "large.jpg"
    small = Image.fromarray(data.astronaut())
    small.resize((5472, 3648)).save(path, quality=92)
    measured = measured_detect(path)
    media = measured.analysis["media"]

    print(measured)
    assert (5472, 3648) == (media["width"], media["height"])
    assert measured.peak_bytes < MAX_MEMORY_BYTES
