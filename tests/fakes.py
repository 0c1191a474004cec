"""Hand-made stand-ins for what the service is given."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from detector.analysis import Analysis
from lambda_api.observability import DelegatingDetector
from lambda_api.ports import Progress


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta) -> None:
        self.now += duration


class ImageDetector(DelegatingDetector):
    """Analyses every file as an image, so that a fake need only say what it does with those."""

    def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
        progress(1.0)
        return self.analyze_image(path.read_bytes(), heatmap=heatmap)


@dataclass
class BrokenDetector(ImageDetector):
    """Fails in a way nobody foresaw, with a message that must not get out."""

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        raise RuntimeError(f"secret of /srv/private: {data[:1]!r}, {heatmap}")


@dataclass
class WaitingDetector(ImageDetector):
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
