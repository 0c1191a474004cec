"""What the service's functions are told: environment variables that `lambda_api.settings` reads."""

from infra.monitoring import Operators
from infra.storage import Storage
from infra.worker import JobQueue


def service_environment(
    *, storage: Storage, jobs: JobQueue, operators: Operators
) -> dict[str, str]:
    """The same for every function. Each name is that of a setting, which a test compares."""
    return {
        "ASLI_MEDIA_BUCKET": storage.media.bucket_name,
        "ASLI_JOBS_TABLE": storage.jobs.table_name,
        "ASLI_QUEUE_URL": jobs.queue.queue_url,
        "ASLI_MESSAGES_TABLE": storage.messages.table_name,
        "ASLI_OPERATORS_TOPIC": operators.topic_arn,
    }
