"""Tests that a model looks at traces of generation, and not at something that merely goes with the label.

    python -m training.leakage --data FOLDER [--data FOLDER ...] [--beside FOLDER ...] [--report REPORT.json]
                              [--model MODEL.onnx]

Prints `pass` or `FAIL` for each, adds them to the report, and ends with status 1 when one failed.
The tests that need a training run of their own are in `training.leak_runs`.
"""

import dataclasses
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image, ImageFilter
from rich.progress import track
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from detector.classifier import OnnxClassifier
from detector.conditions import CLEAN, Condition
from detector.image import decode_image
from detector.labels import FAKE, REAL
from training.calibrate import bands_of
from training.metrics import auroc
from training.records import SPLITS, Record, divide_pool, read_records, with_fakes_of
from training.report import ranked_against, rounded, title_of
from training.robustness import PER_GROUP, at_most, resized
from training.scoring import LIMITS, Edit, Scores, readable, score_records
from training.sections import described, load_measured, section_parser

Q95 = Condition("q95", jpeg_quality=95)
BLUR8 = Edit("blur8", lambda image: image.filter(ImageFilter.GaussianBlur(8)))
SCALES = tuple(Edit(f"scale{factor}", resized(factor)) for factor in (0.5, 0.75, 1.25, 1.5))
SHIFTS = tuple(
    Edit(f"shift{n}", lambda image, n=n: image.crop((n, n, *image.size)))  # type: ignore[misc]
    for n in (1, 3, 4, 7)
)
HARD_REALS = (
    Edit("denoised", lambda image: image.filter(ImageFilter.MedianFilter(3))),
    Edit("softened", lambda image: image.filter(ImageFilter.GaussianBlur(1))),
    Edit("sharpened", lambda image: image.filter(ImageFilter.UnsharpMask(1.5, 120, 2))),
    Edit("enlarged", lambda image: resized(2.0)(resized(0.5)(image))),
)
MAX_SHORTCUT_AUROC = 0.60
APART = (("train", "val"), ("train", "test"), ("val", "test"), ("train", "pool"))
"""Splits that must not share an image, or a group. What is left of the pool may share prompts with val and test."""
NEAR_DUPLICATE_BITS = 4
"""Two images whose difference hashes of 64 bits differ in no more than this may be one ..."""
NEAR_DUPLICATE_CORRELATION = 0.9
"""... and are, when their grey thumbnails of 32 x 32 pixels correlate as much: portraits hash alike by chance."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One test's outcome."""

    test: str
    says: str
    value: float
    limit: str
    passed: bool

    @classmethod
    def at_most(cls, test: str, says: str, value: float, limit: float) -> Self:
        """Passed when the value is no larger than the limit."""
        value = float(value)
        return cls(test, says, value, f"{limit:.3g}", value <= limit)

    def __str__(self) -> str:
        verdict = "pass" if self.passed else "FAIL"
        return f"{verdict}  {self.test:4} {self.value:8.4f}  (limit {self.limit})  {self.says}"


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    parser.add_argument("--per-group", type=int, default=PER_GROUP)
    parser.add_argument(
        "--beside",
        type=Path,
        action="append",
        default=[],
        help="a folder that the model learned from too, or is measured on elsewhere: for L9 alone",
    )
    args = parser.parse_args()
    measured = load_measured(parser, args)
    learned = measured.classifier.manifest.trained_on
    try:
        records, elsewhere = (
            divide_pool([r for folder in folders for r in read_records(folder)], learned)
            for folders in (args.data, args.beside)
        )
    except ValueError as error:
        parser.error(str(error))
    known, _ = readable([r for r in records if r.split in {"train", "val"}])
    beside, unreadable = readable(elsewhere)
    testing = at_most(measured.records, args.per_group)
    findings = [
        *metadata_tells_nothing(with_fakes_of(known, learned)),
        *no_duplicates([*known, *measured.records, *beside]),
        *probe(
            measured.classifier, [r for r in testing if r.label == REAL or r.generator in learned]
        ),
    ]
    for finding in findings:
        print(finding)
    measured.add(
        {"leak_tests": [rounded(dataclasses.asdict(finding)) for finding in findings]},
        beside=described(args.beside, beside, unreadable) if elsewhere else None,
    )
    sys.exit(0 if all(finding.passed for finding in findings) else 1)


def metadata_tells_nothing(records: list[Record]) -> Iterator[Finding]:
    """L1: trees on what the file alone says, before any pixel, cross-validated by group.

    On the files that training reads, each generator against its own photographs; a generator whose
    source has none is left out, for training saves its images as its photographs were saved.
    """
    training = [r for r in records if r.split == "train"]
    for generator in sorted({r.generator for r in training if r.label == FAKE}):
        chosen = with_fakes_of(training, {generator})
        labels = np.array([r.label for r in chosen])
        groups = np.array([r.group for r in chosen])
        folds = min(5, *(len(set(groups[labels == label])) for label in (REAL, FAKE)))
        if folds < 2:
            continue
        features = np.array([_metadata(r.path) for r in track(chosen, description="metadata")])
        scores = cross_val_predict(
            HistGradientBoostingClassifier(random_state=0),
            features,
            labels,
            groups=groups,
            cv=GroupKFold(folds),
            method="predict_proba",
        )[:, 1]
        yield Finding.at_most(
            "L1", f"AUROC of file metadata, {generator}", auroc(labels, scores), MAX_SHORTCUT_AUROC
        )


