from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from detector.analysis import Detector
from detector.errors import ModelLoadError
from lambda_api.admission import Rates
from lambda_api.security_headers import SECURITY_HEADERS
from tests.apps import PROBLEM, Caller, build_app
from tests.fakes import BrokenDetector
from tests.images import plain_image

ORIGIN = "https://asli.example"
PREFLIGHT = {"access-control-request-method": "POST"}


@pytest.fixture
def failing(tiny_detector: Detector, tmp_path: Path) -> Caller:
    """An app that allows one origin and answers 500 to every image."""
    return Caller(build_app(BrokenDetector(tiny_detector), tmp_path, allowed_origins=(ORIGIN,)))


def _send_image(call: Caller, origin: str) -> dict[str, str]:
    image = plain_image("PNG")
    response = call("POST", "/v1/detections", files={"file": image}, headers={"origin": origin})
    assert 500 == response.status_code
    return dict(response.headers)


def test_allowed_origin_may_read_failures(failing: Caller) -> None:
    """A 500 too carries the CORS headers for an allowed origin, and never credentials."""
    headers = _send_image(failing, ORIGIN)

    assert ORIGIN == headers["access-control-allow-origin"]
    assert "access-control-allow-credentials" not in headers
    assert "X-Request-Id" in headers["access-control-expose-headers"]
    assert "x-request-id" in headers


@pytest.mark.parametrize("origin", ["https://evil.example", ORIGIN + ".evil.example", "null"])
def test_other_origin_may_not(failing: Caller, origin: str) -> None:
    """Any other origin gets no permission."""
    assert "access-control-allow-origin" not in _send_image(failing, origin)


@pytest.mark.parametrize(
    ("method", "path", "request_of", "status"),
    [
        ("GET", "/v1/limits", {}, 200),
        ("POST", "/v1/uploads", {"json": {"content_type": "image/png", "bytes": 9}}, 201),
        ("POST", "/v1/uploads", {"json": {}}, 400),
        ("POST", "/v1/uploads/files", {"files": {"file": b"x"}}, 403),
        ("GET", "/v1/nothing", {}, 404),
        ("PUT", "/v1/detections", {}, 405),
        ("POST", "/v1/detections", {"files": {"file": b"\0" * 6_000_000}}, 413),
        ("POST", "/v1/detections", {"content": b"x"}, 415),
        ("POST", "/v1/detections", {"files": {"image": b"x"}}, 422),
        ("POST", "/v1/detections", {"files": {"file": plain_image("PNG")}}, 500),
    ],
)
def test_every_answer_has_cors_headers(
    failing: Caller, method: str, path: str, request_of: dict[str, Any], status: int
) -> None:
    """An allowed origin may read success and every kind of error; another origin neither."""
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        response = failing(method, path, headers={"origin": origin}, **request_of)

        assert status == response.status_code
        assert allowed == response.headers.get("access-control-allow-origin")
        assert "access-control-allow-credentials" not in response.headers


def test_refusals_have_cors_headers(tmp_path: Path) -> None:
    """Also those that are given before the app is asked, and when there is no model."""
    app = build_app(ModelLoadError("why"), tmp_path, allowed_origins=(ORIGIN,))
    call = Caller(app)
    keyed = {"origin": ORIGIN, "idempotency-key": "no key"}
    answers = [
        call("GET", "/v1/readyz", headers={"origin": ORIGIN}),
        call("POST", "/v1/uploads", json={}, headers=keyed),
    ]

    assert [503, 400] == [each.status_code for each in answers]
    assert {ORIGIN} == {each.headers["access-control-allow-origin"] for each in answers}


def test_admission_refusals_have_cors_headers(tiny_detector: Detector, tmp_path: Path) -> None:
    """A page of the allowed origin may read that its key is wrong, and for how long to wait."""
    rates = Rates(anonymous_per_minute=1)
    call = Caller(build_app(tiny_detector, tmp_path, allowed_origins=(ORIGIN,), rates=rates))
    keyed = {"origin": ORIGIN, "authorization": "Bearer nothing"}
    sent = (keyed, {"origin": ORIGIN}, {"origin": ORIGIN}, {"origin": "https://evil.example"})
    answers = [call("POST", "/v1/uploads", json={}, headers=headers) for headers in sent]

    assert [401, 400, 429, 429] == [each.status_code for each in answers]
    assert [ORIGIN] * 3 + [None] == [
        each.headers.get("access-control-allow-origin") for each in answers
    ]
    assert "Retry-After" in answers[2].headers["access-control-expose-headers"]


def test_preflight(failing: Caller) -> None:
    """The allowed origin may post."""
    response = failing("OPTIONS", "/v1/detections", headers={"origin": ORIGIN, **PREFLIGHT})

    assert 200 == response.status_code
    assert ORIGIN == response.headers["access-control-allow-origin"]


def test_preflight_allows_headers_of_contract(failing: Caller) -> None:
    """Scripts may send JSON, an idempotency key and a preference."""
    names = "content-type, idempotency-key, prefer"
    headers = {"origin": ORIGIN, "access-control-request-headers": names, **PREFLIGHT}

    assert 200 == failing("OPTIONS", "/v1/detections", headers=headers).status_code


def test_refused_preflight_is_a_problem(failing: Caller) -> None:
    """A refused preflight is answered like any other error."""
    headers = {"origin": "https://evil.example", **PREFLIGHT}
    response = failing("OPTIONS", "/v1/detections", headers=headers)

    assert (400, PROBLEM) == (response.status_code, response.headers["content-type"])
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert "access-control-allow-origin" not in response.headers
    assert "Origin" in response.headers["vary"]


def test_no_origin_is_allowed_by_default(call: Caller, photo_jpeg: bytes) -> None:
    """Without configured origins there are no CORS headers at all."""
    headers = {"origin": ORIGIN}
    response = call("POST", "/v1/detections", files={"file": photo_jpeg}, headers=headers)

    assert 200 == response.status_code
    assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/v1/limits", "/v1/nothing", "/"])
def test_every_answer_is_marked(call: Caller, path: str) -> None:
    """Each answer has a request id of its own and the security headers."""
    first, second = call("GET", path), call("GET", path)

    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    for name, value in SECURITY_HEADERS.items():
        assert value == first.headers[name]


def test_request_id_is_not_taken_from_outside(call: Caller) -> None:
    """A caller cannot write into the log by choosing the id."""
    response = call("GET", "/v1/limits", headers={"x-request-id": "chosen"})

    assert response.headers["x-request-id"].startswith("req_")


def test_declared_length_is_refused_unread(call: Caller) -> None:
    """A body that declares a gigabyte is refused before any of it is read."""

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("The body was read.")
        yield b""

    headers = {"content-length": "1073741824", "content-type": "multipart/form-data; boundary=b"}
    response = call("POST", "/v1/detections", content=unread(), headers=headers)

    assert (413, PROBLEM) == (response.status_code, response.headers["content-type"])
    assert (4_194_304, "file_too_large") == (response.json()["limit"], response.json()["code"])
    assert "4 MiB" in response.json()["detail"]
