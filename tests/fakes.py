"""Hand-made stand-ins for what the service is given."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detector.analysis import Analysis, Detector, ModelInfo
from detector.evaluation import EvaluationReport
from detector.image import ImageLimits
from detector.manifest import ModelManifest
from detector.video_file import VideoLimits
from lambda_api.ports import Progress


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta) -> None:
        self.now += duration


@dataclass
class DelegatingDetector:
    """Answers everything as `inner` does."""

    inner: Detector

    @property
    def manifest(self) -> ModelManifest:
        return self.inner.manifest

    @property
    def model(self) -> ModelInfo:
        return self.inner.model

    @property
    def report(self) -> EvaluationReport:
        return self.inner.report

    @property
    def limits(self) -> ImageLimits:
        return self.inner.limits

    @property
    def video_limits(self) -> VideoLimits:
        return self.inner.video_limits

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        return self.inner.analyze_image(data, heatmap=heatmap)

    def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
        progress(1.0)
        return self.analyze_image(path.read_bytes(), heatmap=heatmap)


@dataclass
class BrokenDetector(DelegatingDetector):
    """Fails in a way nobody foresaw, with a message that must not get out."""

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        raise RuntimeError(f"secret of /srv/private: {data[:1]!r}, {heatmap}")


@dataclass
class WaitingDetector(DelegatingDetector):
    """Holds every analysis until it is released, and remembers how many ran at once."""

    release: threading.Event = field(default_factory=threading.Event)
    running: int = 0
    most_running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        self.release.wait(10)
        with self._lock:
            self.running -= 1
        return super().analyze_image(data, heatmap=heatmap)
