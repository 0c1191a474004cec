"""Jobs and idempotency keys as items of one DynamoDB table: key `id`, time to live `expires_at`.

The table deletes items some time after they have expired; so reading compares moments itself.
"""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import boto3
from botocore.exceptions import ClientError

from lambda_api.errors import DetectionGone, DetectionNotFound, JobConflict
from lambda_api.jobs import Job, is_job_id
from lambda_api.ports import KeyClaim, StoredAnswer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

REMEMBER_GONE = timedelta(days=30)
"""From a job's creation; then "gone" becomes "not found"."""


class _Items:
    """A table whose key is `id`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    @classmethod
    def connect(cls, table: str) -> Self:
        """With the environment's credentials, in the environment's region."""
        return cls(boto3.client("dynamodb"), table)

    def _item(self, key: str) -> "dict[str, AttributeValueTypeDef] | None":
        answer = self._client.get_item(
            TableName=self._table, Key={"id": _text(key)}, ConsistentRead=True
        )
        return answer.get("Item")


class DynamoJobRepository(_Items):
    """Per job an item, and a trace without content that outlives it."""

    def add(self, job: Job) -> None:
        forgotten_at = job.created_at + REMEMBER_GONE
        trace = {"id": _text(f"trace#{job.id}"), "expires_at": _seconds(forgotten_at)}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": item,
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    }
                    for item in (trace, _job_item(job))
                ]
            )
        except ClientError as error:
            if _code(error) != "TransactionCanceledException":
                raise
            raise JobConflict(f"There is a job {job.id} already.") from error

    def get(self, job_id: str, *, now: datetime) -> Job:
        item = self._item(f"job#{_checked(job_id)}")
        if item is None:
            raise DetectionGone if self._item(f"trace#{job_id}") else DetectionNotFound
        job = Job.from_dict(json.loads(item["content"]["S"]))
        if job.expires_at <= now:
            raise DetectionGone
        return job

    def replace(self, job: Job) -> None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_job_item(job),
                ConditionExpression="revision = :before",
                ExpressionAttributeValues={":before": {"N": str(job.revision - 1)}},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise
            raise JobConflict(
                f"The job {job.id} is no longer at revision {job.revision - 1}."
            ) from error

    def delete(self, job_id: str) -> None:
        if self._item(f"trace#{_checked(job_id)}") is None:
            raise DetectionNotFound
        self._client.delete_item(TableName=self._table, Key={"id": _text(f"job#{job_id}")})


class DynamoIdempotencyStore(_Items):
    """Per key an item, and per resource one that lists the keys whose answers tell about it."""

    def claim(self, claim: KeyClaim, *, now: datetime) -> KeyClaim | None:
        while True:
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_claim_item(claim),
                    ConditionExpression="attribute_not_exists(id) OR held_until <= :now",
                    ExpressionAttributeValues={":now": _exact(now)},
                )
            except ClientError as error:
                if not _is_refused(error):
                    raise
            else:
                return None
            item = self._client.get_item(
                TableName=self._table, Key={"id": _key(claim.key)}, ConsistentRead=True
            ).get("Item")
            if item is not None:  # otherwise it was released just now
                return _claim(claim.key, item)

    def finish(self, claim: KeyClaim, *, resource: str | None) -> None:
        key = _key(claim.key)
        if resource is not None:
            self._client.update_item(
                TableName=self._table,
                Key={"id": _about(resource)},
                UpdateExpression="ADD claims :claim SET expires_at = :expires_at",
                ExpressionAttributeValues={
                    ":claim": {"SS": [key["S"]]},
                    ":expires_at": _seconds(claim.expires_at),
                },
            )
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_claim_item(claim),
                ConditionExpression="#token = :token",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={":token": _text(claim.token)},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise

    def release(self, claim: KeyClaim) -> None:
        try:
            self._client.delete_item(
                TableName=self._table,
                Key={"id": _key(claim.key)},
                ConditionExpression="#token = :token",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues={":token": _text(claim.token)},
            )
        except ClientError as error:
            if not _is_refused(error):
                raise

    def forget(self, resource: str) -> None:
        answer = self._client.delete_item(
            TableName=self._table, Key={"id": _about(resource)}, ReturnValues="ALL_OLD"
        )
        for key in answer.get("Attributes", {}).get("claims", {}).get("SS", ()):
            self._client.delete_item(TableName=self._table, Key={"id": _text(key)})


def _job_item(job: Job) -> "dict[str, AttributeValueTypeDef]":
    return {
        "id": _text(f"job#{job.id}"),
        "revision": {"N": str(job.revision)},
        "content": _text(json.dumps(job.to_dict())),
        "expires_at": _seconds(job.expires_at),
    }


def _claim_item(claim: KeyClaim) -> "dict[str, AttributeValueTypeDef]":
    item: dict[str, AttributeValueTypeDef] = {
        "id": _key(claim.key),
        "fingerprint": _text(claim.fingerprint),
        "token": _text(claim.token),
        "claimed_until": _exact(claim.claimed_until),
        "valid_until": _exact(claim.expires_at),
        "held_until": _exact(claim.expires_at if claim.answer else claim.claimed_until),
        "expires_at": _seconds(claim.expires_at),
    }
    if claim.answer is not None:
        answer = {
            "status": claim.answer.status,
            "headers": dict(claim.answer.headers),
            "body": base64.b64encode(claim.answer.body).decode(),
        }
        item["answer"] = _text(json.dumps(answer))
    return item


def _claim(key: str, item: "dict[str, AttributeValueTypeDef]") -> KeyClaim:
    answer = None
    if "answer" in item:
        values = json.loads(item["answer"]["S"])
        answer = StoredAnswer(**{**values, "body": base64.b64decode(values["body"])})
    return KeyClaim(
        key=key,
        fingerprint=item["fingerprint"]["S"],
        token=item["token"]["S"],
        claimed_until=datetime.fromtimestamp(float(item["claimed_until"]["N"]), UTC),
        expires_at=datetime.fromtimestamp(float(item["valid_until"]["N"]), UTC),
        answer=answer,
    )


def _text(value: str) -> "AttributeValueTypeDef":
    return {"S": value}


def _exact(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": f"{moment.timestamp():.6f}"}


def _seconds(moment: datetime) -> "AttributeValueTypeDef":
    return {"N": str(round(moment.timestamp()))}


def _key(key: str) -> "AttributeValueTypeDef":
    """Of any text, also an empty or a very long one."""
    return _text(f"key#{hashlib.sha256(key.encode()).hexdigest()}")


def _about(resource: str) -> "AttributeValueTypeDef":
    return _text(f"about#{hashlib.sha256(resource.encode()).hexdigest()}")


def _checked(job_id: str) -> str:
    if not is_job_id(job_id):
        raise DetectionNotFound
    return job_id


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _is_refused(error: ClientError) -> bool:
    return _code(error) == "ConditionalCheckFailedException"
