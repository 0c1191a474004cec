import asyncio
import re
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Query
from starlette.types import Message

from detector import errors as detector_errors
from detector.analysis import Detector
from detector.errors import DetectorError, ModelLoadError
from lambda_api.errors import ProblemCode
from lambda_api.middleware import RequestMarks
from lambda_api.problems import PROBLEM_TYPES, install_problem_handlers
from tests.apps import PROBLEM, Caller, build_app, errors_in, session
from tests.fakes import BrokenDetector
from tests.images import padded_png, plain_image, png_declaring

DETECTIONS = "/v1/detections"
UPLOADS = "/v1/uploads"
JSON = {"content-type": "application/json"}
UNKNOWN_ID = "det_AAAAAAAAAAAAAAAAAAAAAAAA"
BOUNDARY = {"content-type": "multipart/form-data; boundary=b"}


def _file(data: bytes, name: str = "a.jpg") -> dict[str, Any]:
    return {"files": {"file": (name, data)}}


def _wanted(**changes: object) -> dict[str, object]:
    return {"content_type": "image/png", "bytes": 10, **changes}


def _zip() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "text")
    return buffer.getvalue()


def _form(disposition: str, content: bytes = b"x", end: bytes = b"\r\n--b--\r\n") -> dict[str, Any]:
    start = f"--b\r\ncontent-disposition: form-data; {disposition}\r\n\r\n".encode()
    return {"content": start + content + end, "headers": BOUNDARY}


BAD_REQUESTS: list[tuple[str, str, Callable[[], dict[str, Any]], int, str]] = [
    ("GET", "/v1/unknown", dict, 404, "not_found"),
    ("GET", "/v1", dict, 404, "not_found"),
    ("GET", "/", dict, 404, "not_found"),
    ("GET", "/v1/detections/", dict, 404, "not_found"),
    ("GET", f"/v1/detections/{UNKNOWN_ID}", dict, 404, "not_found"),
    ("GET", f"/v1/detections/{UNKNOWN_ID}/heatmap", dict, 404, "not_found"),
    ("DELETE", f"/v1/detections/{UNKNOWN_ID}", dict, 404, "not_found"),
    ("GET", "/v1/detections/..%2f..%2fetc%2fpasswd", dict, 404, "not_found"),
    ("GET", "/v1/detections/%2e%2e", dict, 404, "not_found"),
    ("GET", "/v1/detections/det_%00AAAAAAAAAAAAAAAAAAAAAAAA", dict, 404, "not_found"),
    ("GET", DETECTIONS, dict, 405, "method_not_allowed"),
    ("PUT", DETECTIONS, dict, 405, "method_not_allowed"),
    ("POST", "/v1/model", dict, 405, "method_not_allowed"),
    ("POST", DETECTIONS, dict, 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: {"json": {"file": "a"}}, 400, "bad_request"),
    ("POST", DETECTIONS, lambda: {"json": {"upload_id": 7}}, 400, "bad_request"),
    ("POST", DETECTIONS, lambda: {"json": ["upload_id"]}, 400, "bad_request"),
    ("POST", DETECTIONS, lambda: {"content": b"{", "headers": JSON}, 400, "bad_request"),
    ("POST", DETECTIONS, lambda: {"json": {"upload_id": UNKNOWN_ID}}, 404, "not_found"),
    ("POST", DETECTIONS, lambda: {"json": {"upload_id": "../etc/passwd"}}, 404, "not_found"),
    ("POST", UPLOADS, dict, 400, "bad_request"),
    ("POST", UPLOADS, lambda: {"json": {}}, 400, "bad_request"),
    ("POST", UPLOADS, lambda: {"json": _wanted(bytes=0)}, 400, "bad_request"),
    ("POST", UPLOADS, lambda: {"json": _wanted(bytes="many")}, 400, "bad_request"),
    ("POST", UPLOADS, lambda: {"json": _wanted(bytes=1.5)}, 400, "bad_request"),
    ("POST", UPLOADS, lambda: {"json": _wanted(bytes=20_000_001)}, 413, "file_too_large"),
    ("POST", UPLOADS, lambda: {"json": _wanted(content_type="text/html")}, 415, "unsupported_type"),
    ("POST", UPLOADS, lambda: {"json": _wanted(content_type="")}, 415, "unsupported_type"),
    ("GET", UPLOADS, dict, 405, "method_not_allowed"),
    ("PUT", f"{UPLOADS}/files", lambda: {"content": b"x"}, 405, "method_not_allowed"),
    ("POST", f"{UPLOADS}/files", lambda: {"content": b"x"}, 415, "unsupported_type"),
    ("POST", f"{UPLOADS}/files", lambda: _file(b"x"), 403, "upload_refused"),
    (
        "POST",
        f"{UPLOADS}/files",
        lambda: {"content": b"x", "headers": BOUNDARY},
        400,
        "bad_request",
    ),
    (
        "POST",
        DETECTIONS,
        lambda: {"json": {"upload_id": UNKNOWN_ID}, "headers": {"idempotency-key": "7"}},
        400,
        "idempotency_key_invalid",
    ),
    ("POST", DETECTIONS, lambda: {"data": {"file": "a"}}, 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: {"content": b"\xff\xd8\xff"}, 415, "unsupported_type"),
    (
        "POST",
        DETECTIONS,
        lambda: {"content": b"", "headers": {"content-type": "multipart/form-data"}},
        400,
        "bad_request",
    ),
    ("POST", DETECTIONS, lambda: {"content": b"noise", "headers": BOUNDARY}, 400, "bad_request"),
    ("POST", DETECTIONS, lambda: _form('filename="a.jpg"'), 400, "bad_request"),
    (
        "POST",
        DETECTIONS,
        lambda: {"files": [("file", ("a.png", b"1")), ("file", ("b.png", b"2"))]},
        400,
        "bad_request",
    ),
    (
        "POST",
        DETECTIONS,
        lambda: _form('name="file"; filename="a"', b"\xff\xd8\xff", b""),
        400,
        "bad_request",
    ),
    ("POST", DETECTIONS, lambda: {"content": b"", "headers": BOUNDARY}, 400, "bad_request"),
    (
        "POST",
        DETECTIONS,
        lambda: {"content": b"--b--\r\n", "headers": BOUNDARY},
        422,
        "missing_field",
    ),
    ("POST", DETECTIONS, lambda: {"files": {"image": b"1"}}, 422, "missing_field"),
    ("POST", DETECTIONS, lambda: _form('name="file"'), 422, "missing_field"),
    ("POST", DETECTIONS, lambda: _file(b""), 422, "empty_file"),
    ("POST", DETECTIONS, lambda: _file(_zip(), "a.png"), 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: _file(b"words", "a.jpg"), 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: _file(b"<svg/>", "a.svg"), 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: _file(plain_image("GIF"), "a.png"), 415, "unsupported_type"),
    ("POST", DETECTIONS, lambda: _file(plain_image("JPEG")[:-200]), 422, "undecodable_media"),
    ("POST", DETECTIONS, lambda: _file(plain_image("PNG")[:60]), 422, "undecodable_media"),
    ("POST", DETECTIONS, lambda: _file(b"RIFF0000WEBPVP8 "), 422, "undecodable_media"),
    ("POST", DETECTIONS, lambda: _file(png_declaring(60_000, 60_000)), 422, "too_many_pixels"),
    ("POST", DETECTIONS, lambda: _file(plain_image("PNG", (500, 63))), 422, "image_too_small"),
    ("POST", DETECTIONS, lambda: _file(padded_png(4_194_305)), 413, "file_too_large"),
    ("POST", DETECTIONS, lambda: _file(b"\0" * 6_000_000), 413, "file_too_large"),
]


