import asyncio
import dataclasses
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.analysis import Detector
from lambda_api.idempotency import CLAIM_LIFETIME, KEY_LIFETIME
from lambda_api.ports import KeyClaim
from tests.apps import PROBLEM, Caller, EmbeddedService, session
from tests.fakes import BrokenDetector, WaitingDetector
from tests.images import plain_image

IMAGE = plain_image("PNG")
DETECTIONS = "/v1/detections"
WANTED = {"content_type": "image/png", "bytes": 10}


def _key() -> dict[str, str]:
    return {"idempotency-key": f'"{uuid.uuid4()}"'}


def _detect(call: Caller, headers: dict[str, str], data: bytes = IMAGE) -> httpx.Response:
    return call("POST", DETECTIONS, files={"file": ("a.png", data)}, headers=headers)


def test_repeated_request_gets_the_first_answer(call: Caller) -> None:
    """The same request under the same key gets the same answer, though its form's boundary differs."""
    headers = _key()
    first, again = _detect(call, headers), _detect(call, headers)

    assert (200, 200) == (first.status_code, again.status_code)
    assert first.json() == again.json()
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (
        False,
        "true",
    )
    for name in ("content-type", "content-location", "cache-control"):
        assert first.headers[name] == again.headers[name]
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


def test_every_post_is_covered(call: Caller) -> None:
    """Uploads too are prepared once."""
    headers = _key()
    tickets = [call("POST", "/v1/uploads", json=WANTED, headers=headers).json() for _ in range(2)]

    assert tickets[0] == tickets[1]


def test_without_or_with_another_key_all_is_new(call: Caller) -> None:
    """Requests without a key, or with different ones, have nothing to do with each other."""
    headers: list[dict[str, str]] = [{}, {}, _key(), _key()]

    assert 4 == len({_detect(call, each).json()["id"] for each in headers})


def test_key_may_be_unquoted(call: Caller) -> None:
    """With quotes or without, in either case, it is the same key."""
    plain = str(uuid.uuid4())
    variants = [plain, f'"{plain}"', plain.upper()]

    assert 1 == len({_detect(call, {"idempotency-key": each}).json()["id"] for each in variants})


@pytest.mark.parametrize("key", ["", '""', "7", '"no uuid"', "a" * 5000, '"' + "0" * 36])
def test_other_keys_are_invalid(call: Caller, key: str) -> None:
    """What is no UUID is refused before anything is done."""
    response = _detect(call, {"idempotency-key": key})

    assert (400, PROBLEM) == (response.status_code, response.headers["content-type"])
    assert "idempotency_key_invalid" == response.json()["code"]


@pytest.mark.parametrize(
    "other",
    [
        {"path": DETECTIONS, "files": {"file": ("a.png", plain_image("PNG", (200, 200)))}},
        {"path": f"{DETECTIONS}?a=1", "files": {"file": ("a.png", IMAGE)}},
        {"path": "/v1/uploads", "json": WANTED},
    ],
)
def test_another_request_is_refused(call: Caller, other: dict[str, Any]) -> None:
    """A key that was used for one request is refused for any other."""
    headers = _key()
    _detect(call, headers)
    response = call("POST", headers=headers, **other)

    assert (422, "idempotency_key_reused") == (response.status_code, response.json()["code"])


def test_request_in_progress_is_refused(tiny_detector: Detector, tmp_path: Path) -> None:
    """While the first request is answered the second one is told to wait; then it gets the answer."""
    detector = WaitingDetector(tiny_detector)
    app = EmbeddedService(detector, tmp_path).app()
    headers = _key()
    files = {"file": ("a.png", IMAGE)}

    async def send() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        async with session(app) as client:
            first = asyncio.create_task(client.post(DETECTIONS, files=files, headers=headers))
            while detector.running < 1:
                await asyncio.sleep(0.01)
            second = await client.post(DETECTIONS, files=files, headers=headers)
            detector.release.set()
            done = await first
            return done, second, await client.post(DETECTIONS, files=files, headers=headers)

    first, second, third = asyncio.run(send())

    assert (409, "request_in_progress") == (second.status_code, second.json()["code"])
    assert "1" == second.headers["retry-after"]
    assert first.json() == third.json()


def test_refusal_is_repeated_too(call: Caller) -> None:
    """A bad request under a key stays the same bad request."""
    headers = _key()
    first, again = (_detect(call, headers, b"words") for _ in range(2))

    assert (415, 415) == (first.status_code, again.status_code)
    assert first.json() == again.json()


def test_failure_frees_the_key(tiny_detector: Detector, tmp_path: Path) -> None:
    """After a failure of the service the same request may be tried again."""
    broken = EmbeddedService(BrokenDetector(tiny_detector), tmp_path)
    repaired = EmbeddedService(tiny_detector, tmp_path)
    headers = _key()

    assert 500 == _detect(Caller(broken.app()), headers).status_code
    assert 200 == _detect(Caller(repaired.app()), headers).status_code


def test_answers_survive_a_restart(
    service: EmbeddedService, tiny_detector: Detector, tmp_path: Path
) -> None:
    """Another process on the same folder knows the answer."""
    headers = _key()
    first = _detect(Caller(service.app()), headers)
    restarted = EmbeddedService(tiny_detector, tmp_path / "data", clock=service.clock)

    assert first.json() == _detect(Caller(restarted.app()), headers).json()


def test_answer_lives_for_a_day(service: EmbeddedService, call: Caller) -> None:
    """24 hours later the same key is a new one."""
    headers = _key()
    first = _detect(call, headers)
    service.clock.advance(timedelta(hours=24, seconds=-1))
    assert first.json() == _detect(call, headers).json()
    service.clock.advance(timedelta(seconds=1))
    assert first.json()["id"] != _detect(call, headers).json()["id"]


def test_no_answer_outlives_its_result(service: EmbeddedService) -> None:
    """Where results are kept for an hour, what repeats them is too."""
    service.limits = dataclasses.replace(service.limits, result_lifetime=timedelta(hours=1))
    call = Caller(service.app())
    headers = _key()
    first = _detect(call, headers)
    service.clock.advance(timedelta(hours=1))

    assert first.json()["id"] != _detect(call, headers).json()["id"]


def test_deleted_result_is_not_repeated(call: Caller) -> None:
    """The stored answer goes with the result it tells about."""
    headers = _key()
    first = _detect(call, headers).json()
    call("DELETE", f"{DETECTIONS}/{first['id']}")

    assert first["id"] != _detect(call, headers).json()["id"]


def test_killed_request_frees_its_key(service: EmbeddedService, call: Caller) -> None:
    """A claim that a killed process left unanswered ends when its successor takes over."""
    headers = _key()
    claim = KeyClaim(
        key=headers["idempotency-key"].strip('"'),
        fingerprint="of a request that was never answered",
        token="dead",
        claimed_until=service.clock() + CLAIM_LIFETIME,
        expires_at=service.clock() + KEY_LIFETIME,
    )
    service.storage.idempotency.claim(claim, now=service.clock())
    assert 422 == call("POST", "/v1/uploads", json=WANTED, headers=headers).status_code
    service.worker.recover()

    assert 201 == call("POST", "/v1/uploads", json=WANTED, headers=headers).status_code
