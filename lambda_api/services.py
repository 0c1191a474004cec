"""What the service does for its callers: analyse a file now or as a job, show the result, delete it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from detector.errors import ModelLoadError
from detector.image import PILLOW_FORMATS, ImageLimits
from lambda_api.errors import (
    BlobNotFound,
    DetectionGone,
    DetectionNotFound,
    JobConflict,
    ProblemCode,
    UnsupportedContentType,
    UploadDeclaredTooLarge,
    UploadMissing,
    UploadRefused,
)
from lambda_api.jobs import (
    Job,
    JobProblem,
    JobStatus,
    finished_job,
    heatmap_key,
    media_key,
    new_job,
)
from lambda_api.ports import BlobStore, ImageDetector, JobQueue, JobRepository, UploadForm

MAX_UPLOAD_BYTES = 4 * 1024 * 1024
"""Of one file in one request: what still fits through a function's gateway in base64."""

FORM_LIFETIME = timedelta(seconds=300)
"""For this long a file can be posted with the form of an upload."""

SUBMISSION_GRACE = timedelta(seconds=600)
"""An upload whose analysis is not asked for within this time after its form ended is deleted."""

ANY_CONTENT_TYPE = "application/octet-stream"
"""For files whose type the client does not know. Files are judged by their bytes anyway."""

Clock = Callable[[], datetime]
"""The present moment, with its time zone."""


@dataclass(frozen=True, kw_only=True)
class ServiceLimits:
    """The numbers that are published, enforced and rendered by the site."""

    image: ImageLimits
    result_lifetime: timedelta
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    form_lifetime: timedelta = FORM_LIFETIME
    job_lifetime: timedelta = timedelta(hours=1)
    """A job that nobody brought to an end for so long has failed."""

    def max_bytes_of(self, content_type: str) -> int:
        """Of an upload of this type. Raises UnsupportedContentType for one that is never analysed."""
        if content_type not in UPLOAD_CONTENT_TYPES:
            raise UnsupportedContentType(
                f"Files of type {content_type!r} are not analysed; "
                f"of an unknown type, say {ANY_CONTENT_TYPE}."
            )
        return self.image.max_bytes


