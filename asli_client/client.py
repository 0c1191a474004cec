"""Sends files to the service and waits for the results."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from asli_client.errors import (
    ApiProblem,
    ConnectionFailed,
    DeadlineExceeded,
    UnreadableFile,
    problem_of,
)
from asli_client.media import HEAD_BYTES, UNKNOWN, media_type
from asli_client.retries import Retries, is_worth_retrying, retry_after_seconds

POLL_SECONDS = 2.0
"""Between two looks at a running analysis, where the service does not say."""

_FILE_NAME = "upload"
"""Sent in place of the file's own name, which is nobody's business."""


@dataclass(frozen=True)
class Detection:
    """A finished analysis. `score` is in 0..1, or None when there is none."""

    id: str
    verdict: str
    score: float | None
    reasons: tuple[str, ...]
    values: Mapping[str, Any]
    """All that the service said, as in its contract."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From the service's JSON."""
        pixel = values["pixel"]
        return cls(
            values["id"], values["verdict"], pixel["score"], tuple(values["reasons"]), values
        )


class Client:
    """A service at an address such as https://asli.example. Safe to share between threads.

    Waits as the service asks, and sends what failed on the way again: each call carries an
    idempotency key, so that nothing is analysed twice for it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        deadline: float = 900.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` is for one request and `deadline` for one whole analysis, both in seconds.

        Raises ValueError for what is no web address.
        """
        if httpx.URL(base_url).scheme not in {"http", "https"} or not httpx.URL(base_url).host:
            raise ValueError(f"{base_url!r} is no address: expected one like https://asli.example")
        self._http = httpx.Client(timeout=timeout, transport=transport)
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._deadline = deadline
        self._retries = retries or Retries()
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @cached_property
    def limits(self) -> Mapping[str, Any]:
        """What the service accepts, asked for once."""
        return _values(self._get("/v1/limits"))

    def detect(self, path: Path | str) -> Detection:
        """Analyse one file: an image in one request where it fits, all else as an upload and a job.

        Raises UnreadableFile, ConnectionFailed, DeadlineExceeded or an ApiProblem: FileRefused,
        KeyRefused, RateLimited or ServiceUnavailable.
        """
        path = Path(path)
        kind, size = _look_at(path)
        if kind.startswith("image/") and size <= self.limits["max_upload_bytes"]:
            answer = self._send_file(f"{self._base}/v1/detections", path, headers=self._once())
        else:
            answer = self._post_json("/v1/detections", {"upload_id": self.upload(path)})
        return Detection.of(self._finished(_values(answer)))

    def upload(self, path: Path | str) -> str:
        """Send a file to where the service says, and return the upload's id. Raises as `detect`."""
        path = Path(path)
        kind, size = _look_at(path)
        known = self.limits["upload_content_types"]
        wanted = {"content_type": kind if kind in known else UNKNOWN, "bytes": size}
        granted = _values(self._post_json("/v1/uploads", wanted))
        address = str(httpx.URL(f"{self._base}/").join(granted["url"]))
        # Only the form itself goes there: it is another service's, and the key is not for it.
        self._send_file(address, path, fields=granted["fields"])
        return str(granted["upload_id"])

    def result(self, detection_id: str) -> Mapping[str, Any]:
        """All that the service knows of an analysis, finished or not."""
        return _values(self._get(f"/v1/detections/{detection_id}"))

    def delete(self, detection_id: str) -> None:
        """Delete a result before it expires; again is fine."""
        address = f"{self._base}/v1/detections/{detection_id}"
        self._retrying(lambda: self._http.delete(address, headers=self._headers))

    def _finished(self, values: Mapping[str, Any], wait: float = 0) -> Mapping[str, Any]:
        """Look again and again until the analysis has ended."""
        give_up_at = time.monotonic() + self._deadline
        while values["status"] not in {"succeeded", "failed"}:
            if time.monotonic() > give_up_at:
                message = f"The analysis did not end within {self._deadline:g} seconds."
                raise DeadlineExceeded("deadline_exceeded", message)
            self._sleep(wait or POLL_SECONDS)
            answer = self._get(f"/v1/detections/{values['id']}")
            values, wait = _values(answer), retry_after_seconds(answer.headers) or 0
        if values["status"] == "failed":
            problem = values["problem"]
            raise problem_of(problem["status"], problem)
        return values

    def _get(self, path: str) -> httpx.Response:
        address = self._base + path
        return self._retrying(lambda: self._http.get(address, headers=self._headers))

    def _post_json(self, path: str, values: Mapping[str, Any]) -> httpx.Response:
        address, headers = self._base + path, self._once()
        return self._retrying(lambda: self._http.post(address, json=values, headers=headers))

    def _send_file(
        self,
        address: str,
        path: Path,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        kind, _ = _look_at(path)

        def send() -> httpx.Response:
            with path.open("rb") as file:
                files = {"file": (_FILE_NAME, file, kind)}
                return self._http.post(address, data=fields, files=files, headers=headers)

        return self._retrying(send)

    def _once(self) -> dict[str, str]:
        """Headers of one POST, however often it has to be sent."""
        return {**self._headers, "Idempotency-Key": f'"{uuid.uuid4()}"'}

    def _retrying(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """The good answer to a request, which is sent again as often as that can help."""
        attempt = 1
        while True:
            try:
                return _checked(send)
            except (ApiProblem, ConnectionFailed) as error:
                if isinstance(error, ApiProblem):
                    retry = is_worth_retrying(error.status, error.code)
                    delay = self._retries.delay(attempt, error.retry_after) if retry else None
                else:
                    delay = self._retries.delay(attempt, None)
                if delay is None:
                    raise
            self._sleep(delay)
            attempt += 1


def _look_at(path: Path) -> tuple[str, int]:
    """A file's media type, by its first bytes, and its size in bytes."""
    try:
        with path.open("rb") as file:
            return media_type(file.read(HEAD_BYTES)), path.stat().st_size
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> UnreadableFile:
    return UnreadableFile("unreadable_file", f"The file cannot be read: {error.strerror}.")


def _checked(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Raises ConnectionFailed when there is no answer, and ApiProblem when it is an error."""
    try:
        answer = send()
    except OSError as error:
        raise _unreadable(error) from error
    except httpx.HTTPError as error:
        message = f"The service cannot be reached: {str(error) or type(error).__name__}."
        raise ConnectionFailed("connection_failed", message) from error
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    raise problem_of(answer.status_code, problem, retry_after=retry_after_seconds(answer.headers))


def _values(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        values = answer.json()
    except ValueError:
        values = None
    if not isinstance(values, dict):
        message = f"What answers at {answer.request.url.host} is not an Asli service."
        raise ConnectionFailed("not_asli", message)
    return values
