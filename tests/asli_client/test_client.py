"""The client against a scripted service: what it sends, and what it makes of the answers."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from asli_client import (
    ApiProblem,
    AsliError,
    Client,
    ConnectionFailed,
    DeadlineExceeded,
    FileRefused,
    KeyRefused,
    RateLimited,
    ServiceUnavailable,
    UnreadableFile,
)
from asli_client.retries import Retries
from tests.images import plain_image

BASE = "https://asli.test"
DONE = {
    "id": "det_1",
    "status": "succeeded",
    "verdict": "inconclusive",
    "reasons": ["score_middle"],
    "pixel": {"score": 0.5},
}
LIMITS: dict[str, Any] = {
    "max_upload_bytes": 4_194_304,
    "upload_content_types": ["image/jpeg", "video/mp4", "application/octet-stream"],
}
GRANT = {"upload_id": "upl_1", "url": "https://files.test/", "fields": {"key": "uploads/1"}}

Answer = httpx.Response | Exception


@dataclass
class Script:
    """Gives the next answer for each method and path, and remembers the requests."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        if request.url.path == "/v1/limits":
            return httpx.Response(200, json=LIMITS)
        answer = self.answers[f"{request.method} {request.url.path}"].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keys(self, path: str) -> list[str | None]:
        return [r.headers.get("Idempotency-Key") for r in self.requests if r.url.path == path]

    def client(self, **options: Any) -> Client:
        return Client(
            BASE, transport=httpx.MockTransport(self), sleep=self.waited.append, **options
        )


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "holiday in Ubud.jpg"
    path.write_bytes(plain_image("JPEG"))
    return path


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"code": code, "detail": f"It is {code}.", "request_id": "req_1"}
    return httpx.Response(
        status, json=body, headers={"content-type": "application/problem+json", **headers}
    )


def result(status: int = 200, **values: Any) -> httpx.Response:
    return httpx.Response(status, json={**DONE, **values})


def test_a_small_image_is_one_request(script: Script, photo: Path) -> None:
    """Its bytes go in one form, under a name that says nothing, and the result comes back typed."""
    script.answers = {"POST /v1/detections": [result()]}
    detection = script.client(api_key="secret").detect(photo)

    assert ("det_1", "inconclusive", 0.5) == (detection.id, detection.verdict, detection.score)
    assert ["score_middle"] == list(detection.reasons)
    sent = script.requests[-1]
    assert photo.read_bytes() in sent.content
    assert b"Ubud" not in sent.content
    assert "Bearer secret" == sent.headers["Authorization"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\0" * 4_194_302,
        b"\0\0\0\x18ftypmp42" + b"\0" * 50,
        b"RIFF\0\0\0\0AVI LIST",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
    ],
    ids=["one byte too many", "mp4", "avi", "wmv"],
)
def test_large_files_and_videos_are_uploaded(script: Script, tmp_path: Path, data: bytes) -> None:
    """They go to the file store by its form, without the API key; then a job is watched to its end."""
    path = tmp_path / "file.jpg"
    path.write_bytes(data)
    script.answers = {
        "POST /v1/uploads": [httpx.Response(201, json=GRANT)],
        "POST /": [httpx.Response(204)],
        "POST /v1/detections": [httpx.Response(202, json={"id": "det_1", "status": "queued"})],
        "GET /v1/detections/det_1": [
            httpx.Response(
                200, json={"id": "det_1", "status": "processing"}, headers={"Retry-After": "3"}
            ),
            result(),
        ],
    }
    detection = script.client(api_key="secret").detect(path)

    assert "det_1" == detection.id
    assert [2.0, 3.0] == script.waited
    form = next(each for each in script.requests if each.url.host == "files.test")
    assert "Authorization" not in form.headers
    assert "Idempotency-Key" not in form.headers
    assert data in form.content
    assert form.content.index(b"uploads/1") < form.content.index(data)
    wanted = json.loads(script.requests[script_index(script, "/v1/uploads")].content)
    assert len(data) == wanted["bytes"]
    assert wanted["content_type"] in LIMITS["upload_content_types"]


def script_index(script: Script, path: str) -> int:
    return next(i for i, request in enumerate(script.requests) if request.url.path == path)


def test_a_retry_is_the_same_call(script: Script, photo: Path) -> None:
    """What broke or was refused for the moment is sent again whole, under the same key, after waiting."""
    script.answers = {
        "POST /v1/detections": [
            httpx.ConnectError("refused"),
            problem(503, "busy", **{"Retry-After": "7"}),
            problem(409, "request_in_progress"),
            problem(429, "rate_limited", **{"Retry-After": "11"}),
            result(),
        ]
    }
    script.client().detect(photo)

    keys = script.keys("/v1/detections")
    assert 5 == len(keys)
    assert 1 == len(set(keys))
    assert 7.0 == script.waited[1]
    assert 11.0 == script.waited[3]
    bodies = [r.content for r in script.requests if r.method == "POST"]
    assert all(photo.read_bytes() in body for body in bodies)


