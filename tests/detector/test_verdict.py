"""Bands and verdicts."""

import pytest

from detector.image import MediaFacts
from detector.manifest import Bands
from detector.verdict import Reason, Verdict, band_of, decide

BANDS = Bands(low=0.2, high=0.9)


def _facts(side: int) -> MediaFacts:
    return MediaFacts(
        kind="image",
        sha256="",
        bytes=1,
        width=side,
        height=side,
        format="png",
        jpeg_quality_estimate=None,
    )


@pytest.mark.parametrize(
    ("score", "verdict", "reason"),
    [
        (0.0, Verdict.NO_AI_SIGNS_FOUND, Reason.SCORE_LOW),
        (0.1999, Verdict.NO_AI_SIGNS_FOUND, Reason.SCORE_LOW),
        (0.2, Verdict.INCONCLUSIVE, Reason.SCORE_MIDDLE),
        (0.8999, Verdict.INCONCLUSIVE, Reason.SCORE_MIDDLE),
        (0.9, Verdict.LIKELY_AI, Reason.SCORE_HIGH),
        (1.0, Verdict.LIKELY_AI, Reason.SCORE_HIGH),
    ],
)
def test_the_band_decides(score: float, verdict: Verdict, reason: Reason) -> None:
    """Each band has its verdict, and its lower limit belongs to it."""
    decision = decide(score, BANDS, _facts(300))

    assert (verdict, verdict, (reason,)) == (decision.verdict, decision.band, decision.reasons)


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_small_images_are_never_judged(score: float) -> None:
    """Below 128 pixels the answer is that we cannot tell, whatever the score."""
    decision = decide(score, BANDS, _facts(127))

    assert (Verdict.INCONCLUSIVE, (Reason.SMALL_IMAGE,)) == (decision.verdict, decision.reasons)
    assert band_of(score, BANDS) == decision.band


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_impossible_bands_are_refused(low: float, high: float) -> None:
    """Limits out of order or out of range are a mistake of whoever fitted them."""
    with pytest.raises(ValueError, match="Bands must satisfy"):
        Bands(low=low, high=high)
