from datetime import timedelta
from pathlib import Path

import pytest

from detector.errors import DetectorError, ModelLoadError
from lambda_api.errors import (
    DetectionGone,
    DetectionNotFound,
    ProblemCode,
    UnsupportedContentType,
    UploadDeclaredTooLarge,
    UploadMissing,
)
from lambda_api.jobs import Job, JobStatus, media_key, new_job_id
from lambda_api.services import FORM_LIFETIME, SUBMISSION_GRACE
from tests.apps import LIFETIME, EmbeddedService
from tests.images import plain_image

IMAGE = plain_image("PNG")


def _uploaded(service: EmbeddedService, data: bytes = IMAGE) -> Job:
    job = service.detections.prepare_upload("image/png", 1000).job
    service.storage.blobs.save(media_key(job.id), data, content_type="image/png")
    return job


def test_result_is_kept_for_its_lifetime(service: EmbeddedService) -> None:
    """A result is kept as it was made, until its lifetime is over."""
    job = service.detections.analyse(IMAGE)

    assert job.created_at + LIFETIME == job.expires_at
    assert job == service.detections.get(job.id)
    service.clock.advance(LIFETIME)
    with pytest.raises(DetectionGone):
        service.detections.get(job.id)


@pytest.mark.parametrize("data", [b"", b"text", plain_image("JPEG")[:-200]])
def test_failed_analysis_keeps_nothing(service: EmbeddedService, data: bytes) -> None:
    """Bytes that cannot be judged raise the detector's error and leave no trace."""
    with pytest.raises(DetectorError):
        service.detections.analyse(data)

    assert [] == service.storage.jobs.expired(now=service.clock() + 2 * LIFETIME)
    assert [] == service.storage.blobs.media()


def test_missing_model_is_an_error_each_time(tmp_path: Path) -> None:
    """Without a model every analysis raises, and nothing is taken in for later."""
    service = EmbeddedService(ModelLoadError("why"), tmp_path)

    for use in (service.detections.analyse, service.detections.enqueue):
        with pytest.raises(ModelLoadError, match="why"):
            use(IMAGE)
    with pytest.raises(ModelLoadError, match="why"):
        service.detections.submit(new_job_id())


def test_upload_becomes_a_queued_job(service: EmbeddedService) -> None:
    """An uploaded file is queued once it is submitted; its result lives for a day from then on."""
    job = _uploaded(service)
    service.clock.advance(timedelta(seconds=100))
    queued = service.detections.submit(job.id)

    assert (JobStatus.AWAITING_UPLOAD, JobStatus.QUEUED) == (job.status, queued.status)
    assert service.clock() + LIFETIME == queued.expires_at
    assert job.id == service.storage.queue.take(wait_seconds=0)


def test_submitting_again_changes_nothing(service: EmbeddedService) -> None:
    """A second submission gives the job as it is, in every state."""
    job = _uploaded(service)
    queued = service.detections.submit(job.id)

    assert queued == service.detections.submit(job.id)
    service.work()
    finished = service.detections.get(job.id)
    assert JobStatus.SUCCEEDED is finished.status
    assert finished == service.detections.submit(job.id)


def test_nothing_is_submitted_before_its_file(service: EmbeddedService) -> None:
    """Without its file an upload cannot be submitted, and goes on waiting."""
    job = service.detections.prepare_upload("image/png", 1000).job
    with pytest.raises(UploadMissing):
        service.detections.submit(job.id)

    assert JobStatus.AWAITING_UPLOAD is service.detections.get(job.id).status


def test_unknown_upload_is_not_found(service: EmbeddedService) -> None:
    """An id that was never given out is not found."""
    with pytest.raises(DetectionNotFound):
        service.detections.submit(new_job_id())


def test_only_analysable_files_get_a_form(service: EmbeddedService) -> None:
    """A type that is never analysed, or a size above the limit, gets no form."""
    with pytest.raises(UnsupportedContentType, match="text/html"):
        service.detections.prepare_upload("text/html", 10)
    service.detections.prepare_upload("image/png", 20_000_000)
    with pytest.raises(UploadDeclaredTooLarge, match="20,000,000"):
        service.detections.prepare_upload("image/png", 20_000_001)


def test_upload_that_is_never_submitted_is_deleted(service: EmbeddedService) -> None:
    """Some minutes after its form has expired, an upload nobody asked about is gone with its file."""
    job = _uploaded(service)
    service.clock.advance(FORM_LIFETIME + SUBMISSION_GRACE)
    service.worker.sweep()

    assert [] == service.storage.blobs.media()
    with pytest.raises(DetectionGone):
        service.detections.submit(job.id)


@pytest.mark.parametrize("worked", [False, True])
def test_deletion_takes_everything_at_once(service: EmbeddedService, worked: bool) -> None:
    """Before or after the analysis, deleting leaves neither job nor media nor heatmap."""
    job = service.detections.submit(_uploaded(service).id)
    if worked:
        service.work()
    service.detections.delete(job.id)
    service.detections.delete(job.id)

    with pytest.raises(DetectionGone):
        service.detections.get(job.id)
    assert [] == [path for path in _blobs(service) if path.is_file()]
    service.work()
    assert [] == [path for path in _blobs(service) if path.is_file()]


def test_job_nobody_ends_fails(service: EmbeddedService) -> None:
    """An hour after it was queued, a job without an end has failed, and its file is deleted."""
    job = service.detections.submit(_uploaded(service).id)
    service.clock.advance(service.limits.job_lifetime)
    failed = service.detections.get(job.id)

    assert JobStatus.FAILED is failed.status
    assert failed.problem is not None
    assert ProblemCode.ANALYSIS_FAILED is failed.problem.code
    assert service.clock() == failed.media_deleted_at
    assert [] == service.storage.blobs.media()
    assert failed == service.detections.get(job.id)


def test_late_file_of_a_finished_job_is_deleted(service: EmbeddedService) -> None:
    """A file that arrives after its job was deleted does not stay."""
    job = _uploaded(service)
    service.storage.jobs.delete(job.id)
    service.detections.settle_upload(job.id)

    assert [] == service.storage.blobs.media()


def _blobs(service: EmbeddedService) -> list[Path]:
    folder = service.storage.worker_lock.parent / "blobs"
    return [*(folder / "uploads").iterdir(), *(folder / "heatmaps").iterdir()]
