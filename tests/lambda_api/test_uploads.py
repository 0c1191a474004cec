import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from lambda_api.jobs import media_key, new_job_id
from tests.apps import PROBLEM, Caller, EmbeddedService, session
from tests.images import padded_png, plain_image

IMAGE = plain_image("PNG", (300, 300), 255)


def _ticket(
    call: Caller, size: int = len(IMAGE), content_type: str = "image/png"
) -> dict[str, Any]:
    response = call("POST", "/v1/uploads", json={"content_type": content_type, "bytes": size})
    assert 201 == response.status_code, response.text
    ticket: dict[str, Any] = response.json()
    return ticket


def _post(
    call: Caller,
    ticket: dict[str, Any],
    data: bytes = IMAGE,
    changes: Mapping[str, str | None] | None = None,
) -> httpx.Response:
    """The form as a browser sends it, with some of its fields changed or left out."""
    merged = {**ticket["fields"], **(changes or {})}
    kept = {name: value for name, value in merged.items() if value is not None}
    return call("POST", ticket["url"], data=kept, files={"file": ("a.png", data)})


def _submit(call: Caller, ticket: dict[str, Any], **request: Any) -> httpx.Response:
    return call("POST", "/v1/detections", json={"upload_id": ticket["upload_id"]}, **request)


def _kept(service: EmbeddedService, ticket: dict[str, Any]) -> bool:
    return service.storage.blobs.exists(media_key(ticket["upload_id"]))


def test_upload_is_analysed(service: EmbeddedService, call: Caller) -> None:
    """From the form to the result: every state is told, and the file is deleted once scored."""
    ticket = _ticket(call)
    path = f"/v1/detections/{ticket['upload_id']}"
    assert "awaiting_upload" == call("GET", path).json()["status"]
    assert 204 == _post(call, ticket).status_code

    accepted = _submit(call, ticket)
    assert (202, "queued") == (accepted.status_code, accepted.json()["status"])
    assert (path, "2") == (accepted.headers["location"], accepted.headers["retry-after"])
    waiting = call("GET", path)
    assert ("queued", "2") == (waiting.json()["status"], waiting.headers["retry-after"])

    service.work()
    done = call("GET", path)
    assert "retry-after" not in done.headers
    assert ("succeeded", "likely_ai") == (done.json()["status"], done.json()["verdict"])
    assert "2026-10-06T09:30:00Z" == done.json()["media"]["media_deleted_at"]
    assert not _kept(service, ticket)
    assert 200 == call("GET", done.json()["heatmap_url"]).status_code
    assert 200 == _submit(call, ticket).status_code


def test_file_above_the_direct_limit_is_analysed(service: EmbeddedService, call: Caller) -> None:
    """15 MB go through a form."""
    data = padded_png(15_000_000)
    ticket = _ticket(call, len(data))
    assert 204 == _post(call, ticket, data).status_code
    _submit(call, ticket)
    service.work()

    result = call("GET", f"/v1/detections/{ticket['upload_id']}").json()
    assert ("succeeded", 15_000_000) == (result["status"], result["media"]["bytes"])


def test_ticket_is_a_form(call: Caller) -> None:
    """The policy in the form says key, type, size and end, and the address is absolute."""
    ticket = _ticket(call, 1234)
    policy = json.loads(base64.b64decode(ticket["fields"]["policy"]))

    assert "http://asli.test/v1/uploads/files" == ticket["url"]
    assert (1234, "2026-10-06T09:35:00Z") == (ticket["max_bytes"], ticket["expires_at"])
    assert "2026-10-06T09:35:00+00:00" == policy["expiration"]
    assert [
        ["eq", "$key", media_key(ticket["upload_id"])],
        ["eq", "$Content-Type", "image/png"],
        ["content-length-range", 1, 1234],
    ] == policy["conditions"]


