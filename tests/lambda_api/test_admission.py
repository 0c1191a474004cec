"""Requests are counted by key or by the address they really came from."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.analysis import Detector
from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteKeyStore
from lambda_api.admission import Rates, client_address
from lambda_api.keys import make_key
from lambda_api.ports import KeyScope
from tests.apps import PROBLEM, Caller, build_app
from tests.fakes import FakeClock, WaitingDetector
from tests.images import plain_image

FEW = Rates(anonymous_per_minute=2, anonymous_per_day=50, keyed_per_minute=4, messages_per_hour=1)
MESSAGE = {"kind": "message", "text": "Hello, this is a message."}


@pytest.fixture
def limited(tiny_detector: Detector, tmp_path: Path, clock: FakeClock) -> Caller:
    """An app that lets two requests a minute through."""
    return Caller(build_app(tiny_detector, tmp_path, clock=clock, rates=FEW))


def _key(tmp_path: Path, clock: FakeClock, *scopes: KeyScope) -> tuple[str, dict[str, str]]:
    key, text = make_key("test", scopes, now=clock())
    SqliteKeyStore(Database(tmp_path)).add(key)
    return key.id, {"authorization": f"Bearer {text}"}


def _post(call: Caller, headers: dict[str, str] | None = None) -> httpx.Response:
    return call("POST", "/v1/detections", content=b"", headers=headers or {})


def test_requests_without_origin_are_limited(limited: Caller, clock: FakeClock) -> None:
    """CORS protects nothing: plain requests are counted too, also those that are refused later."""
    answers = [_post(limited) for _ in range(3)]

    assert [415, 415, 429] == [answer.status_code for answer in answers]
    refused = answers[-1]
    assert PROBLEM == refused.headers["content-type"]
    assert "rate_limited" == refused.json()["code"]
    assert int(refused.headers["retry-after"]) == refused.json()["retry_after"] > 0
    assert '"minute";q=2;w=60' == refused.headers["ratelimit-policy"]
    assert refused.headers["ratelimit"].startswith('"minute";r=0;t=')
    clock.advance(timedelta(minutes=2))
    assert 415 == _post(limited).status_code


def test_success_tells_the_standing(limited: Caller) -> None:
    """An answer says how many requests are left."""
    answer = limited.detect(plain_image("PNG"))

    assert 200 == answer.status_code
    assert answer.headers["ratelimit"].startswith('"minute";r=1;t=')


def test_reading_is_not_limited(limited: Caller) -> None:
    """Results, limits and the model can be read as often as one likes."""
    assert {200} == {limited("GET", "/v1/limits").status_code for _ in range(10)}


def test_limits_are_published(limited: Caller) -> None:
    """The numbers in force are those that /v1/limits gives."""
    rates = limited("GET", "/v1/limits").json()["rates"]

    assert (2, 50, 4, 1) == tuple(rates.values())


def test_forwarded_for_is_not_believed(limited: Caller) -> None:
    """A client that writes the header is still one client."""
    answers = [_post(limited, {"x-forwarded-for": f"203.0.113.{n}"}) for n in range(3)]

    assert 429 == answers[-1].status_code


def test_own_proxies_are_believed(
    tiny_detector: Detector, tmp_path: Path, clock: FakeClock
) -> None:
    """With one proxy of ours in front, the entry that it added counts, and none before it."""
    call = Caller(build_app(tiny_detector, tmp_path, clock=clock, rates=FEW, proxies=1))
    answers = [_post(call, {"x-forwarded-for": f"203.0.113.{n}, 198.51.100.7"}) for n in range(3)]

    assert 429 == answers[-1].status_code
    assert 415 == _post(call, {"x-forwarded-for": "203.0.113.1, 198.51.100.8"}).status_code


@pytest.mark.parametrize(
    ("scope", "headers", "proxies", "expected"),
    [
        ({"client": ("192.0.2.1", 1)}, {}, 0, "192.0.2.1"),
        ({"client": ("192.0.2.1", 1)}, {"x-forwarded-for": "9.9.9.9"}, 0, "192.0.2.1"),
        ({"client": ("192.0.2.1", 1)}, {"x-forwarded-for": "9.9.9.9, 8.8.8.8"}, 1, "8.8.8.8"),
        ({"client": ("192.0.2.1", 1)}, {"x-forwarded-for": "9.9.9.9"}, 2, "192.0.2.1"),
        (
            {
                "client": ("192.0.2.1", 1),
                "aws.event": {"requestContext": {"http": {"sourceIp": "198.51.100.9"}}},
            },
            {"x-forwarded-for": "9.9.9.9"},
            0,
            "198.51.100.9",
        ),
        ({}, {}, 0, "unknown"),
    ],
)
def test_the_address(
    scope: dict[str, Any], headers: dict[str, str], proxies: int, expected: str
) -> None:
    """It comes from the connection, from our proxies, or from the gateway's event."""
    assert expected == client_address(scope, headers, proxies)


