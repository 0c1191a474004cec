"""Lets only so many analyses run at once; the others wait a bounded time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from lambda_api.errors import Busy

T = TypeVar("T")


class AnalysisGate:
    """Runs blocking work in threads, at most `places` at a time."""

    def __init__(self, places: int, *, wait_seconds: float) -> None:
        self._places = asyncio.Semaphore(places)
        self._wait_seconds = wait_seconds

    async def run(self, work: Callable[[], T]) -> T:
        """The work's result. Raises Busy when no place became free in time."""
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait_seconds)
        except TimeoutError as error:
            message = "Too many images are being analysed right now. Try again in a moment."
            raise Busy(message, retry_after_seconds=max(1, round(self._wait_seconds))) from error
        try:
            return await run_in_threadpool(work)
        finally:
            self._places.release()
