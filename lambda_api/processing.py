"""What a worker does with a job: analyse its file, keep the result, delete the file."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from detector.analysis import Analysis
from detector.errors import DetectorError, ModelLoadError, UnsupportedType
from lambda_api.errors import (
    BlobNotFound,
    DetectionGone,
    DetectionNotFound,
    JobConflict,
    ProblemCode,
)
from lambda_api.jobs import Job, JobProblem, heatmap_key, media_key
from lambda_api.ports import BlobStore, ImageDetector, JobRepository, Progress
from lambda_api.services import Clock, delete_media, forget_blobs

MAX_ATTEMPTS = 3

PROGRESS_INTERVAL_SECONDS = 1.0
"""Progress is stored no more often."""


class JobHeld(Exception):
    """Somebody else works on the job, or may: it must be brought again later."""


class JobProcessor:
    """Brings one job after another to its end. May be asked twice, or by two, for the same one."""

    def __init__(
        self,
        detector: ImageDetector | ModelLoadError,
        *,
        jobs: JobRepository,
        blobs: BlobStore,
        clock: Clock,
        lease: timedelta,
    ) -> None:
        """`lease` must be longer than a worker may be silent; after it, the job is tried again."""
        self._detector = detector
        self._jobs = jobs
        self._blobs = blobs
        self._clock = clock
        self._lease = lease

    def process(self, job_id: str) -> None:
        """Returns once nothing is left to do for the job.

        Raises JobHeld, or what made the attempt fail; the job must be brought again then.
        """
        try:
            job = self._jobs.get(job_id, now=self._clock())
        except (DetectionNotFound, DetectionGone):
            forget_blobs(job_id, self._blobs)
            return
        try:
            if not job.finished:
                job = self._attempt(job)
            if not job.settled:
                delete_media(job, jobs=self._jobs, blobs=self._blobs, clock=self._clock)
        except JobConflict as error:
            self._yield_to_other(job_id, error)

    def _attempt(self, job: Job) -> Job:
        if job.leased(self._clock()):
            raise JobHeld(job.id)
        if job.attempts >= MAX_ATTEMPTS:
            return self._end(job.failed(JobProblem(ProblemCode.ANALYSIS_FAILED, None)))
        job = self._end(job.started(lease_until=self._clock() + self._lease))
        track = _Track(job, self._store_progress)
        try:
            analysis = self._analyse(job, track.report)
        except BlobNotFound:
            return self._end(track.job.failed(JobProblem(ProblemCode.UPLOAD_MISSING, None)))
        except ModelLoadError:  # no fault of the file's
            self._end(track.job.released())
            raise
        except DetectorError as error:
            return self._end(track.job.failed(_problem(error)))
        except JobConflict:
            raise
        except Exception:  # of any kind: the job is tried again, until it has failed often enough
            self._end(track.job.released())
            raise
        heatmap = analysis.heatmap_png
        if heatmap is not None:
            self._blobs.save(heatmap_key(job.id), heatmap, content_type="image/png")
        return self._end(track.job.succeeded(analysis.to_dict(), has_heatmap=heatmap is not None))

    def _analyse(self, job: Job, progress: Progress) -> Analysis:
        if isinstance(self._detector, ModelLoadError):
            raise ModelLoadError(*self._detector.args)
        with self._blobs.as_file(media_key(job.id)) as path:
            return analyse_file(self._detector, path, progress)

    def _store_progress(self, job: Job, share: float) -> Job:
        return self._end(job.progressed(share, lease_until=self._clock() + self._lease))

    def _end(self, job: Job) -> Job:
        self._jobs.replace(job)
        return job

    def _yield_to_other(self, job_id: str, conflict: JobConflict) -> None:
        """The job was deleted during the attempt, or taken over."""
        try:
            self._jobs.get(job_id, now=self._clock())
        except (DetectionNotFound, DetectionGone):
            forget_blobs(job_id, self._blobs)
        else:
            raise JobHeld(job_id) from conflict


class _Track:
    """The job's newest step while its analysis goes on."""

    def __init__(self, job: Job, store: Callable[[Job, float], Job]) -> None:
        self.job = job
        self._store = store
        self._stored_at = time.monotonic()

    def report(self, share: float) -> None:
        """Raises JobConflict, which ends the analysis, when the job was deleted or taken over."""
        if time.monotonic() - self._stored_at >= PROGRESS_INTERVAL_SECONDS:
            self.job = self._store(self.job, share)
            self._stored_at = time.monotonic()


def _problem(error: DetectorError) -> JobProblem:
    # That message is meant for the command line.
    detail = None if isinstance(error, UnsupportedType) else str(error)
    return JobProblem(ProblemCode(error.code), detail)


def analyse_file(detector: ImageDetector, path: Path, progress: Progress) -> Analysis:
    """The one place where a kind of media meets its analysis."""
    del progress  # an image is analysed in one go
    return detector.analyze_image(path.read_bytes(), heatmap=True)
