"""What the service needs from the outside, as protocols, and the data that crosses them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from detector.analysis import Analysis, ModelInfo
from detector.evaluation import EvaluationReport
from detector.image import ImageLimits
from detector.manifest import ModelManifest
from detector.video_file import VideoLimits
from lambda_api.jobs import Job

Progress = Callable[[float], None]
"""Is told the share that is done, 0 to 1. What it raises ends the analysis."""


class MediaDetector(Protocol):
    """A loaded model. Safe to share between threads, as `detector.analysis.Detector` is."""

    @property
    def manifest(self) -> ModelManifest: ...
    @property
    def model(self) -> ModelInfo: ...
    @property
    def report(self) -> EvaluationReport: ...
    @property
    def limits(self) -> ImageLimits: ...
    @property
    def video_limits(self) -> VideoLimits: ...

    def analyze_image(self, data: bytes, *, heatmap: bool) -> Analysis:
        """Raises a `detector.errors.DetectorError` when the bytes cannot be judged."""

    def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
        """Judge an image or a video, whichever its bytes are; raises like `analyze_image`."""


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


class ObjectReader(Protocol):
    """Reads files that are somebody else's, by bucket and key."""

    def as_file(self, bucket: str, key: str) -> AbstractContextManager[Path]:
        """A local copy, for as long as the context is open. Raises BlobNotFound, also where reading
        is forbidden.
        """


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


class CallCounter(Protocol):
    """Counts calls by caller and window of time. Any text may name a bucket."""

    def count(self, bucket: str, window: int) -> int:
        """How many calls were counted; 0 where none was."""

    def add(self, bucket: str, window: int, *, below: int, expires_at: datetime) -> int | None:
        """Count one more and give the new count, or None, changing nothing, at `below` or above.

        Callers at the same moment never pass `below` together.
        """


class KeyScope(StrEnum):
    """What an API key may be used for."""

    ANALYSE = "analyse"
    MESSAGE = "message"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it is kept: what it opens, and the hash by which its secret is known."""

    id: str
    name: str
    """For the operator, to tell keys apart."""
    scopes: frozenset[KeyScope]
    secret_sha256: str
    created_at: datetime
    revoked_at: datetime | None = None


class KeyStore(Protocol):
    """Keeps API keys, the revoked ones too. An unknown id raises KeyNotFound."""

    def add(self, key: ApiKey) -> None: ...

    def get(self, key_id: str) -> ApiKey: ...

    def all(self) -> list[ApiKey]:
        """The oldest first."""

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """The key opens nothing from now on; revoking again changes nothing."""


class MessageKind(StrEnum):
    """What a visitor writes about."""

    SUGGESTION = "suggestion"
    MESSAGE = "message"
    QUESTION = "question"


@dataclass(frozen=True, kw_only=True)
class VisitorMessage:
    """What somebody wrote on the Help page."""

    reference: str
    """Told to the sender, to come back to the message."""
    created_at: datetime
    expires_at: datetime
    kind: MessageKind
    text: str
    email: str | None


class FeedbackLabel(StrEnum):
    """What somebody who knows the file says about it."""

    MADE_WITH_AI = "made_with_ai"
    PHOTOGRAPH = "photograph"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """Why a result looks wrong: what was answered and what the sender says, without the file.

    `facts` holds verdict, score, condition, size, format and model: numbers and codes alone.
    """

    reference: str
    created_at: datetime
    expires_at: datetime
    label: FeedbackLabel
    facts: Mapping[str, Any]
    media: bytes | None = field(default=None, repr=False)
    """The file, if the sender allowed to keep it."""


class MessageStore(Protocol):
    """Keeps messages and feedback until they expire."""

    def save_message(self, message: VisitorMessage) -> None: ...

    def save_feedback(self, feedback: Feedback) -> None: ...

    def messages(self, *, now: datetime) -> list[VisitorMessage]:
        """The oldest first, without expired ones."""

    def feedback(self, *, now: datetime) -> list[Feedback]:
        """The oldest first, without expired ones."""


class Notifier(Protocol):
    """Tells the operator that a message was stored."""

    def notify(self, message: VisitorMessage) -> None:
        """Raises NotificationFailed when nobody was told; the message is safe then all the same."""


class Metrics(Protocol):
    """Counts and times what the service does. Labels come from the code, never from a request."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is a template such as /v1/detections/{detection_id}."""

    def analysed(self, verdict: str, seconds: float) -> None:
        """A file was judged."""

    def refused(self, code: str) -> None:
        """A file could not be judged."""
