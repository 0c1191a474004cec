"""Chooses and builds everything the app is given. The one place that knows which adapters run."""

import logging
from datetime import UTC, datetime, timedelta

from detector.analysis import Detector
from detector.errors import ModelLoadError
from detector.image import ImageLimits
from lambda_api.adapters.filesystem import FilesystemResultStore
from lambda_api.adapters.log_notifier import LogNotifier
from lambda_api.adapters.prometheus import PrometheusMetrics
from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteCallCounter, SqliteKeyStore, SqliteMessageStore
from lambda_api.admission import Admission, Rates
from lambda_api.dependencies import Dependencies
from lambda_api.desk import Desk
from lambda_api.gate import AnalysisGate
from lambda_api.observability import ObservedDetector
from lambda_api.ports import KeyStore
from lambda_api.services import DetectionService, ServiceLimits
from lambda_api.settings import Settings

logger = logging.getLogger(__name__)


def build_dependencies(settings: Settings) -> Dependencies:
    """Without a usable model the service still starts; it then says so to everyone who asks."""
    detector = _load_detector(settings)
    limits = ServiceLimits(
        image=detector.limits if isinstance(detector, Detector) else ImageLimits(),
        result_lifetime=timedelta(hours=settings.result_ttl_hours),
    )
    metrics = PrometheusMetrics()
    detections = DetectionService(
        ObservedDetector(detector, metrics) if isinstance(detector, Detector) else detector,
        FilesystemResultStore(settings.data_dir / "detections", now=utc_now()),
        clock=utc_now,
        result_lifetime=limits.result_lifetime,
    )
    database = Database(settings.data_dir)
    return Dependencies(
        detections=detections,
        admission=Admission(
            SqliteKeyStore(database),
            SqliteCallCounter(database),
            rates=Rates(
                anonymous_per_minute=settings.anonymous_per_minute,
                anonymous_per_day=settings.anonymous_per_day,
                keyed_per_minute=settings.keyed_per_minute,
                messages_per_hour=settings.messages_per_hour,
            ),
            clock=utc_now,
            proxies=settings.trusted_proxies,
        ),
        metrics=metrics,
        metrics_text=metrics.as_text,
        desk=Desk(SqliteMessageStore(database), LogNotifier(), clock=utc_now),
        gate=AnalysisGate(settings.max_concurrent_analyses, wait_seconds=settings.max_wait_seconds),
        limits=limits,
        allowed_origins=settings.allowed_origins,
        site_dir=settings.site_dir,
    )


def build_key_store(settings: Settings) -> KeyStore:
    """Where the service with these settings looks its API keys up."""
    return SqliteKeyStore(Database(settings.data_dir))


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)


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
