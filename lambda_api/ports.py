"""What the service needs from the outside, as protocols, and the data that crosses them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from detector.analysis import Analysis, ModelInfo
from detector.evaluation import EvaluationReport
from detector.image import ImageLimits
from detector.manifest import ModelManifest
from lambda_api.jobs import Job


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


Progress = Callable[[float], None]
"""Is told the share that is done, 0 to 1. What it raises ends the analysis."""


@dataclass(frozen=True, kw_only=True)
class UploadForm:
    """What a client posts as multipart/form-data: all `fields` first, then the bytes as `file`."""

    url: str
    """Absolute, or a path of this service."""
    fields: Mapping[str, str]


class BlobStore(Protocol):
    """Keeps files under the keys that `jobs.media_key` and `jobs.heatmap_key` give.

    Reading a key under which nothing is kept, or that is no such key, raises BlobNotFound.
    """

    def upload_form(
        self, key: str, *, content_type: str, max_bytes: int, lifetime: timedelta
    ) -> UploadForm:
        """A form that lets whoever holds it upload one file: under exactly this key and content
        type, of 1 to `max_bytes` bytes, for `lifetime` from now.
        """

    def exists(self, key: str) -> bool: ...

    def save(self, key: str, data: bytes, *, content_type: str) -> None:
        """Readers see all of it or nothing. Saving again replaces."""

    def load(self, key: str) -> bytes: ...

    def as_file(self, key: str) -> AbstractContextManager[Path]:
        """A local file with the content, only to be read, for as long as the context is open."""

    def delete(self, key: str) -> None:
        """Forget the content for good; what is not there needs no deleting."""


class IncomingFile(Protocol):
    """A file that is being uploaded. Nobody sees it before it is complete."""

    def write(self, data: bytes) -> None:
        """Raises UploadTooLarge beyond what the form allows."""

    def finish(self) -> None:
        """Keep it. Raises UploadRefused when there is a file under its key already."""

    def abort(self) -> None:
        """Leave nothing of it, unless it is finished."""


class FormReceiver(Protocol):
    """A blob store that takes the forms it gave out itself, where no file store does it."""

    @property
    def path(self) -> str:
        """Of this service, to which the forms are posted."""

    def receive(self, fields: Mapping[str, str]) -> IncomingFile:
        """Raises UploadRefused unless the fields are those of a form that is still valid."""


class JobRepository(Protocol):
    """Keeps jobs until they expire or are deleted.

    An id that was never kept, or could not be one, raises DetectionNotFound everywhere.
    One that was deleted or has expired raises DetectionGone on reading. How long a repository can
    tell "gone" from "not found" is its own affair, but it is at least a day after expiry.
    """

    def add(self, job: Job) -> None:
        """Keep a new job. Raises JobConflict when its id is, or was, taken."""

    def get(self, job_id: str, *, now: datetime) -> Job: ...

    def replace(self, job: Job) -> None:
        """Store the next step of a job, if the kept one is still the step before it.

        Raises JobConflict when another step was faster or the job was deleted: nothing is stored then.
        """

    def delete(self, job_id: str) -> None:
        """Forget the content for good; deleting again does nothing."""


class JobLedger(JobRepository, Protocol):
    """A repository that lists its jobs too, for a service that cleans up after itself."""

    def unsettled(self) -> list[Job]:
        """Those whose analysis or whose media's deletion is still to be done, oldest first."""

    def expired(self, *, now: datetime) -> list[str]:
        """Ids of those that were not deleted yet."""

    def purge(self, *, now: datetime) -> None:
        """Forget ids that have been gone for long."""


class JobQueue(Protocol):
    """Brings jobs to workers: each at least once, in about the order they were put."""

    def put(self, job_id: str) -> None:
        """Ask for a job that is kept as queued. Putting it twice does no harm."""


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """An HTTP answer to be given again, word for word."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class KeyClaim:
    """What is known under one idempotency key: a request, and its answer once it is finished."""

    key: str
    fingerprint: str
    """Of the request; another one under the same key is refused."""
    token: str
    """Of the claim: who has it may finish or release the key."""
    claimed_until: datetime
    """An unfinished request that is older has died; its key may be claimed anew."""
    expires_at: datetime
    answer: StoredAnswer | None = None

    def holds(self, now: datetime) -> bool:
        """Whether nobody else may claim the key."""
        return now < (self.expires_at if self.answer else self.claimed_until)


class IdempotencyStore(Protocol):
    """Remembers which requests were made under which keys. Any text may be a key."""

    def claim(self, claim: KeyClaim, *, now: datetime) -> KeyClaim | None:
        """Take the key if nothing holds it; otherwise give what holds it, and change nothing."""

    def finish(self, claim: KeyClaim, *, resource: str | None) -> None:
        """Keep the claim with its answer. `resource` is the path that the answer tells about.

        Does nothing when the key was claimed anew in the meantime.
        """

    def release(self, claim: KeyClaim) -> None:
        """Give the key back as if it was never claimed, unless it was claimed anew."""

    def forget(self, resource: str) -> None:
        """Forget every answer that tells about this resource."""
