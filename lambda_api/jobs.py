"""A job: one file on its way to a result. Its states, and the only steps between them."""

import dataclasses
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from lambda_api.errors import ProblemCode

_ID = re.compile(r"det_[A-Za-z0-9_-]{22,64}")
_BLOB_KEY = re.compile(rf"uploads/{_ID.pattern}|heatmaps/{_ID.pattern}\.png")


class JobStatus(StrEnum):
    """awaiting_upload -> queued -> processing -> succeeded | failed"""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


UNFINISHED = frozenset({JobStatus.AWAITING_UPLOAD, JobStatus.QUEUED, JobStatus.PROCESSING})


@dataclass(frozen=True)
class JobProblem:
    """Why a job failed. `detail` is a sentence for people, or None for the usual one."""

    code: ProblemCode
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Job:
    """As it is kept. Each step gives a new one with a higher revision, to be stored by compare-and-set.

    A step from a state that does not allow it is a mistake of the caller (AssertionError).
    """

    id: str
    status: JobStatus
    created_at: datetime
    expires_at: datetime
    """From then on everything about the job is gone."""
    revision: int = 0
    attempts: int = 0
    """How often an analysis was begun."""
    lease_until: datetime | None = None
    """While processing: until then nobody else may take the job over."""
    give_up_at: datetime | None = None
    """While unfinished: when a job that nobody brought to an end counts as failed."""
    progress: float = 0.0
    """Share of the analysis that is done, 0 to 1."""
    analysis: Mapping[str, Any] | None = None
    """`Analysis.to_dict()` of a job that succeeded."""
    has_heatmap: bool = False
    problem: JobProblem | None = None
    has_media: bool = True
    """Whether a file is, or may be, kept for it."""
    media_deleted_at: datetime | None = None

    @property
    def finished(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def settled(self) -> bool:
        """Finished, and its media is deleted."""
        return self.finished and not self.has_media

    def overdue(self, now: datetime) -> bool:
        """Whether nobody will bring it to an end any more."""
        return not self.finished and self.give_up_at is not None and self.give_up_at <= now

    def leased(self, now: datetime) -> bool:
        """Whether somebody is, or may be, working on it."""
        return self.lease_until is not None and now < self.lease_until

    def queued(self, *, expires_at: datetime, give_up_at: datetime) -> Self:
        """Its file has arrived."""
        assert self.status is JobStatus.AWAITING_UPLOAD, self.status
        return self._next(status=JobStatus.QUEUED, expires_at=expires_at, give_up_at=give_up_at)

    def started(self, *, lease_until: datetime) -> Self:
        """An attempt begins: the first, or one after a worker that died."""
        assert self.status in {JobStatus.QUEUED, JobStatus.PROCESSING}, self.status
        return self._next(
            status=JobStatus.PROCESSING,
            attempts=self.attempts + 1,
            lease_until=lease_until,
            progress=0.0,
        )

    def progressed(self, progress: float, *, lease_until: datetime) -> Self:
        """A worker shows how far it has come, and that it lives."""
        assert self.status is JobStatus.PROCESSING, self.status
        return self._next(progress=progress, lease_until=lease_until)

    def released(self) -> Self:
        """Its worker died or gave it back: the next attempt may begin at once."""
        assert self.status is JobStatus.PROCESSING, self.status
        return self._next(status=JobStatus.QUEUED, lease_until=None, progress=0.0)

    def succeeded(self, analysis: Mapping[str, Any], *, has_heatmap: bool) -> Self:
        assert self.status is JobStatus.PROCESSING, self.status
        return self._next(
            status=JobStatus.SUCCEEDED,
            lease_until=None,
            progress=1.0,
            analysis=analysis,
            has_heatmap=has_heatmap,
        )

    def failed(self, problem: JobProblem) -> Self:
        assert not self.finished, self.status
        return self._next(status=JobStatus.FAILED, lease_until=None, problem=problem)

    def media_deleted(self, at: datetime) -> Self:
        """Nothing is left of its file."""
        assert self.finished, self.status
        return self._next(has_media=False, media_deleted_at=at)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        values = dataclasses.asdict(self)
        for name in _TIMES:
            moment: datetime | None = values[name]
            values[name] = moment and moment.isoformat()
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` gave."""
        plain = dict(values)
        for name in _TIMES:
            text: str | None = plain[name]
            plain[name] = text and datetime.fromisoformat(text)
        plain["status"] = JobStatus(plain["status"])
        if plain["problem"] is not None:
            problem = plain["problem"]
            plain["problem"] = JobProblem(ProblemCode(problem["code"]), problem["detail"])
        return cls(**plain)

    def _next(self, **changes: Any) -> Self:  # noqa: ANN401 - the fields of any step
        return dataclasses.replace(self, revision=self.revision + 1, **changes)


_TIMES = ("created_at", "expires_at", "lease_until", "give_up_at", "media_deleted_at")


def new_job(now: datetime, lifetime: timedelta) -> Job:
    """One that waits for its file for `lifetime` at most."""
    created_at = now.replace(microsecond=0)
    return Job(
        id=new_job_id(),
        status=JobStatus.AWAITING_UPLOAD,
        created_at=created_at,
        expires_at=created_at + lifetime,
    )


def finished_job(
    now: datetime, lifetime: timedelta, analysis: Mapping[str, Any], *, has_heatmap: bool
) -> Job:
    """One whose file was analysed as it came and never kept."""
    return dataclasses.replace(
        new_job(now, lifetime),
        status=JobStatus.SUCCEEDED,
        attempts=1,
        progress=1.0,
        analysis=analysis,
        has_heatmap=has_heatmap,
        has_media=False,
    )


def new_job_id() -> str:
    """Unguessable: an id is all that is needed to read a result, so it carries 144 random bits."""
    return f"det_{secrets.token_urlsafe(18)}"


def is_job_id(text: str) -> bool:
    """Whether this could be an id at all."""
    return _ID.fullmatch(text) is not None


def is_blob_key(text: str) -> bool:
    """Whether `media_key` or `heatmap_key` could have given this."""
    return _BLOB_KEY.fullmatch(text) is not None


def media_key(job_id: str) -> str:
    """Where the job's file is kept until it is scored."""
    return f"uploads/{job_id}"


def heatmap_key(job_id: str) -> str:
    """Where the job's heatmap is kept as long as its result."""
    return f"heatmaps/{job_id}.png"
