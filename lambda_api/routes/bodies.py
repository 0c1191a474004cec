"""Reads what a request carries: the one file of a form, or JSON. The bytes stay in memory."""

import sys
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from lambda_api.errors import (
    BadRequest,
    MissingField,
    UnsupportedContentType,
    UploadTooLarge,
)

FIELD = "file"

M = TypeVar("M", bound=BaseModel)


def media_type(request: Request) -> str:
    """In lower case and without parameters; empty where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, model: type[M]) -> M:
    """The body as `model`. Raises BadRequest or RequestValidationError."""
    try:
        return model.model_validate_json(await request.body())
    except ClientDisconnect as error:
        raise BadRequest("The request was cut off.") from error
    except ValidationError as error:
        problems = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(problems) from error


async def read_file(request: Request, *, max_bytes: int) -> bytes:
    """The content of the form field `file`.

    Raises UnsupportedContentType, BadRequest, MissingField or UploadTooLarge.
    """
    if media_type(request) != "multipart/form-data":
        raise UnsupportedContentType(
            f"Send the file as multipart/form-data, in the field '{FIELD}', "
            "or the upload_id of an upload as application/json."
        )
    parser = _InMemoryParser(request.headers, request.stream(), max_files=1, max_fields=10)
    try:
        form = await parser.parse()
        if not parser.ended:
            raise BadRequest("The form ends before its last boundary.")
        upload = form.get(FIELD)
        if not isinstance(upload, UploadFile):
            raise MissingField(FIELD, f"The form must have a file in the field '{FIELD}'.")
        data = await upload.read(max_bytes + 1)
    except MultiPartException as error:
        raise BadRequest("The body is not a readable form with one file.") from error
    except ClientDisconnect as error:
        raise BadRequest("The upload was cut off.") from error
    finally:
        parser.close_files()
    if len(data) > max_bytes:
        raise UploadTooLarge(max_bytes)
    return data


class _InMemoryParser(MultiPartParser):
    """Never spools to a temporary file; the body's size is limited before it gets here."""

    spool_max_size = sys.maxsize
    ended = False
    """Whether the boundary after the last part was seen."""

    def on_end(self) -> None:
        self.ended = True

    def close_files(self) -> None:
        """Also those of parts that never ended."""
        for file in self._files_to_close_on_error:
            file.close()
