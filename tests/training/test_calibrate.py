"""Calibration and bands, on logits with a known law."""

from pathlib import Path

import numpy as np
import pytest

from detector.conditions import CONDITIONS
from detector.labels import FAKE, REAL
from training.calibrate import allowed_errors, fit_bands, fit_calibration
from training.metrics import upper_bound
from training.records import Record
from training.scoring import Scores


def _record(label: int, index: int) -> Record:
    name = "vae" if label == FAKE else "real"
    return Record(
        path=Path(f"{index}.png"),
        label=label,
        generator=name,
        family=name,
        source="s",
        group=str(index),
        split="val",
    )


def _scores(n_real: int, n_fake: int, *, gap: float) -> Scores:
    rng = np.random.default_rng(0)
    labels = [REAL] * n_real + [FAKE] * n_fake
    centres = np.array([-gap if label == REAL else gap for label in labels]) + 5
    logits = centres[:, None] + rng.normal(size=(len(labels), len(CONDITIONS)))
    return Scores(
        [_record(label, i) for i, label in enumerate(labels)],
        CONDITIONS,
        logits,
        np.zeros(len(labels)),
        [],
    )


def test_a_shift_of_all_logits_is_undone() -> None:
    """Both classes lie around 5; the calibrated probability is one half in the middle, whatever their numbers."""
    calibration = fit_calibration(_scores(3000, 300, gap=1.0))

    assert calibration.probability(5.0) == pytest.approx(0.5, abs=0.03)
    assert calibration.slope == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize("n_fake", [400, 223])
def test_the_bands_keep_their_promises(n_fake: int) -> None:
    """In every condition, few photographs lie above and few AI images below, whatever their number."""
    scores = _scores(400, n_fake, gap=1.0)
    calibration = fit_calibration(scores)
    bands = fit_bands(scores, calibration)
    values = calibration.probability(scores.logits)

    for column in values.T:
        false_positives = int((column[scores.labels == REAL] >= bands.high).sum())
        assert upper_bound(false_positives, 400) <= 0.03
        assert (column[scores.labels == FAKE] < bands.low).mean() <= 0.05
    worst = max(int((column[scores.labels == REAL] >= bands.high).sum()) for column in values.T)
    assert allowed_errors(400, 0.03) == worst


def test_bands_do_not_cross_when_the_classes_lie_far_apart() -> None:
    """A perfect separation leaves no room in the middle, and no contradiction."""
    scores = _scores(400, 400, gap=30.0)
    bands = fit_bands(scores, fit_calibration(scores))

    assert bands.low <= bands.high


def test_too_few_photographs_are_refused() -> None:
    """With twenty of them no rate of 3 % can be promised, so no band is fitted."""
    scores = _scores(20, 20, gap=1.0)

    with pytest.raises(ValueError, match="too few"):
        fit_bands(scores, fit_calibration(scores))
