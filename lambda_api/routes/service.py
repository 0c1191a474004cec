"""/v1/model, /v1/limits and what else the service says about itself."""

from typing import Any

from fastapi import APIRouter, Request, Response

from lambda_api.dependencies import Given
from lambda_api.errors import ProblemCode
from lambda_api.problems import problem_responses
from lambda_api.reference import STYLE_PATH, render_reference
from lambda_api.schemas import Health, Limits, ModelCard, Readiness

router = APIRouter(prefix="/v1", tags=["service"])

_CACHEABLE = {"Cache-Control": "public, max-age=300"}
_FRESH = {"Cache-Control": "no-store"}


@router.get(
    "/model",
    operation_id="getModel",
    response_description="The model card.",
    responses=problem_responses(ProblemCode.MODEL_LOAD_FAILED),
)
def get_model(response: Response, given: Given) -> ModelCard:
    """The model that answers, its bands, and the errors measured with it."""
    card = ModelCard.of(given.detections.detector)
    response.headers.update(_CACHEABLE)
    return card


@router.get(
    "/limits",
    operation_id="getLimits",
    response_description="The limits in force.",
    responses=problem_responses(),
)
def get_limits(response: Response, given: Given) -> Limits:
    """What is accepted and for how long results are kept."""
    response.headers.update(_CACHEABLE)
    return Limits.of(given.limits)


@router.get(
    "/healthz",
    operation_id="getHealth",
    response_description="The process answers.",
    responses=problem_responses(),
)
def get_health(response: Response) -> Health:
    """Whether the process answers, with or without a model."""
    response.headers.update(_FRESH)
    return Health()


@router.get(
    "/readyz",
    operation_id="getReadiness",
    response_description="Images can be analysed.",
    responses=problem_responses(ProblemCode.MODEL_LOAD_FAILED),
)
def get_readiness(response: Response, given: Given) -> Readiness:
    """Whether the model is loaded."""
    given.detections.detector  # noqa: B018 - raises when there is none
    response.headers.update(_FRESH)
    return Readiness()


@router.get("/docs", include_in_schema=False)
def get_reference(request: Request) -> Response:
    """The contract as a page for people."""
    page = render_reference(request.app.openapi())
    return Response(page, media_type="text/html", headers=_CACHEABLE)


@router.get("/docs/reference.css", include_in_schema=False)
def get_reference_style() -> Response:
    """How that page looks; from this address, since the security policy allows no other."""
    return Response(STYLE_PATH.read_bytes(), media_type="text/css", headers=_CACHEABLE)


@router.get(
    "/openapi.json",
    operation_id="getContract",
    response_description="This document.",
    responses=problem_responses(),
)
def get_contract(request: Request, response: Response) -> dict[str, Any]:
    """This contract, as OpenAPI 3.1."""
    response.headers.update(_CACHEABLE)
    contract: dict[str, Any] = request.app.openapi()
    return contract