UPLOAD_CONTENT_TYPES = (
    *(f"image/{name}" for name in PILLOW_FORMATS),
    "image/heif",
    ANY_CONTENT_TYPE,
)


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A place for one file, and the form that fills it."""

    job: Job
    form: UploadForm
    max_bytes: int
    expires_at: datetime
    """Of the form."""


class DetectionService:
    """`detector` is a loaded one, or why there is none."""

    def __init__(
        self,
        detector: ImageDetector | ModelLoadError,
        *,
        jobs: JobRepository,
        blobs: BlobStore,
        queue: JobQueue,
        clock: Clock,
        limits: ServiceLimits,
    ) -> None:
        self._detector = detector
        self._jobs = jobs
        self._blobs = blobs
        self._queue = queue
        self._clock = clock
        self._limits = limits

    @property
    def detector(self) -> ImageDetector:
        """Raises ModelLoadError when there is none; nothing is ever scored by default."""
        if isinstance(self._detector, ModelLoadError):
            raise ModelLoadError(*self._detector.args)
        return self._detector

    def analyse(self, data: bytes) -> Job:
        """Judge one image file now and keep the result, never the file. Raises DetectorError."""
        analysis = self.detector.analyze_image(data, heatmap=True)
        heatmap = analysis.heatmap_png
        job = finished_job(
            self._clock(),
            self._limits.result_lifetime,
            analysis.to_dict(),
            has_heatmap=heatmap is not None,
        )
        if heatmap is not None:
            self._blobs.save(heatmap_key(job.id), heatmap, content_type="image/png")
        self._jobs.add(job)
        return job

    def enqueue(self, data: bytes) -> Job:
        """Keep a file that came with the request until it is analysed in its turn."""
        self.detector  # noqa: B018 - raises when there is none
        job = new_job(self._clock(), SUBMISSION_GRACE)
        self._jobs.add(job)
        self._blobs.save(media_key(job.id), data, content_type=ANY_CONTENT_TYPE)
        return self._queue_up(job)

    def prepare_upload(self, content_type: str, declared_bytes: int) -> Upload:
        """A place for a file of exactly this type and at most this size.

        Raises UnsupportedContentType or UploadDeclaredTooLarge.
        """
        max_bytes = self._limits.max_bytes_of(content_type)
        if declared_bytes > max_bytes:
            raise UploadDeclaredTooLarge(max_bytes)
        lifetime = self._limits.form_lifetime
        job = new_job(self._clock(), lifetime + SUBMISSION_GRACE)
        form = self._blobs.upload_form(
            media_key(job.id),
            content_type=content_type,
            max_bytes=declared_bytes,
            lifetime=lifetime,
        )
        self._jobs.add(job)
        return Upload(
            job=job, form=form, max_bytes=declared_bytes, expires_at=job.created_at + lifetime
        )

    def submit(self, upload_id: str) -> Job:
        """Have an uploaded file analysed. Asking again, at any time, changes nothing.

        Raises DetectionNotFound, DetectionGone or UploadMissing.
        """
        self.detector  # noqa: B018 - raises when there is none
        job = self._jobs.get(upload_id, now=self._clock())
        if job.status is JobStatus.AWAITING_UPLOAD:
            if not self._blobs.exists(media_key(job.id)):
                raise UploadMissing
            return self._queue_up(job)
        if job.status is JobStatus.QUEUED:  # perhaps its message was never sent
            self._queue.put(job.id)
        return job

    def get(self, detection_id: str) -> Job:
        """Raises DetectionNotFound or DetectionGone."""
        now = self._clock()
        job = self._jobs.get(detection_id, now=now)
        return self.give_up(job) if job.overdue(now) else job

    def heatmap(self, detection_id: str) -> bytes:
        """A PNG. Raises DetectionNotFound or DetectionGone."""
        job = self.get(detection_id)
        try:
            return self._blobs.load(heatmap_key(job.id))
        except BlobNotFound:
            raise DetectionNotFound from None

    def delete(self, detection_id: str) -> None:
        """Forget a result and its media; again is fine. Raises DetectionNotFound."""
        self._jobs.delete(detection_id)
        self._forget_blobs(detection_id)

    def give_up(self, job: Job) -> Job:
        """Fail a job that nobody brings to an end any more, and delete its media."""
        try:
            failed = job.failed(JobProblem(ProblemCode.ANALYSIS_FAILED, None))
            self._jobs.replace(failed)
            return delete_media(failed, jobs=self._jobs, blobs=self._blobs, clock=self._clock)
        except JobConflict:
            return self._jobs.get(job.id, now=self._clock())

    def expect_upload(self, detection_id: str) -> None:
        """Raises UploadRefused unless this job still waits for its file."""
        job = self._peek(detection_id)
        if job is None or job.status is not JobStatus.AWAITING_UPLOAD:
            raise UploadRefused("This upload is over: ask for a new form.")

    def settle_upload(self, detection_id: str) -> None:
        """A file arrived. If its job ended or was deleted meanwhile, the file is deleted too."""
        job = self._peek(detection_id)
        if job is None or job.finished:
            self._blobs.delete(media_key(detection_id))

    def _queue_up(self, job: Job) -> Job:
        now = self._clock()
        expires_at = now.replace(microsecond=0) + self._limits.result_lifetime
        queued = job.queued(expires_at=expires_at, give_up_at=now + self._limits.job_lifetime)
        try:
            self._jobs.replace(queued)
        except JobConflict:  # submitted twice at once: the other one won
            queued = self._jobs.get(job.id, now=now)
        self._queue.put(queued.id)
        return queued

    def _peek(self, detection_id: str) -> Job | None:
        try:
            return self._jobs.get(detection_id, now=self._clock())
        except (DetectionNotFound, DetectionGone):
            return None

    def _forget_blobs(self, detection_id: str) -> None:
        forget_blobs(detection_id, self._blobs)


def delete_media(job: Job, *, jobs: JobRepository, blobs: BlobStore, clock: Clock) -> Job:
    """Delete a finished job's file, and all else if it failed, then say so. Raises JobConflict."""
    blobs.delete(media_key(job.id))
    if job.problem is not None:
        blobs.delete(heatmap_key(job.id))
    done = job.media_deleted(clock().replace(microsecond=0))
    jobs.replace(done)
    return done


def forget_blobs(job_id: str, blobs: BlobStore) -> None:
    """Delete everything that is kept for a job beside its row."""
    blobs.delete(media_key(job_id))
    blobs.delete(heatmap_key(job_id))
