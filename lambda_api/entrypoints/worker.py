"""The function behind the queue of jobs. Its model is loaded with the module, before any event."""

import logging
from typing import Any

from lambda_api.bootstrap import build_processor
from lambda_api.processing import JobHeld
from lambda_api.settings import Settings

logger = logging.getLogger(__name__)

_processor = build_processor(Settings())


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Works on each message's job, and names the messages that must be brought again."""
    failures = [
        {"itemIdentifier": record["messageId"]}
        for record in event["Records"]
        if not _work_on(record["body"])
    ]
    return {"batchItemFailures": failures}


def _work_on(job_id: str) -> bool:
    try:
        _processor.process(job_id)
    except JobHeld:
        return False
    except Exception:  # the edge of the process: the queue brings the message again
        logger.exception("An attempt at a job failed")
        return False
    return True
