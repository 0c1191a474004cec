"""The embedded service is killed again and again while jobs run; what it has accepted, it brings to an end."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lambda_api.adapters.sqlite import Database
from tests.images import plain_image

ROOT = Path(__file__).parents[2]
JOBS = 50
KILLS = 20
CLIENTS = 4
IMAGE = plain_image("PNG", (1200, 1200), 255)


class _Service:
    """One that is started on the same folder and port each time."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ready at the beginning of the block, killed at its end."""
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "lambda_api.entrypoints.local"),
                *("--port", str(self._port)),
            ],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                assert process.stdout
                assert "ready" in process.stdout.readline()
                yield
            finally:
                process.kill()


class _Client(threading.Thread):
    """Uploads and submits one file after another, each whenever it is allowed to, until accepted."""

    def __init__(self, url: str, tickets: threading.Semaphore, jobs: int) -> None:
        super().__init__(daemon=True)
        self._http = httpx.Client(base_url=url, timeout=10)
        self._tickets = tickets
        self._jobs = jobs
        self.accepted: list[str] = []

    def run(self) -> None:
        with self._http:
            for _ in range(self._jobs):
                self._tickets.acquire()
                while (upload_id := self._submit(self._upload())) is None:
                    pass
                self.accepted.append(upload_id)

    def _upload(self) -> str:
        wanted = {"content_type": "image/png", "bytes": len(IMAGE)}
        ticket = self._until_answered("/v1/uploads", json=wanted).json()
        files = {"file": ("a.png", IMAGE)}
        self._until_answered("/v1/uploads/files", data=ticket["fields"], files=files)
        upload_id: str = ticket["upload_id"]
        return upload_id

    def _submit(self, upload_id: str) -> str | None:
        answer = self._until_answered("/v1/detections", json={"upload_id": upload_id})
        return upload_id if answer.status_code in {200, 202} else None

    def _until_answered(self, path: str, **request: Any) -> httpx.Response:
        headers = {"idempotency-key": str(uuid.uuid4())}
        while True:
            try:
                answer = self._http.post(path, headers=headers, **request)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code not in {409, 503}:
                return answer
            time.sleep(0.05)


@pytest.mark.slow
def test_no_job_is_lost(tmp_path: Path, tiny_model: Path, tiny_report: Path) -> None:
    """After 20 kills every accepted job has ended once, and no file of any is left."""
    data_dir = tmp_path / "data"
    service = _Service(
        {
            "ASLI_DATA_DIR": str(data_dir),
            "ASLI_MODEL_PATH": str(tiny_model),
            "ASLI_REPORT_PATH": str(tiny_report),
            "ASLI_INFERENCE_THREADS": "1",
            "ASLI_ANONYMOUS_PER_MINUTE": "10000",
            "ASLI_ANONYMOUS_PER_DAY": "100000",
        }
    )
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    allowed = threading.Semaphore(0)
    shares = [JOBS // CLIENTS + (number < JOBS % CLIENTS) for number in range(CLIENTS)]
    clients = [_Client(service.url, allowed, share) for share in shares]
    for client in clients:
        client.start()
    for number in range(KILLS):
        with service.running():
            allowed.release(JOBS * (number + 1) // KILLS - JOBS * number // KILLS)
            time.sleep(chance.uniform(0, 0.4))
    with service.running(), httpx.Client(base_url=service.url, timeout=10) as http:
        for client in clients:
            client.join(120)
        accepted = [job_id for client in clients for job_id in client.accepted]
        assert JOBS == len(set(accepted)) == len(accepted)
        results = [_result(http, job_id) for job_id in accepted]

        assert {"succeeded", "failed"} >= {result["status"] for result in results}
        assert all(result["media"]["media_deleted_at"] for result in results)
        assert [] == _files(data_dir / "blobs/uploads")
        succeeded = {each["id"] for each in results if each["status"] == "succeeded"}
        assert succeeded == {path.stem for path in _files(data_dir / "blobs/heatmaps")}
    attempts = _attempts(data_dir)
    assert set(accepted) == set(attempts)
    assert max(attempts.values()) > 1, "no kill came in the middle of a job"
    print(Counter(each["status"] for each in results), "attempts:", Counter(attempts.values()))


def _result(http: httpx.Client, job_id: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        answer: dict[str, Any] = http.get(f"/v1/detections/{job_id}").json()
        media = answer.get("media")
        return answer if media and media["media_deleted_at"] else None

    return _wait_for(ended)


def _wait_for(look: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("A job did not come to an end.")


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _attempts(data_dir: Path) -> dict[str, int]:
    """How often each of the jobs that have ended was begun, by its id, as they are kept."""
    database = Database(data_dir)
    with database.transaction() as rows:
        found = rows.execute(
            "SELECT id, content FROM jobs WHERE status IN ('succeeded', 'failed')"
        ).fetchall()
    database.close()
    return {row["id"]: json.loads(row["content"])["attempts"] for row in found}
