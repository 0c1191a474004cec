"""What a bulk run does with the objects of a bucket: analyse each, and say one thing about it."""

from dataclasses import dataclass
from typing import Any

from detector.errors import DetectorError, FileTooLarge
from lambda_api.errors import BlobNotFound
from lambda_api.ports import MediaDetector, ObjectReader


@dataclass(frozen=True)
class BulkScorer:
    """Analyses objects that it only reads."""

    detector: MediaDetector
    objects: ObjectReader

    def score(self, bucket: str, key: str, size_bytes: int) -> dict[str, Any]:
        """A line as `asli detect --json` writes it: `path` and the analysis, or an `error` with its code.

        Raises whatever went wrong that is no fault of the object's.
        """
        try:
            outcome = self._analyse(bucket, key, size_bytes)
        except BlobNotFound:
            outcome = _failure("object_missing", "The object cannot be read, or is gone.")
        except DetectorError as error:
            outcome = _failure(error.code, str(error))
        return {"path": f"s3://{bucket}/{key}", **outcome}

    def _analyse(self, bucket: str, key: str, size_bytes: int) -> dict[str, Any]:
        limit = max(self.detector.limits.max_bytes, self.detector.video_limits.max_bytes)
        if size_bytes > limit:  # so that it is not even fetched
            raise FileTooLarge(f"The file has {size_bytes} bytes; the limit is {limit}.")
        with self.objects.as_file(bucket, key) as path:
            analysis = self.detector.analyze_file(path, heatmap=False, progress=_nobody_waits)
        return analysis.to_dict()


def _failure(code: str, detail: str) -> dict[str, Any]:
    return {"error": {"code": code, "detail": detail}}


def _nobody_waits(_share: float) -> None:
    """A run tells of whole batches only."""