def test_each_call_has_a_key_of_its_own(script: Script, photo: Path) -> None:
    """Two calls with the same file are two analyses."""
    script.answers = {"POST /v1/detections": [result(), result()]}
    client = script.client()
    client.detect(photo)
    client.detect(photo)

    assert 2 == len(set(script.keys("/v1/detections")))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "key_invalid", KeyRefused),
        (403, "key_scope", KeyRefused),
        (413, "file_too_large", FileRefused),
        (415, "unsupported_type", FileRefused),
        (422, "undecodable_media", FileRefused),
        (429, "quota_exceeded", RateLimited),
        (404, "not_found", ApiProblem),
        (503, "model_load_failed", ServiceUnavailable),
    ],
)
def test_final_problems_are_typed(
    script: Script, photo: Path, status: int, code: str, kind: type[ApiProblem]
) -> None:
    """What waiting does not cure is raised at once, with the service's code and request id."""
    script.answers = {"POST /v1/detections": [problem(status, code)]}

    with pytest.raises(kind) as caught:
        script.client().detect(photo)
    assert (code, status, "req_1") == (
        caught.value.code,
        caught.value.status,
        caught.value.request_id,
    )
    assert [] == script.waited


def test_patience_ends(script: Script, photo: Path) -> None:
    """After the last attempt the last problem is raised; an hour is not waited for at all."""
    script.answers = {"POST /v1/detections": [problem(503, "busy")] * 3}
    with pytest.raises(ServiceUnavailable):
        script.client(retries=Retries(attempts=3)).detect(photo)
    assert 2 == len(script.waited)

    script.answers = {
        "POST /v1/detections": [problem(429, "rate_limited", **{"Retry-After": "3600"})]
    }
    with pytest.raises(RateLimited) as caught:
        script.client().detect(photo)
    assert 3600 == caught.value.retry_after


def test_a_failed_analysis_is_an_error(script: Script, photo: Path) -> None:
    """A job that ended without a result raises the problem that it carries."""
    why = {"code": "undecodable_media", "status": 422, "detail": "Damaged."}
    failed = {"id": "det_1", "status": "failed", "problem": why}
    script.answers = {"POST /v1/detections": [httpx.Response(202, json=failed)]}

    with pytest.raises(FileRefused, match="Damaged") as caught:
        script.client().detect(photo)
    assert "undecodable_media" == caught.value.code


def test_a_stuck_analysis_is_left(script: Script, photo: Path) -> None:
    """Nobody waits for ever."""
    waiting = {"id": "det_1", "status": "queued"}
    script.answers = {
        "POST /v1/detections": [httpx.Response(202, json=waiting)],
        "GET /v1/detections/det_1": [httpx.Response(200, json=waiting)] * 3,
    }

    with pytest.raises(DeadlineExceeded):
        script.client(deadline=-1).detect(photo)


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json=[])]
)
def test_another_service_is_noticed(script: Script, photo: Path, answer: httpx.Response) -> None:
    """A page that some other server sends is no result."""
    script.answers = {"POST /v1/detections": [answer]}

    with pytest.raises(ConnectionFailed, match=r"asli\.test is not an Asli service"):
        script.client().detect(photo)


def test_an_error_page_of_a_gateway_is_an_error(script: Script, photo: Path) -> None:
    """An error without a code of ours still says its status."""
    script.answers = {"POST /v1/detections": [httpx.Response(413, text="<html>")]}

    with pytest.raises(FileRefused) as caught:
        script.client().detect(photo)
    assert "http_413" == caught.value.code


def test_a_missing_file_is_named_an_error(script: Script, tmp_path: Path) -> None:
    """And nothing is sent."""
    with pytest.raises(UnreadableFile, match="No such file"):
        script.client().detect(tmp_path / "absent.jpg")
    assert [] == script.requests


def test_deleting(script: Script) -> None:
    """A result is deleted by its id."""
    script.answers = {"DELETE /v1/detections/det_1": [httpx.Response(204)]}
    script.client().delete("det_1")

    assert ["DELETE"] == [request.method for request in script.requests]


@pytest.mark.parametrize("address", ["asli.example", "ftp://asli.example", "https://", ""])
def test_an_address_must_be_one(address: str) -> None:
    """A mistyped address is refused before anything is sent."""
    with pytest.raises(ValueError, match="expected one like"):
        Client(address)


def test_every_error_has_one_base() -> None:
    """A caller can catch all of them at once."""
    kinds: list[Callable[..., Exception]] = [
        UnreadableFile,
        ConnectionFailed,
        DeadlineExceeded,
        ApiProblem,
    ]
    assert all(isinstance(kind, type) and issubclass(kind, AsliError) for kind in kinds)
