"""Many callers at once: in this process, and over HTTP."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import numpy as np

REQUEST_TIMEOUT_SECONDS = 60


@dataclass
class Tally:
    """What a crowd of callers saw."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    errors: int = 0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def p95_ms(self) -> float:
        """Of 100 answers, 95 come at least this fast."""
        return float(np.percentile(self.latencies, 95)) * 1000


def crowd(call: Callable[[], Callable[[], object]], callers: int, *, seconds: float) -> Tally:
    """Let so many callers call as fast as they can for a while. Each makes its own function first."""
    tally, lock = Tally(seconds), threading.Lock()
    start = threading.Barrier(callers)

    def work() -> None:
        function = call()
        function()  # not counted: connections and caches are made here
        start.wait()
        ends = time.perf_counter() + seconds
        latencies, errors = [], 0
        while (started := time.perf_counter()) < ends:
            try:
                function()
            except httpx.HTTPError:
                errors += 1
            else:
                latencies.append(time.perf_counter() - started)
        with lock:
            tally.latencies += latencies
            tally.errors += errors

    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def http_caller(url: str, data: bytes) -> Callable[[], Callable[[], object]]:
    """Makes callers that post one file over a connection of their own. They raise httpx.HTTPError."""

    def make() -> Callable[[], object]:
        client = httpx.Client(timeout=REQUEST_TIMEOUT_SECONDS)

        def post() -> object:
            files = {"file": ("image", data, "image/jpeg")}
            return client.post(f"{url}/v1/detections", files=files).raise_for_status()

        return post

    return make
