"""The embedded service's own storage and worker: everything in one data folder, nothing to install."""

import fcntl
import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from lambda_api.adapters.filesystem import FilesystemBlobStore
from lambda_api.adapters.sqlite import (
    Database,
    SqliteIdempotencyStore,
    SqliteJobQueue,
    SqliteJobRepository,
)
from lambda_api.errors import JobConflict
from lambda_api.jobs import Job, JobStatus
from lambda_api.processing import JobHeld, JobProcessor
from lambda_api.services import Clock, DetectionService

logger = logging.getLogger(__name__)

SWEEP_INTERVAL = timedelta(seconds=30)

_WAIT_SECONDS = 1.0


class EmbeddedStorage:
    """All adapters on one data folder."""

    def __init__(self, data_dir: Path, *, clock: Clock) -> None:
        """Creates what is missing. Raises OSError when the folder cannot be used."""
        self.database = Database(data_dir)
        self.jobs = SqliteJobRepository(self.database)
        self.queue = SqliteJobQueue(self.database)
        self.idempotency = SqliteIdempotencyStore(self.database)
        self.blobs = FilesystemBlobStore(data_dir / "blobs", clock=clock)
        self.worker_lock = data_dir / "worker.lock"


class EmbeddedWorker:
    """Does the queued jobs, and deletes what has expired or was left behind by a killed process.

    Of all the processes that share a data folder one works; when it dies, another takes over.
    """

    def __init__(
        self,
        storage: EmbeddedStorage,
        *,
        processor: JobProcessor,
        detections: DetectionService,
        clock: Clock,
    ) -> None:
        self._storage = storage
        self._processor = processor
        self._detections = detections
        self._clock = clock

    def start(self, *, sweep_interval: timedelta = SWEEP_INTERVAL) -> None:
        """Recover before anything is served, then work in threads until the process ends."""
        lock = self._storage.worker_lock.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            work = self._wait_and_work
        else:
            _try(self.recover)
            work = self._work_forever
        arguments = (lock, sweep_interval.total_seconds())
        threading.Thread(target=work, args=arguments, name="worker", daemon=True).start()

    def recover(self) -> None:
        """Clean up after the last process on this folder; nobody else uses it now."""
        self._storage.idempotency.release_unfinished()
        self.take_over()

    def take_over(self) -> None:
        """Go on with what the last worker left when it ended: nobody can be at it any more."""
        self._storage.blobs.purge()
        for job in self._storage.jobs.unsettled():
            if job.status is JobStatus.PROCESSING:
                self._release(job)
        self.sweep()

    def sweep(self) -> None:
        """Delete what has expired, and see to what nobody else will come back to."""
        storage, now = self._storage, self._clock()
        for job_id in storage.jobs.expired(now=now):
            self._detections.delete(job_id)
        for job_id in storage.blobs.media():
            self._detections.settle_upload(job_id)
        for job in storage.jobs.unsettled():
            if job.overdue(now):
                self._detections.give_up(job)
            elif job.finished:
                self.work_on(job.id)
            elif job.status is JobStatus.PROCESSING and not job.leased(now):
                self._release(job)
        storage.jobs.purge(now=now)
        storage.idempotency.purge(now=now)

    def work_on(self, job_id: str) -> None:
        """One attempt at a job. A failure is logged; the job stays for the next attempt."""
        try:
            self._processor.process(job_id)
        except JobHeld:
            return
        except Exception:  # the edge of the worker: other jobs have nothing to do with this one
            logger.exception("An attempt at a job failed")

    def _wait_and_work(self, lock: TextIO, sweep_seconds: float) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _try(self.take_over)
        self._work_forever(lock, sweep_seconds)

    def _work_forever(self, lock: TextIO, sweep_seconds: float) -> None:
        with lock:  # until the process ends, in whatever way
            threading.Thread(
                target=self._sweep_forever, args=(sweep_seconds,), name="sweep", daemon=True
            ).start()
            while True:
                _try(self._work)

    def _work(self) -> None:
        job_id = self._storage.queue.take(wait_seconds=_WAIT_SECONDS)
        if job_id is not None:
            self.work_on(job_id)

    def _sweep_forever(self, seconds: float) -> None:
        while True:
            time.sleep(seconds)
            _try(self.sweep)

    def _release(self, job: Job) -> None:
        try:
            self._storage.jobs.replace(job.released())
        except JobConflict:  # it has come to an end just now
            return
        self._storage.queue.put(job.id)


def _try(work: Callable[[], None]) -> None:
    """Goes on after a failure, such as a full disk, a little later."""
    try:
        work()
    except Exception:  # the edge of a thread that must not end
        logger.exception("The worker failed, and goes on")
        time.sleep(_WAIT_SECONDS)
