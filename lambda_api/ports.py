"""What the service needs from the outside, as protocols, and the data that crosses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from detector.analysis import Analysis, ModelInfo
from detector.evaluation import EvaluationReport
from detector.image import ImageLimits
from detector.manifest import ModelManifest


class ImageDetector(Protocol):
    """A loaded model. Safe to share between threads, as `detector.analysis.Detector` is."""

    @property
    def manifest(self) -> ModelManifest: ...
    @property
    def model(self) -> ModelInfo: ...
    @property
    def report(self) -> EvaluationReport: ...
    @property
    def limits(self) -> ImageLimits: ...

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        """Raises a `detector.errors.DetectorError` when the bytes cannot be judged."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """A finished analysis as it is kept. The media itself never is."""

    id: str
    created_at: datetime
    expires_at: datetime
    analysis: Mapping[str, Any]
    """`Analysis.to_dict()`."""
    has_heatmap: bool


class ResultStore(Protocol):
    """Keeps results until they expire or are deleted.

    An id that was never saved, or could not be one, raises DetectionNotFound everywhere.
    One that was deleted or has expired raises DetectionGone on reading. How long a store can tell
    "gone" from "not found" is its own affair, but it is at least a day after expiry.
    """

    def save(self, detection: Detection, heatmap_png: bytes | None) -> None:
        """Keep a result; readers see all of it or nothing."""

    def load(self, detection_id: str, *, now: datetime) -> Detection: ...

    def load_heatmap(self, detection_id: str, *, now: datetime) -> bytes:
        """Also raises DetectionNotFound when the result has no heatmap."""

    def delete(self, detection_id: str) -> None:
        """Forget the content for good; deleting again does nothing."""

    def purge(self, *, now: datetime) -> None:
        """Forget the content of every expired result."""
