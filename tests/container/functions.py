"""The functions' image, built from this checkout and run as AWS Lambda would run it."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
IMAGE = "asli-test"
BASE = "public.ecr.aws/lambda/python:3.12"
BUILDER = "debian:bookworm-slim"
"""In which the Dockerfile slims the libraries."""
API = "lambda_api.entrypoints.api.handler"
WORKER = "lambda_api.entrypoints.worker.handler"
START_DEADLINE_SECONDS = 120
CORE_MB = 1769
"""Memory with which Lambda gives one whole core."""


def inference_threads(memory_mb: int) -> int:
    """What `infra.function` tells a function of this memory."""
    return max(1, round(memory_mb / CORE_MB))


def engine_is_missing() -> str | None:
    """Why no container can be run here."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    if docker("info", check=False).returncode:
        return "no Docker engine answers"
    missing = [base for base in (BASE, BUILDER) if not _present(base)]
    if os.environ.get("ASLI_CONTAINER_TESTS") is None and missing:
        return (
            f"no image {' nor '.join(missing)} here; ASLI_CONTAINER_TESTS=1 pulls what is missing"
        )
    return None


def build() -> str:
    """The image's name."""
    docker("build", "--network", "host", "--file", "lambda_api/Dockerfile", "--tag", IMAGE, ".")
    return IMAGE


def size_bytes(image: str) -> int:
    """Uncompressed."""
    return int(docker("image", "inspect", "--format", "{{.Size}}", image).stdout)


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not check or 0 == done.returncode, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def _present(image: str) -> bool:
    return 0 == docker("image", "inspect", image, check=False).returncode


@dataclass(frozen=True)
class Function:
    """A started container that answers events."""

    container: str
    url: str

    def invoke(self, event: Mapping[str, Any], *, seconds: float = 120) -> Any:
        return httpx.post(self.url, content=json.dumps(event), timeout=seconds).json()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """What the app answers to a request that came through an HTTP API."""
        request = httpx.Request(method, f"https://api.example{path}", **options)
        answer = self.invoke(gateway_event(request))
        assert "statusCode" in answer, answer
        body = answer["body"]
        content = base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=content)

    def detect(self, data: bytes) -> httpx.Response:
        return self.request("POST", "/v1/detections", files={"file": ("image", data)})

    @property
    def logs(self) -> str:
        done = docker("logs", self.container)
        return done.stdout + done.stderr

    @property
    def init_ms(self) -> float:
        """How long the function took to start, once it has answered.

        Not the "Init Duration" of the emulator's own report, which it counts with the first answer.
        """
        found = re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", self.logs)
        assert found, self.logs
        return float(found[1])

    @property
    def billed_ms(self) -> float:
        """Of the last answer."""
        billed = re.findall(r"Billed Duration: ([\d.]+) ms", self.logs)
        return float(billed[-1])


@contextmanager
def running(
    image: str,
    handler: str,
    *,
    environment: Mapping[str, str] | None = None,
    memory_mb: int = 3008,
    timeout_seconds: int = 29,
    mount: Mapping[Path, str] | None = None,
    hosts: Mapping[str, str] | None = None,
) -> Iterator[Function]:
    """A function with Lambda's limits: its memory and share of the processors, one scratch folder, a
    user without rights.
    """
    port, api_port = _free_port(), _free_port()
    name = f"asli-{uuid.uuid4().hex[:12]}"
    variables = {
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb),
        "ASLI_DATA_DIR": "/tmp/asli",
        "ASLI_INFERENCE_THREADS": str(inference_threads(memory_mb)),
        **(environment or {}),
    }
    docker(
        *("run", "--detach", "--name", name, "--network", "host"),
        *("--memory", f"{memory_mb}m", "--memory-swap", f"{memory_mb}m"),
        *("--cpus", f"{memory_mb / CORE_MB:.2f}"),
        *("--read-only", "--tmpfs", "/tmp:size=512m,mode=1777"),
        *("--entrypoint", "/usr/local/bin/aws-lambda-rie"),
        *(part for key, value in variables.items() for part in ("--env", f"{key}={value}")),
        *(part for path, at in (mount or {}).items() for part in ("--volume", f"{path}:{at}:ro")),
        *(f"--add-host={name}:{address}" for name, address in (hosts or {}).items()),
        image,
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *("/lambda-entrypoint.sh", handler),
    )
    try:
        _wait_for(port, name)
        yield Function(name, f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations")
    finally:
        docker("rm", "--force", name)


def gateway_event(request: httpx.Request) -> dict[str, Any]:
    """A request as an HTTP API hands it over, in its payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.url.path,
        "rawQueryString": request.url.query.decode(),
        "headers": dict(request.headers),
        "requestContext": {
            "http": {
                "method": request.method,
                "path": request.url.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "stage": "$default",
        },
        "body": base64.b64encode(request.read()).decode(),
        "isBase64Encoded": True,
    }


def queue_event(*bodies: str) -> dict[str, Any]:
    """Messages as SQS brings them."""
    return {
        "Records": [
            {"messageId": f"m{number}", "body": body, "eventSource": "aws:sqs"}
            for number, body in enumerate(bodies)
        ]
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for(port: int, container: str) -> None:
    deadline = time.monotonic() + START_DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(docker("logs", container).stderr)
