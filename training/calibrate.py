"""From logits of the validation split to probabilities, and the bands that verdicts are read from."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from detector.labels import FAKE, REAL
from detector.manifest import Bands, Calibration
from training.metrics import upper_bound
from training.scoring import Scores

MAX_FALSE_POSITIVE_RATE = 0.03
"""The one-sided 95 % upper bound of the false-positive rate stays below this in every condition."""
MAX_MISS_RATE = 0.05
"""At most this share of validation's AI images falls in the no-signs band, in every condition."""


def fit_calibration(scores: Scores) -> Calibration:
    """Platt scaling (Platt, 1999) at equal class weights, over all conditions together."""
    logits = scores.logits.reshape(-1, 1)
    labels = np.repeat(scores.labels, len(scores.conditions))
    fit = LogisticRegression(C=1e6, class_weight="balanced").fit(logits, labels)
    return Calibration(slope=float(fit.coef_[0, 0]), bias=float(fit.intercept_[0]))


def fit_bands(scores: Scores, calibration: Calibration) -> Bands:
    """The widest bands that keep both promises above. Raises ValueError with too few photographs."""
    values = calibration.probability(scores.logits)
    photos, fakes = values[scores.labels == REAL], values[scores.labels == FAKE]
    allowed = allowed_errors(len(photos), MAX_FALSE_POSITIVE_RATE)
    high = max(float(np.nextafter(np.sort(column)[-1 - allowed], 1)) for column in photos.T)
    low = min(float(np.quantile(column, MAX_MISS_RATE, method="lower")) for column in fakes.T)
    return Bands(low=min(low, high), high=high)


def bands_of(probabilities: np.ndarray, bands: Bands) -> np.ndarray:
    """0 below the bands, 1 between them, 2 above; any shape."""
    return 1 + bands.flagged(probabilities).astype(int) - bands.cleared(probabilities)


def allowed_errors(n: int, rate: float) -> int:
    """The most errors among n that keep the one-sided 95 % upper bound of their rate at or below `rate`."""
    if upper_bound(0, n) > rate:
        raise ValueError(f"{n} photographs are too few to bound a rate of {rate:.0%}")
    return max(k for k in range(n) if upper_bound(k, n) <= rate)
