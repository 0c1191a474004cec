import threading
from datetime import timedelta
from pathlib import Path

import pytest

from detector.analysis import Analysis, Detector
from detector.errors import ModelLoadError
from lambda_api import processing
from lambda_api.errors import DetectionGone, ProblemCode
from lambda_api.jobs import JobStatus, heatmap_key
from lambda_api.ports import Progress
from lambda_api.processing import MAX_ATTEMPTS, JobHeld
from tests.apps import LEASE, EmbeddedService
from tests.fakes import BrokenDetector, FakeClock, ImageDetector, WaitingDetector
from tests.images import plain_image
from tests.videos import encode, steady

IMAGE = plain_image("PNG")


def _service(detector: ImageDetector, folder: Path) -> EmbeddedService:
    return EmbeddedService(detector, folder, clock=FakeClock())


def test_job_succeeds_and_its_file_is_deleted(service: EmbeddedService) -> None:
    """The result is that of a file sent directly; the file is gone, and the job says since when."""
    direct = service.detections.analyse(IMAGE)
    job = service.detections.enqueue(IMAGE)
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert JobStatus.SUCCEEDED is done.status
    assert direct.analysis
    assert done.analysis
    assert {**direct.analysis, "timings_ms": 0} == {**done.analysis, "timings_ms": 0}
    assert (1.0, 1) == (done.progress, done.attempts)
    assert service.clock() == done.media_deleted_at
    assert [] == service.storage.blobs.media()
    assert service.detections.heatmap(job.id) == service.detections.heatmap(direct.id)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"words", "unsupported_type"),
        (plain_image("JPEG")[:-200], "undecodable_media"),
        (plain_image("PNG", (500, 63)), "image_too_small"),
    ],
)
def test_file_that_cannot_be_judged_fails_its_job(
    service: EmbeddedService, data: bytes, code: str
) -> None:
    """The job fails at the first attempt with the detector's code, and the file is deleted."""
    job = service.detections.enqueue(data)
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert (JobStatus.FAILED, 1) == (done.status, done.attempts)
    assert done.problem
    assert code == done.problem.code
    assert service.clock() == done.media_deleted_at
    assert [] == service.storage.blobs.media()


def test_vanished_file_fails_its_job(service: EmbeddedService) -> None:
    """Without its file a job fails and says so."""
    job = service.detections.enqueue(IMAGE)
    service.storage.blobs.delete(f"uploads/{job.id}")
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert done.problem
    assert ProblemCode.UPLOAD_MISSING is done.problem.code


def test_finished_job_is_left_alone(service: EmbeddedService) -> None:
    """A message that comes twice, or for a job that is gone, does nothing."""
    job = service.detections.enqueue(IMAGE)
    service.processor.process(job.id)
    done = service.detections.get(job.id)
    service.processor.process(job.id)

    assert done == service.detections.get(job.id)
    service.detections.delete(job.id)
    service.processor.process(job.id)
    with pytest.raises(DetectionGone):
        service.detections.get(job.id)


def test_interrupted_deletion_is_finished(service: EmbeddedService) -> None:
    """When a worker dies between result and deletion, the next delivery deletes the file."""
    job = service.detections.enqueue(IMAGE)
    started = job.started(lease_until=service.clock() + LEASE)
    service.storage.jobs.replace(started)
    analysis = service.detections.analyse(IMAGE).analysis
    assert analysis
    service.storage.jobs.replace(started.succeeded(analysis, has_heatmap=False))
    service.processor.process(job.id)

    assert [] == service.storage.blobs.media()
    assert service.clock() == service.detections.get(job.id).media_deleted_at


def test_dead_worker_is_replaced_after_its_lease(service: EmbeddedService) -> None:
    """Nobody takes a job over before its lease ends; then it is tried again and succeeds."""
    job = service.detections.enqueue(IMAGE)
    service.storage.jobs.replace(job.started(lease_until=service.clock() + LEASE))

    service.clock.advance(LEASE - timedelta(seconds=1))
    with pytest.raises(JobHeld):
        service.processor.process(job.id)
    service.clock.advance(timedelta(seconds=1))
    service.processor.process(job.id)
    done = service.detections.get(job.id)
    assert (JobStatus.SUCCEEDED, 2) == (done.status, done.attempts)


