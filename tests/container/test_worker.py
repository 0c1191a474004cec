"""The worker's container, between a queue's messages and AWS services that are emulated."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lambda_api.adapters.dynamodb import DynamoJobRepository
from lambda_api.bootstrap import utc_now
from tests.container.functions import API, WORKER, Function, queue_event, running
from tests.images import plain_image
from tests.videos import encode, steady

pytestmark = [pytest.mark.container, pytest.mark.slow, pytest.mark.timeout(900)]

REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": REGION}


def client(service: Any, told: dict[str, str]) -> Any:
    """Of the services that the functions of this environment use."""
    return boto3.client(
        service,
        endpoint_url=told["AWS_ENDPOINT_URL"],
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Bucket, table and queue on a server of this machine, as the functions are told of them."""
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    _, port = server.get_host_and_port()
    told = {
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "ASLI_MEDIA_BUCKET": "media",
        "ASLI_JOBS_TABLE": "jobs",
    }
    client("s3", told).create_bucket(
        Bucket="media", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    client("dynamodb", told).create_table(
        TableName="jobs",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    queue = client("sqs", told).create_queue(QueueName="jobs")["QueueUrl"]
    yield {**told, "ASLI_QUEUE_URL": queue}
    server.stop()


@pytest.fixture(scope="module")
def api(image: str, environment: dict[str, str]) -> Iterator[Function]:
    with running(image, API, environment=environment) as function:
        yield function


@pytest.fixture(scope="module")
def worker(image: str, environment: dict[str, str]) -> Iterator[Function]:
    with running(image, WORKER, environment=environment) as function:
        yield function


def uploaded(api: Function, environment: dict[str, str], data: bytes) -> str:
    """The id of a job whose file is in the bucket and whose message is on its way."""
    upload = api.request(
        "POST", "/v1/uploads", json={"content_type": "video/mp4", "bytes": len(data)}
    )
    assert 201 == upload.status_code, upload.text
    job: str = upload.json()["upload_id"]
    client("s3", environment).put_object(Bucket="media", Key=f"uploads/{job}", Body=data)
    accepted = api.request("POST", "/v1/detections", json={"upload_id": job})
    assert 202 == accepted.status_code, accepted.text
    return job


def test_batch_with_partial_failure(
    api: Function, worker: Function, environment: dict[str, str]
) -> None:
    """Of two messages, one job is done; the other, which somebody else holds, is asked for again."""
    job, held = (uploaded(api, environment, plain_image("PNG")) for _ in range(2))
    jobs = DynamoJobRepository(client("dynamodb", environment), "jobs")
    now = utc_now()
    jobs.replace(jobs.get(held, now=now).started(lease_until=now + timedelta(hours=1)))

    answer = worker.invoke(queue_event(job, held))

    assert {"batchItemFailures": [{"itemIdentifier": "m1"}]} == answer
    assert "succeeded" == api.request("GET", f"/v1/detections/{job}").json()["status"]
    assert "processing" == api.request("GET", f"/v1/detections/{held}").json()["status"]


def test_media_is_deleted_and_a_repeated_message_does_no_harm(
    api: Function, worker: Function, environment: dict[str, str]
) -> None:
    """Once a job is done its file is gone, and the same message again changes nothing."""
    job = uploaded(api, environment, plain_image("PNG"))
    worker.invoke(queue_event(job))
    first = api.request("GET", f"/v1/detections/{job}").json()

    assert {"batchItemFailures": []} == worker.invoke(queue_event(job))
    assert first == api.request("GET", f"/v1/detections/{job}").json()
    assert first["media"]["media_deleted_at"]


@pytest.mark.parametrize(
    ("format_name", "codec"),
    [
        ("mp4", "libx264"),
        ("mp4", "libx265"),
        ("mkv", "libsvtav1"),
        ("webm", "libvpx"),
        ("wmv", "wmv2"),
    ],
)
def test_video(
    api: Function, worker: Function, environment: dict[str, str], format_name: str, codec: str
) -> None:
    """Videos are decoded, whatever encoded them; the image has no encoders of its own."""
    job = uploaded(api, environment, encode(steady(4), format_name, codec=codec))

    worker.invoke(queue_event(job))

    result = api.request("GET", f"/v1/detections/{job}").json()
    assert "succeeded" == result["status"], result
    assert 4 == len(result["frames"])


def test_unreadable_file_fails_its_job_alone(
    api: Function, worker: Function, environment: dict[str, str]
) -> None:
    """A file that is no image is a failed job with a reason, and no failed message."""
    job = uploaded(api, environment, b"no image at all")

    assert {"batchItemFailures": []} == worker.invoke(queue_event(job))
    result = api.request("GET", f"/v1/detections/{job}").json()
    assert "failed" == result["status"]
