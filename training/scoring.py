"""Scores of many images under several conditions, through the very code that serves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image
from rich.progress import track

from detector.classifier import Classifier
from detector.errors import DetectorError
from detector.image import ImageLimits, decode_image
from detector.preprocess import cut_crops
from training.augment import whole
from training.records import Record

LIMITS = ImageLimits()


class Alteration(Protocol):
    """What an image goes through before it is scored, such as a published condition."""

    @property
    def name(self) -> str: ...

    def apply(self, image: Image.Image, /) -> Image.Image:
        """RGB in, RGB out."""


@dataclass(frozen=True)
class Edit:
    """A change of an RGB image that is no re-save as JPEG."""

    name: str
    apply: Callable[[Image.Image], Image.Image]


def seen_whole(alterations: Sequence[Alteration], size: int) -> tuple[Alteration, ...]:
    """The same, with the image squeezed into one square crop in the end."""
    return tuple(
        Edit(a.name, lambda image, a=a: whole(a.apply(image), size))  # type: ignore[misc]
        for a in alterations
    )


@dataclass(frozen=True)
class Scores:
    """`logits` float64 [R, C]: the mean logit of each record under each condition."""

    records: list[Record]
    conditions: tuple[Alteration, ...]
    logits: np.ndarray
    long_sides: np.ndarray
    """int [R]: the longer side of each image, in pixels."""
    failures: list[str]
    """Files that could not be read, with the reason; they are in `records` no more."""

    def __add__(self, other: "Scores") -> "Scores":
        """Both, under the same conditions."""
        assert self.conditions == other.conditions
        return Scores(
            [*self.records, *other.records],
            self.conditions,
            np.concatenate([self.logits, other.logits]),
            np.concatenate([self.long_sides, other.long_sides]),
            [*self.failures, *other.failures],
        )

    def only(self, chosen: np.ndarray) -> "Scores":
        """Those of some records; `chosen` is boolean [R]."""
        return Scores(
            [r for r, kept in zip(self.records, chosen, strict=True) if kept],
            self.conditions,
            self.logits[chosen],
            self.long_sides[chosen],
            self.failures,
        )

    @property
    def labels(self) -> np.ndarray:
        return np.array([r.label for r in self.records])

    @property
    def groups(self) -> np.ndarray:
        return np.array([r.group for r in self.records])

    def where(self, *, source: str | None = None, generator: str | None = None) -> np.ndarray:
        """Boolean [R]: records of this source and of this generator."""
        return np.array(
            [source in (None, r.source) and generator in (None, r.generator) for r in self.records]
        )


def readable(
    records: list[Record],
    limits: ImageLimits = LIMITS,
    *,
    say: Callable[[str], object] = print,
) -> tuple[list[Record], list[str]]:
    """Those that can be decoded; and the names of the others, with the reasons, which are said, too."""
    kept, failures = [], []
    for record in track(records, description="decoding", disable=not records):
        try:
            decode_image(record.path.read_bytes(), limits)
        except DetectorError as error:
            failures.append(f"{record.path.name}: {error}")
        else:
            kept.append(record)
    for failure in failures:
        say(f"could not decode {failure}")
    return kept, failures


def score_records(
    classifier: Classifier, records: list[Record], conditions: Sequence[Alteration]
) -> Scores:
    """Score every readable image under every condition, with a progress bar."""
    kept, rows, sides, failures = [], [], [], []
    for record in track(records, description="scoring", disable=not records):
        try:
            image = decode_image(record.path.read_bytes(), LIMITS).pixels
        except DetectorError as error:
            failures.append(f"{record.path.name}: {error}")
            continue
        rows.append(
            [
                float(
                    classifier.score(
                        cut_crops(c.apply(image), classifier.manifest.spec)
                    ).logits.mean()
                )
                for c in conditions
            ]
        )
        kept.append(record)
        sides.append(max(image.size))
    logits = np.array(rows).reshape(len(kept), len(conditions))
    return Scores(kept, tuple(conditions), logits, np.array(sides, dtype=int), failures)
