"""Does an answer survive what chats and web sites do to an image?

Three realistic re-saves are scored beside the image. From each, only a third of the crops is cut, at the
places of crops of the image itself, so that the change of score is the re-save's and not that of other
crops; everything is scored together.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from detector.classifier import Classifier, Evidence
from detector.conditions import Condition
from detector.preprocess import Crops, cut_crops

RESAVES = (
    Condition("jpeg_75", jpeg_quality=75),
    Condition("jpeg_50", jpeg_quality=50),
    Condition("resize_768", max_long_side=768, max_scale=0.75, jpeg_quality=85),
)
"""The last reduces an image that is smaller already, too: a re-save that changes nothing proves nothing."""

CROPS_PER_RESAVE = 3
"""One crop of a re-save for every so many of the image, but at least one."""


@dataclass(frozen=True)
class Stability:
    """The calibrated scores of the re-saves, each in 0..1."""

    min: float
    max: float
    variants: tuple[str, ...]
    """Names of the re-saves."""


def score_with_resaves(
    classifier: Classifier, image: Image.Image, crops: Crops
) -> tuple[Evidence, Stability]:
    """Score the crops of an image and, beside it, its re-saves.

    `image` is the RGB image that `crops` were cut from, not larger than the spec's `max_long_side`. A
    re-save's score is that of the image's mean logit, moved by the mean difference of the compared crops.
    """
    chosen = _spread(len(crops.boxes))
    compared = [cut_crops(resave.apply(image), classifier.manifest.spec) for resave in RESAVES]
    places = _centres(crops)[chosen]
    own, *others = classifier.score_together([crops, *(_at(places, each) for each in compared)])
    moved = [
        own.logits.mean() + other.logits.mean() - own.logits[chosen].mean() for other in others
    ]
    scores = classifier.manifest.calibration.probability(moved)
    return own, Stability(
        float(scores.min()), float(scores.max()), tuple(resave.name for resave in RESAVES)
    )


def _spread(n: int) -> list[int]:
    """Evenly spaced places among `n` crops in reading order."""
    count = max(1, n // CROPS_PER_RESAVE)
    return [(2 * i + 1) * n // (2 * count) for i in range(count)]


def _centres(crops: Crops) -> np.ndarray:
    """Of each crop, in shares of the image's sides: float64 [N, 2]."""
    centres: np.ndarray = (np.array(crops.boxes) + crops.pixels.shape[1] / 2) / np.array(crops.size)
    return centres


def _at(places: np.ndarray, crops: Crops) -> Crops:
    """The crops that lie nearest to these places."""
    distances = np.linalg.norm(_centres(crops)[:, None] - places, axis=2)
    nearest = distances.argmin(axis=0)
    return Crops(crops.pixels[nearest], tuple(crops.boxes[i] for i in nearest), crops.size)
