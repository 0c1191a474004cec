"""Does the heatmap point at what the score came from? Measured by taking the hottest parts away.

The hottest tenth of an image is blurred, which removes the fine traces that the network responds to and
leaves colours, shapes and outlines; a patch of one colour would bring new edges, to which it responds too.
In comparison, the same shape is moved to other places by chance (after Petsiuk et al., BMVC 2018).
"""

from typing import Any

import numpy as np
from PIL import Image, ImageFilter
from rich.progress import track

from detector.classifier import Classifier
from detector.heatmap import region_scores
from detector.image import decode_image
from detector.preprocess import cut_crops, shrink_to
from training.metrics import clopper_pearson
from training.records import Record

REQUIRED_SHARE = 0.8
"""Of the AI images; if the heatmap holds for fewer, none is shown."""
REMOVED_SHARE = 0.1
BLUR_RADIUS = 4.0
"""In pixels; the Gaussian's standard deviation."""
RANDOM_PLACES = 5
"""The score without the hottest part is compared with the mean over so many random places."""


def measure_explanation(
    classifier: Classifier, records: list[Record], *, seed: int = 0
) -> dict[str, Any]:
    """For how many AI images the heatmap holds: the section `explanation` of a report."""
    rng = np.random.default_rng(seed)
    held = [
        _holds(classifier, decode_image(record.path.read_bytes()).pixels, rng)
        for record in track(records, description="removing")
    ]
    k, n = sum(held), len(held)
    return {
        "n": n,
        "lowered_more": k,
        "share": k / n if n else None,
        "ci95": clopper_pearson(k, n),
        "required": REQUIRED_SHARE,
        "holds": n > 0 and k / n >= REQUIRED_SHARE,
        "removed_share": REMOVED_SHARE,
        "removal": f"Gaussian blur of {BLUR_RADIUS:g} pixels",
        "random_places": RANDOM_PLACES,
    }


def _holds(classifier: Classifier, image: Image.Image, rng: np.random.Generator) -> bool:
    """Whether blurring the hottest part lowers the mean logit more than blurring other parts does."""
    image = shrink_to(image, classifier.manifest.spec.max_long_side)
    crops = cut_crops(image, classifier.manifest.spec)
    scores_HW = region_scores(classifier.score(crops), crops, classifier.manifest)
    hottest_HW = hottest(scores_HW, REMOVED_SHARE)
    height, width = hottest_HW.shape
    shifts = zip(
        rng.integers(height, size=RANDOM_PLACES),
        rng.integers(width, size=RANDOM_PLACES),
        strict=True,
    )
    masks = [hottest_HW, *(np.roll(hottest_HW, shift, axis=(0, 1)) for shift in shifts)]
    blurred = [cut_crops(blur_where(image, mask), classifier.manifest.spec) for mask in masks]
    hot, *others = (e.logits.mean() for e in classifier.score_together(blurred))
    return bool(hot < np.mean(others))


def hottest(scores_HW: np.ndarray, share: float) -> np.ndarray:
    """Boolean [H, W]: this share of the pixels, those with the highest scores."""
    count = round(share * scores_HW.size)
    chosen = np.zeros(scores_HW.size, dtype=bool)
    chosen[np.argsort(scores_HW, axis=None, kind="stable")[scores_HW.size - count :]] = True
    return chosen.reshape(scores_HW.shape)


def blur_where(image: Image.Image, mask_HW: np.ndarray) -> Image.Image:
    """The image, blurred where the mask is true."""
    blurred = image.filter(ImageFilter.GaussianBlur(BLUR_RADIUS))
    return Image.composite(blurred, image, Image.fromarray(mask_HW))
