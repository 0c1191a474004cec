"""The web application: routes, errors and what surrounds them. Built from what it is given."""

from typing import Any

from starlette.types import ASGIApp

from lambda_api.dependencies import Dependencies
from lambda_api.errors import ProblemCode
from lambda_api.idempotency import KEY_LIFETIME, Idempotency
from lambda_api.middleware import AppAtPath, BodyLimit, CrossOrigin, FailureLog, RequestMarks
from lambda_api.observability import Observation
from lambda_api.openapi import ContractedAPI
from lambda_api.problems import install_problem_handlers
from lambda_api.routes import desk, detections, service, uploads
from lambda_api.routes.upload_forms import upload_forms
from lambda_api.website import ApiBesideSite, website

API_VERSION = "1.0.0"
"""Of the contract. Fields and paths may be added within 1; nothing is removed."""

DESCRIPTION = """\
Does an image show signs of having been made by AI?
Send one, and get a verdict together with the error rates that were measured for images like it.

A verdict is one of four: `likely_ai`, `inconclusive`, `no_ai_signs_found`, `not_applicable`.
None of them says where an image came from.
Every error is `application/problem+json` (RFC 9457); act on its `code`.

Security: nobody has to log in. Ids carry 144 random bits, and whoever knows one can read and delete what it names, so
keep it to yourself. Files are deleted as soon as they are analysed, results after a day or by `DELETE`.
Some requests never reach the service and are answered by the gateway in its own form: bodies above 4.5 MiB, too many
requests at once, and timeouts.
"""


def create_app(dependencies: Dependencies) -> RequestMarks:
    """The whole app, site included when there is one to serve."""
    app: ASGIApp = Idempotency(
        _api(dependencies),
        dependencies.idempotency,
        clock=dependencies.clock,
        lifetime=min(KEY_LIFETIME, dependencies.limits.result_lifetime),
    )
    if dependencies.site_dir is not None:
        app = ApiBesideSite(app, website(dependencies.site_dir))
    app = BodyLimit(app, dependencies.limits.max_upload_bytes)
    if (receiver := dependencies.receiver) is not None:
        forms = upload_forms(receiver.path, receiver, dependencies.detections)
        app = AppAtPath(receiver.path, forms, otherwise=app)
    app = FailureLog(app)
    if dependencies.allowed_origins:
        # Outside of all that can fail, so that scripts can read a 500 too.
        app = CrossOrigin(app, dependencies.allowed_origins)
    return RequestMarks(Observation(app, dependencies.metrics))


def describe_api() -> dict[str, Any]:
    """The contract, which does not depend on what the app is given."""
    return _routes().openapi()


def _api(dependencies: Dependencies) -> ASGIApp:
    api = _routes()
    api.state.dependencies = dependencies
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


def _routes() -> ContractedAPI:
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
    for module in (uploads, detections, desk, service):
        api.include_router(module.router)
    return api
