"""Idempotency-Key: a request that is sent again gets the first one's answer, for a day.

Follows draft-ietf-httpapi-idempotency-key-header: the same request under the same key is answered word for word as
before; another request under that key is refused; so is one whose twin is still being answered.
"""

import dataclasses
import hashlib
import re
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import Message as MimeHeader
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lambda_api.errors import (
    BadRequest,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    ProblemCode,
    RequestInProgress,
    ServiceError,
)
from lambda_api.ports import IdempotencyStore, KeyClaim, StoredAnswer
from lambda_api.problems import problem_response

HEADER = "Idempotency-Key"

IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A UUID of the client's making. For 24 hours the same request under the same key "
    "is answered as before, without being carried out again.",
    "schema": {"type": "string"},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
"""How a route declares the header in the contract."""

IDEMPOTENCY_PROBLEMS = (
    ProblemCode.IDEMPOTENCY_KEY_INVALID,
    ProblemCode.IDEMPOTENCY_KEY_REUSED,
    ProblemCode.REQUEST_IN_PROGRESS,
)
"""And what can go wrong with it."""

REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before."""

KEY_LIFETIME = timedelta(hours=24)

CLAIM_LIFETIME = timedelta(seconds=60)
"""Longer than any request is answered; then its key may be tried again."""

_QUOTED = re.compile(r'"([^"]*)"')
_PASSING = frozenset({408, 409, 425, 429})
"""Statuses that say nothing about the next attempt, as all from 500 on."""


class Idempotency:
    """Applies to every POST below it that has the header. Deleting a path forgets its answers."""

    def __init__(
        self,
        app: ASGIApp,
        store: IdempotencyStore,
        *,
        clock: Callable[[], datetime],
        lifetime: timedelta = KEY_LIFETIME,
    ) -> None:
        """Answers are kept for `lifetime`: no longer than the results that they may hold."""
        self._app = app
        self._store = store
        self._clock = clock
        self._lifetime = lifetime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope.get("method")
        key = Headers(scope=scope).get(HEADER) if method == "POST" else None
        if method == "DELETE":
            await run_in_threadpool(self._store.forget, scope["path"])
            await self._app(scope, receive, send)
        elif key is None:
            await self._app(scope, receive, send)
        else:
            try:
                answer, failure = await self._answer(key, scope, receive)
            except ServiceError as error:
                answer, failure = _refusal(scope, error), None
            await answer(scope, receive, send)
            if failure is not None:
                raise failure

    async def _answer(
        self, key_header: str, scope: Scope, receive: Receive
    ) -> tuple[Response, Exception | None]:
        """And what the app raised after it had answered: that is how it reports a 500."""
        key = _parse(key_header)
        body = await _read(scope, receive)
        now = self._clock()
        claim = KeyClaim(
            key=key,
            fingerprint=_fingerprint(scope, body),
            token=secrets.token_hex(16),
            claimed_until=now + CLAIM_LIFETIME,
            expires_at=now + self._lifetime,
        )
        holder = await run_in_threadpool(self._store.claim, claim, now=now)
        if holder is not None:
            return _replay(holder, claim.fingerprint), None
        try:
            answer, failure = await _run(self._app, scope, body)
        except BaseException:
            await run_in_threadpool(self._store.release, claim)
            raise
        if answer.status >= 500 or answer.status in _PASSING:
            await run_in_threadpool(self._store.release, claim)
        else:
            headers = Headers(answer.headers)
            finished = dataclasses.replace(claim, answer=answer)
            resource = headers.get("location") or headers.get("content-location")
            await run_in_threadpool(self._store.finish, finished, resource=resource)
        return _response(answer), failure


def _parse(header: str) -> str:
    quoted = _QUOTED.fullmatch(header.strip())
    try:
        return str(uuid.UUID(quoted[1] if quoted else header.strip()))
    except ValueError as error:
        raise IdempotencyKeyInvalid from error


def _replay(holder: KeyClaim, fingerprint: str) -> Response:
    if holder.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    if holder.answer is None:
        raise RequestInProgress
    response = _response(holder.answer)
    response.headers[REPLAYED] = "true"
    return response


async def _read(scope: Scope, receive: Receive) -> bytes:
    try:
        return await Request(scope, receive).body()
    except ClientDisconnect as error:
        raise BadRequest("The request was cut off.") from error


def _fingerprint(scope: Scope, body: bytes) -> str:
    """Of everything that makes it the same request. A form's boundary is chosen anew each time."""
    content_type = Headers(scope=scope).get("content-type", "")
    header = MimeHeader()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if boundary is not None:
        content_type = header.get_content_type()
        body = body.replace(b"--" + boundary.encode("latin-1"), b"--")
    digest = hashlib.sha256()
    for part in (
        scope["path"].encode(),
        scope.get("query_string", b""),
        Headers(scope=scope).get("prefer", "").encode("latin-1"),
        content_type.encode("latin-1"),
        body,
    ):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


async def _run(app: ASGIApp, scope: Scope, body: bytes) -> tuple[StoredAnswer, Exception | None]:
    """The app's whole answer to a body that was read before, and what it raised after answering."""
    start: Message = {}
    content = bytearray()
    failure = None

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
        else:
            content.extend(message.get("body", b""))

    try:
        await app(scope, receive, send)
    except Exception as error:
        if not start:
            raise
        failure = error
    headers = MutableHeaders(raw=list(start["headers"]))
    del headers["content-length"]
    answer = StoredAnswer(status=start["status"], headers=dict(headers), body=bytes(content))
    return answer, failure


def _refusal(scope: Scope, error: ServiceError) -> Response:
    return problem_response(
        scope,
        error.code,
        detail=str(error),
        limit=error.limit,
        retry_after=error.retry_after_seconds,
    )


def _response(answer: StoredAnswer) -> Response:
    return Response(answer.body, answer.status, headers=answer.headers)
