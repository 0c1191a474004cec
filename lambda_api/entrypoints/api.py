"""The function behind an API gateway. Its model is loaded with the module, before any event."""

import warnings

from mangum import Mangum

from lambda_api.app import create_app
from lambda_api.bootstrap import build_dependencies
from lambda_api.observability import log_as_json
from lambda_api.settings import Settings


def _build_handler() -> Mangum:
    log_as_json()
    app = create_app(build_dependencies(Settings()))
    with warnings.catch_warnings():
        # Mangum makes an event loop in a way that Python 3.12 and 3.13 announce to end.
        message = "There is no current event loop"
        warnings.filterwarnings("ignore", message, category=DeprecationWarning)
        return Mangum(
            app,
            lifespan="off",
            text_mime_types=["text/", "application/json", "application/problem+json"],
        )


handler = _build_handler()
