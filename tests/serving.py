"""A real server with the tiny model, in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
START_DEADLINE_SECONDS = 60
UNLIMITED = {
    f"ASLI_{name}": "1000000"
    for name in (
        "ANONYMOUS_PER_MINUTE",
        "ANONYMOUS_PER_DAY",
        "KEYED_PER_MINUTE",
        "MESSAGES_PER_HOUR",
    )
}
"""Tests send more than visitors do."""


@contextmanager
def running_service(
    work: Path, settings: Mapping[str, str] | None = None, *, options: Sequence[str] = ()
) -> Iterator[str]:
    """The address of a server that keeps its data and its log in `work`, while the block runs."""
    log = work / "log"
    command = [sys.executable, "-m", "lambda_api.entrypoints.local", "--host", "127.0.0.1"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", "0", *options],
            cwd=ROOT,
            env={
                **os.environ,
                "ASLI_DATA_DIR": str(work / "data"),
                "PYTHONUNBUFFERED": "1",
                **UNLIMITED,
                **(settings or {}),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _wait_until_ready(server, log)
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        address = re.search(r"ready on (http://[^\s\"]+)", log.read_text("utf-8"))
        if address:
            url = address[1]
            try:
                httpx.get(f"{url}/v1/readyz", timeout=5).raise_for_status()
            except httpx.TransportError:
                pass
            else:
                return url
        time.sleep(0.1)
    raise RuntimeError(f"The server did not start: {log.read_text('utf-8')}")
