"""From the frames of a video to one score: frames are scored in batches, then aggregated by one rule."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from detector.classifier import Classifier
from detector.preprocess import Crops, PreprocessSpec, cut_crops
from detector.verdict import FEWEST_FRAMES
from detector.video_file import Frame, VideoFile

VIDEO = "video"
"""The condition that footage is in: errors and bands of its own."""

AGGREGATION = "quarter_of_frames"
"""The rule of `aggregate`: the score that at least a quarter of the frames reach, and never fewer than two."""

CROPS_PER_AXIS = 2
"""Of a frame; fewer than of an image, since there are many frames."""
_FRAMES_PER_BATCH = 4

Progress = Callable[[float], None]
"""Is told the share of the work that is done, rising from above 0 to 1."""


@dataclass(frozen=True)
class ScoredFrame:
    """The calibrated score, 0..1, of the frame at `t` seconds from the start."""

    t: float
    score: float


@dataclass(frozen=True)
class Segment:
    """A stretch, in seconds from the start, whose frames all lie in the likely-AI band."""

    start: float
    end: float
    """Time of the next frame that was looked at, or the end of what was analysed."""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """What was found where in a video. Sound is not analysed."""

    frames: tuple[ScoredFrame, ...]
    segments: tuple[Segment, ...]
    aggregation: str
    analysed_seconds: float
    audio_analysed: bool = False


def frame_logits(
    classifier: Classifier, video: VideoFile, progress: Progress = lambda _share: None
) -> tuple[list[float], list[float]]:
    """The times in seconds and the mean logits of a video's chosen frames, in order.

    Raises UndecodableMedia when there is no readable frame, and TooManyPixels.
    """
    spec = replace(
        classifier.manifest.spec,
        max_crops_per_axis=min(CROPS_PER_AXIS, classifier.manifest.spec.max_crops_per_axis),
    )
    times: list[float] = []
    logits: list[float] = []
    for batch in _batches(video.frames(), spec):
        times += [t for t, _ in batch]
        scored = classifier.score_together([crops for _, crops in batch])
        logits += [float(evidence.logits.mean()) for evidence in scored]
        progress(min(len(times) / len(video.planned), 0.99))
    progress(1.0)
    return times, logits


def aggregate(values: Sequence[float]) -> float:
    """The value that a quarter of all reach, rounded up to whole frames, and never fewer than two.

    So a single frame, however high, cannot lift the result. Of one value, that value.
    """
    reached_by = max(FEWEST_FRAMES, math.ceil(len(values) / 4))
    return sorted(values, reverse=True)[min(reached_by, len(values)) - 1]


def find_segments(
    frames: Sequence[ScoredFrame], limit: float, analysed_seconds: float
) -> tuple[Segment, ...]:
    """The stretches of neighbouring frames whose scores are at least `limit`."""
    ends = [*(frame.t for frame in frames[1:]), analysed_seconds]
    segments: list[Segment] = []
    is_going_on = False
    for frame, end in zip(frames, ends, strict=True):
        if frame.score >= limit:
            start = segments.pop().start if is_going_on else frame.t
            segments.append(Segment(start, round(max(end, frame.t), 3)))
        is_going_on = frame.score >= limit
    return tuple(segments)


def _batches(frames: Iterator[Frame], spec: PreprocessSpec) -> Iterator[list[tuple[float, Crops]]]:
    """Times and crops of a few frames at once; whole frames are let go one by one."""
    cut = ((frame.t, cut_crops(frame.pixels, spec)) for frame in frames)
    while batch := list(islice(cut, _FRAMES_PER_BATCH)):
        yield batch
