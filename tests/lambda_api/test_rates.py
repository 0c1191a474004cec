"""Sliding windows on fixed counters."""

from datetime import timedelta
from pathlib import Path

import pytest

from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteCallCounter
from lambda_api.errors import QuotaExceeded, RateLimited
from lambda_api.rates import Quota, rate_limit_headers, spend
from tests.fakes import FakeClock

MINUTE = Quota("minute", 10, 60)
DAY = Quota("day", 100, 86_400)


@pytest.fixture
def counter(tmp_path: Path) -> SqliteCallCounter:
    return SqliteCallCounter(Database(tmp_path))


def _spend(counter: SqliteCallCounter, clock: FakeClock, *quotas: Quota, caller: str = "a") -> bool:
    try:
        spend(counter, caller, quotas, now=clock())
    except RateLimited:
        return False
    return True


def test_the_quota_and_no_more(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """Ten of a minute's ten requests pass, the eleventh does not, and another caller's do."""
    assert [True] * 10 + [False] == [_spend(counter, clock, MINUTE) for _ in range(11)]
    assert _spend(counter, clock, MINUTE, caller="b")


@pytest.mark.parametrize("offset", [0, 13, 31, 59])
def test_waiting_as_long_as_told_is_enough(
    counter: SqliteCallCounter, clock: FakeClock, offset: int
) -> None:
    """After Retry-After the next request passes; a second less is too early or a tie of rounding."""
    clock.advance(timedelta(seconds=offset))
    for _ in range(10):
        spend(counter, "a", [MINUTE], now=clock())
    with pytest.raises(RateLimited) as refused:
        spend(counter, "a", [MINUTE], now=clock())

    clock.advance(timedelta(seconds=refused.value.retry_after_seconds - 2))
    assert not _spend(counter, clock, MINUTE)
    clock.advance(timedelta(seconds=2))
    assert _spend(counter, clock, MINUTE)


def test_no_burst_at_the_turn_of_a_window(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """A caller who used up one window gets no second quota a moment into the next."""
    clock.advance(timedelta(seconds=59))
    for _ in range(10):
        _spend(counter, clock, MINUTE)
    clock.advance(timedelta(seconds=2))

    assert [False] * 5 == [_spend(counter, clock, MINUTE) for _ in range(5)]


def test_over_any_time_the_rate_holds(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """A caller who tries each second for ten minutes gets ten a minute, give or take one window."""
    passed = 0
    for _ in range(600):
        passed += _spend(counter, clock, MINUTE)
        clock.advance(timedelta(seconds=1))

    assert 90 <= passed <= 110


def test_refused_requests_do_not_count(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """Whoever keeps asking is not locked out for longer."""
    for _ in range(50):
        _spend(counter, clock, MINUTE)
    clock.advance(timedelta(minutes=2))

    assert _spend(counter, clock, MINUTE)


def test_the_day_counts_too(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """Below the rate of a minute, the day's quota ends in a code of its own."""
    for _ in range(100):
        spend(counter, "a", [MINUTE, DAY], now=clock())
        clock.advance(timedelta(seconds=30))
    with pytest.raises(QuotaExceeded) as refused:
        spend(counter, "a", [MINUTE, DAY], now=clock())

    assert "quota_exceeded" == refused.value.code
    assert refused.value.retry_after_seconds > 3600


def test_headers(counter: SqliteCallCounter, clock: FakeClock) -> None:
    """The standing is told in the form of the draft."""
    headers = rate_limit_headers(spend(counter, "a", [MINUTE, DAY], now=clock()))

    assert '"minute";q=10;w=60, "day";q=100;w=86400' == headers["RateLimit-Policy"]
    assert headers["RateLimit"].startswith('"minute";r=9;t=60, "day";r=99;t=')
