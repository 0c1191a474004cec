"""From our errors to RFC 9457 answers: the one table of statuses and titles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from detector.errors import DetectorError, ModelLoadError, UnsupportedType
from lambda_api.errors import MissingField, ProblemCode, ServiceError
from lambda_api.jobs import JobProblem
from lambda_api.schemas import FieldProblem, JobFailure, Problem

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem. `detail` is the sentence used where an error brings none of its own."""

    status: int
    title: str
    detail: str


PROBLEM_TYPES = {
    ProblemCode.BAD_REQUEST: ProblemType(
        400,
        "The request cannot be understood",
        "The request is not in a form that this path reads.",
    ),
    ProblemCode.IDEMPOTENCY_KEY_INVALID: ProblemType(
        400, "The idempotency key is not valid", "The header Idempotency-Key must be a UUID."
    ),
    ProblemCode.UPLOAD_REFUSED: ProblemType(
        403, "The upload is refused", "What was sent is not what the form of this upload allows."
    ),
    ProblemCode.NOT_FOUND: ProblemType(404, "Not found", "There is nothing at this address."),
    ProblemCode.METHOD_NOT_ALLOWED: ProblemType(
        405, "Method not allowed", "This address exists, but does not answer this method."
    ),
    ProblemCode.REQUEST_IN_PROGRESS: ProblemType(
        409,
        "The request is in progress",
        "A request with this Idempotency-Key is still being answered.",
    ),
    ProblemCode.GONE: ProblemType(
        410, "The result is gone", "This result was deleted or has expired."
    ),
    ProblemCode.FILE_TOO_LARGE: ProblemType(
        413, "The file is too large", "The file has more bytes than one request may carry."
    ),
    ProblemCode.UNSUPPORTED_TYPE: ProblemType(
        415,
        "This type of file is not supported",
        "The file is not a JPEG, PNG, WebP, AVIF or HEIC image, judged by its bytes.",
    ),
    ProblemCode.MISSING_FIELD: ProblemType(
        422, "A field is missing", "The form lacks a field that is needed."
    ),
    ProblemCode.EMPTY_FILE: ProblemType(422, "The file is empty", "The file has no bytes."),
    ProblemCode.TOO_MANY_PIXELS: ProblemType(
        422, "The image has too many pixels", "The image has more pixels than can be analysed."
    ),
    ProblemCode.IMAGE_TOO_SMALL: ProblemType(
        422, "The image is too small", "A side of the image is too short to be analysed."
    ),
    ProblemCode.UNDECODABLE_MEDIA: ProblemType(
        422, "The file cannot be read", "The file is damaged or incomplete."
    ),
    ProblemCode.UPLOAD_MISSING: ProblemType(
        422, "The upload is missing", "No file has arrived under this upload_id."
    ),
    ProblemCode.IDEMPOTENCY_KEY_REUSED: ProblemType(
        422,
        "The idempotency key was used before",
        "This Idempotency-Key was sent before with another request.",
    ),
    ProblemCode.ANALYSIS_FAILED: ProblemType(
        500,
        "The analysis failed",
        "The analysis was tried several times and never came to an end. The file was deleted.",
    ),
    ProblemCode.INTERNAL: ProblemType(
        500, "Something went wrong", "The service failed to answer. The file was not kept."
    ),
    ProblemCode.MODEL_LOAD_FAILED: ProblemType(
        503,
        "The detector is not ready",
        "The detector's model could not be loaded, so nothing is analysed until it is repaired.",
    ),
    ProblemCode.BUSY: ProblemType(
        503, "The service is busy", "Too many images are being analysed right now."
    ),
}

_CODE_OF_STATUS = {
    401: ProblemCode.NOT_FOUND,  # a page that cannot be read
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.FILE_TOO_LARGE,
}

Limits = Mapping[ProblemCode, int]
"""The published number behind a problem, for those that have one."""


