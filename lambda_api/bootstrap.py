"""Chooses and builds everything the app is given. The one place that knows which adapters run."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from detector.analysis import Detector
from detector.errors import ModelLoadError
from detector.image import ImageLimits
from detector.video_file import VideoLimits
from lambda_api.adapters.emf import EmfMetrics
from lambda_api.adapters.log_notifier import LogNotifier
from lambda_api.adapters.prometheus import PrometheusMetrics
from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteKeyStore
from lambda_api.admission import Admission, Rates
from lambda_api.bulk import BulkScorer
from lambda_api.dependencies import Dependencies
from lambda_api.desk import Desk
from lambda_api.embedded import EmbeddedStorage, EmbeddedWorker
from lambda_api.gate import AnalysisGate
from lambda_api.observability import ObservedDetector
from lambda_api.ports import (
    BlobStore,
    CallCounter,
    FormReceiver,
    IdempotencyStore,
    JobQueue,
    JobRepository,
    KeyStore,
    MediaDetector,
    MessageStore,
    Metrics,
    Notifier,
)
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
    calls: CallCounter
    keys: KeyStore
    messages: MessageStore
    notifier: Notifier


def build_dependencies(settings: Settings) -> Dependencies:
    """For an app without a worker of its own: see `build_processor`.

    Without a usable model the service still starts; it then says so to everyone who asks.
    """
    if settings.cloud is not None:
        storage = _cloud_storage(settings.cloud)
        metrics: Metrics = EmfMetrics()
    else:
        storage = _embedded_storage(EmbeddedStorage(settings.data_dir, clock=utc_now))
        metrics = PrometheusMetrics()
    detector = _load_detector(settings, metrics)
    return _dependencies(settings, detector, storage, metrics)


def build_embedded(settings: Settings) -> tuple[Dependencies, EmbeddedWorker]:
    """For a process that serves and works. Raises OSError when its folder cannot be used."""
    metrics = PrometheusMetrics()
    detector = _load_detector(settings, metrics)
    embedded = EmbeddedStorage(settings.data_dir, clock=utc_now)
    storage = _embedded_storage(embedded)
    dependencies = _dependencies(settings, detector, storage, metrics)
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
    detector = _load_detector(settings, EmfMetrics())
    return _processor(settings, detector, _cloud_storage(settings.cloud))


def build_bulk_scorer(settings: Settings) -> BulkScorer:
    """For a function that is handed objects of S3. Raises ModelLoadError."""
    # Only here, so that the embedded service needs no cloud library.
    from lambda_api.adapters.s3 import S3ObjectReader

    detector = _load_detector(settings, EmfMetrics())
    if isinstance(detector, ModelLoadError):
        raise detector
    return BulkScorer(detector, S3ObjectReader.connect())


def build_key_store(settings: Settings) -> KeyStore:
    """Where the service with these settings looks its API keys up. Raises OSError."""
    if settings.cloud is not None:
        return _cloud_storage(settings.cloud).keys
    return SqliteKeyStore(Database(settings.data_dir))


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


def _dependencies(
    settings: Settings,
    detector: MediaDetector | ModelLoadError,
    storage: _Storage,
    metrics: Metrics,
) -> Dependencies:
    loaded = None if isinstance(detector, ModelLoadError) else detector
    limits = ServiceLimits(
        image=loaded.limits if loaded else ImageLimits(),
        video=loaded.video_limits if loaded else VideoLimits(),
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
        admission=Admission(
            storage.keys,
            storage.calls,
            rates=Rates(
                anonymous_per_minute=settings.anonymous_per_minute,
                anonymous_per_day=settings.anonymous_per_day,
                keyed_per_minute=settings.keyed_per_minute,
                messages_per_hour=settings.messages_per_hour,
            ),
            clock=utc_now,
            proxies=settings.trusted_proxies,
        ),
        desk=Desk(storage.messages, storage.notifier, clock=utc_now),
        metrics=metrics,
        metrics_text=metrics.as_text if isinstance(metrics, PrometheusMetrics) else None,
        receiver=storage.receiver,
        allowed_origins=settings.allowed_origins,
        site_dir=settings.site_dir,
    )


def _processor(
    settings: Settings, detector: MediaDetector | ModelLoadError, storage: _Storage
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
        calls=embedded.calls,
        keys=embedded.keys,
        messages=embedded.messages,
        notifier=LogNotifier(),
    )


def _cloud_storage(cloud: CloudSettings) -> _Storage:
    # Only here, so that the embedded service needs no cloud library.
    from lambda_api.adapters.dynamodb import DynamoIdempotencyStore, DynamoJobRepository
    from lambda_api.adapters.dynamodb_desk import (
        DynamoCallCounter,
        DynamoKeyStore,
        DynamoMessageStore,
        open_table,
    )
    from lambda_api.adapters.s3 import S3BlobStore
    from lambda_api.adapters.sns import SnsNotifier
    from lambda_api.adapters.sqs import SqsJobQueue

    table = open_table(cloud.messages_table)
    return _Storage(
        jobs=DynamoJobRepository.connect(cloud.jobs_table),
        blobs=S3BlobStore.connect(cloud.media_bucket),
        queue=SqsJobQueue.connect(cloud.queue_url),
        idempotency=DynamoIdempotencyStore.connect(cloud.jobs_table),
        receiver=None,
        calls=DynamoCallCounter(table),
        keys=DynamoKeyStore(table),
        messages=DynamoMessageStore(table, bucket=cloud.media_bucket),
        notifier=SnsNotifier(cloud.operators_topic) if cloud.operators_topic else LogNotifier(),
    )


def _load_detector(settings: Settings, metrics: Metrics) -> MediaDetector | ModelLoadError:
    try:
        detector = Detector.load(
            settings.model_path,
            settings.report_path,
            threads=settings.inference_threads,
            trust_anchors_path=settings.trust_anchors_path,
        )
        return ObservedDetector(detector, metrics)
    except ModelLoadError as error:
        logger.error("The model is not ready: %s", error)
        return error
