"""Chooses and builds everything the app is given. The one place that knows which adapters run."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from detector.analysis import Detector
from detector.errors import ModelLoadError
from detector.image import ImageLimits
from lambda_api.dependencies import Dependencies
from lambda_api.embedded import EmbeddedStorage, EmbeddedWorker
from lambda_api.gate import AnalysisGate
from lambda_api.ports import BlobStore, FormReceiver, IdempotencyStore, JobQueue, JobRepository
from lambda_api.processing import JobProcessor
from lambda_api.services import DetectionService, ServiceLimits
from lambda_api.settings import CloudSettings, Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Storage:
    """One adapter for each port."""

    jobs: JobRepository
    blobs: BlobStore
    queue: JobQueue
    idempotency: IdempotencyStore
    receiver: FormReceiver | None


def build_dependencies(settings: Settings) -> Dependencies:
    """For an app without a worker of its own: see `build_processor`.

    Without a usable model the service still starts; it then says so to everyone who asks.
    """
    detector = _load_detector(settings)
    if settings.cloud is not None:
        storage = _cloud_storage(settings.cloud)
    else:
        storage = _embedded_storage(EmbeddedStorage(settings.data_dir, clock=utc_now))
    return _dependencies(settings, detector, storage)


def build_embedded(settings: Settings) -> tuple[Dependencies, EmbeddedWorker]:
    """For a process that serves and works. Raises OSError when its folder cannot be used."""
    detector = _load_detector(settings)
    embedded = EmbeddedStorage(settings.data_dir, clock=utc_now)
    storage = _embedded_storage(embedded)
    dependencies = _dependencies(settings, detector, storage)
    worker = EmbeddedWorker(
        embedded,
        processor=_processor(settings, detector, storage),
        detections=dependencies.detections,
        clock=utc_now,
    )
    return dependencies, worker


def build_processor(settings: Settings) -> JobProcessor:
    """For a worker that is handed its jobs. Raises ValueError without cloud storage."""
    if settings.cloud is None:
        raise ValueError(
            "A worker of its own needs ASLI_MEDIA_BUCKET, ASLI_JOBS_TABLE and ASLI_QUEUE_URL."
        )
    return _processor(settings, _load_detector(settings), _cloud_storage(settings.cloud))


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


def _dependencies(
    settings: Settings, detector: Detector | ModelLoadError, storage: _Storage
) -> Dependencies:
    limits = ServiceLimits(
        image=detector.limits if isinstance(detector, Detector) else ImageLimits(),
        result_lifetime=timedelta(hours=settings.result_ttl_hours),
    )
    return Dependencies(
        detections=DetectionService(
            detector,
            jobs=storage.jobs,
            blobs=storage.blobs,
            queue=storage.queue,
            clock=utc_now,
            limits=limits,
        ),
        gate=AnalysisGate(settings.max_concurrent_analyses, wait_seconds=settings.max_wait_seconds),
        limits=limits,
        idempotency=storage.idempotency,
        clock=utc_now,
        receiver=storage.receiver,
        allowed_origins=settings.allowed_origins,
        site_dir=settings.site_dir,
    )


def _processor(
    settings: Settings, detector: Detector | ModelLoadError, storage: _Storage
) -> JobProcessor:
    return JobProcessor(
        detector,
        jobs=storage.jobs,
        blobs=storage.blobs,
        clock=utc_now,
        lease=timedelta(seconds=settings.job_lease_seconds),
    )


def _embedded_storage(embedded: EmbeddedStorage) -> _Storage:
    return _Storage(
        jobs=embedded.jobs,
        blobs=embedded.blobs,
        queue=embedded.queue,
        idempotency=embedded.idempotency,
        receiver=embedded.blobs,
    )


def _cloud_storage(cloud: CloudSettings) -> _Storage:
    # Only here, so that the embedded service needs no cloud library.
    from lambda_api.adapters.dynamodb import DynamoIdempotencyStore, DynamoJobRepository
    from lambda_api.adapters.s3 import S3BlobStore
    from lambda_api.adapters.sqs import SqsJobQueue

    return _Storage(
        jobs=DynamoJobRepository.connect(cloud.jobs_table),
        blobs=S3BlobStore.connect(cloud.media_bucket),
        queue=SqsJobQueue.connect(cloud.queue_url),
        idempotency=DynamoIdempotencyStore.connect(cloud.jobs_table),
        receiver=None,
    )


def _load_detector(settings: Settings) -> Detector | ModelLoadError:
    try:
        return Detector.load(
            settings.model_path,
            settings.report_path,
            threads=settings.inference_threads,
            trust_anchors_path=settings.trust_anchors_path,
        )
    except ModelLoadError as error:
        logger.error("The model is not ready: %s", error)
        return error
