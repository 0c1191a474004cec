"""The function behind an API gateway. Its model is loaded with the module, before any event."""

import warnings

with warnings.catch_warnings():
    # Some releases warn while being imported, which is no business of this program's.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="mangum")
    from mangum import Mangum

from lambda_api.app import create_app
from lambda_api.bootstrap import build_dependencies
from lambda_api.settings import Settings

handler = Mangum(
    create_app(build_dependencies(Settings())),
    lifespan="off",
    text_mime_types=["text/", "application/json", "application/problem+json"],
)
