"""Messages and feedback over HTTP: stored first, told afterwards, with numbers alone."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.analysis import Detector
from lambda_api.adapters.sqlite import Database
from lambda_api.adapters.sqlite_desk import SqliteMessageStore
from lambda_api.errors import NotificationFailed
from lambda_api.ports import VisitorMessage
from tests.apps import PROBLEM, Caller, build_app
from tests.fakes import FakeClock

TEXT = "The word Tidak ada tanda is easy to misread."
REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}")


def _send(call: Caller, **values: Any) -> httpx.Response:
    return call("POST", "/v1/messages", json={"kind": "suggestion", "text": TEXT, **values})


@pytest.fixture
def store(tmp_path: Path) -> SqliteMessageStore:
    return SqliteMessageStore(Database(tmp_path / "data"))


def test_a_message_is_stored(call: Caller, store: SqliteMessageStore, clock: FakeClock) -> None:
    """Its reference comes back, its content does not."""
    answer = _send(call, email="name@example.org")

    assert 201 == answer.status_code
    assert TEXT not in answer.text
    assert REFERENCE.fullmatch(answer.json()["reference"])
    (message,) = store.messages(now=clock())
    assert answer.json()["reference"] == message.reference
    assert ("suggestion", TEXT, "name@example.org") == (message.kind, message.text, message.email)


@pytest.mark.parametrize("kind", ["suggestion", "message", "question"])
def test_kinds_of_messages(call: Caller, kind: str) -> None:
    """There are three."""
    assert 201 == _send(call, kind=kind).status_code


@pytest.mark.parametrize("text", ["x" * 10, "x" * 2000, "  " + "x" * 2000 + "\n"])
def test_shortest_and_longest_messages(call: Caller, text: str) -> None:
    """10 and 2000 characters are fine; space around them does not count."""
    assert 201 == _send(call, text=text).status_code


@pytest.mark.parametrize(
    "values",
    [
        {"text": "x" * 9},
        {"text": "x" * 2001},
        {"text": " " * 50},
        {"text": None},
        {"text": 5},
        {"kind": "complaint"},
        {"kind": None},
        {"email": "nobody"},
        {"email": "a b@example.org"},
        {"email": f"{'a' * 250}@example.org"},
        {"other": "field"},
    ],
)
def test_other_messages_are_refused(
    call: Caller, store: SqliteMessageStore, clock: FakeClock, values: dict[str, Any]
) -> None:
    """With the field that is wrong, and without repeating what was sent; nothing is stored."""
    answer = _send(call, **values)

    assert (400, PROBLEM, "bad_request") == (
        answer.status_code,
        answer.headers["content-type"],
        answer.json()["code"],
    )
    assert next(iter(values)) in answer.json()["errors"][0]["field"]
    assert [] == store.messages(now=clock())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b"nul"])
def test_what_is_no_json_is_refused(call: Caller, content: bytes) -> None:
    """A body that is no object is a bad request."""
    headers = {"content-type": "application/json"}
    answer = call("POST", "/v1/messages", content=content, headers=headers)

    assert (400, PROBLEM) == (answer.status_code, answer.headers["content-type"])


def test_a_failed_notification_loses_nothing(
    tiny_detector: Detector, tmp_path: Path, clock: FakeClock
) -> None:
    """The sender gets the reference all the same: the message is stored."""

    class Silent:
        def notify(self, message: VisitorMessage) -> None:
            raise NotificationFailed(f"No topic for {message.reference}")

    call = Caller(build_app(tiny_detector, tmp_path / "data", clock=clock, notifier=Silent()))
    assert 201 == _send(call).status_code
    assert 1 == len(SqliteMessageStore(Database(tmp_path / "data")).messages(now=clock()))


def test_the_log_has_no_content(call: Caller, caplog: pytest.LogCaptureFixture) -> None:
    """The notification on one machine is a line with kind and reference."""
    caplog.set_level(logging.INFO)
    reference = _send(call, email="name@example.org").json()["reference"]

    assert any(reference in line for line in caplog.messages)
    assert not any(TEXT in line or "example.org" in line for line in caplog.messages)


def test_feedback_stores_numbers(
    call: Caller, store: SqliteMessageStore, clock: FakeClock, photo_jpeg: bytes, tmp_path: Path
) -> None:
    """Verdict, score, condition, size and model are kept; file, name, hash and id are not."""
    result = call.detect(photo_jpeg, name="holiday-in-ubud.jpg").json()
    answer = _feedback(call, result["id"], json={"label": "photograph"})

    assert 201 == answer.status_code
    assert REFERENCE.fullmatch(answer.json()["reference"])
    (feedback,) = store.feedback(now=clock())
    assert "photograph" == feedback.label
    assert result["pixel"]["score"] == feedback.facts["pixel"]["score"]
    assert result["model"] == feedback.facts["model"]
    assert feedback.media is None
    written = json.dumps(dict(feedback.facts))
    assert result["id"] not in written
    assert result["media"]["sha256"] not in written
    assert not any(photo_jpeg[500:600] in path.read_bytes() for path in tmp_path.rglob("*.*"))


def test_a_file_is_kept_when_it_may(
    call: Caller, store: SqliteMessageStore, clock: FakeClock, photo_jpeg: bytes
) -> None:
    """It has to be sent again, since the service has it no more."""
    result = call.detect(photo_jpeg).json()
    form = {"label": "made_with_ai", "keep_media": "true"}
    answer = _feedback(call, result["id"], data=form, files={"file": ("a.jpg", photo_jpeg)})

    assert 201 == answer.status_code
    assert [photo_jpeg] == [each.media for each in store.feedback(now=clock())]


def test_a_file_without_leave_is_not_kept(
    call: Caller, store: SqliteMessageStore, clock: FakeClock, photo_jpeg: bytes
) -> None:
    """A file that comes without the tick is dropped."""
    result = call.detect(photo_jpeg).json()
    _feedback(call, result["id"], data={"label": "other"}, files={"file": ("a.jpg", photo_jpeg)})

    assert [None] == [each.media for each in store.feedback(now=clock())]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"json": {"label": "nonsense"}}, 400, "bad_request"),
        ({"json": {}}, 400, "bad_request"),
        ({"json": {"label": "other", "keep_media": True}}, 422, "missing_field"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "bad_request"),
        ({"content": b"x"}, 415, "unsupported_type"),
        (
            {"data": {"label": "other", "keep_media": "true"}, "files": {"file": b"another"}},
            422,
            "media_mismatch",
        ),
    ],
)
def test_other_feedback_is_refused(
    call: Caller, photo_jpeg: bytes, request_: dict[str, Any], status: int, code: str
) -> None:
    """Each mistake has its code."""
    result = call.detect(photo_jpeg).json()
    answer = _feedback(call, result["id"], **request_)

    assert (status, code) == (answer.status_code, answer.json()["code"])


def test_feedback_needs_a_result(call: Caller, photo_jpeg: bytes) -> None:
    """On an unknown result there is none, and on a deleted one no more."""
    unknown = _feedback(call, "det_AAAAAAAAAAAAAAAAAAAAAAAA", json={"label": "other"})
    result = call.detect(photo_jpeg).json()
    call("DELETE", f"/v1/detections/{result['id']}")
    deleted = _feedback(call, result["id"], json={"label": "other"})

    assert (404, 410) == (unknown.status_code, deleted.status_code)


def _feedback(call: Caller, detection_id: str, **request: Any) -> httpx.Response:
    return call("POST", f"/v1/detections/{detection_id}/feedback", **request)
