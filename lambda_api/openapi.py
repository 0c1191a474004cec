"""The contract as OpenAPI 3.1: FastAPI's document, with our one shape of errors."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from lambda_api.problems import problem_type_reference
from lambda_api.schemas import Problem, Submission

_SCHEMAS = "#/components/schemas/{model}"


class ContractedAPI(FastAPI):
    """A FastAPI app whose contract knows problem+json."""

    def openapi(self) -> dict[str, Any]:
        """Built on the first call."""
        if self.openapi_schema is None:
            self.openapi_schema = _describe(self)
        return self.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        license_info=app.license_info,
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    for model in (Problem, Submission):  # those that FastAPI does not see
        schema = model.model_json_schema(ref_template=_SCHEMAS)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    document["x-problem-types"] = problem_type_reference()
    return document
