"""The function that a bulk run calls with batches of objects. Its model is loaded with the module."""

import logging
from typing import Any, Protocol

from lambda_api.bootstrap import build_bulk_scorer
from lambda_api.errors import ProblemCode
from lambda_api.observability import log_as_json
from lambda_api.settings import Settings

LONGEST_MS = 300_000
"""What one object may need: as much as the worker has for a job."""

logger = logging.getLogger(__name__)

log_as_json()
_scorer = build_bulk_scorer(Settings())


class Context(Protocol):
    """Of Lambda's, what is asked here."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """One line for each object of the batch, as a distributed map of Step Functions hands it over.

    What may not end in time is not begun: a function that is stopped would lose all lines.
    """
    bucket = event["BatchInput"]["bucket"]
    return [
        _score(bucket, item["Key"], item["Size"])
        if context.get_remaining_time_in_millis() >= LONGEST_MS
        else _failure(
            bucket, item["Key"], "not_reached", "The objects before it took all the time."
        )
        for item in event["Items"]
        if not item["Key"].endswith("/")  # made by consoles, to show a folder
    ]


def _score(bucket: str, key: str, size_bytes: int) -> dict[str, Any]:
    try:
        return _scorer.score(bucket, key, size_bytes)
    except Exception:  # the edge of the process: the other objects of the batch keep their lines
        logger.exception("An object could not be analysed")
        code = ProblemCode.ANALYSIS_FAILED.value
        return _failure(bucket, key, code, "The analysis failed; the function's log says where.")


def _failure(bucket: str, key: str, code: str, detail: str) -> dict[str, Any]:
    return {"path": f"s3://{bucket}/{key}", "error": {"code": code, "detail": detail}}
