"""What happens to every request on its way in and to every answer on its way out."""

import logging
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_api.errors import ProblemCode, UploadTooLarge
from lambda_api.problems import problem_response
from lambda_api.security_headers import SECURITY_HEADERS

logger = logging.getLogger(__name__)


class RequestMarks:
    """Gives every request an id, and every answer that id and the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"req_{secrets.token_hex(16)}"
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(
                    {"X-Request-Id": request_id, **SECURITY_HEADERS}
                )
            await send(message)

        await self._app(scope, receive, send_marked)


class CrossOrigin(CORSMiddleware):
    """Answers other sites' scripts from exactly the given origins, and never with credentials."""

    def __init__(self, app: ASGIApp, allowed_origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=allowed_origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Content-Type", "Idempotency-Key", "Prefer"),
            expose_headers=("Content-Location", "Location", "Retry-After", "X-Request-Id"),
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        return _RefusedPreflight(headers={"Vary": response.headers["Vary"]})


class _RefusedPreflight(Response):
    """Becomes a problem when it is sent, since only then the request's id is at hand."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = "Scripts of this origin may not send this request."
        problem = problem_response(
            scope, ProblemCode.BAD_REQUEST, detail=detail, headers=dict(self.headers)
        )
        await problem(scope, receive, send)


class AppAtPath:
    """Sends one path to an app of its own, everything else to `otherwise`."""

    def __init__(self, path: str, app: ASGIApp, *, otherwise: ASGIApp) -> None:
        self._path = path
        self._app = app
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if scope.get("path") == self._path else self._otherwise
        await app(scope, receive, send)


class FailureLog:
    """Logs a failure with its request's id, once the answer to it was sent; nothing escapes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:  # the edge of the process: the app has already answered with a 500
            logger.exception("Request %s failed", scope["state"]["request_id"])


FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may add to its file: boundaries, headers and small fields."""


class BodyLimit:
    """Refuses a body that must hold more than a file of `max_file_bytes`.

    A declared length is refused at once, an undeclared one while it arrives; neither is kept.
    """

    def __init__(self, app: ASGIApp, max_file_bytes: int) -> None:
        self._app = app
        self._max_file_bytes = max_file_bytes
        self._max_bytes = max_file_bytes + FORM_OVERHEAD_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            error = UploadTooLarge(self._max_file_bytes)
            refusal = problem_response(scope, error.code, detail=str(error), limit=error.limit)
            await refusal(scope, receive, send)
            return

        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise UploadTooLarge(self._max_file_bytes)
            return message

        await self._app(scope, receive_counted, send)
