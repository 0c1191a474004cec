"""When a request is sent again, and after how long."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRIED_CODES = frozenset({"request_in_progress"})
FINAL_CODES = frozenset({"model_load_failed", "quota_exceeded"})
"""Waiting a moment does not cure these, whatever their status."""


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How patient a client is. Times are in seconds."""

    attempts: int = 6
    first_delay: float = 0.5
    longest_delay: float = 60.0
    """A service that asks for more patience than this is not asked again."""

    def delay(self, attempt: int, retry_after: float | None) -> float | None:
        """How long to wait after the given attempt, counted from 1; None means: give up.

        Without word from the service the delay doubles each time, and varies by up to a half, so that
        many clients do not come back at the same moment.
        """
        if attempt >= self.attempts:
            return None
        if retry_after is not None:
            return retry_after if retry_after <= self.longest_delay else None
        delay: float = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        return delay * random.uniform(0.5, 1)  # noqa: S311 - spreads load, protects nothing


def is_worth_retrying(status: int, code: str | None) -> bool:
    """Whether the same request may succeed later."""
    return (status in RETRIED_STATUSES or code in RETRIED_CODES) and code not in FINAL_CODES


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """The Retry-After header, which holds seconds or a date; None when it is absent or unreadable."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
