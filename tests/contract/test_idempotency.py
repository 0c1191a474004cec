"""What every store of idempotency keys must do."""

import dataclasses
import threading
from datetime import UTC, datetime, timedelta

import pytest

from lambda_api.ports import IdempotencyStore, KeyClaim, StoredAnswer
from tests.contract.conftest import Storage

NOW = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)
ANSWER = StoredAnswer(
    status=202, headers={"location": "/v1/detections/x", "x": "é"}, body=b"\0\xff{}"
)
ODD_KEYS = ["", "..", "a" * 5000, "key with spaces", "' OR 1=1", "\0", "ключ", "key#a"]


@pytest.fixture
def store(storage: Storage) -> IdempotencyStore:
    return storage.idempotency


def _claim(key: str = "a", token: str = "first", now: datetime = NOW) -> KeyClaim:
    return KeyClaim(
        key=key,
        fingerprint="print",
        token=token,
        claimed_until=now + MINUTE,
        expires_at=now + DAY,
    )


def _finished(claim: KeyClaim) -> KeyClaim:
    return dataclasses.replace(claim, answer=ANSWER)


@pytest.mark.parametrize("key", ODD_KEYS)
def test_key_is_held_from_claim_to_answer(store: IdempotencyStore, key: str) -> None:
    """Whatever the key, a second claim gets the first one, and later its answer, word for word."""
    first, second = _claim(key), _claim(key, "second")

    assert store.claim(first, now=NOW) is None
    assert first == store.claim(second, now=NOW)
    store.finish(_finished(first), resource=None)
    assert _finished(first) == store.claim(second, now=NOW)


def test_other_keys_are_free(store: IdempotencyStore) -> None:
    """Keys have nothing to do with each other."""
    assert [None] * 3 == [store.claim(_claim(key), now=NOW) for key in ("a", "b", "a ")]


def test_released_key_is_free(store: IdempotencyStore) -> None:
    """A key that is given back can be claimed anew."""
    store.claim(_claim(), now=NOW)
    store.release(_claim())

    assert store.claim(_claim(token="second"), now=NOW) is None


def test_claim_of_a_dead_request_ends(store: IdempotencyStore) -> None:
    """An unfinished request holds its key for its time and no longer."""
    store.claim(_claim(), now=NOW)
    almost = NOW + MINUTE - timedelta(seconds=1)

    assert _claim() == store.claim(_claim(token="second", now=almost), now=almost)
    assert store.claim(_claim(token="second", now=NOW + MINUTE), now=NOW + MINUTE) is None


def test_late_finisher_changes_nothing(store: IdempotencyStore) -> None:
    """Whoever lost the key can neither answer under it nor release it."""
    first, second = _claim(), _claim(token="second", now=NOW + MINUTE)
    store.claim(first, now=NOW)
    store.claim(second, now=NOW + MINUTE)
    store.finish(_finished(first), resource=None)
    store.release(first)

    assert second == store.claim(_claim(token="third"), now=NOW + MINUTE)


def test_answer_is_kept_for_a_day(store: IdempotencyStore) -> None:
    """From the moment of expiry the key is free."""
    store.claim(_claim(), now=NOW)
    store.finish(_finished(_claim()), resource=None)
    almost = NOW + DAY - timedelta(seconds=1)

    assert _finished(_claim()) == store.claim(_claim(token="second"), now=almost)
    assert store.claim(_claim(token="second", now=NOW + DAY), now=NOW + DAY) is None


def test_answers_are_forgotten_with_their_resource(store: IdempotencyStore) -> None:
    """All answers that tell about a resource go with it, and no other."""
    for key, resource in (("a", "/x"), ("b", "/x"), ("c", "/y")):
        store.claim(_claim(key), now=NOW)
        store.finish(_finished(_claim(key)), resource=resource)
    store.forget("/x")
    store.forget("/x")
    store.forget("/nothing")

    assert [None, None] == [store.claim(_claim(key, "second"), now=NOW) for key in ("a", "b")]
    assert _finished(_claim("c")) == store.claim(_claim("c", "second"), now=NOW)


def test_one_of_concurrent_claims_wins(store: IdempotencyStore) -> None:
    """Of eight requests with the same key at once exactly one may go on."""
    barrier = threading.Barrier(8)
    holders: list[KeyClaim | None] = []

    def claim(number: int) -> None:
        barrier.wait()
        holders.append(store.claim(_claim(token=str(number)), now=NOW))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == holders.count(None)
    assert 1 == len({holder.token for holder in holders if holder})
