"""What can go wrong in the service, each kind with the stable code that programs act on."""

from enum import StrEnum
from typing import ClassVar


class ProblemCode(StrEnum):
    """Every code an answer can carry, those of the detector's errors included."""

    BAD_REQUEST = "bad_request"
    MISSING_FIELD = "missing_field"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    UPLOAD_REFUSED = "upload_refused"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_IN_PROGRESS = "request_in_progress"
    GONE = "gone"
    FILE_TOO_LARGE = "file_too_large"
    EMPTY_FILE = "empty_file"
    UNSUPPORTED_TYPE = "unsupported_type"
    TOO_MANY_PIXELS = "too_many_pixels"
    IMAGE_TOO_SMALL = "image_too_small"
    UNDECODABLE_MEDIA = "undecodable_media"
    UPLOAD_MISSING = "upload_missing"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    ANALYSIS_FAILED = "analysis_failed"
    MODEL_LOAD_FAILED = "model_load_failed"
    BUSY = "busy"
    INTERNAL = "internal"


class ServiceError(Exception):
    """Base of every error raised by this package. Its message is shown to the caller."""

    code: ClassVar[ProblemCode]
    retry_after_seconds: int | None = None
    """When the same request may succeed, if that is known."""
    limit: int | None = None
    """The number that was exceeded, where it is not one of the published limits."""


class BadRequest(ServiceError):
    """The request's form cannot be understood."""

    code = ProblemCode.BAD_REQUEST


class MissingField(ServiceError):
    """A form was sent without a field it needs."""

    code = ProblemCode.MISSING_FIELD

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnsupportedContentType(ServiceError):
    """The body is of a kind that this path does not read."""

    code = ProblemCode.UNSUPPORTED_TYPE


class UploadTooLarge(ServiceError):
    """The request carries more bytes than one request may."""

    code = ProblemCode.FILE_TOO_LARGE

    def __init__(self, max_bytes: int) -> None:
        super().__init__(
            f"The file has more than {max_bytes / 2**20:g} MiB ({max_bytes:,} bytes), "
            "the most that one request may carry. Larger ones go through /v1/uploads."
        )
        self.limit = max_bytes


class UploadDeclaredTooLarge(ServiceError):
    """A form was asked for a file that is larger than any that is analysed."""

    code = ProblemCode.FILE_TOO_LARGE

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"Files of this type may have {max_bytes:,} bytes at most.")
        self.limit = max_bytes


class FormExceeded(ServiceError):
    """A file is larger than the form allows that it is posted with."""

    code = ProblemCode.FILE_TOO_LARGE

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file has more than the {max_bytes:,} bytes that its form allows.")
        self.limit = max_bytes


class DetectionNotFound(ServiceError):
    """No result was ever known under this id, or it is long forgotten."""

    code = ProblemCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no result with this id.")


class DetectionGone(ServiceError):
    """The result was deleted or has expired."""

    code = ProblemCode.GONE

    def __init__(self) -> None:
        super().__init__("This result was deleted or has expired.")


class UploadMissing(ServiceError):
    """An analysis was asked for before its file arrived."""

    code = ProblemCode.UPLOAD_MISSING

    def __init__(self) -> None:
        super().__init__("No file has arrived under this upload_id yet.")


class UploadRefused(ServiceError):
    """What was posted is not what the form allows."""

    code = ProblemCode.UPLOAD_REFUSED


class IdempotencyKeyInvalid(ServiceError):
    """The key is not of the form that is published."""

    code = ProblemCode.IDEMPOTENCY_KEY_INVALID

    def __init__(self) -> None:
        super().__init__("The header Idempotency-Key must be a UUID, in quotes or without.")


class IdempotencyKeyReused(ServiceError):
    """The key belongs to another request."""

    code = ProblemCode.IDEMPOTENCY_KEY_REUSED

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was sent before with another request.")


class RequestInProgress(ServiceError):
    """The same request, with the same key, is being answered right now."""

    code = ProblemCode.REQUEST_IN_PROGRESS
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still being answered.")


class BlobNotFound(ServiceError):
    """Nothing is kept under this key."""

    code = ProblemCode.NOT_FOUND


class JobConflict(ServiceError):
    """Another step of the same job was faster, or the job was deleted meanwhile."""

    code = ProblemCode.INTERNAL


class Busy(ServiceError):
    """All places for analyses stayed taken for as long as a request may wait."""

    code = ProblemCode.BUSY

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
