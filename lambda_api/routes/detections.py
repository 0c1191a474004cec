"""/v1/detections: analyse an image, read the result again, delete it."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from detector.image import PILLOW_FORMATS
from lambda_api.dependencies import Given
from lambda_api.errors import ProblemCode
from lambda_api.idempotency import IDEMPOTENCY_KEY, IDEMPOTENCY_PROBLEMS
from lambda_api.jobs import Job
from lambda_api.problems import job_failure, problem_responses
from lambda_api.routes.admission import ADMISSION_CODES, ADMIT_ANALYSIS
from lambda_api.routes.bodies import FIELD, media_type, read_file, read_json
from lambda_api.schemas import (
    AnyDetection,
    DetectionResult,
    FailedDetection,
    FailedMedia,
    PendingDetection,
    Submission,
)

router = APIRouter(prefix="/v1/detections", tags=["detections"])

DetectionId = Annotated[str, Path(description="The `id` of a result.")]

_PRIVATE = {"Cache-Control": "no-store"}

_RESPOND_ASYNC = "respond-async"

PREFER: dict[str, Any] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": f"`{_RESPOND_ASYNC}`: a file in a form becomes a job, answered with 202.",
    "schema": {"type": "string"},
    "example": _RESPOND_ASYNC,
}

_RETRY_SECONDS = 2
"""Between two looks at a job that is not finished."""

_FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "properties": {
                    FIELD: {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "One image. Its name is ignored. Its bytes are never stored when the "
                        "answer is the result; as a job they are deleted once they are scored.",
                    }
                },
            },
            "encoding": {
                FIELD: {"contentType": ", ".join(f"image/{name}" for name in PILLOW_FORMATS)}
            },
        },
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Submission"},
        },
    },
}

_LOCATION = {"description": "Path of the detection.", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait before looking.", "schema": {"type": "integer"}}


@router.post(
    "",
    operation_id="createDetection",
    response_model=DetectionResult,
    response_description="The result of a file that came with the request. It is already forgotten.",
    dependencies=[ADMIT_ANALYSIS],
    openapi_extra={"requestBody": _FORM, "parameters": [PREFER, IDEMPOTENCY_KEY]},
    responses={
        200: {"headers": {"Content-Location": _LOCATION}},
        202: {
            "model": PendingDetection,
            "description": "The file is analysed in its turn; look at Location for the result.",
            "headers": {"Location": _LOCATION, "Retry-After": _RETRY_AFTER},
        },
        **problem_responses(
            *ADMISSION_CODES,
            *IDEMPOTENCY_PROBLEMS,
            ProblemCode.BAD_REQUEST,
            ProblemCode.NOT_FOUND,
            ProblemCode.GONE,
            ProblemCode.FILE_TOO_LARGE,
            ProblemCode.UNSUPPORTED_TYPE,
            ProblemCode.MISSING_FIELD,
            ProblemCode.EMPTY_FILE,
            ProblemCode.TOO_MANY_PIXELS,
            ProblemCode.IMAGE_TOO_SMALL,
            ProblemCode.UNDECODABLE_MEDIA,
            ProblemCode.UPLOAD_MISSING,
            ProblemCode.MODEL_LOAD_FAILED,
            ProblemCode.BUSY,
        ),
    },
)
async def create_detection(request: Request, given: Given) -> Response:
    """Analyse one file: an image in a form now, an upload (by its `upload_id`) as a job.

    With `Prefer: respond-async` an image in a form becomes a job too.
    """
    if media_type(request) == "application/json":
        submission = await read_json(request, Submission)
        job = await run_in_threadpool(given.detections.submit, submission.upload_id)
        return _accepted(job)
    data = await read_file(request, max_bytes=given.limits.max_upload_bytes)
    if _wants_job(request):
        response = _accepted(await run_in_threadpool(given.detections.enqueue, data))
        response.headers["Preference-Applied"] = _RESPOND_ASYNC
        return response
    job = await given.gate.run(lambda: given.detections.analyse(data))
    return _answer(job, {"Content-Location": _path(job)})


@router.get(
    "/{detection_id}",
    operation_id="getDetection",
    response_model=AnyDetection,
    response_description="The result, or how far the job is; `status` says which.",
    responses={
        200: {"headers": {"Retry-After": _RETRY_AFTER}},
        **problem_responses(ProblemCode.NOT_FOUND, ProblemCode.GONE),
    },
)
def get_detection(detection_id: DetectionId, given: Given) -> Response:
    """Read a result, or follow a job to it, until it expires or is deleted."""
    return _answer(given.detections.get(detection_id))


@router.delete(
    "/{detection_id}",
    operation_id="deleteDetection",
    status_code=204,
    response_description="Result, heatmap and media are deleted. Deleting again is fine.",
    responses=problem_responses(ProblemCode.NOT_FOUND),
)
def delete_detection(detection_id: DetectionId, given: Given) -> None:
    """Delete a result, or a job with its file, before it expires."""
    given.detections.delete(detection_id)


@router.get(
    "/{detection_id}/heatmap",
    operation_id="getHeatmap",
    response_class=Response,
    response_description="Transparent PNG with the proportions of the upright image.",
    responses={
        200: {"content": {"image/png": {}}},
        **problem_responses(ProblemCode.NOT_FOUND, ProblemCode.GONE),
    },
)
def get_heatmap(detection_id: DetectionId, given: Given) -> Response:
    """Where in the image the score came from. It outlines nothing and proves nothing."""
    png = given.detections.heatmap(detection_id)
    return Response(png, media_type="image/png", headers=_PRIVATE)


def _wants_job(request: Request) -> bool:
    preferences = request.headers.get("prefer", "").lower().split(",")
    return _RESPOND_ASYNC in (each.strip() for each in preferences)


def _accepted(job: Job) -> Response:
    """202 while there is something to wait for; 200 once there is not."""
    response = _answer(job, {"Location": _path(job)})
    response.status_code = 200 if job.finished else 202
    return response


def _answer(job: Job, headers: Mapping[str, str] | None = None) -> Response:
    waiting = {} if job.finished else {"Retry-After": str(_RETRY_SECONDS)}
    return Response(
        _shown(job).model_dump_json(),
        media_type="application/json",
        headers={**_PRIVATE, **waiting, **(headers or {})},
    )


def _shown(job: Job) -> DetectionResult | PendingDetection | FailedDetection:
    if job.problem is not None:
        return FailedDetection(
            id=job.id,
            status="failed",
            created_at=job.created_at,
            expires_at=job.expires_at,
            problem=job_failure(job.problem),
            media=FailedMedia(media_deleted_at=job.media_deleted_at),
        )
    return DetectionResult.of(job) if job.finished else PendingDetection.of(job)


def _path(job: Job) -> str:
    return f"/v1/detections/{job.id}"
