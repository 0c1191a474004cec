"""The function that a bulk run calls with batches of objects. Its model is loaded with the module."""

import logging
from typing import Any

from lambda_api.bootstrap import build_bulk_scorer
from lambda_api.errors import ProblemCode
from lambda_api.observability import log_as_json
from lambda_api.settings import Settings

logger = logging.getLogger(__name__)

log_as_json()
_scorer = build_bulk_scorer(Settings())


def handler(event: dict[str, Any], _context: object) -> list[dict[str, Any]]:
    """One line for each object of the batch, as a distributed map of Step Functions hands it over."""
    bucket = event["BatchInput"]["bucket"]
    return [
        _score(bucket, item["Key"], item["Size"])
        for item in event["Items"]
        if not item["Key"].endswith("/")  # made by consoles, to show a folder
    ]


def _score(bucket: str, key: str, size_bytes: int) -> dict[str, Any]:
    try:
        return _scorer.score(bucket, key, size_bytes)
    except Exception:  # the edge of the process: the other objects of the batch keep their lines
        logger.exception("An object could not be analysed")
        code = ProblemCode.ANALYSIS_FAILED.value
        error = {"code": code, "detail": "The analysis failed; the function's log says where."}
        return {"path": f"s3://{bucket}/{key}", "error": error}