def test_job_whose_workers_die_fails(service: EmbeddedService) -> None:
    """After the third worker that died, the job fails with a reason and its file is deleted."""
    job = service.detections.enqueue(IMAGE)
    for _ in range(MAX_ATTEMPTS):
        job = job.started(lease_until=service.clock() + LEASE)
        service.storage.jobs.replace(job)
        service.clock.advance(LEASE)
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert (JobStatus.FAILED, MAX_ATTEMPTS) == (done.status, done.attempts)
    assert done.problem
    assert ProblemCode.ANALYSIS_FAILED is done.problem.code
    assert [] == service.storage.blobs.media()


def test_unexpected_failure_is_tried_again(tiny_detector: Detector, tmp_path: Path) -> None:
    """What nobody foresaw is tried three times, then the job fails without the exception's text."""
    service = _service(BrokenDetector(tiny_detector), tmp_path)
    job = service.detections.enqueue(IMAGE)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(RuntimeError):
            service.processor.process(job.id)
        assert JobStatus.QUEUED is service.detections.get(job.id).status
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert done.problem
    assert ProblemCode.ANALYSIS_FAILED is done.problem.code
    assert done.problem.detail is None


def test_two_workers_analyse_once(tiny_detector: Detector, tmp_path: Path) -> None:
    """Of two workers with the same message one analyses; the other is told to come again."""
    detector = WaitingDetector(tiny_detector)
    service = _service(detector, tmp_path)
    job = service.detections.enqueue(IMAGE)
    first = threading.Thread(target=service.processor.process, args=(job.id,))
    first.start()
    while detector.running < 1:
        pass
    with pytest.raises(JobHeld):
        service.processor.process(job.id)
    detector.release.set()
    first.join()

    assert 1 == detector.most_running
    assert JobStatus.SUCCEEDED is service.detections.get(job.id).status


def test_deletion_during_analysis_leaves_nothing(tiny_detector: Detector, tmp_path: Path) -> None:
    """A job deleted while it is analysed stays deleted, with its file and its heatmap."""
    detector = WaitingDetector(tiny_detector)
    service = _service(detector, tmp_path)
    job = service.detections.enqueue(IMAGE)
    worker = threading.Thread(target=service.processor.process, args=(job.id,))
    worker.start()
    while detector.running < 1:
        pass
    service.detections.delete(job.id)
    detector.release.set()
    worker.join()

    with pytest.raises(DetectionGone):
        service.detections.get(job.id)
    assert [] == service.storage.blobs.media()
    assert not service.storage.blobs.exists(heatmap_key(job.id))


def test_model_that_cannot_be_loaded_scores_nothing(
    service: EmbeddedService, tmp_path: Path
) -> None:
    """A worker without a model gives the job back."""
    job = service.detections.enqueue(IMAGE)
    without = EmbeddedService(ModelLoadError("why"), tmp_path / "data", clock=service.clock)
    with pytest.raises(ModelLoadError, match="why"):
        without.processor.process(job.id)

    assert JobStatus.QUEUED is service.detections.get(job.id).status
    service.processor.process(job.id)
    assert JobStatus.SUCCEEDED is service.detections.get(job.id).status


def test_progress_is_stored(
    tiny_detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an analysis runs, the job says how much of it is done."""
    seen: list[tuple[JobStatus, float]] = []

    class Watched(ImageDetector):
        def analyze_file(self, path: Path, *, heatmap: bool, progress: Progress) -> Analysis:
            for share in (0.25, 0.5):
                progress(share)
                kept = service.detections.get(job.id)
                seen.append((kept.status, kept.progress))
            return self.analyze_image(path.read_bytes(), heatmap=heatmap)

    monkeypatch.setattr(processing, "PROGRESS_INTERVAL_SECONDS", 0.0)
    service = _service(Watched(tiny_detector), tmp_path)
    job = service.detections.enqueue(IMAGE)
    service.processor.process(job.id)

    assert [(JobStatus.PROCESSING, 0.25), (JobStatus.PROCESSING, 0.5)] == seen
    assert 1.0 == service.detections.get(job.id).progress


def test_video_is_judged_by_its_frames(service: EmbeddedService) -> None:
    """A job's file may be a video; the result has its timeline, and no heatmap."""
    job = service.detections.enqueue(encode(steady(3, 200)))
    service.processor.process(job.id)
    done = service.detections.get(job.id)

    assert JobStatus.SUCCEEDED is done.status
    assert done.analysis
    assert "video" == done.analysis["media"]["kind"]
    assert 4 == len(done.analysis["frames"])
    assert not done.has_heatmap
