"""What a call can raise. Every error has a `code` for programs and a sentence for people."""

from collections.abc import Mapping
from typing import Any


class AsliError(Exception):
    """Base of every error raised by this package."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnreadableFile(AsliError):
    """The file cannot be read on this machine."""


class ConnectionFailed(AsliError):
    """The service could not be reached, or what answered is not an Asli service."""


class DeadlineExceeded(AsliError):
    """The analysis did not end in the time that the caller allows."""


class ApiProblem(AsliError):
    """The service answered with a problem, as RFC 9457 describes it; `code` is the service's.

    `status` is the HTTP status, `retry_after` is in seconds.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class FileRefused(ApiProblem):
    """The service cannot analyse this file. Another file would do."""


class KeyRefused(ApiProblem):
    """The API key is unknown, revoked, or not meant for this."""


class RateLimited(ApiProblem):
    """Too many requests in too short a time, even after waiting."""


class ServiceUnavailable(ApiProblem):
    """The service failed or is busy, even after trying again."""


_KIND_OF_STATUS: Mapping[int, type[ApiProblem]] = {
    401: KeyRefused,
    403: KeyRefused,
    413: FileRefused,
    415: FileRefused,
    422: FileRefused,
    429: RateLimited,
}


def problem_of(
    status: int, problem: Mapping[str, Any], *, retry_after: float | None = None
) -> ApiProblem:
    """The error for a problem. What is no problem+json, say a gateway's page, gets a code of ours."""
    kind = _KIND_OF_STATUS.get(status, ServiceUnavailable if status >= 500 else ApiProblem)
    return kind(
        str(problem.get("code", f"http_{status}")),
        str(problem.get("detail", f"The service answered with status {status}.")),
        status=status,
        request_id=problem.get("request_id"),
        retry_after=retry_after,
    )
