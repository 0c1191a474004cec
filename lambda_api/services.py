"""What the service does: analyse an image, keep the result for a while, show and delete it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.errors import ModelLoadError
from detector.image import ImageLimits
from lambda_api.ports import Detection, ImageDetector, ResultStore

MAX_UPLOAD_BYTES = 4 * 1024 * 1024
"""Of one file in one request: what still fits through a function's gateway in base64."""

Clock = Callable[[], datetime]
"""The present moment, with its time zone."""


@dataclass(frozen=True, kw_only=True)
class ServiceLimits:
    """The numbers that are published, enforced and rendered by the site."""

    image: ImageLimits
    result_lifetime: timedelta
    max_upload_bytes: int = MAX_UPLOAD_BYTES


class DetectionService:
    """Analyses images and keeps the results. `detector` is a loaded one, or why there is none."""

    def __init__(
        self,
        detector: ImageDetector | ModelLoadError,
        store: ResultStore,
        *,
        clock: Clock,
        result_lifetime: timedelta,
    ) -> None:
        self._detector = detector
        self._store = store
        self._clock = clock
        self._result_lifetime = result_lifetime

    @property
    def detector(self) -> ImageDetector:
        """Raises ModelLoadError when there is none; nothing is ever scored by default."""
        if isinstance(self._detector, ModelLoadError):
            raise ModelLoadError(*self._detector.args)
        return self._detector

    def analyse(self, data: bytes) -> Detection:
        """Judge one image file and keep the result, with its heatmap if heatmaps were verified.

        Raises DetectorError.
        """
        detector = self.detector
        analysis = detector.analyze_image(data, heatmap=detector.report.heatmap_is_verified)
        created_at = self._clock().replace(microsecond=0)
        detection = Detection(
            id=new_detection_id(),
            created_at=created_at,
            expires_at=created_at + self._result_lifetime,
            analysis=analysis.to_dict(),
            has_heatmap=analysis.heatmap_png is not None,
        )
        self._store.save(detection, analysis.heatmap_png)
        return detection

    def get(self, detection_id: str) -> Detection:
        """Raises DetectionNotFound or DetectionGone."""
        return self._store.load(detection_id, now=self._clock())

    def heatmap(self, detection_id: str) -> bytes:
        """A PNG. Raises DetectionNotFound or DetectionGone."""
        return self._store.load_heatmap(detection_id, now=self._clock())

    def delete(self, detection_id: str) -> None:
        """Forget a result; again is fine. Raises DetectionNotFound."""
        self._store.delete(detection_id)

    def purge(self) -> None:
        """Forget every expired result."""
        self._store.purge(now=self._clock())


def new_detection_id() -> str:
    """Unguessable: an id is all that is needed to read a result, so it carries 144 random bits."""
    return f"det_{secrets.token_urlsafe(18)}"
