"""How long is waited, and for what."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from asli_client.retries import Retries, is_worth_retrying, retry_after_seconds


def test_delays_grow_and_vary() -> None:
    """Each delay lies between a half and the whole of a doubled one, up to the longest."""
    retries = Retries(attempts=20, first_delay=1, longest_delay=8)

    for attempt, most in enumerate([1, 2, 4, 8, 8, 8], start=1):
        delay = retries.delay(attempt, None)
        assert delay is not None
        assert most / 2 <= delay <= most


def test_the_last_attempt_is_the_last() -> None:
    """Then there is no delay, whatever the service says."""
    assert Retries(attempts=3).delay(3, 1) is None
    assert Retries(attempts=3).delay(2, 1) == 1


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (408, None, True),
        (429, "rate_limited", True),
        (429, "quota_exceeded", False),
        (409, "request_in_progress", True),
        (409, "upload_used", False),
        (503, "busy", True),
        (503, "model_load_failed", False),
        (422, "undecodable_media", False),
    ],
)
def test_what_is_worth_retrying(status: int, code: str | None, expected: bool) -> None:
    """Only what passes by itself."""
    assert expected == is_worth_retrying(status, code)


def test_retry_after_is_seconds_or_a_date() -> None:
    """Both forms of the header are read, a date in the past means now, and nonsense means nothing."""
    later = datetime.now(UTC) + timedelta(seconds=30)

    assert 5 == retry_after_seconds({"Retry-After": "5"})
    assert retry_after_seconds(
        {"Retry-After": format_datetime(later, usegmt=True)}
    ) == pytest.approx(30, abs=2)
    assert 0 == retry_after_seconds({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert retry_after_seconds({"Retry-After": "soon"}) is None
    assert retry_after_seconds({}) is None
