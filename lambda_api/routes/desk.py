"""/v1/messages and the feedback on a result: what visitors tell us."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from lambda_api.dependencies import Given
from lambda_api.errors import MissingField, ProblemCode
from lambda_api.idempotency import IDEMPOTENCY_KEY, IDEMPOTENCY_PROBLEMS
from lambda_api.ports import FeedbackLabel
from lambda_api.problems import problem_responses
from lambda_api.routes.admission import ADMISSION_CODES, ADMIT_MESSAGE
from lambda_api.routes.bodies import FIELD, media_type, read_form, read_json, validated
from lambda_api.schemas import FeedbackIn, MessageIn, Receipt

router = APIRouter(prefix="/v1", tags=["messages"], dependencies=[ADMIT_MESSAGE])

_PRIVATE = {"Cache-Control": "no-store"}

_FEEDBACK_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": FeedbackIn.model_json_schema()},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["label", "keep_media", FIELD],
                "properties": {
                    "label": FeedbackIn.model_json_schema()["properties"]["label"],
                    "keep_media": {
                        "type": "string",
                        "const": "true",
                        "description": "That the file may be kept.",
                    },
                    FIELD: {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "description": "The file that was analysed, since we have it no more.",
                    },
                },
            }
        },
    },
}


@router.post(
    "/messages",
    operation_id="createMessage",
    status_code=201,
    response_description="The message is stored.",
    openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
    responses=problem_responses(ProblemCode.BAD_REQUEST, *ADMISSION_CODES, *IDEMPOTENCY_PROBLEMS),
)
def create_message(message: MessageIn, response: Response, given: Given) -> Receipt:
    """Write to the people behind the service."""
    stored = given.desk.take_message(message.kind, message.text, message.email)
    response.headers.update(_PRIVATE)
    return Receipt.of(stored)


@router.post(
    "/detections/{detection_id}/feedback",
    operation_id="createFeedback",
    status_code=201,
    response_description="The feedback is stored.",
    openapi_extra={"requestBody": _FEEDBACK_BODY, "parameters": [IDEMPOTENCY_KEY]},
    responses=problem_responses(
        ProblemCode.BAD_REQUEST,
        ProblemCode.NOT_FOUND,
        ProblemCode.GONE,
        ProblemCode.FILE_TOO_LARGE,
        ProblemCode.UNSUPPORTED_TYPE,
        ProblemCode.MISSING_FIELD,
        ProblemCode.MEDIA_MISMATCH,
        *ADMISSION_CODES,
        *IDEMPOTENCY_PROBLEMS,
    ),
)
async def create_feedback(
    detection_id: Annotated[str, Path(description="The `id` of a result.")],
    request: Request,
    response: Response,
    given: Given,
) -> Receipt:
    """Say that a result looks wrong. Only its numbers are kept, unless the file is sent to be kept too."""
    feedback, media = await _read_feedback(request, given.limits.max_upload_bytes)
    job = await run_in_threadpool(given.detections.get, detection_id)
    stored = await run_in_threadpool(
        given.desk.take_feedback,
        job,
        FeedbackLabel(feedback.label),
        media if feedback.keep_media else None,
    )
    response.headers.update(_PRIVATE)
    return Receipt.of(stored)


async def _read_feedback(request: Request, max_bytes: int) -> tuple[FeedbackIn, bytes | None]:
    media = None
    if media_type(request) == "application/json":
        feedback = await read_json(request, FeedbackIn)
    else:
        fields, media = await read_form(request, max_bytes=max_bytes)
        feedback = validated(FeedbackIn.model_validate, fields)
    if feedback.keep_media and media is None:
        raise MissingField(FIELD, f"To be kept, the file has to be sent again, as '{FIELD}'.")
    return feedback, media
