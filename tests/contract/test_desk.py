"""What every counter of calls, store of keys and store of messages must do."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from lambda_api.adapters.dynamodb_desk import (
    DynamoCallCounter,
    DynamoKeyStore,
    DynamoMessageStore,
    open_table,
)
from lambda_api.adapters.sns import SnsNotifier
from lambda_api.embedded import EmbeddedStorage
from lambda_api.errors import KeyNotFound, NotificationFailed
from lambda_api.keys import make_key
from lambda_api.ports import (
    CallCounter,
    Feedback,
    FeedbackLabel,
    KeyScope,
    KeyStore,
    MessageKind,
    MessageStore,
    VisitorMessage,
)
from tests.aws import AwsResources
from tests.fakes import FakeClock

NOW = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
YEAR = timedelta(days=365)
LATER = NOW + timedelta(minutes=2)
ODD_NAMES = ["", "a b", "'; DROP TABLE calls; --", "key#1", "calls#x", "é" * 200, "a" * 500]


@dataclass(frozen=True)
class Desks:
    """One adapter for each port, on new and empty storage."""

    calls: CallCounter
    keys: KeyStore
    messages: MessageStore


@pytest.fixture(params=["embedded", "aws"])
def desks(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Desks:
    """Each set of adapters in turn."""
    if request.param == "embedded":
        embedded = EmbeddedStorage(tmp_path / "data", clock=clock)
        return Desks(embedded.calls, embedded.keys, embedded.messages)
    resources: AwsResources = request.getfixturevalue("aws")
    table = open_table(resources.table)
    return Desks(
        DynamoCallCounter(table),
        DynamoKeyStore(table),
        DynamoMessageStore(table, bucket=resources.bucket),
    )


@pytest.mark.parametrize("bucket", ODD_NAMES)
def test_calls_are_counted_up_to_the_limit(desks: Desks, bucket: str) -> None:
    """Each window and bucket has a count of its own; at the limit nothing is counted any more."""
    counts = [desks.calls.add(bucket, 7, below=2, expires_at=LATER) for _ in range(4)]

    assert [1, 2, None, None] == counts
    assert 2 == desks.calls.count(bucket, 7)
    assert 0 == desks.calls.count(bucket, 8)
    assert 0 == desks.calls.count(f"{bucket}x", 7)
    assert 1 == desks.calls.add(bucket, 8, below=2, expires_at=LATER)


@pytest.mark.parametrize("below", [0, -3])
def test_no_room_is_no_room(desks: Desks, below: int) -> None:
    """A limit of nothing lets nothing through, the first call neither."""
    assert desks.calls.add("a", 7, below=below, expires_at=LATER) is None
    assert 0 == desks.calls.count("a", 7)


def test_calls_at_the_same_moment_never_pass_together(desks: Desks) -> None:
    """Of sixteen callers at once exactly five get through a limit of five."""
    passed: list[int | None] = []
    start = threading.Barrier(16)

    def call() -> None:
        start.wait()
        passed.append(desks.calls.add("a", 7, below=5, expires_at=LATER))

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [1, 2, 3, 4, 5] == sorted(count for count in passed if count is not None)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_key_comes_back_as_it_was(desks: Desks, name: str) -> None:
    """With its name, its scopes and its hash."""
    key, _ = make_key(name, KeyScope, now=NOW)
    desks.keys.add(key)

    assert key == desks.keys.get(key.id)


def test_keys_are_listed_and_revoked(desks: Desks) -> None:
    """The oldest comes first; the first revocation is the one that counts."""
    older, _ = make_key("older", [KeyScope.ANALYSE], now=NOW)
    newer, _ = make_key("newer", [KeyScope.MESSAGE], now=LATER)
    desks.keys.add(newer)
    desks.keys.add(older)
    desks.keys.revoke(older.id, now=LATER)
    desks.keys.revoke(older.id, now=LATER + YEAR)

    assert [("older", LATER), ("newer", None)] == [
        (key.name, key.revoked_at) for key in desks.keys.all()
    ]
    assert LATER == desks.keys.get(older.id).revoked_at


@pytest.mark.parametrize("key_id", ["000000000000", "", "' OR 1=1"])
def test_unknown_keys(desks: Desks, key_id: str) -> None:
    """They are neither found nor revoked, and revoking makes none."""
    with pytest.raises(KeyNotFound):
        desks.keys.get(key_id)
    with pytest.raises(KeyNotFound):
        desks.keys.revoke(key_id, now=NOW)
    assert [] == desks.keys.all()


def _message(reference: str = "AAAA-BBBB-CCCC", email: str | None = None) -> VisitorMessage:
    return VisitorMessage(
        reference=reference,
        created_at=NOW,
        expires_at=NOW + YEAR,
        kind=MessageKind.QUESTION,
        text="Apa arti skor ini? é \u0000 '; --",
        email=email,
    )


def _feedback(media: bytes | None) -> Feedback:
    return Feedback(
        reference="DDDD-EEEE-FFFF",
        created_at=NOW,
        expires_at=NOW + YEAR,
        label=FeedbackLabel.PHOTOGRAPH,
        facts={"pixel": {"score": 0.625, "band": "inconclusive"}, "condition": None},
        media=media,
    )


@pytest.mark.parametrize("email", [None, "name@example.org"])
def test_a_message_comes_back_as_it_was(desks: Desks, email: str | None) -> None:
    """Until it expires."""
    message = _message(email=email)
    desks.messages.save_message(message)

    assert [message] == desks.messages.messages(now=NOW + YEAR - timedelta(seconds=1))
    assert [] == desks.messages.messages(now=NOW + YEAR)
    assert [] == desks.messages.feedback(now=NOW)


@pytest.mark.parametrize("media", [None, b"", b"\0\xff" * 400_000])
def test_feedback_comes_back_as_it_was(desks: Desks, media: bytes | None) -> None:
    """With the file, whatever its size, if there is one."""
    feedback = _feedback(media)
    desks.messages.save_feedback(feedback)

    (kept,) = desks.messages.feedback(now=NOW)
    assert feedback == kept
    assert media == kept.media
    assert [] == desks.messages.feedback(now=NOW + YEAR)


@pytest.fixture
def inbox(aws: AwsResources) -> Iterator[tuple[SnsNotifier, str]]:
    """A topic, and the queue that its messages end in."""
    assert aws.table
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="operators")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    yield SnsNotifier(topic), queue
    sqs.delete_queue(QueueUrl=queue)


def test_operators_are_told(inbox: tuple[SnsNotifier, str]) -> None:
    """With the reference, the text, and where an answer may go."""
    notifier, queue = inbox
    notifier.notify(_message(email="name@example.org"))

    (received,) = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    for part in ("AAAA-BBBB-CCCC", "Apa arti skor", "name@example.org"):
        assert part in received["Body"]


def test_a_missing_topic_is_a_failed_notification(aws: AwsResources) -> None:
    """Which the desk outlives: the message is stored before anyone is told."""
    assert aws.table
    notifier = SnsNotifier("arn:aws:sns:eu-west-1:123456789012:missing")
    with pytest.raises(NotificationFailed):
        notifier.notify(_message())