def test_a_key_has_a_limit_of_its_own(limited: Caller, tmp_path: Path, clock: FakeClock) -> None:
    """Its requests count neither against the address nor beyond the key's own quota."""
    _, headers = _key(tmp_path, clock, KeyScope.ANALYSE)

    assert [415] * 4 + [429] == [_post(limited, headers).status_code for _ in range(5)]
    assert 415 == _post(limited).status_code


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer asli_nothing", "Basic YTpi", f"Bearer asli_{'0' * 12}_{'A' * 43}"],
)
def test_wrong_keys_are_refused(limited: Caller, authorization: str) -> None:
    """Whoever sends a key that opens nothing is told so, rather than treated as anonymous."""
    answer = _post(limited, {"authorization": authorization})

    assert (401, "key_invalid") == (answer.status_code, answer.json()["code"])
    assert "Bearer" == answer.headers["www-authenticate"]


def test_a_secret_must_match_its_id(limited: Caller, tmp_path: Path, clock: FakeClock) -> None:
    """A known id with another secret opens nothing."""
    key_id, _ = _key(tmp_path, clock, KeyScope.ANALYSE)
    answer = _post(limited, {"authorization": f"Bearer asli_{key_id}_{'A' * 43}"})

    assert 401 == answer.status_code


def test_revoked_keys_open_nothing(limited: Caller, tmp_path: Path, clock: FakeClock) -> None:
    """From the moment of revocation on."""
    key_id, headers = _key(tmp_path, clock, KeyScope.ANALYSE)
    assert 415 == _post(limited, headers).status_code
    SqliteKeyStore(Database(tmp_path)).revoke(key_id, now=clock())

    assert 401 == _post(limited, headers).status_code


def test_scopes_are_kept_apart(limited: Caller, tmp_path: Path, clock: FakeClock) -> None:
    """A key for messages analyses nothing."""
    _, headers = _key(tmp_path, clock, KeyScope.MESSAGE)
    answer = _post(limited, headers)

    assert (403, "key_scope") == (answer.status_code, answer.json()["code"])
    assert 201 == limited("POST", "/v1/messages", json=MESSAGE, headers=headers).status_code


def test_no_secret_is_stored(tmp_path: Path, clock: FakeClock) -> None:
    """The data folder does not hold what opens the door."""
    _, headers = _key(tmp_path, clock, KeyScope.ANALYSE)
    secret = headers["authorization"].split("_", 2)[2].encode()

    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert not any(secret in content for content in files)


def test_messages_have_a_limit_of_their_own(limited: Caller) -> None:
    """Messages do not use up analyses, nor the other way round."""
    assert 201 == limited("POST", "/v1/messages", json=MESSAGE).status_code
    assert 429 == limited("POST", "/v1/messages", json=MESSAGE).status_code
    assert 415 == _post(limited).status_code


def test_a_full_house_answers_503(tiny_detector: Detector, tmp_path: Path) -> None:
    """When all places stay taken the answer is 503 with Retry-After, and no more than two run."""
    waiting = WaitingDetector(tiny_detector)
    app = build_app(waiting, tmp_path, places=2, wait_seconds=0.2)

    async def crowd() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://asli.test") as client:
            requests = [
                client.post("/v1/detections", files={"file": plain_image("PNG")}) for _ in range(6)
            ]
            tasks = [asyncio.create_task(request) for request in requests]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.3)
            waiting.release.set()
            return [await task for task in tasks]

    answers = asyncio.run(crowd())
    assert [200, 200, 503, 503, 503, 503] == sorted(answer.status_code for answer in answers)
    assert all("retry-after" in each.headers for each in answers if each.status_code == 503)
    assert 2 == waiting.most_running
