import contextlib
import fcntl
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from detector.analysis import Detector
from lambda_api.adapters.sqlite import REMEMBER_GONE
from lambda_api.embedded import EmbeddedWorker
from lambda_api.errors import DetectionGone, DetectionNotFound
from lambda_api.jobs import JobStatus, heatmap_key, media_key
from tests.apps import LEASE, LIFETIME, EmbeddedService
from tests.images import plain_image

IMAGE = plain_image("PNG")


def _wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _status(service: EmbeddedService, job_id: str) -> JobStatus | None:
    with contextlib.suppress(DetectionGone, DetectionNotFound):
        return service.detections.get(job_id).status
    return None


def test_started_worker_does_what_is_queued(service: EmbeddedService) -> None:
    """Jobs queued before and after the start are done, and then their files are deleted."""
    before = service.detections.enqueue(IMAGE)
    service.worker.start()
    after = service.detections.enqueue(IMAGE)

    for job in (before, after):
        _wait_until(lambda job=job: _status(service, job.id) is JobStatus.SUCCEEDED)  # type: ignore[misc]
    _wait_until(lambda: [] == service.storage.blobs.media())


def test_idle_server_deletes_expired_results(service: EmbeddedService) -> None:
    """Nobody has to use the service for the promise of deletion to be kept."""
    job = service.detections.analyse(IMAGE)
    service.worker.start(sweep_interval=timedelta(milliseconds=10))
    service.clock.advance(LIFETIME)

    _wait_until(lambda: [] == service.storage.jobs.expired(now=service.clock()))
    _wait_until(lambda: not service.storage.blobs.exists(heatmap_key(job.id)))
    with pytest.raises(DetectionGone):
        service.detections.get(job.id)


def test_one_of_two_workers_on_a_folder_works(
    service: EmbeddedService,
    tiny_detector: Detector,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever has the lock works; the other one would have to recover first, and waits."""
    service.worker.start()
    first = service.detections.enqueue(IMAGE)
    _wait_until(lambda: _status(service, first.id) is JobStatus.SUCCEEDED)
    other = EmbeddedService(tiny_detector, tmp_path / "data", clock=service.clock)
    recovered: list[EmbeddedWorker] = []
    for name in ("recover", "take_over"):
        monkeypatch.setattr(other.worker, name, lambda: recovered.append(other.worker))
    other.worker.start()
    second = other.detections.enqueue(IMAGE)

    _wait_until(lambda: _status(service, second.id) is JobStatus.SUCCEEDED)
    assert [] == recovered


def test_worker_takes_over_from_one_that_ended(
    service: EmbeddedService, tiny_detector: Detector, tmp_path: Path
) -> None:
    """A worker that waits for the lock goes on with what the other one was at."""
    job = service.detections.enqueue(IMAGE)
    service.storage.jobs.replace(job.started(lease_until=service.clock() + LEASE))
    other = EmbeddedService(tiny_detector, tmp_path / "data", clock=service.clock)
    with service.storage.worker_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other.worker.start()
        assert JobStatus.PROCESSING is _status(service, job.id)

    _wait_until(lambda: _status(service, job.id) is JobStatus.SUCCEEDED)


def test_recovery_frees_what_a_killed_worker_held(service: EmbeddedService) -> None:
    """A job that was being analysed is queued again at once, whatever its lease says."""
    job = service.detections.enqueue(IMAGE)
    service.storage.jobs.replace(job.started(lease_until=service.clock() + LEASE))
    service.worker.recover()

    assert JobStatus.QUEUED is service.detections.get(job.id).status
    service.work()
    done = service.detections.get(job.id)
    assert (JobStatus.SUCCEEDED, 2) == (done.status, done.attempts)


def test_recovery_finishes_interrupted_deletions(service: EmbeddedService) -> None:
    """Files of finished, deleted and unknown jobs go, and so do half-written ones."""
    blobs, jobs = service.storage.blobs, service.storage.jobs
    finished, deleted = (service.detections.enqueue(IMAGE) for _ in range(2))
    started = finished.started(lease_until=service.clock() + LEASE)
    jobs.replace(started)
    jobs.replace(started.succeeded({}, has_heatmap=False))
    jobs.delete(deleted.id)
    waiting = service.detections.prepare_upload("image/png", 10).job
    blobs.save(media_key(waiting.id), b"x", content_type="image/png")
    partial = service.storage.worker_lock.parent / "blobs/partial/tmpkilled"
    partial.write_bytes(b"half")
    service.worker.recover()

    assert [waiting.id] == blobs.media()
    assert not partial.exists()
    assert service.clock() == jobs.get(finished.id, now=service.clock()).media_deleted_at


def test_file_being_written_is_not_purged(service: EmbeddedService) -> None:
    """A form that is just coming in is left alone."""
    blobs = service.storage.blobs
    upload = service.detections.prepare_upload("image/png", 10)
    incoming = blobs.receive(upload.form.fields)
    incoming.write(b"12345")
    blobs.purge()
    incoming.write(b"67890")
    incoming.finish()
    incoming.abort()

    assert b"1234567890" == blobs.load(media_key(upload.job.id))


def test_hung_worker_is_given_up(service: EmbeddedService) -> None:
    """A job whose lease is over is queued again; one that nobody ends has failed in the end."""
    job = service.detections.enqueue(IMAGE)
    service.storage.jobs.replace(job.started(lease_until=service.clock() + LEASE))
    service.worker.sweep()
    assert JobStatus.PROCESSING is service.detections.get(job.id).status
    service.clock.advance(LEASE)
    service.worker.sweep()
    assert JobStatus.QUEUED is service.detections.get(job.id).status
    service.clock.advance(service.limits.job_lifetime)
    service.worker.sweep()
    assert JobStatus.FAILED is service.detections.get(job.id).status
    assert [] == service.storage.blobs.media()


def test_ids_are_forgotten_in_the_end(service: EmbeddedService) -> None:
    """A month after expiry nothing is left of a job, not even that it was there."""
    job = service.detections.analyse(IMAGE)
    service.clock.advance(LIFETIME)
    service.worker.sweep()
    assert _status(service, job.id) is None
    service.clock.advance(REMEMBER_GONE)
    service.worker.sweep()

    with pytest.raises(DetectionNotFound):
        service.detections.get(job.id)


def test_deleted_content_is_overwritten(service: EmbeddedService) -> None:
    """What is deleted from the database is not left in its file."""
    job = service.detections.analyse(IMAGE)
    assert job.analysis
    sha256 = job.analysis["media"]["sha256"].encode()
    folder = service.storage.worker_lock.parent
    assert any(sha256 in path.read_bytes() for path in folder.glob("asli.sqlite*"))
    service.detections.delete(job.id)

    kept = [path.read_bytes() for path in folder.glob("asli.sqlite*")]
    assert kept
    assert not any(sha256 in content for content in kept)
