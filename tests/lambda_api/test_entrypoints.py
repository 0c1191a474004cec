import asyncio
import base64
import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.apps import PROBLEM

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

Handler = Callable[[dict[str, Any], SimpleNamespace], dict[str, Any]]


@pytest.fixture
def environment(tmp_path: Path, tiny_model: Path, tiny_report: Path) -> dict[str, str]:
    return {
        "ASLI_DATA_DIR": str(tmp_path / "data"),
        "ASLI_MODEL_PATH": str(tiny_model),
        "ASLI_REPORT_PATH": str(tiny_report),
    }


@pytest.fixture
def handler(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    """The function's handler, from a module that is imported anew, as when a function starts."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "lambda_api.entrypoints.api", raising=False)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Mangum uses it and leaves it open
    yield importlib.import_module("lambda_api.entrypoints.api").handler
    asyncio.set_event_loop(None)
    loop.close()


def test_function_answers_gateway_event(handler: Handler, photo_jpeg: bytes) -> None:
    """The function analyses a form that a gateway hands over in base64."""
    event = _event("POST", "/v1/detections", *_form(photo_jpeg))

    answer = handler(event, SimpleNamespace())

    assert 200 == answer["statusCode"]
    result = json.loads(answer["body"])
    assert len(photo_jpeg) == result["media"]["bytes"]
    again = handler(_event("GET", f"/v1/detections/{result['id']}"), SimpleNamespace())
    assert result == json.loads(again["body"])
    heatmap = handler(_event("GET", result["heatmap_url"]), SimpleNamespace())
    assert heatmap["isBase64Encoded"]
    assert base64.b64decode(heatmap["body"]).startswith(b"\x89PNG")


def test_function_answers_problems_as_text(handler: Handler) -> None:
    """An unknown path is a problem with a request id, sent as text."""
    answer = handler(_event("GET", "/nothing"), SimpleNamespace())

    assert 404 == answer["statusCode"]
    assert PROBLEM == answer["headers"]["content-type"]
    assert not answer["isBase64Encoded"]
    assert answer["headers"]["x-request-id"] == json.loads(answer["body"])["request_id"]


def test_server_serves_site_and_api(environment: dict[str, str], tmp_path: Path) -> None:
    """The server says where it is, serves pages and API, refuses 20 MB, and logs no request."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Asli</title>")

    with _server(environment, "--site", str(site)) as (server, line):
        match = re.fullmatch(r"Asli is ready on (http://127\.0\.0\.1:\d+)\n", line)
        assert match, line
        with httpx.Client(base_url=match[1]) as client:
            assert "<title>Asli" in client.get("/").text
            for _ in range(2):
                refused = client.post("/v1/detections", files={"file": b"\0" * 20_000_000})
                assert (413, PROBLEM) == (refused.status_code, refused.headers["content-type"])
            assert 404 == client.get("/v1/detections/holiday-in-ubud").status_code
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=20)

    lines = [json.loads(line) for line in output.splitlines()]
    assert {"request"} == {line["message"] for line in lines}
    assert "holiday-in-ubud" not in output
    assert 0 == server.returncode


def test_server_without_model_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    """With damaged weights the server starts, and its first lines say what is wrong."""
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no model")

    with _server({**environment, "ASLI_MODEL_PATH": str(damaged)}) as (server, line):
        assert "The model is not ready: The model file damaged.onnx is damaged." in line
        assert server.stdout
        second = server.stdout.readline()
        match = re.search(r"answers on (http://\S+), but cannot analyse images", second)
        assert match, second
        assert 503 == httpx.get(f"{match[1]}/v1/readyz").status_code


def test_port_in_use_is_one_sentence(environment: dict[str, str]) -> None:
    """When the port is taken the server says so and exits with status 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = _run(environment, "--port", str(port))

    assert 1 == ended.returncode
    expected = f"Port {port} on 127.0.0.1 is already in use: choose another with --port.\n"
    assert expected == ended.stderr


def test_missing_site_is_one_sentence(environment: dict[str, str]) -> None:
    """A folder that does not exist is not served."""
    ended = _run(environment, "--port", "0", "--site", "no/such/folder")

    assert 1 == ended.returncode
    assert "There is no folder no/such/folder: render the site first.\n" == ended.stderr


def test_wrong_setting_is_named(environment: dict[str, str]) -> None:
    """A setting that cannot be read is named without a stack trace."""
    ended = _run({**environment, "ASLI_RESULT_TTL_HOURS": "-1"}, "--port", "0")

    assert 1 == ended.returncode
    assert "ASLI_RESULT_TTL_HOURS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_unwritable_data_folder_is_one_sentence(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A folder that cannot be made is named, with the reason."""
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    ended = _run({**environment, "ASLI_DATA_DIR": str(blocker)}, "--port", "0")

    assert 1 == ended.returncode
    assert f"Cannot keep results in {blocker}: File exists.\n" == ended.stderr


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "lambda_api.entrypoints.local", *arguments]


def _run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(*arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def _server(
    environment: dict[str, str], *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running server and its first line."""
    server = subprocess.Popen(
        _command("--port", "0", *arguments),
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with server:
        assert server.stdout
        try:
            yield server, server.stdout.readline()
        finally:
            server.kill()


def _form(data: bytes) -> tuple[bytes, str]:
    request = httpx.Request("POST", "http://asli.test", files={"file": ("photo.jpg", data)})
    return request.read(), request.headers["content-type"]


def _event(method: str, path: str, body: bytes = b"", content_type: str = "") -> dict[str, Any]:
    """What an HTTP API sends in its payload format 2.0."""
    headers = {"host": "api.example", "content-length": str(len(body))}
    if content_type:
        headers["content-type"] = content_type
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "test",
            },
            "requestId": "id",
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
