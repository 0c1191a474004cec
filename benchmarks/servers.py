"""Starts what is measured from outside."""

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).parents[1]
START_DEADLINE_SECONDS = 90


@contextmanager
def torch_service() -> Iterator[str | None]:
    """The address of the yardstick, or None where torch is not installed."""
    if importlib.util.find_spec("torch") is None:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.torch_service", str(port)]
    server = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/openapi.json", server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def server_process() -> psutil.Process:
    """Our service, which this process started."""
    return next(
        child
        for child in psutil.Process().children()
        if "lambda_api.entrypoints.local" in child.cmdline()
    )


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(url, timeout=5).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("The torch service did not start.")
