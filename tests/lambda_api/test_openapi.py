import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from detector.verdict import Reason, Verdict
from lambda_api.entrypoints.contract import contract_text
from lambda_api.errors import ProblemCode
from tests.apps import PROBLEM, Caller, EmbeddedService
from tests.images import plain_image

PATHS = {
    "/v1/uploads": {"post"},
    "/v1/detections": {"post"},
    "/v1/detections/{detection_id}": {"get", "delete"},
    "/v1/detections/{detection_id}/heatmap": {"get"},
    "/v1/model": {"get"},
    "/v1/limits": {"get"},
    "/v1/healthz": {"get"},
    "/v1/readyz": {"get"},
    "/v1/openapi.json": {"get"},
}


def test_contract_is_valid(call: Caller) -> None:
    """The contract is OpenAPI 3.1 whose references all lead somewhere."""
    document = _contract(call)

    assert document["openapi"].startswith("3.1")
    OpenAPI.model_validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    references = [value["$ref"] for value in _objects(document) if "$ref" in value]
    assert references
    for reference in references:
        found: Any = document
        for key in reference.removeprefix("#/").split("/"):
            found = found[key]


def test_contract_has_every_path(call: Caller) -> None:
    """Each path is described once, with an id of its own."""
    document = _contract(call)
    operation_ids = [operation["operationId"] for _, operation in _operations(document)]

    assert {path: set(methods) for path, methods in document["paths"].items()} == PATHS
    assert len(set(operation_ids)) == len(operation_ids)


def test_every_route_documents_its_problems(call: Caller) -> None:
    """Every error of every route is problem+json, and no other shape of error exists."""
    document = _contract(call)

    for name, operation in _operations(document):
        errors = {key: each for key, each in operation["responses"].items() if key[0] != "2"}
        assert {"500", "default"} <= set(errors), name
        for response in errors.values():
            assert response["description"]
            assert [PROBLEM] == list(response["content"])
            schema = response["content"][PROBLEM]["schema"]
            assert {"$ref": "#/components/schemas/Problem"} == schema
    assert not [name for name in document["components"]["schemas"] if "Validation" in name]


def test_upload_documents_each_of_its_codes(call: Caller) -> None:
    """The ways in which an upload can fail are examples with their codes."""
    responses = _contract(call)["paths"]["/v1/detections"]["post"]["responses"]
    documented = {
        code
        for response in responses.values()
        for code in response.get("content", {}).get(PROBLEM, {}).get("examples", {})
    }

    assert set(ProblemCode) - documented == {
        "method_not_allowed",
        "upload_refused",  # by the form's address
        "analysis_failed",  # told by the job
    }


def test_examples_fit_their_schemas(call: Caller) -> None:
    """Every example is valid against the schema it illustrates."""
    document = _contract(call)
    pairs = [
        (schema, example)
        for schema in document["components"]["schemas"].values()
        for example in schema.get("examples", [])
    ] + [
        (media["schema"], example["value"])
        for media in _objects(document)
        if "schema" in media
        for example in media.get("examples", {}).values()
    ]

    assert len(pairs) > 20
    for schema, example in pairs:
        whole = {**schema, "components": document["components"]}
        assert [] == [error.message for error in Draft202012Validator(whole).iter_errors(example)]


def test_answers_fit_their_schemas(call: Caller, photo_jpeg: bytes) -> None:
    """What the service answers is what the contract says."""
    document = _contract(call)
    answers = [
        ("/v1/detections", "post", call.detect(photo_jpeg)),
        ("/v1/model", "get", call("GET", "/v1/model")),
        ("/v1/limits", "get", call("GET", "/v1/limits")),
    ]

    for path, method, response in answers:
        content = document["paths"][path][method]["responses"]["200"]["content"]
        schema = content["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        Draft202012Validator(whole).validate(response.json())


def test_jobs_fit_their_schemas(service: EmbeddedService, call: Caller) -> None:
    """Every state of a job is answered as the contract says."""
    document = _contract(call)
    content = document["paths"]["/v1/detections/{detection_id}"]["get"]["responses"]["200"]
    schema = content["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    upload = call("POST", "/v1/uploads", json={"content_type": "image/png", "bytes": 10}).json()
    queued = service.detections.enqueue(plain_image("PNG"))
    failed = service.detections.enqueue(b"words")
    service.processor.process(failed.id)

    for job_id, status in (
        (upload["upload_id"], "awaiting_upload"),
        (queued.id, "queued"),
        (failed.id, "failed"),
    ):
        answer = call("GET", f"/v1/detections/{job_id}").json()
        assert status == answer["status"]
        validator.validate(answer)
    service.work()
    validator.validate(call("GET", f"/v1/detections/{queued.id}").json())


def test_committed_contract_is_the_answered_one(call: Caller) -> None:
    """`openapi.json` is what the service answers; `make openapi` writes it anew."""
    committed = (Path(__file__).parents[2] / "openapi.json").read_text("utf-8")

    assert contract_text() == committed
    assert _contract(call) == json.loads(committed)


def test_every_post_takes_an_idempotency_key(call: Caller) -> None:
    """The header and its three problems are documented at each POST."""
    codes = {"idempotency_key_invalid", "idempotency_key_reused", "request_in_progress"}
    for name, operation in _operations(_contract(call)):
        if name.startswith("post"):
            names = {parameter["name"] for parameter in operation["parameters"]}
            documented = {
                code
                for response in operation["responses"].values()
                for code in response.get("content", {}).get(PROBLEM, {}).get("examples", {})
            }
            assert "Idempotency-Key" in names, name
            assert codes <= documented, name


def test_enumerations_are_in_contract(call: Caller) -> None:
    """A program can read all verdicts, reasons and codes from the contract."""
    schemas = _contract(call)["components"]["schemas"]

    assert list(Verdict) == schemas["Verdict"]["enum"]
    assert list(Reason) == schemas["Reason"]["enum"]
    assert list(ProblemCode) == schemas["ProblemCode"]["enum"]


def test_upload_is_one_file_in_a_form(call: Caller) -> None:
    """The contract names the form field and the formats."""
    body = _contract(call)["paths"]["/v1/detections"]["post"]["requestBody"]
    form = body["content"]["multipart/form-data"]

    assert ["file"] == form["schema"]["required"]
    assert "image/heic" in form["encoding"]["file"]["contentType"]


def _contract(call: Caller) -> dict[str, Any]:
    document: dict[str, Any] = call("GET", "/v1/openapi.json").json()
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def _objects(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)