@pytest.mark.parametrize(("method", "path", "request_of", "status", "code"), BAD_REQUESTS)
def test_bad_request_is_answered_with_its_problem(
    call: Caller,
    method: str,
    path: str,
    request_of: Callable[[], dict[str, Any]],
    status: int,
    code: str,
) -> None:
    """Each bad request gets a problem with its own code, and the server keeps serving."""
    response = call(method, path, **request_of())

    assert (status, PROBLEM) == (response.status_code, response.headers["content-type"])
    problem = response.json()
    assert (status, code) == (problem["status"], problem["code"])
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"].endswith(".")
    assert problem["instance"].startswith("/")
    assert not re.search(r"Traceback|\.py|site-packages|/tmp|/home", response.text)
    assert 200 == call.detect(plain_image("PNG")).status_code


def test_the_contract_names_these_problems(call: Caller) -> None:
    """Where a bad request meets an operation of the contract, its code is among that one's examples."""
    paths = call("GET", "/v1/openapi.json").json()["paths"]
    checked = 0
    for method, path, _, status, code in BAD_REQUESTS:
        for template, operations in paths.items():
            operation = operations.get(method.lower())
            if operation and re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                documented = operation["responses"][str(status)]["content"][PROBLEM]["examples"]
                assert code in documented, (method, path)
                checked += 1
    assert checked > 25


