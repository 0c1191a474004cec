"""The gate for graphics: fit its limits on photographs and rendered graphics, and measure it on others.

    python -m training.suitability --data FOLDER

prints the limits that belong into `detector/suitability.py`. They do not depend on the model.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from detector.conditions import CONDITIONS
from detector.image import decode_image
from detector.labels import FAKE, REAL
from detector.preprocess import shrink_to
from detector.suitability import (
    LIMITS,
    Content,
    Limits,
    kind_of_graphic,
    measure_content,
)
from training.graphics import CHECK, FIT, render_graphics
from training.metrics import clopper_pearson
from training.records import Record, read_records

FITTED_PHOTOGRAPHS = 160
FITTED_GRAPHICS = 160
MAX_GATED_PHOTOGRAPHS = 0.01
"""Of the photographs that the limits are fitted on. What is promised of others is twice this."""
MEASURED_PHOTOGRAPHS = 500
MEASURED_GRAPHICS = 100
LONG_SIDE = 1024
"""Larger images are measured at this size, as they are when they are analysed."""

ODD_PHOTOGRAPHS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    lambda image: image.convert("L").convert("RGB"),
    lambda image: image.point(lambda value: round(value * 0.35)),
    lambda image: image.point(lambda value: min(255, round(value * 1.5))),
)
"""Black and white, taken at night, over-exposed: few tones, and still photographs."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    args = parser.parse_args()
    try:
        records = [r for folder in args.data for r in read_records(folder) if not r.pair]
    except ValueError as error:
        parser.error(str(error))
    limits = fit_limits([r for r in records if r.split == "train"])
    print(limits)
    if limits != LIMITS:
        print(f"detector/suitability.py has {LIMITS}")


def fit_limits(records: list[Record]) -> Limits:
    """Limits under which at most MAX_GATED_PHOTOGRAPHS of these photographs are taken for graphics."""
    graphics = render_graphics(FIT, FITTED_GRAPHICS, seed=0)
    photographs = list(_photographs(draw(records, REAL, FITTED_PHOTOGRAPHS)))
    rendered = [_content(decode_image(graphic.data).pixels) for graphic in graphics]
    both = [*photographs, *rendered]
    features = np.array([[c.few_tones, c.steep_edges] for c in both])
    labels = np.repeat([0, 1], [len(photographs), len(rendered)])
    fit = LogisticRegression(C=1e3, class_weight="balanced").fit(features, labels)
    weight = round(float(fit.coef_[0, 1] / fit.coef_[0, 0]), 3)
    sums = features @ [1.0, weight]
    limit = float(np.quantile(sums[labels == 0], 1 - MAX_GATED_PHOTOGRAPHS))
    colours = np.array([content.colour for content in rendered])
    return Limits(
        weight, round(limit, 3), _best_split(colours, [g.is_colourless for g in graphics])
    )


def measure_suitability(records: list[Record]) -> dict[str, Any]:
    """How many graphics, photographs and AI images are gated: the section `suitability` of a report."""
    graphics = render_graphics(CHECK, MEASURED_GRAPHICS, seed=1)
    gated = [is_gated(decode_image(graphic.data).pixels) for graphic in graphics]
    kinds = [graphic.kind for graphic in graphics]
    return {
        "graphics": [
            {"kind": kind, **_counts(g for k, g in zip(kinds, gated, strict=True) if k == kind)}
            for kind in CHECK
        ],
        "photographs": _gated_rows(draw(records, REAL, MEASURED_PHOTOGRAPHS)),
        "ai_images": _gated_rows(draw(records, FAKE, MEASURED_PHOTOGRAPHS)),
    }


def is_gated(image: Image.Image) -> bool:
    """Whether an RGB image is taken for a graphic."""
    return kind_of_graphic(_content(image)) is not None


def draw(records: Iterable[Record], label: int, count: int, *, seed: int = 0) -> list[Record]:
    """At most `count` records of a class by chance; those of the split `test` before any other."""
    chosen = [record for record in records if record.label == label]
    order = np.random.default_rng(seed).permutation(len(chosen))
    shuffled = [chosen[i] for i in order]
    return sorted(shuffled, key=lambda record: record.split != "test")[:count]


def _photographs(records: list[Record]) -> Iterable[Content]:
    """Each in every condition, and as each odd photograph."""
    for record in track(records, description="fitting"):
        image = decode_image(record.path.read_bytes()).pixels
        for change in (*(condition.apply for condition in CONDITIONS), *ODD_PHOTOGRAPHS):
            yield _content(change(image))


def _gated_rows(records: list[Record]) -> list[dict[str, Any]]:
    """One row for each condition."""
    found: dict[str, list[bool]] = {condition.name: [] for condition in CONDITIONS}
    for record in track(records, description="gating"):
        image = decode_image(record.path.read_bytes()).pixels
        for condition in CONDITIONS:
            found[condition.name].append(is_gated(condition.apply(image)))
    return [{"condition": name, **_counts(gated)} for name, gated in found.items()]


def _counts(gated: Iterable[bool]) -> dict[str, Any]:
    values = list(gated)
    k, n = sum(values), len(values)
    return {"n": n, "gated": k, "rate": k / n if n else None, "ci95": clopper_pearson(k, n)}


def _content(image: Image.Image) -> Content:
    return measure_content(shrink_to(image, LONG_SIDE))


def _best_split(values: np.ndarray, is_low: list[bool]) -> float:
    """The limit that tells most of the low ones from the others, midway between its neighbours."""
    order = np.sort(values)
    limits = (order[1:] + order[:-1]) / 2
    right = [((values <= limit) == np.array(is_low)).mean() for limit in limits]
    return round(float(limits[int(np.argmax(right))]), 3)


if __name__ == "__main__":
    main()
