"""How many requests a caller may make: windows that slide, on counters of fixed windows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lambda_api.errors import QuotaExceeded, RateLimited
from lambda_api.ports import CallCounter

LONG_SECONDS = 6 * 3600
"""A quota over this time or more is one that nobody waits for."""


@dataclass(frozen=True)
class Quota:
    """`requests` in any `seconds`; `name` appears in the headers."""

    name: str
    requests: int
    seconds: int


@dataclass(frozen=True)
class Standing:
    """Where a caller stands with a quota: requests left, and seconds until the window ends."""

    quota: Quota
    remaining: int
    reset_seconds: int


def spend(
    counter: CallCounter, caller: str, quotas: Sequence[Quota], *, now: datetime
) -> list[Standing]:
    """Count one request of this caller against every quota. Raises RateLimited when one is used up.

    The sliding window is estimated from two fixed ones: all calls of the present window, and of the
    one before it the share that still lies within `seconds`. A refused request is not counted.
    """
    return [_spend(counter, caller, quota, now.timestamp()) for quota in quotas]


def rate_limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy as in draft-ietf-httpapi-ratelimit-headers-11."""
    policy = ", ".join(
        f'"{each.quota.name}";q={each.quota.requests};w={each.quota.seconds}' for each in standings
    )
    limit = ", ".join(
        f'"{each.quota.name}";r={each.remaining};t={each.reset_seconds}' for each in standings
    )
    return {"RateLimit-Policy": policy, "RateLimit": limit}


def _spend(counter: CallCounter, caller: str, quota: Quota, now: float) -> Standing:
    window, elapsed = divmod(now, quota.seconds)
    bucket = f"{quota.name} {caller}"
    before = counter.count(bucket, int(window) - 1)
    carried = before * (1 - elapsed / quota.seconds)
    count = counter.add(
        bucket,
        int(window),
        below=math.floor(quota.requests - carried),
        expires_at=datetime.fromtimestamp((window + 2) * quota.seconds, UTC),
    )
    left = quota.seconds - elapsed
    if count is None:
        present = counter.count(bucket, int(window))
        wait = _seconds_until_room(quota, before, present, elapsed)
        standing = Standing(quota, 0, math.ceil(left))
        kind = RateLimited if quota.seconds < LONG_SECONDS else QuotaExceeded
        raise kind(
            f"More than {quota.requests} requests in {quota.seconds} seconds. Wait a while.",
            retry_after_seconds=max(1, math.ceil(wait)),
            headers=rate_limit_headers([standing]),
        )
    remaining = max(0, math.floor(quota.requests - carried - count))
    return Standing(quota, remaining, math.ceil(left))


def _seconds_until_room(quota: Quota, before: int, present: int, elapsed: float) -> float:
    """When one more request fits, if none comes in between."""
    room = quota.requests - 1
    if present <= room and before > 0:
        # Within this window, once enough of the one before has slid out.
        return max(0.0, (1 - (room - present) / before) * quota.seconds - elapsed)
    # In the next window, of which this one is then the one before.
    share_that_must_slide = max(0.0, 1 - room / present) if present else 0.0
    return quota.seconds - elapsed + share_that_must_slide * quota.seconds