@pytest.mark.parametrize(
    "changes",
    [
        {"key": media_key(new_job_id())},
        {"key": "../form-secret"},
        {"key": None},
        {"Content-Type": "text/html"},
        {"Content-Type": None},
        {"policy": base64.b64encode(b'{"conditions": []}').decode()},
        {"policy": "noise"},
        {"policy": None},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"signature": None},
        {"x-amz-meta-name": "holiday.png"},
    ],
)
def test_changed_form_is_refused(
    service: EmbeddedService, call: Caller, changes: dict[str, str | None]
) -> None:
    """Another key, another type, another policy, any field more or less: refused, nothing kept."""
    ticket = _ticket(call)
    response = _post(call, ticket, changes=changes)

    assert (403, PROBLEM) == (response.status_code, response.headers["content-type"])
    assert "upload_refused" == response.json()["code"]
    assert [] == service.storage.blobs.media()
    assert 204 == _post(call, ticket).status_code


def test_stretched_policy_is_refused(call: Caller) -> None:
    """A policy with a larger size under the old signature is refused."""
    ticket = _ticket(call)
    policy = json.loads(base64.b64decode(ticket["fields"]["policy"]))
    policy["conditions"][2][2] = 10**9
    stretched = base64.b64encode(json.dumps(policy).encode()).decode()

    assert 403 == _post(call, ticket, changes={"policy": stretched}).status_code


@pytest.mark.parametrize(("size", "status"), [(len(IMAGE), 204), (len(IMAGE) + 1, 413)])
def test_size_is_limited_to_the_declared_one(
    service: EmbeddedService, call: Caller, size: int, status: int
) -> None:
    """One byte more than was declared is refused with the limit, and nothing is kept."""
    ticket = _ticket(call)
    response = _post(call, ticket, IMAGE.ljust(size, b"\0"))

    assert status == response.status_code
    assert (status == 204) == _kept(service, ticket)
    if status == 413:
        assert ("file_too_large", len(IMAGE)) == (
            response.json()["code"],
            response.json()["limit"],
        )


def test_much_larger_file_is_refused_early(call: Caller) -> None:
    """Of a file that is far too large only the beginning is read."""
    ticket = _ticket(call, 1_000_000)
    head = b"".join(
        b'--b\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode())
        for name, value in ticket["fields"].items()
    )
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield head + b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 65_536
            yield b"\0" * 65_536

    async def post() -> httpx.Response:
        headers = {"content-type": "multipart/form-data; boundary=b"}
        async with session(call.app) as client:
            return await client.post(ticket["url"], content=endless(), headers=headers)

    assert 413 == asyncio.run(post()).status_code
    assert sent < 1_500_000


def test_empty_file_is_refused(service: EmbeddedService, call: Caller) -> None:
    """No bytes are no file."""
    ticket = _ticket(call)

    assert 403 == _post(call, ticket, b"").status_code
    assert not _kept(service, ticket)


def test_form_is_dead_after_five_minutes(service: EmbeddedService, call: Caller) -> None:
    """The form works until its last second, and not from then on."""
    early, late = _ticket(call), _ticket(call)
    service.clock.advance(timedelta(seconds=299))
    assert 204 == _post(call, early).status_code
    service.clock.advance(timedelta(seconds=1))

    assert 403 == _post(call, late).status_code
    assert not _kept(service, late)


def test_form_works_once(service: EmbeddedService, call: Caller) -> None:
    """A second file is refused: before the analysis, after it, and after deletion."""
    ticket = _ticket(call)
    assert [204, 403] == [_post(call, ticket).status_code for _ in range(2)]
    _submit(call, ticket)
    service.work()
    assert 403 == _post(call, ticket).status_code
    assert not _kept(service, ticket)
    deleted = _ticket(call)
    call("DELETE", f"/v1/detections/{deleted['upload_id']}")
    assert 403 == _post(call, deleted).status_code
    assert not _kept(service, deleted)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "GET", "DELETE"])
def test_only_posting_uploads(service: EmbeddedService, call: Caller, method: str) -> None:
    """No other method leads to a file, whatever the form says."""
    ticket = _ticket(call)
    request = {"data": ticket["fields"], "files": {"file": IMAGE}} if method == "PUT" else {}

    assert 405 == call(method, ticket["url"], **request).status_code
    assert 404 == call(method, f"{ticket['url']}/{ticket['fields']['key']}").status_code
    assert not _kept(service, ticket)


