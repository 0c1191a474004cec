"""Footage made from images, and the scale that is fitted on it."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from detector.classifier import OnnxClassifier
from detector.manifest import VideoScale
from detector.video_file import VideoLimits, open_video
from tests.images import plain_image
from training import footage
from training.footage import (
    BITS_PER_PIXEL,
    choose,
    fit_video,
    make_clip,
    measure_video,
    score_footage,
)
from training.records import Record


def _records(folder: Path, n: int) -> list[Record]:
    """Dark photographs and bright AI images, of one source."""
    rng = np.random.default_rng(n)
    records = []
    for label, centre in ((0, 70), (1, 180)):
        for i, grey in enumerate(rng.normal(centre, 20, n).clip(0, 255).astype(int)):
            path = folder / f"{label}_{i}.png"
            path.write_bytes(plain_image("PNG", (80, 80), int(grey)))
            name = "brightness" if label else "real"
            records.append(
                Record(
                    path=path, label=label, generator=name, family=name, source="s", group=path.name, split="val"
                )
            )  # fmt: skip
    return records


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clips of a second, so that hundreds of them take seconds."""
    monkeypatch.setattr(footage, "SECONDS", 1)


def test_a_clip_moves_over_its_image() -> None:
    """It is smaller than the image, never enlarged, and its frames differ."""
    image = Image.fromarray(data.astronaut())
    clip = make_clip(image, bits_per_pixel=0.2, seed=7)
    video = open_video(io.BytesIO(clip), VideoLimits())
    frames = [np.asarray(frame.pixels, dtype=float) for frame in video.frames()]

    assert (448, 448) == video.size
    assert footage.SECONDS == len(frames)
    assert np.abs(frames[0] - frames[-1]).mean() > 3
    assert clip != make_clip(image, bits_per_pixel=0.2, seed=8)


def test_a_lower_rate_makes_a_smaller_clip() -> None:
    """The rates are those of the encoder."""
    image = Image.fromarray(data.astronaut())
    sizes = [len(make_clip(image, bits_per_pixel=rate, seed=1)) for rate in BITS_PER_PIXEL]

    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1.5 * sizes[-1]


def test_choosing_is_even_and_repeatable(tmp_path: Path) -> None:
    """As many of each source and label, whatever the order in which they are given."""
    records = _records(tmp_path, footage.MOST_PER_SOURCE + 5)
    chosen = choose(records)

    assert [footage.MOST_PER_SOURCE] * 2 == np.bincount([r.label for r in chosen]).tolist()
    assert chosen == choose(records[::-1])


@pytest.mark.slow
@pytest.mark.usefixtures("short")
def test_the_scale_is_fitted_and_measured(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few photographs pass the limit, most AI images do, and the rows add up."""
    monkeypatch.setattr(footage, "MOST_PER_SOURCE", 100)
    classifier = OnnxClassifier.load(tiny_model, threads=1)
    records = _records(tmp_path, 100)
    scale = fit_video(classifier, records)
    report = measure_video(classifier, scale, records)
    errors, rows = report["expected_errors"], report["video"]

    assert isinstance(scale, VideoScale)
    assert errors["false_positive_rate"] <= 0.03
    assert errors["miss_rate"] <= 0.05
    assert 200 == rows["all"]["n_real"] + rows["all"]["n_ai"]
    assert rows["all"]["n_real"] == sum(row["n_real"] for row in rows["rates"])
    assert rows["all"]["flagged"] == sum(row["flagged"] for row in rows["sources"])
    assert [] == rows["unreadable"]


@pytest.mark.usefixtures("short")
def test_unreadable_images_are_counted(tiny_model: Path, tmp_path: Path) -> None:
    """They are named in the report and left out of its rates."""
    records = _records(tmp_path, 1)
    records[0].path.write_bytes(b"no image")
    scores = score_footage(OnnxClassifier.load(tiny_model, threads=1), records)

    assert (1, 1) == (len(scores.clips.records), len(scores.clips.failures))
    assert (1, 1) == scores.clips.logits.shape