def install_problem_handlers(app: Starlette, limits: Limits) -> None:
    """Make an app answer every error as problem+json."""

    def answer_service_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)
        return problem_response(
            request.scope,
            error.code,
            detail=str(error),
            limit=error.limit or limits.get(error.code),
            retry_after=error.retry_after_seconds,
            errors=_field_problems(error),
        )

    def answer_detector_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, DetectorError)
        code = ProblemCode(error.code)
        # These messages name what lies on this machine, or are meant for the command line.
        inward = isinstance(error, ModelLoadError | UnsupportedType)
        detail = None if inward else str(error)
        return problem_response(request.scope, code, detail=detail, limit=limits.get(code))

    app.add_exception_handler(ServiceError, answer_service_error)
    app.add_exception_handler(DetectorError, answer_detector_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(Exception, _answer_unexpected)


def problem_response(
    scope: Scope,
    code: ProblemCode,
    *,
    detail: str | None = None,
    limit: int | None = None,
    retry_after: int | None = None,
    errors: list[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem as an answer to the request in `scope`; `retry_after` is in seconds."""
    kind = PROBLEM_TYPES[code]
    problem = Problem(
        type=_type_reference(code),
        title=kind.title,
        status=kind.status,
        detail=detail or kind.detail,
        instance=scope["path"],
        code=code,
        request_id=scope["state"]["request_id"],
        limit=limit,
        retry_after=retry_after,
        errors=errors,
    )
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    if retry_after is not None:
        all_headers["Retry-After"] = str(retry_after)
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        kind.status,
        headers=all_headers,
        media_type=MEDIA_TYPE,
    )


def job_failure(problem: JobProblem) -> JobFailure:
    """Why a job failed, for an answer that tells about the job."""
    kind = PROBLEM_TYPES[problem.code]
    return JobFailure(
        type=_type_reference(problem.code),
        title=kind.title,
        status=kind.status,
        detail=problem.detail or kind.detail,
        code=problem.code,
    )


def problem_responses(*codes: ProblemCode) -> dict[int | str, dict[str, Any]]:
    """How a route declares its problems in the contract; `internal` is always among them."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, ProblemCode.INTERNAL):
        kind = PROBLEM_TYPES[code]
        response = responses.setdefault(kind.status, _documented([]))
        titles = [title for title in (response["description"], kind.title) if title]
        response["description"] = " / ".join(titles)
        response["content"][MEDIA_TYPE]["examples"][code.value] = {"value": _example(code)}
    # Any other, and a reason for FastAPI not to add an error shape of its own.
    responses["default"] = _documented(["Any other problem"])
    return responses


def problem_type_reference() -> dict[str, dict[str, Any]]:
    """The table as data: what the `type` of a problem points to."""
    return {
        code.value: {"status": kind.status, "title": kind.title, "detail": kind.detail}
        for code, kind in PROBLEM_TYPES.items()
    }


def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [
        FieldProblem(field=".".join(map(str, each["loc"])), detail=each["msg"])
        for each in error.errors()
    ]
    return problem_response(request.scope, ProblemCode.BAD_REQUEST, errors=problems)


def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    fallback = ProblemCode.INTERNAL if error.status_code >= 500 else ProblemCode.BAD_REQUEST
    code = _CODE_OF_STATUS.get(error.status_code, fallback)
    return problem_response(request.scope, code, headers=error.headers)


def _answer_unexpected(request: Request, _error: Exception) -> Response:
    return problem_response(request.scope, ProblemCode.INTERNAL)


def _field_problems(error: ServiceError) -> list[FieldProblem] | None:
    if isinstance(error, MissingField):
        return [FieldProblem(field=error.field, detail=str(error))]
    return None


def _type_reference(code: ProblemCode) -> str:
    return f"/v1/openapi.json#/x-problem-types/{code}"


def _documented(titles: list[str]) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content: dict[str, Any] = {MEDIA_TYPE: {"schema": schema}}
    if not titles:
        content[MEDIA_TYPE]["examples"] = {}
    return {"description": " / ".join(titles), "content": content}


def _example(code: ProblemCode) -> dict[str, Any]:
    kind = PROBLEM_TYPES[code]
    return {
        "type": _type_reference(code),
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "instance": "/v1/detections",
        "code": code.value,
        "request_id": "req_4be1f0a26c3d97e85d0b1f62a7c49e38",
    }