def test_file_before_its_fields_is_refused(service: EmbeddedService, call: Caller) -> None:
    """The file comes last, as with a cloud's file store."""
    ticket = _ticket(call)
    parts = [("file", ("a.png", IMAGE)), *((k, (None, v)) for k, v in ticket["fields"].items())]

    assert 403 == call("POST", ticket["url"], files=parts).status_code
    assert not _kept(service, ticket)


def test_cut_off_upload_leaves_nothing(service: EmbeddedService, call: Caller) -> None:
    """A body that ends early keeps no part of the file, and the form may be sent again."""
    ticket = _ticket(call)
    request = httpx.Request(
        "POST", ticket["url"], data=ticket["fields"], files={"file": ("a.png", IMAGE)}
    )
    body = request.read()
    headers = {"content-type": request.headers["content-type"]}
    response = call("POST", ticket["url"], content=body[:-60], headers=headers)

    assert 400 == response.status_code
    assert not _kept(service, ticket)
    partial = service.storage.worker_lock.parent / "blobs" / "partial"
    assert [] == list(partial.iterdir())
    assert 204 == _post(call, ticket).status_code


def test_endless_fields_are_refused(call: Caller) -> None:
    """Fields do not fill the memory."""
    ticket = _ticket(call)

    assert 400 == _post(call, ticket, changes={"key": "k" * 100_000}).status_code


def test_nothing_is_analysed_before_it_arrives(call: Caller) -> None:
    """Submitting too early is a problem of its own, and may be repeated."""
    ticket = _ticket(call)
    response = _submit(call, ticket)

    assert (422, "upload_missing") == (response.status_code, response.json()["code"])
    _post(call, ticket)
    assert 202 == _submit(call, ticket).status_code


def test_content_is_judged_by_its_bytes(service: EmbeddedService, call: Caller) -> None:
    """Whatever was declared: a JPEG is analysed, words are not."""
    for data, status in ((plain_image("JPEG"), "succeeded"), (b"words" * 10, "failed")):
        ticket = _ticket(call, len(data), "image/heic")
        _post(call, ticket, data)
        _submit(call, ticket)
        service.work()
        answer = call("GET", f"/v1/detections/{ticket['upload_id']}")
        assert (200, status) == (answer.status_code, answer.json()["status"])
    problem = answer.json()["problem"]
    assert ("unsupported_type", 415) == (problem["code"], problem["status"])
    assert answer.json()["media"]["media_deleted_at"]


def test_direct_file_may_become_a_job(service: EmbeddedService, call: Caller) -> None:
    """With `Prefer: respond-async` a file in a form is queued."""
    headers = {"prefer": "respond-async"}
    response = call("POST", "/v1/detections", files={"file": IMAGE}, headers=headers)

    assert (202, "respond-async") == (
        response.status_code,
        response.headers["preference-applied"],
    )
    service.work()
    assert "succeeded" == call("GET", response.headers["location"]).json()["status"]


def test_deletion_takes_the_upload_too(service: EmbeddedService, call: Caller) -> None:
    """Deleting a job before its analysis deletes its file at once; then all is gone."""
    ticket = _ticket(call)
    _post(call, ticket)
    _submit(call, ticket)
    path = f"/v1/detections/{ticket['upload_id']}"

    assert [204, 204] == [call("DELETE", path).status_code for _ in range(2)]
    assert not _kept(service, ticket)
    assert (410, 410) == (call("GET", path).status_code, _submit(call, ticket).status_code)


def test_page_of_another_origin_may_upload(service: EmbeddedService) -> None:
    """Form, file and submission carry the CORS headers, and so does a refused file."""
    origin = "https://asli.example"
    call = Caller(service.app(allowed_origins=(origin,)))
    headers = {"origin": origin}
    ticket = _ticket(call)
    files = {"file": ("a.png", IMAGE)}
    answers = [
        call("POST", ticket["url"], data=ticket["fields"], files=files, headers=headers)
        for _ in range(2)
    ]
    answers.append(_submit(call, ticket, headers=headers))
    preflight = {"access-control-request-method": "POST", **headers}
    answers.append(call("OPTIONS", ticket["url"], headers=preflight))

    assert [204, 403, 202, 200] == [each.status_code for each in answers]
    assert {origin} == {each.headers["access-control-allow-origin"] for each in answers}
