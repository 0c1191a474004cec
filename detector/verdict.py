"""From a calibrated probability to one of four verdicts, with the reasons as stable codes."""

from dataclasses import dataclass
from enum import StrEnum

from detector.image import MediaFacts
from detector.manifest import Bands

SMALLEST_JUDGED_SIDE = 128
"""Below this many pixels a file is at best inconclusive: no error rate was measured there."""
FEWEST_FRAMES = 2
"""With fewer frames a video is inconclusive: one bad frame must not decide."""


class Verdict(StrEnum):
    """What is said about a file. None of them says where the image came from."""

    LIKELY_AI = "likely_ai"
    INCONCLUSIVE = "inconclusive"
    NO_AI_SIGNS_FOUND = "no_ai_signs_found"
    NOT_APPLICABLE = "not_applicable"


class Reason(StrEnum):
    """Why a verdict was given."""

    SCORE_HIGH = "score_high"
    SCORE_MIDDLE = "score_middle"
    SCORE_LOW = "score_low"
    SMALL_IMAGE = "small_image"
    FEW_FRAMES = "few_frames"
    VIDEO_NOT_MEASURED = "video_not_measured"


@dataclass(frozen=True)
class Decision:
    """A verdict, the band its score fell in, and the reasons."""

    verdict: Verdict
    band: Verdict | None
    """None when no bands were fitted for files of this kind."""
    reasons: tuple[Reason, ...]


def decide(score: float, bands: Bands, facts: MediaFacts) -> Decision:
    """Judge a calibrated score in 0..1."""
    band = band_of(score, bands)
    if min(facts.width, facts.height) < SMALLEST_JUDGED_SIDE:
        return Decision(Verdict.INCONCLUSIVE, band, (Reason.SMALL_IMAGE,))
    return Decision(band, band, (_REASON_OF_BAND[band],))


def decide_video(
    score: float, bands: Bands | None, facts: MediaFacts, *, n_frames: int
) -> Decision:
    """Judge a video by the calibrated score, 0..1, that its frames were aggregated to.

    `bands` are those fitted on footage; without them the answer is inconclusive.
    """
    if bands is None:
        return Decision(Verdict.INCONCLUSIVE, None, (Reason.VIDEO_NOT_MEASURED,))
    decision = decide(score, bands, facts)
    if n_frames < FEWEST_FRAMES:
        return Decision(Verdict.INCONCLUSIVE, decision.band, (Reason.FEW_FRAMES,))
    return decision


def band_of(score: float, bands: Bands) -> Verdict:
    """The band in which a calibrated score falls."""
    if score >= bands.high:
        return Verdict.LIKELY_AI
    return Verdict.NO_AI_SIGNS_FOUND if score < bands.low else Verdict.INCONCLUSIVE


_REASON_OF_BAND = {
    Verdict.LIKELY_AI: Reason.SCORE_HIGH,
    Verdict.INCONCLUSIVE: Reason.SCORE_MIDDLE,
    Verdict.NO_AI_SIGNS_FOUND: Reason.SCORE_LOW,
}