def test_numbers_behind_limits_are_told(call: Caller) -> None:
    """A problem with a limit carries the published number."""
    limits = call("GET", "/v1/limits").json()
    pairs = [
        (padded_png(4_194_305), limits["max_upload_bytes"]),
        (png_declaring(60_000, 60_000), limits["max_pixels"]),
        (plain_image("PNG", (500, 63)), limits["min_side_px"]),
    ]

    for data, limit in pairs:
        assert limit == call.detect(data).json()["limit"]


def test_missing_field_is_named(call: Caller) -> None:
    """A form without its file says which field is missing."""
    problem = call("POST", DETECTIONS, files={"image": b"1"}).json()

    assert ["file"] == [error["field"] for error in problem["errors"]]


def test_wrong_method_tells_right_ones(call: Caller) -> None:
    """A 405 has an Allow header."""
    assert "POST" == call("PUT", DETECTIONS).headers["allow"]


def test_validation_error_is_a_problem() -> None:
    """What FastAPI itself refuses is a problem too, with one entry per field."""
    api = FastAPI()
    install_problem_handlers(api, {})

    @api.get("/v1/x")
    def get_x(n: Annotated[int, Query()]) -> int:
        return n

    response = Caller(RequestMarks(api))("GET", "/v1/x?n=a")

    assert (400, "bad_request") == (response.status_code, response.json()["code"])
    assert ["query.n"] == [error["field"] for error in response.json()["errors"]]


def test_unexpected_failure_tells_nothing(
    tiny_detector: Detector, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A 500 carries no exception text; the log has it under the request's id."""
    call = Caller(build_app(BrokenDetector(tiny_detector), tmp_path))

    response = call.detect(plain_image("PNG"))

    assert (500, PROBLEM) == (response.status_code, response.headers["content-type"])
    assert "internal" == response.json()["code"]
    assert not re.search("secret|private|RuntimeError", response.text)
    assert [f"Request {response.json()['request_id']} failed"] == errors_in(caplog)


def test_server_serves_on_after_failures(tiny_detector: Detector, tmp_path: Path) -> None:
    """Failures do not use up the places for analyses."""
    call = Caller(build_app(BrokenDetector(tiny_detector), tmp_path, places=1, wait_seconds=0.1))

    assert [500] * 4 == [call.detect(plain_image("PNG")).status_code for _ in range(4)]
    assert 200 == call("GET", "/v1/healthz").status_code


def test_without_model_nothing_is_scored(tmp_path: Path) -> None:
    """Without a model every path that needs one answers 503; the others answer."""
    call = Caller(build_app(ModelLoadError("The model file x.onnx is damaged."), tmp_path))

    responses = [
        call.detect(plain_image("PNG")),
        call("GET", "/v1/model"),
        call("GET", "/v1/readyz"),
    ]
    assert [(503, "model_load_failed")] * 3 == [
        (each.status_code, each.json()["code"]) for each in responses
    ]
    assert not any("x.onnx" in each.text for each in responses)
    assert [200, 200, 200] == [
        call("GET", f"/v1/{path}").status_code for path in ("healthz", "limits", "openapi.json")
    ]


def test_cut_off_upload_is_no_failure(call: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """A client that goes away in the middle of its upload leaves nothing in the log."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": DETECTIONS,
        "query_string": b"",
        "headers": [(b"content-type", b"multipart/form-data; boundary=b")],
    }
    messages: Iterator[Message] = iter(
        [
            {"type": "http.request", "body": b"--b\r\n", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await call.app(scope, receive, send)

    asyncio.run(run())

    assert 400 == sent[0]["status"]
    assert [] == errors_in(caplog)


def test_table_is_complete() -> None:
    """Every code has its row, and every error of the detector has a code."""
    kinds = [
        each
        for each in vars(detector_errors).values()
        if isinstance(each, type) and issubclass(each, DetectorError) and each is not DetectorError
    ]

    assert set(ProblemCode) == set(PROBLEM_TYPES)
    assert kinds
    assert {kind.code for kind in kinds} <= {code.value for code in ProblemCode}


def test_type_points_into_contract(call: Caller) -> None:
    """The `type` of a problem is a reference that can be followed."""
    problem = call("GET", "/v1/unknown").json()
    address, _, pointer = problem["type"].partition("#/")
    found = call("GET", address).json()
    for key in pointer.split("/"):
        found = found[key]

    assert (problem["status"], problem["title"]) == (found["status"], found["title"])


def test_streamed_body_is_refused_early(call: Caller) -> None:
    """A body without a declared length is refused while it arrives, not after."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 65_536
            yield b"\0" * 65_536

    async def post() -> httpx.Response:
        async with session(call.app) as client:
            return await client.post(DETECTIONS, content=endless(), headers=BOUNDARY)

    response = asyncio.run(post())

    assert (413, "file_too_large") == (response.status_code, response.json()["code"])
    assert sent < 5_000_000
