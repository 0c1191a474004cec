"""/v1/uploads: a place for a file that is too large for one request to this API."""

from urllib.parse import urljoin

from fastapi import APIRouter, Request, Response

from lambda_api.dependencies import Given
from lambda_api.errors import ProblemCode
from lambda_api.idempotency import IDEMPOTENCY_KEY, IDEMPOTENCY_PROBLEMS
from lambda_api.problems import problem_responses
from lambda_api.schemas import UploadRequest, UploadTicket

router = APIRouter(prefix="/v1/uploads", tags=["detections"])


@router.post(
    "",
    operation_id="createUpload",
    status_code=201,
    response_description="The form to post the file with.",
    openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
    responses=problem_responses(
        *IDEMPOTENCY_PROBLEMS,
        ProblemCode.BAD_REQUEST,
        ProblemCode.FILE_TOO_LARGE,
        ProblemCode.UNSUPPORTED_TYPE,
    ),
)
def create_upload(
    wanted: UploadRequest, request: Request, response: Response, given: Given
) -> UploadTicket:
    """Get a form that uploads one file: of this type, not larger, within five minutes.

    Then `POST /v1/detections` with the `upload_id`. The file is deleted as soon as it is analysed; one that nobody asks
    to have analysed, some minutes after the form has expired.
    """
    upload = given.detections.prepare_upload(wanted.content_type, wanted.bytes)
    response.headers["Location"] = f"/v1/detections/{upload.job.id}"
    response.headers["Cache-Control"] = "no-store"
    return UploadTicket(
        upload_id=upload.job.id,
        url=urljoin(str(request.base_url), upload.form.url),
        fields=dict(upload.form.fields),
        max_bytes=upload.max_bytes,
        expires_at=upload.expires_at,
    )
