"""/v1/detections: analyse an image, read the result again, delete it."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from detector.image import PILLOW_FORMATS
from lambda_api.dependencies import Given
from lambda_api.errors import ProblemCode
from lambda_api.problems import problem_responses
from lambda_api.routes.admission import ADMISSION_CODES, ADMIT_ANALYSIS
from lambda_api.routes.multipart import FIELD, read_file
from lambda_api.schemas import DetectionResult

router = APIRouter(prefix="/v1/detections", tags=["detections"])

DetectionId = Annotated[str, Path(description="The `id` of a result.")]

_PRIVATE = {"Cache-Control": "no-store"}

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
                        "description": "One image. Its name is ignored and its bytes are not kept.",
                    }
                },
            },
            "encoding": {
                FIELD: {"contentType": ", ".join(f"image/{name}" for name in PILLOW_FORMATS)}
            },
        }
    },
}


@router.post(
    "",
    operation_id="createDetection",
    response_description="The result. The image itself is already forgotten.",
    openapi_extra={"requestBody": _FORM},
    dependencies=[ADMIT_ANALYSIS],
    responses=problem_responses(
        *ADMISSION_CODES,
        ProblemCode.BAD_REQUEST,
        ProblemCode.FILE_TOO_LARGE,
        ProblemCode.UNSUPPORTED_TYPE,
        ProblemCode.MISSING_FIELD,
        ProblemCode.EMPTY_FILE,
        ProblemCode.TOO_MANY_PIXELS,
        ProblemCode.IMAGE_TOO_SMALL,
        ProblemCode.UNDECODABLE_MEDIA,
        ProblemCode.MODEL_LOAD_FAILED,
        ProblemCode.BUSY,
    ),
)
async def create_detection(request: Request, response: Response, given: Given) -> DetectionResult:
    """Analyse one image and keep the result for a day, the image not at all."""
    data = await read_file(request, max_bytes=given.limits.max_upload_bytes)
    detection = await given.gate.run(lambda: given.detections.analyse(data))
    response.headers.update(_PRIVATE)
    return DetectionResult.of(detection)


@router.get(
    "/{detection_id}",
    operation_id="getDetection",
    response_description="The result.",
    responses=problem_responses(ProblemCode.NOT_FOUND, ProblemCode.GONE),
)
def get_detection(detection_id: DetectionId, response: Response, given: Given) -> DetectionResult:
    """Read a result again, until it expires or is deleted."""
    response.headers.update(_PRIVATE)
    return DetectionResult.of(given.detections.get(detection_id))


@router.delete(
    "/{detection_id}",
    operation_id="deleteDetection",
    status_code=204,
    response_description="The result and its heatmap are deleted. Deleting again is fine.",
    responses=problem_responses(ProblemCode.NOT_FOUND),
)
def delete_detection(detection_id: DetectionId, given: Given) -> None:
    """Delete a result before it expires."""
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
