"""Footage made from photographs and AI images, and what the detector makes of it: the condition `video`.

Of each image a clip is made by panning and zooming over it, encoded with H.264 at one of several
rates, and read by the very code that serves. Nothing is enlarged. Needs no torch.

    python -m training.footage --data FOLDER [--data FOLDER ...] --out VIDEO.json [--model MODEL.onnx]

Fits on the val split and measures on the test split; `training.release` puts both into what ships.
"""

import argparse
import dataclasses
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from rich.progress import track

from detector.analysis import MODEL_PATH
from detector.classifier import Classifier, OnnxClassifier
from detector.conditions import Condition
from detector.errors import DetectorError, ModelLoadError
from detector.image import decode_image
from detector.labels import FAKE, REAL
from detector.manifest import VideoScale
from detector.video import AGGREGATION, VIDEO, aggregate, frame_logits
from detector.video_file import VideoLimits, open_video
from training.calibrate import fit_bands, fit_calibration
from training.evaluate import write_report
from training.metrics import clopper_pearson
from training.records import Record, divide_pool, read_records
from training.report import expected_errors, rounded
from training.scoring import LIMITS, Scores

BITS_PER_PIXEL = (0.2, 0.1, 0.05)
"""Rates of the encoder for each pixel of each frame: good, usual and poor."""
SECONDS = 5
FRAME_RATE = 6
LONGEST_SIDE = 640
"""Of a clip, in pixels."""
MOST_PER_SOURCE = 80
"""Images taken of each source and label."""
_SHARE_SHOWN = 7 / 8
"""Of each side at the closest view; at the widest, all of it is shown, reduced to the same size."""


@dataclass(frozen=True)
class FootageScores:
    """What was measured of one clip for each record; lists lie in the order of `clips.records`."""

    clips: Scores
    """Aggregated logits [R, 1] in the condition `video`."""
    frames: list[list[float]]
    """The logits of each clip's frames."""
    rates: list[float]
    """Bits per pixel of each clip."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL_PATH)
    args = parser.parse_args()
    try:
        classifier = OnnxClassifier.load(args.model)
        records = [r for folder in args.data for r in read_records(folder)]
        records = divide_pool(records, classifier.manifest.trained_on)
        scale = fit_video(classifier, [r for r in records if r.split == "val"])
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))
    report = measure_video(classifier, scale, [r for r in records if r.split == "test"])
    fitted = {"scale": dataclasses.asdict(scale), **report}
    write_report(fitted, args.out)
    print(json.dumps(report["expected_errors"]))
    print(f"wrote {args.out}")


def fit_video(classifier: Classifier, records: Sequence[Record]) -> VideoScale:
    """Calibration and bands for clips, under the promises of `training.calibrate`.

    Raises ValueError when there are too few photographs.
    """
    clips = score_footage(classifier, records).clips
    calibration = fit_calibration(clips)
    return VideoScale(calibration, fit_bands(clips, calibration))


def with_video(
    report: dict[str, Any], classifier: OnnxClassifier, records: Sequence[Record]
) -> dict[str, Any]:
    """A report with what a model that has a video scale makes of the footage of the test split."""
    scale = classifier.manifest.video
    assert scale is not None
    measured = measure_video(classifier, scale, [r for r in records if r.split == "test"])
    errors = {**report["expected_errors"], VIDEO: measured["expected_errors"]}
    return {**report, "expected_errors": errors, "video": measured["video"]}


def measure_video(
    classifier: Classifier, scale: VideoScale, records: Sequence[Record]
) -> dict[str, Any]:
    """The report's parts on video: `expected_errors` of clips, and `video` with the rows behind them."""
    footage = score_footage(classifier, records)
    clips = footage.clips
    fakes = clips.labels == FAKE
    values = scale.calibration.probability(clips.logits)
    bands = {
        "likely_ai": scale.bands.flagged(values),
        "no_ai_signs_found": scale.bands.cleared(values),
    }
    rates = np.array(footage.rates)
    frames_flagged = [
        scale.bands.flagged(scale.calibration.probability(logits)) for logits in footage.frames
    ]

    def row(chosen: np.ndarray) -> dict[str, Any]:
        real, fake = chosen & ~fakes, chosen & fakes
        k, n = int(bands["likely_ai"][real, 0].sum()), int(real.sum())
        flags = [frames_flagged[i] for i in np.flatnonzero(real)]
        return {
            "n_real": n,
            "flagged": k,
            "false_positive_rate": k / n if n else None,
            "ci95": clopper_pearson(k, n) if n else None,
            "frame_false_positive_rate": float(np.concatenate(flags).mean()) if n else None,
            "n_ai": int(fake.sum()),
            "miss_rate": float(bands["no_ai_signs_found"][fake, 0].mean()) if fake.any() else None,
            "found_rate": float(bands["likely_ai"][fake, 0].mean()) if fake.any() else None,
        }

    everything = np.ones(len(rates), dtype=bool)
    sources = sorted({r.source for r in clips.records})
    report: dict[str, Any] = rounded(
        {
            "expected_errors": expected_errors(bands, fakes, 0),
            "video": {
                "aggregation": AGGREGATION,
                "bands": dataclasses.asdict(scale.bands),
                "largest_px": int(max(clips.long_sides, default=0)) or None,
                "seconds": SECONDS,
                "frames": int(sum(map(len, footage.frames))),
                "all": row(everything),
                "rates": [{"bits_per_pixel": r, **row(rates == r)} for r in BITS_PER_PIXEL],
                "sources": [
                    {"source": name.removeprefix("real_"), **row(clips.where(source=name))}
                    for name in sources
                ],
                "unreadable": clips.failures,
            },
        }
    )
    return report