def no_duplicates(records: list[Record]) -> Iterator[Finding]:
    """L9: no image or group of one split is also in another, two by two as in APART.

    A generated image beside its photograph shares its split, so it is not counted. Of the pool the command looks
    at what `training.evaluate.held_out_records` leaves, which has no group of train, and at all of a folder beside.
    """
    alone = [r for r in records if not r.pair]
    thumbnails = [_thumbnails(r.path) for r in track(alone, description="hashes")]
    hashes_R = np.array([hashed for hashed, _ in thumbnails], dtype=np.uint64)
    grey_RP = np.array([grey for _, grey in thumbnails])
    places = {split: np.flatnonzero([r.split == split for r in alone]) for split in SPLITS}
    near, torn = 0, set()
    for one, other in APART:
        for i in places[one]:
            bits = np.bitwise_count(hashes_R[places[other]] ^ hashes_R[i])
            alike = places[other][bits <= NEAR_DUPLICATE_BITS]
            near += int((grey_RP[alike] @ grey_RP[i] >= NEAR_DUPLICATE_CORRELATION).sum())
        torn |= set.intersection(*({alone[i].group for i in places[s]} for s in (one, other)))
    yield Finding.at_most("L9", "near-duplicates across splits", near, 0)
    yield Finding.at_most("L9", "groups that lie in more than one split", len(torn), 0)


def probe(classifier: OnnxClassifier, records: list[Record]) -> Iterator[Finding]:
    """L2, L3, L6, L7, L8 and L10: what the trained model says of altered images."""
    scores = score_records(classifier, records, (CLEAN, BLUR8, Q95, *SCALES, *SHIFTS, *HARD_REALS))
    values = classifier.manifest.calibration.probability(scores.logits)
    columns = {c.name: values[:, i] for i, c in enumerate(scores.conditions)}
    bands = classifier.manifest.bands
    clean, reals = columns["clean"], scores.labels == REAL

    for generator in sorted({r.generator for r in scores.records if r.label == FAKE}):
        chosen = ranked_against(scores, generator)
        labels = scores.labels[chosen]
        blurred = auroc(labels, columns["blur8"][chosen])
        yield Finding.at_most("L2", f"AUROC after a blur of 8 pixels, {generator}", blurred, 0.60)
        drop = auroc(labels, clean[chosen]) - auroc(labels, columns["q95"][chosen])
        yield Finding.at_most("L3", f"fall of AUROC, all saved at JPEG 95, {generator}", drop, 0.10)
    for name, of_class in (("photographs", reals), ("AI images", ~reals)):
        before, after = (bands_of(columns[c][of_class], bands) for c in ("clean", "q95"))
        share = float((before != after).mean())
        yield Finding.at_most(
            "L3", f"verdicts that flip when only {name} are re-saved", share, 0.10
        )
    yield from _sources_alike(scores, clean)
    flagged = {name: float(bands.flagged(column[reals]).mean()) for name, column in columns.items()}
    for scale in SCALES:
        yield Finding.at_most(
            "L7", f"photographs flagged at {scale.name}", flagged[scale.name], 0.05
        )
    for shift in SHIFTS:
        moved = float(np.median(np.abs(columns[shift.name] - clean)))
        yield Finding.at_most("L8", f"median change of score, {shift.name}", moved, 0.10)
    # Clean photographs may have no error at all; one in a hundred is then what three times it means.
    limit = 3 * max(flagged["clean"], 0.01)
    for hard in HARD_REALS:
        yield Finding.at_most(
            "L10", f"photographs flagged when {hard.name}", flagged[hard.name], limit
        )


def _sources_alike(scores: Scores, clean: np.ndarray) -> Iterator[Finding]:
    """L6: photographs of one source do not look more generated than those of another."""
    sources = sorted({r.source for r in scores.records if r.label == REAL})
    for one, other in itertools.combinations(sources, 2):
        ours, theirs = (clean[scores.where(source=s, generator="real")] for s in (one, other))
        labels = np.r_[np.zeros(len(ours)), np.ones(len(theirs))]
        value = auroc(labels, np.r_[ours, theirs])
        says = f"AUROC of {title_of(one)} against {title_of(other)}"
        yield Finding("L6", says, value, "0.40 to 0.60", 0.40 <= value <= 0.60)


def _metadata(path: Path) -> list[float]:
    """What a file says before its pixels are looked at."""
    size = path.stat().st_size
    with Image.open(path) as image:
        tables = getattr(image, "quantization", {})
        sums = [float(np.sum(tables.get(i, ()))) for i in (0, 1)]
        width, height = image.size
        formats = {"JPEG": 0, "PNG": 1, "WEBP": 2}
        kind = float(formats.get(str(image.format), 3))
        exif = float(bool(image.getexif()))
    return [size, 8 * size / (width * height), width, height, width / height, kind, *sums, exif]


def _thumbnails(path: Path) -> tuple[int, np.ndarray]:
    """An image's dHash, 64 bits, each whether a pixel of the 9 x 8 thumbnail is darker than the one after it.

    And its grey values at 32 x 32, float [1024], without their mean and of length 1.
    """
    grey = decode_image(path.read_bytes(), LIMITS).pixels.convert("L")
    small = np.asarray(grey.resize((9, 8), Image.Resampling.LANCZOS))
    bits = np.packbits(small[:, 1:] > small[:, :-1])
    values = np.asarray(grey.resize((32, 32), Image.Resampling.LANCZOS), dtype=float).ravel()
    values -= values.mean()
    return int.from_bytes(bits.tobytes(), "big"), values / max(float(np.linalg.norm(values)), 1e-9)


if __name__ == "__main__":
    main()
