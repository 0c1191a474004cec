"""A client of the Asli API. It knows the published contract and nothing of the service's code."""

from asli_client.client import Client, Detection
from asli_client.errors import (
    ApiProblem,
    AsliError,
    ConnectionFailed,
    DeadlineExceeded,
    FileRefused,
    KeyRefused,
    RateLimited,
    ServiceUnavailable,
    UnreadableFile,
)

__all__ = [
    "ApiProblem",
    "AsliError",
    "Client",
    "ConnectionFailed",
    "DeadlineExceeded",
    "Detection",
    "FileRefused",
    "KeyRefused",
    "RateLimited",
    "ServiceUnavailable",
    "UnreadableFile",
]
