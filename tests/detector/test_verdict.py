"""Bands and verdicts."""

import pytest

from detector.manifest import Bands
from detector.stability import Stability
from detector.verdict import EXCLUDING, UNMEASURED, Reason, Verdict, band_of, decide, decide_video

BANDS = Bands(low=0.2, high=0.9)


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
    decision = decide(score, BANDS)

    assert (verdict, verdict, (reason,)) == (decision.verdict, decision.band, decision.reasons)


@pytest.mark.parametrize("obstacle", sorted(UNMEASURED - EXCLUDING))
@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_an_obstacle_leaves_no_clear_answer(score: float, obstacle: Reason) -> None:
    """The answer is that we cannot tell, whatever the score."""
    decision = decide(score, BANDS, obstacles=[obstacle], stability=_resaves(0.0, 1.0))

    assert (Verdict.INCONCLUSIVE, (obstacle,)) == (decision.verdict, decision.reasons)
    assert band_of(score, BANDS) == decision.band


@pytest.mark.parametrize("obstacle", sorted(EXCLUDING))
@pytest.mark.parametrize("score", [None, 1.0])
def test_graphics_get_no_answer(score: float | None, obstacle: Reason) -> None:
    """With or without a score, and further obstacles are named too."""
    decision = decide(score, BANDS, obstacles=[obstacle, Reason.SMALL_IMAGE])

    assert (Verdict.NOT_APPLICABLE, None) == (decision.verdict, decision.band)
    assert (obstacle, Reason.SMALL_IMAGE) == decision.reasons


def test_a_score_is_never_made_up() -> None:
    """Whoever forgets to score a file that is judged is told so."""
    with pytest.raises(ValueError, match="without a score"):
        decide(None, BANDS)


@pytest.mark.parametrize(
    ("score", "lowest", "highest", "verdict"),
    [
        (0.95, 0.91, 0.99, Verdict.LIKELY_AI),
        (0.95, 0.89, 0.99, Verdict.INCONCLUSIVE),
        (0.95, 0.05, 0.99, Verdict.INCONCLUSIVE),
        (0.05, 0.01, 0.19, Verdict.NO_AI_SIGNS_FOUND),
        (0.05, 0.01, 0.89, Verdict.NO_AI_SIGNS_FOUND),
        (0.05, 0.01, 0.91, Verdict.INCONCLUSIVE),
    ],
)
def test_a_clear_answer_must_not_be_contradicted(
    score: float, lowest: float, highest: float, verdict: Verdict
) -> None:
    """Every re-save must say "likely AI" too; "no signs" falls only to a re-save that says "likely AI"."""
    decision = decide(score, BANDS, stability=_resaves(lowest, highest))

    assert verdict == decision.verdict
    assert band_of(score, BANDS) == decision.band
    assert (verdict is Verdict.INCONCLUSIVE) == (Reason.UNSTABLE_UNDER_RESAVE in decision.reasons)


def test_between_the_bands_nothing_can_be_contradicted() -> None:
    """The reason stays the score."""
    decision = decide(0.5, BANDS, stability=_resaves(0.0, 1.0))

    assert (Reason.SCORE_MIDDLE,) == decision.reasons


def _resaves(lowest: float, highest: float) -> Stability:
    return Stability(lowest, highest, ("a", "b"))


@pytest.mark.parametrize(("low", "high"), [(0.9, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_impossible_bands_are_refused(low: float, high: float) -> None:
    """Limits out of order or out of range are a mistake of whoever fitted them."""
    with pytest.raises(ValueError, match="Bands must satisfy"):
        Bands(low=low, high=high)


@pytest.mark.parametrize(("side", "verdict"), [(223, "inconclusive"), (224, "likely_ai")])
def test_footage_smaller_than_any_measured_is_not_judged(side: int, verdict: str) -> None:
    """However high it scores."""
    decision = decide_video(0.99, Bands(low=0.2, high=0.8), side, n_frames=60)

    assert verdict == decision.verdict
    assert (Reason.SMALL_IMAGE in decision.reasons) == (side < 224)
