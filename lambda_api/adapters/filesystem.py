"""Results as files in one folder. Survives restarts; a crash leaves no half-written result."""

import json
import os
import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lambda_api.errors import DetectionGone, DetectionNotFound
from lambda_api.ports import Detection

REMEMBER_GONE = timedelta(days=30)
"""After expiry; then "gone" becomes "not found"."""

_ID = re.compile(r"det_[A-Za-z0-9_-]{22,64}")
_ABANDONED_AFTER = timedelta(hours=1)


class FilesystemResultStore:
    """Per result `<id>.json` and perhaps `<id>.png`; once forgotten, only an empty `<id>.gone`.

    Every file's modification time is the result's expiry, so purging reads no content.
    """

    def __init__(self, folder: Path, *, now: datetime) -> None:
        """Creates the folder when it is missing, and purges it."""
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.purge(now=now)

    def save(self, detection: Detection, heatmap_png: bytes | None) -> None:
        if heatmap_png is not None:
            self._write(self._path(detection.id, "png"), heatmap_png, detection.expires_at)
        values = {
            "created_at": detection.created_at.isoformat(),
            "expires_at": detection.expires_at.isoformat(),
            "analysis": detection.analysis,
            "has_heatmap": detection.has_heatmap,
        }
        content = json.dumps(values).encode()
        self._write(self._path(detection.id, "json"), content, detection.expires_at)

    def load(self, detection_id: str, *, now: datetime) -> Detection:
        path = self._path(detection_id, "json")
        try:
            values: dict[str, Any] = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise self._missing(detection_id) from None
        expires_at = datetime.fromisoformat(values["expires_at"])
        if expires_at <= now or self._path(detection_id, "gone").exists():
            raise _gone()
        return Detection(
            id=detection_id,
            created_at=datetime.fromisoformat(values["created_at"]),
            expires_at=expires_at,
            analysis=values["analysis"],
            has_heatmap=values["has_heatmap"],
        )

    def load_heatmap(self, detection_id: str, *, now: datetime) -> bytes:
        self.load(detection_id, now=now)
        try:
            return self._path(detection_id, "png").read_bytes()
        except FileNotFoundError:
            raise self._missing(detection_id) from None

    def delete(self, detection_id: str) -> None:
        path = self._path(detection_id, "json")
        try:
            expires_at = path.stat().st_mtime
        except FileNotFoundError:
            if self._path(detection_id, "gone").exists():
                return
            raise _not_found() from None
        self._forget(detection_id, expires_at)

    def purge(self, *, now: datetime) -> None:
        with os.scandir(self._folder) as entries:
            for entry in entries:
                self._purge_file(Path(entry.path), now)

    def _purge_file(self, path: Path, now: datetime) -> None:
        try:
            expires_at = path.stat().st_mtime
        except FileNotFoundError:  # another process was faster
            return
        overdue = timedelta(seconds=now.timestamp() - expires_at)
        if path.suffix in {".json", ".png"} and _ID.fullmatch(path.stem):
            if overdue >= timedelta(0):
                self._forget(path.stem, expires_at)
        elif (path.suffix == ".gone" and overdue > REMEMBER_GONE) or (
            path.suffix == ".tmp" and overdue > _ABANDONED_AFTER
        ):
            path.unlink(missing_ok=True)

    def _forget(self, detection_id: str, expires_at: float) -> None:
        marker = self._path(detection_id, "gone")
        self._write(marker, b"", datetime.fromtimestamp(expires_at).astimezone())
        for suffix in ("json", "png"):
            self._path(detection_id, suffix).unlink(missing_ok=True)

    def _missing(self, detection_id: str) -> DetectionGone | DetectionNotFound:
        return _gone() if self._path(detection_id, "gone").exists() else _not_found()

    def _path(self, detection_id: str, suffix: str) -> Path:
        """Raises DetectionNotFound for what cannot be an id: none leads out of the folder."""
        if not _ID.fullmatch(detection_id):
            raise _not_found()
        return self._folder / f"{detection_id}.{suffix}"

    def _write(self, path: Path, content: bytes, expires_at: datetime) -> None:
        """All or nothing, and already with its expiry when it appears."""
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.utime(name, (expires_at.timestamp(), expires_at.timestamp()))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _not_found() -> DetectionNotFound:
    return DetectionNotFound("There is no result with this id.")


def _gone() -> DetectionGone:
    return DetectionGone("This result was deleted or has expired.")
