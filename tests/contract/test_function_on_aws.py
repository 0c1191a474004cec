"""The whole way of a file on AWS: form, object, message, function, item."""

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from lambda_api.app import create_app
from lambda_api.bootstrap import build_dependencies
from lambda_api.jobs import media_key
from lambda_api.settings import Settings
from tests.apps import Caller, errors_in
from tests.aws import AwsResources
from tests.images import plain_image
from tests.infra.duties import EVERYTHING

pytestmark = pytest.mark.slow

IMAGE = plain_image("PNG", (300, 300), 255)

Handler = Callable[[dict[str, Any], object], dict[str, Any]]


SAME = {"TransactWriteItems": "PutItem", "HeadObject": "GetObject"}
"""Calls, and the action that IAM asks for, where it has another name."""


@pytest.fixture
def asked(aws: AwsResources, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
    """What this process asks of AWS from now on: actions, and on what, as EVERYTHING writes them."""
    del aws  # is where boto3 finds them
    found: set[tuple[str, str]] = set()

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name == "CreateBucket":  # as which boto3 signs forms
            return
        service = model.service_model.service_name
        folder = params.get("Key", "/").partition("/")[0] if service == "s3" else ""
        resource = {"s3": f"StorageMedia/{folder}/*", "sqs": "JobsQueue"}.get(
            service, "StorageJobRecords"
        )
        found.add((resource, f"{service}:{SAME.get(model.name, model.name)}"))

    session = boto3.Session()
    session.events.register("before-parameter-build", note)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    return found


@pytest.fixture
def settings(
    aws: AwsResources,
    tiny_model: Path,
    tiny_report: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    for name, value in {
        "ASLI_MEDIA_BUCKET": aws.bucket,
        "ASLI_JOBS_TABLE": aws.table,
        "ASLI_QUEUE_URL": aws.queue_url,
        "ASLI_MODEL_PATH": str(tiny_model),
        "ASLI_REPORT_PATH": str(tiny_report),
    }.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.fixture
def call(settings: Settings) -> Caller:
    return Caller(create_app(build_dependencies(settings)))


@pytest.fixture
def handler(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The worker's, from a module that is imported anew, as when a function starts."""
    del settings  # are in the environment
    monkeypatch.delitem(sys.modules, "lambda_api.entrypoints.worker", raising=False)
    module = importlib.import_module("lambda_api.entrypoints.worker")
    function: Handler = module.handler
    return function


def _upload(call: Caller, data: bytes) -> str:
    wanted = {"content_type": "image/png", "bytes": len(data)}
    ticket = call("POST", "/v1/uploads", json=wanted).json()
    posted = httpx.post(ticket["url"], data=ticket["fields"], files={"file": ("a.png", data)})
    assert 204 == posted.status_code
    upload_id: str = ticket["upload_id"]
    return upload_id


def _events(aws: AwsResources) -> dict[str, Any]:
    """What the queue hands over to the function."""
    messages = boto3.client("sqs").receive_message(QueueUrl=aws.queue_url, MaxNumberOfMessages=10)[
        "Messages"
    ]
    return {
        "Records": [
            {"messageId": message["MessageId"], "body": message["Body"]} for message in messages
        ]
    }


def test_upload_is_analysed(call: Caller, handler: Handler, aws: AwsResources) -> None:
    """A file goes through form, queue and function; its result is read, its object is gone."""
    upload_id = _upload(call, IMAGE)
    accepted = call("POST", "/v1/detections", json={"upload_id": upload_id})
    assert (202, "queued") == (accepted.status_code, accepted.json()["status"])
    event = _events(aws)

    assert {"batchItemFailures": []} == handler(event, None)
    result = call("GET", accepted.headers["location"]).json()
    assert ("succeeded", "likely_ai") == (result["status"], result["verdict"])
    assert result["media"]["media_deleted_at"]
    objects = boto3.client("s3").list_objects_v2(Bucket=aws.bucket)["Contents"]
    assert [f"heatmaps/{upload_id}.png"] == [each["Key"] for each in objects]
    assert 200 == call("GET", result["heatmap_url"]).status_code
    assert {"batchItemFailures": []} == handler(event, None)
    assert result == call("GET", accepted.headers["location"]).json()


def test_roles_allow_what_is_asked_for(
    asked: set[tuple[str, str]], call: Caller, handler: Handler, aws: AwsResources
) -> None:
    """The worker asks for all that its role lists, the API for nothing that its own does not; no emulator checks."""
    allowed = {
        name: {(resource, action) for resource in listed for action in listed[resource]}
        for name, listed in EVERYTHING.items()
    }
    first, deleted = (_upload(call, IMAGE) for _ in range(2))
    for upload_id in (first, deleted):
        call("POST", "/v1/detections", json={"upload_id": upload_id})
    by_the_api = set(asked)
    event = _events(aws)
    asked.clear()
    call("DELETE", f"/v1/detections/{deleted}")
    by_the_api |= asked
    asked.clear()
    handler(event, None)
    by_the_worker = set(asked)
    asked.clear()
    for method, path in (("GET", ""), ("GET", "/heatmap"), ("DELETE", "")):
        assert call(method, f"/v1/detections/{first}{path}").is_success
    by_the_api |= asked

    own = ("StorageJobRecords", "StorageMedia/")
    assert {each for each in allowed["Worker"] if each[0].startswith(own)} == by_the_worker
    assert by_the_api
    assert by_the_api <= allowed["Api"]


def test_failed_messages_are_named(
    call: Caller, handler: Handler, aws: AwsResources, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a batch, exactly the messages whose attempt failed are brought again."""
    good, bad = (_upload(call, IMAGE) for _ in range(2))
    for upload_id in (good, bad):
        call("POST", "/v1/detections", json={"upload_id": upload_id})
    event = _events(aws)
    event["Records"].append({"messageId": "gone", "body": "det_AAAAAAAAAAAAAAAAAAAAAAAA"})
    table = boto3.client("dynamodb")
    key = {"id": {"S": f"job#{bad}"}}
    item = table.get_item(TableName=aws.table, Key=key)["Item"]
    table.put_item(TableName=aws.table, Item={**item, "content": {"S": "damaged"}})

    failures = handler(event, None)["batchItemFailures"]
    names = {record["messageId"]: record["body"] for record in event["Records"]}
    assert [bad] == [names[failure["itemIdentifier"]] for failure in failures]
    assert "succeeded" == call("GET", f"/v1/detections/{good}").json()["status"]
    assert ["An attempt at a job failed"] == errors_in(caplog)


def test_deletion_takes_object_and_item(call: Caller, aws: AwsResources) -> None:
    """Deleting before the analysis leaves neither object nor content."""
    upload_id = _upload(call, IMAGE)
    path = f"/v1/detections/{upload_id}"

    assert [204, 204] == [call("DELETE", path).status_code for _ in range(2)]
    assert 410 == call("GET", path).status_code
    assert 0 == boto3.client("s3").list_objects_v2(Bucket=aws.bucket)["KeyCount"]
    items = boto3.client("dynamodb").scan(TableName=aws.table)["Items"]
    ids = [item["id"]["S"] for item in items]
    assert [f"trace#{upload_id}"] == [name for name in ids if not name.startswith("calls#")]
    assert media_key(upload_id) not in json.dumps(items)


def test_answers_are_repeated(call: Caller) -> None:
    """The idempotency key works on this storage too, until the result is deleted."""
    headers = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    files = {"file": ("a.png", IMAGE)}
    first, again = (
        call("POST", "/v1/detections", files=files, headers=headers).json() for _ in range(2)
    )
    assert first == again
    call("DELETE", f"/v1/detections/{first['id']}")

    renewed = call("POST", "/v1/detections", files=files, headers=headers).json()
    assert first["id"] != renewed["id"]
