"""How the figures move when images are re-saved, blurred or re-sampled; added to a report.

    python -m training.robustness --data FOLDER [--data FOLDER ...] --report REPORT.json [--model MODEL.onnx]

Takes the same held-out images as `training.evaluate`, at most --per-group of each source and class.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from detector.classifier import OnnxClassifier
from detector.conditions import CLEAN, Condition
from training.augment import encode
from training.records import Record
from training.report import build_report
from training.scoring import Alteration, Edit, score_records
from training.sections import load_measured, section_parser

PER_GROUP = 100


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    parser.add_argument("--per-group", type=int, default=PER_GROUP)
    args = parser.parse_args()
    measured = load_measured(parser, args)
    rows = robustness(measured.classifier, at_most(measured.records, args.per_group))
    measured.add({"robustness": rows})
    for row in rows["summary"]:
        print(f"{row['set']:6} {row['condition']:10} AUROC {row['auroc']}")


def robustness(classifier: OnnxClassifier, records: list[Record]) -> dict[str, Any]:
    """The rows of a report, `reals`, `generators` and `summary`, for each of ALTERATIONS."""
    altered = build_report(
        score_records(classifier, records, ALTERATIONS),
        classifier.manifest,
        data={},
        weights_sha256=classifier.weights_sha256,
        notes=[],
    )
    return {key: altered[key] for key in ("reals", "generators", "summary")}


def at_most(records: list[Record], n: int) -> list[Record]:
    """Up to `n` records of each source and class, evenly spread over them."""
    groups: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        groups[record.source, record.label].append(record)
    return [
        group[i]
        for group in groups.values()
        for i in np.unique(np.linspace(0, len(group) - 1, min(n, len(group))).astype(int))
    ]


def resized(factor: float) -> Callable[[Image.Image], Image.Image]:
    """A bicubic change of both sides by this factor."""

    def apply(image: Image.Image) -> Image.Image:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        return image.resize(size, Image.Resampling.BICUBIC)

    return apply


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(1))


def _saved_as_webp(image: Image.Image) -> Image.Image:
    return encode(image, "WEBP", quality=80)


ALTERATIONS: tuple[Alteration, ...] = (
    CLEAN,
    Condition("q95", jpeg_quality=95),
    Condition("q75", jpeg_quality=75),
    Condition("q50", jpeg_quality=50),
    Edit("webp80", _saved_as_webp),
    Edit("blur1", _blurred),
    Edit("resize0.5", resized(0.5)),
    Edit("resize0.75", resized(0.75)),
    Edit("resize1.5", resized(1.5)),
)
"""Blur by its standard deviation in pixels, JPEG and WebP by quality, sizes by their factor."""


if __name__ == "__main__":
    main()