def score_footage(classifier: Classifier, records: Sequence[Record]) -> FootageScores:
    """One clip of each of at most MOST_PER_SOURCE images per source and label, each at one of the rates."""
    kept, logits, sides, frames, rates, failures = [], [], [], [], [], []
    for record in track(choose(records), description="footage"):
        draw = int.from_bytes(hashlib.sha256(record.path.name.encode()).digest()[:8], "big")
        rate = BITS_PER_PIXEL[draw % len(BITS_PER_PIXEL)]
        try:
            image = decode_image(record.path.read_bytes(), LIMITS).pixels
            clip = make_clip(image, bits_per_pixel=rate, seed=draw)
            video = open_video(io.BytesIO(clip), VideoLimits())
            _, found = frame_logits(classifier, video)
        except DetectorError as error:
            failures.append(f"{record.path.name}: {error}")
            continue
        kept.append(record)
        logits.append([aggregate(found)])
        sides.append(max(video.size))
        frames.append(found)
        rates.append(rate)
    clips = Scores(
        kept,
        (Condition(VIDEO),),
        np.array(logits).reshape(len(kept), 1),
        np.array(sides, dtype=int),
        failures,
    )
    return FootageScores(clips, frames, rates)


def choose(records: Sequence[Record]) -> list[Record]:
    """Images that stand alone: the first MOST_PER_SOURCE of each source and label, by the hash of their names."""

    def order(record: Record) -> str:
        return hashlib.sha256(record.path.name.encode()).hexdigest()

    chosen: list[Record] = []
    for source in sorted({r.source for r in records}):
        for label in (REAL, FAKE):
            own = [r for r in records if (r.source, r.label, r.pair) == (source, label, "")]
            chosen += sorted(own, key=order)[:MOST_PER_SOURCE]
    return chosen


def make_clip(image: Image.Image, *, bits_per_pixel: float, seed: int) -> bytes:
    """An MP4 that moves over an RGB image from one view of it to another, both drawn from `seed`."""
    rng = np.random.default_rng(seed)
    scale = min(1.0, LONGEST_SIDE / (max(image.size) * _SHARE_SHOWN))
    width, height = (max(64, int(side * _SHARE_SHOWN * scale) // 2 * 2) for side in image.size)
    views = [_view(image.size, rng) for _ in range(2)]
    buffer = io.BytesIO()
    n = SECONDS * FRAME_RATE
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAME_RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = round(bits_per_pixel * width * height * FRAME_RATE)
        stream.options = {"preset": "veryfast"}
        stream.thread_count = 1
        for i in range(n):
            view = views[0] + (views[1] - views[0]) * (i / (n - 1))
            picture = image.resize((width, height), Image.Resampling.BICUBIC, box=tuple(view))
            frame = av.VideoFrame.from_ndarray(np.asarray(picture))
            frame.pts, frame.time_base = i, Fraction(1, FRAME_RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def _view(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(left, top, right, bottom) of a random part of the image, in pixels."""
    share = rng.uniform(_SHARE_SHOWN, 1)
    full = np.array(size, dtype=float)
    corner = rng.uniform(0, 1, 2) * full * (1 - share)
    return np.concatenate([corner, corner + full * share])


if __name__ == "__main__":
    main()
