"""Calls, keys, messages and feedback in one DynamoDB table, and files left with feedback in S3.

The table's key is the string `id`; its time to live is the number `expires_at`. DynamoDB deletes late,
so what has expired is left out here. Listing scans the table: only operators do that, and seldom.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from lambda_api.errors import KeyNotFound
from lambda_api.ports import (
    ApiKey,
    Feedback,
    FeedbackLabel,
    KeyScope,
    MessageKind,
    VisitorMessage,
)

_CALLS, _KEY, _MESSAGE, _FEEDBACK = "calls#", "key#", "message#", "feedback#"


def open_table(name: str) -> Any:  # noqa: ANN401 - boto3 makes its classes while it runs
    """The table of this name, in the region and with the credentials that the environment gives."""
    return boto3.resource("dynamodb").Table(name)


class DynamoCallCounter:
    """One item per bucket and window."""

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - see open_table
        self._table = table

    def count(self, bucket: str, window: int) -> int:
        item = self._table.get_item(Key=_call(bucket, window), ConsistentRead=True).get("Item")
        return int(item["calls"]) if item else 0

    def add(self, bucket: str, window: int, *, below: int, expires_at: datetime) -> int | None:
        if below <= 0:
            return None
        try:
            answer = self._table.update_item(
                Key=_call(bucket, window),
                UpdateExpression="ADD calls :one SET expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(calls) OR calls < :below",
                ExpressionAttributeValues={
                    ":one": 1,
                    ":below": below,
                    ":expires_at": int(expires_at.timestamp()),
                },
                ReturnValues="UPDATED_NEW",
            )
        except ClientError as error:
            if _is_condition(error):
                return None
            raise
        return int(answer["Attributes"]["calls"])


class DynamoKeyStore:
    """One item per key; a lookup reads one item."""

    def __init__(self, table: Any) -> None:  # noqa: ANN401 - see open_table
        self._table = table

    def add(self, key: ApiKey) -> None:
        self._table.put_item(
            Item={
                "id": _KEY + key.id,
                "name": key.name,
                "scopes": sorted(key.scopes),
                "secret_sha256": key.secret_sha256,
                "created_at": key.created_at.isoformat(),
            }
        )

    def get(self, key_id: str) -> ApiKey:
        # Consistent, so that a revoked key opens nothing from that moment on.
        answer = self._table.get_item(Key={"id": _KEY + key_id}, ConsistentRead=True)
        if "Item" not in answer:
            raise KeyNotFound(key_id)
        return _key(answer["Item"])

    def all(self) -> list[ApiKey]:
        keys = [_key(item) for item in _all(self._table, _KEY)]
        return sorted(keys, key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str, *, now: datetime) -> None:
        try:
            self._table.update_item(
                Key={"id": _KEY + key_id},
                UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeValues={":now": now.isoformat()},
            )
        except ClientError as error:
            if _is_condition(error):
                raise KeyNotFound(key_id) from None
            raise


class DynamoMessageStore:
    """One item per message and per feedback; files go to `kept/<reference>` in the bucket."""

    def __init__(self, table: Any, *, bucket: str) -> None:  # noqa: ANN401 - see open_table
        self._table = table
        self._bucket = bucket
        self._s3 = boto3.client("s3")

    def save_message(self, message: VisitorMessage) -> None:
        content = {"kind": message.kind.value, "text": message.text, "email": message.email}
        self._save(_MESSAGE, message, content)

    def save_feedback(self, feedback: Feedback) -> None:
        if feedback.media is not None:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=f"kept/{feedback.reference}",
                Body=feedback.media,
                ContentType="application/octet-stream",
            )
        content = {
            "label": feedback.label.value,
            "facts": json.dumps(feedback.facts),
            "has_media": feedback.media is not None,
        }
        self._save(_FEEDBACK, feedback, content)

    def messages(self, *, now: datetime) -> list[VisitorMessage]:
        return [
            VisitorMessage(
                **_common(item),
                kind=MessageKind(item["kind"]),
                text=item["text"],
                email=item["email"],
            )
            for item in self._unexpired(_MESSAGE, now)
        ]

    def feedback(self, *, now: datetime) -> list[Feedback]:
        return [
            Feedback(
                **_common(item),
                label=FeedbackLabel(item["label"]),
                facts=json.loads(item["facts"]),
                media=self._media(item["reference"]) if item["has_media"] else None,
            )
            for item in self._unexpired(_FEEDBACK, now)
        ]

    def _save(self, prefix: str, what: VisitorMessage | Feedback, content: dict[str, Any]) -> None:
        self._table.put_item(
            Item={
                "id": prefix + what.reference,
                "reference": what.reference,
                "created_at": what.created_at.isoformat(),
                "expires_at": int(what.expires_at.timestamp()),
                **content,
            }
        )

    def _unexpired(self, prefix: str, now: datetime) -> list[dict[str, Any]]:
        items = _all(self._table, prefix, Attr("expires_at").gt(int(now.timestamp())))
        return sorted(items, key=lambda item: (item["created_at"], item["reference"]))

    def _media(self, reference: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=f"kept/{reference}")[
            "Body"
        ].read()
        return content


def _all(table: Any, prefix: str, condition: Any = None) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    wanted = Attr("id").begins_with(prefix)
    scan = {"FilterExpression": wanted if condition is None else wanted & condition}
    while True:
        answer = table.scan(**scan)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        scan["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _call(bucket: str, window: int) -> dict[str, str]:
    return {"id": f"{_CALLS}{bucket}#{window}"}


def _key(item: dict[str, Any]) -> ApiKey:
    revoked_at = item.get("revoked_at")
    return ApiKey(
        id=item["id"].removeprefix(_KEY),
        name=item["name"],
        scopes=frozenset(KeyScope(scope) for scope in item["scopes"]),
        secret_sha256=item["secret_sha256"],
        created_at=datetime.fromisoformat(item["created_at"]),
        revoked_at=datetime.fromisoformat(revoked_at) if revoked_at else None,
    )


def _common(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "reference": item["reference"],
        "created_at": datetime.fromisoformat(item["created_at"]),
        "expires_at": datetime.fromtimestamp(int(item["expires_at"]), UTC),
    }


def _is_condition(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")
