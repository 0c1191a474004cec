"""The web application: routes, errors and what surrounds them. Built from what it is given."""

from starlette.types import ASGIApp

from lambda_api.dependencies import Dependencies
from lambda_api.errors import ProblemCode
from lambda_api.middleware import BodyLimit, CrossOrigin, FailureLog, RequestMarks
from lambda_api.observability import Observation
from lambda_api.openapi import ContractedAPI
from lambda_api.problems import install_problem_handlers
from lambda_api.routes import desk, detections, service
from lambda_api.website import ApiBesideSite, website

API_VERSION = "1.0.0"
"""Of the contract. Fields and paths may be added within 1; nothing is removed."""

DESCRIPTION = """\
Does an image show signs of having been made by AI?
Send one, and get a verdict together with the error rates that were measured for images like it.

A verdict is one of four: `likely_ai`, `inconclusive`, `no_ai_signs_found`, `not_applicable`.
None of them says where an image came from.
Every error is `application/problem+json` (RFC 9457); act on its `code`.
"""


def create_app(dependencies: Dependencies) -> RequestMarks:
    """The whole app, site included when there is one to serve."""
    app = _api(dependencies)
    if dependencies.site_dir is not None:
        app = ApiBesideSite(app, website(dependencies.site_dir))
    app = FailureLog(BodyLimit(app, dependencies.limits.max_upload_bytes))
    if dependencies.allowed_origins:
        # Outside of all that can fail, so that scripts can read a 500 too.
        app = CrossOrigin(app, dependencies.allowed_origins)
    return RequestMarks(Observation(app, dependencies.metrics))


def _api(dependencies: Dependencies) -> ASGIApp:
    api = ContractedAPI(
        title="Asli",
        summary="Signs of AI generation in images",
        description=DESCRIPTION,
        version=API_VERSION,
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_url=None,  # routes/service.py serves the contract
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state.dependencies = dependencies
    api.include_router(detections.router)
    api.include_router(desk.router)
    api.include_router(service.router)
    limits = dependencies.limits
    install_problem_handlers(
        api,
        {
            ProblemCode.FILE_TOO_LARGE: limits.max_upload_bytes,
            ProblemCode.TOO_MANY_PIXELS: limits.image.max_pixels,
            ProblemCode.IMAGE_TOO_SMALL: limits.image.min_side,
        },
    )
    return api
