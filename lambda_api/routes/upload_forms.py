"""Takes the forms of uploads, where the service itself keeps the files. Bytes go to the disk as they come.

As with a cloud's file store, the fields come first and the file last; whatever follows is not read.
"""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lambda_api.errors import BadRequest, UnsupportedContentType, UploadRefused
from lambda_api.jobs import media_key
from lambda_api.ports import FormReceiver, IncomingFile
from lambda_api.problems import install_problem_handlers
from lambda_api.services import DetectionService

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD = "file"

_MAX_FIELDS_BYTES = 16 * 1024
_MEDIA_PREFIX = media_key("")


def upload_forms(path: str, receiver: FormReceiver, detections: DetectionService) -> ASGIApp:
    """An app that answers at exactly this path."""

    async def receive_form(request: Request) -> Response:
        form = _Form(request, receiver, detections)
        try:
            await form.read()
        except FormParserError as error:
            raise BadRequest("The body is not a readable form.") from error
        except ClientDisconnect as error:
            raise BadRequest("The upload was cut off.") from error
        finally:
            form.close()
        return Response(status_code=204)

    app = Starlette(routes=[Route(path, receive_form, methods=["POST"])])
    install_problem_handlers(app, limits={})
    return app


class _Form:
    """One upload on its way in."""

    def __init__(
        self, request: Request, receiver: FormReceiver, detections: DetectionService
    ) -> None:
        self._request = request
        self._receiver = receiver
        self._detections = detections
        self._fields: dict[str, str] = {}
        self._fields_bytes = 0
        self._header_name = b""
        self._header_value = b""
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        self._file: IncomingFile | None = None
        self._complete = False

    async def read(self) -> None:
        """Raises a ServiceError unless one whole file was kept."""
        parser = MultipartParser(self._boundary(), callbacks=self._callbacks())
        async for chunk in self._chunks():
            await run_in_threadpool(parser.write, chunk)
            if self._complete:
                break
        if self._file is None:
            raise UploadRefused(f"The form has no file in the field {FIELD!r}.")
        if not self._complete:
            raise BadRequest("The form ends before its file does.")
        await run_in_threadpool(self._keep, self._file)

    def close(self) -> None:
        if self._file is not None:
            self._file.abort()

    def _keep(self, file: IncomingFile) -> None:
        file.finish()
        self._detections.settle_upload(self._job_id())

    def _job_id(self) -> str:
        return self._fields["key"].removeprefix(_MEDIA_PREFIX)

    def _boundary(self) -> bytes:
        kind, options = parse_options_header(self._request.headers.get("content-type"))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise UnsupportedContentType(
                "Send the form's fields and the file as multipart/form-data."
            )
        return options[b"boundary"]

    async def _chunks(self) -> AsyncIterator[bytes]:
        async with contextlib.aclosing(self._request.stream()) as stream:
            async for chunk in stream:
                if chunk:
                    yield chunk

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_field,
            "on_header_value": self._take_header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_ends,
        }

    def _part_begins(self) -> None:
        self._disposition = b""
        self._value.clear()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]
        self._limit_fields(end - start)

    def _take_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]
        self._limit_fields(end - start)

    def _header_ends(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name == FIELD and self._file is None:
            self._file = self._receiver.receive(self._fields)
            self._detections.expect_upload(self._job_id())

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._complete:
            return
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._limit_fields(end - start)
        self._value += data[start:end]

    def _part_ends(self) -> None:
        if self._file is not None:
            self._complete = True
        elif self._name in self._fields:
            raise UploadRefused(f"The form has the field {self._name!r} twice.")
        else:
            self._fields[self._name] = self._value.decode("utf-8", "replace")

    def _limit_fields(self, more: int) -> None:
        self._fields_bytes += more
        if self._fields_bytes > _MAX_FIELDS_BYTES:
            raise BadRequest(
                f"The fields before the file have more than {_MAX_FIELDS_BYTES} bytes."
            )
