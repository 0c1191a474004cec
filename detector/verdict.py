"""From a calibrated probability to one of four verdicts, with the reasons as stable codes."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from detector.manifest import Bands
from detector.stability import Stability

SMALLEST_JUDGED_SIDE = 128
"""Below this many pixels a file is at best inconclusive: no error rate was measured there."""
SMALLEST_JUDGED_FRAME = 224
"""The same for the shorter side of a video: that of the smallest footage of photographs that was measured."""
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
    UNSTABLE_UNDER_RESAVE = "unstable_under_resave"
    SMALL_IMAGE = "small_image"
    STRONGLY_COMPRESSED = "strongly_compressed"
    FLAT_GRAPHIC = "flat_graphic"
    TEXT_OR_DRAWING = "text_or_drawing"
    FEW_FRAMES = "few_frames"
    VIDEO_NOT_MEASURED = "video_not_measured"


EXCLUDING = frozenset({Reason.FLAT_GRAPHIC, Reason.TEXT_OR_DRAWING})
"""With one of these the detector is not applicable, and nothing is scored."""
UNMEASURED = EXCLUDING | {
    Reason.SMALL_IMAGE,
    Reason.STRONGLY_COMPRESSED,
    Reason.FEW_FRAMES,
    Reason.VIDEO_NOT_MEASURED,
}
"""With any of these a file is at best inconclusive. No error rates were measured on such files."""


@dataclass(frozen=True)
class Decision:
    """A verdict, the band its score fell in, and the reasons."""

    verdict: Verdict
    band: Verdict | None
    """None where nothing was scored, and where no bands were fitted for files of this kind."""
    reasons: tuple[Reason, ...]


def decide(
    score: float | None,
    bands: Bands,
    *,
    obstacles: Collection[Reason] = (),
    stability: Stability | None = None,
) -> Decision:
    """Judge a calibrated score in 0..1, or the absence of one where an obstacle excludes the file.

    A clear answer must not be contradicted by a re-save. To say "likely AI", every re-save must agree, since
    this answer can hurt someone. "No signs found" is withheld only when a re-save says "likely AI": one that
    merely leaves the lowest band contradicts nothing, and a photograph is not made suspect by it.
    """
    if EXCLUDING.intersection(obstacles):
        return Decision(Verdict.NOT_APPLICABLE, None, tuple(obstacles))
    if score is None:
        raise ValueError("Only a file that is excluded may come without a score.")
    band = band_of(score, bands)
    if obstacles:
        return Decision(Verdict.INCONCLUSIVE, band, tuple(obstacles))
    if stability is not None and _is_contradicted(band, stability, bands):
        return Decision(Verdict.INCONCLUSIVE, band, (Reason.UNSTABLE_UNDER_RESAVE,))
    return Decision(band, band, (_REASON_OF_BAND[band],))


def decide_video(
    score: float, bands: Bands | None, smallest_side: int, *, n_frames: int
) -> Decision:
    """Judge a video by the calibrated score, 0..1, that its frames were aggregated to.

    `bands` are those fitted on footage; without them the answer is inconclusive. `smallest_side` is that
    of a frame, in pixels.
    """
    if bands is None:
        return Decision(Verdict.INCONCLUSIVE, None, (Reason.VIDEO_NOT_MEASURED,))
    obstacles = []
    if smallest_side < SMALLEST_JUDGED_FRAME:
        obstacles.append(Reason.SMALL_IMAGE)
    if n_frames < FEWEST_FRAMES:
        obstacles.append(Reason.FEW_FRAMES)
    return decide(score, bands, obstacles=obstacles)


def _is_contradicted(band: Verdict, stability: Stability, bands: Bands) -> bool:
    if band is Verdict.LIKELY_AI:
        return band_of(stability.min, bands) is not Verdict.LIKELY_AI
    return band is Verdict.NO_AI_SIGNS_FOUND and band_of(stability.max, bands) is Verdict.LIKELY_AI


def band_of(score: float, bands: Bands) -> Verdict:
    """The band in which a calibrated score falls."""
    if bands.flagged(score):
        return Verdict.LIKELY_AI
    return Verdict.NO_AI_SIGNS_FOUND if bands.cleared(score) else Verdict.INCONCLUSIVE


_REASON_OF_BAND = {
    Verdict.LIKELY_AI: Reason.SCORE_HIGH,
    Verdict.INCONCLUSIVE: Reason.SCORE_MIDDLE,
    Verdict.NO_AI_SIGNS_FOUND: Reason.SCORE_LOW,
}
