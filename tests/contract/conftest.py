"""Every adapter of a port, to be given to the same tests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from lambda_api.adapters.dynamodb import DynamoIdempotencyStore, DynamoJobRepository
from lambda_api.adapters.s3 import S3BlobStore
from lambda_api.adapters.sqs import SqsJobQueue
from lambda_api.embedded import EmbeddedStorage
from lambda_api.jobs import JobStatus
from lambda_api.ports import BlobStore, IdempotencyStore, JobQueue, JobRepository
from tests.aws import AwsResources, MotoServer, make_resources, moto_server
from tests.fakes import FakeClock


@dataclass(frozen=True)
class Storage:
    """One adapter for each port, on new and empty storage."""

    jobs: JobRepository
    blobs: BlobStore
    idempotency: IdempotencyStore
    queue: JobQueue
    drain: Callable[[], list[str]]
    """Everything that a worker would be brought, in order."""


@pytest.fixture(scope="session")
def moto() -> Iterator[MotoServer]:
    with moto_server() as server:
        yield server


@pytest.fixture
def aws(moto: MotoServer, monkeypatch: pytest.MonkeyPatch) -> AwsResources:
    """New resources, at the server that boto3 now finds in the environment."""
    for name, value in moto.environment.items():
        monkeypatch.setenv(name, value)
    return make_resources()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["embedded", "aws"])
def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Storage:
    """Each set of adapters in turn."""
    if request.param == "embedded":
        return _embedded(tmp_path / "data", clock)
    return _on_aws(request.getfixturevalue("aws"))


def _embedded(data_dir: Path, clock: FakeClock) -> Storage:
    embedded = EmbeddedStorage(data_dir, clock=clock)

    def drain() -> list[str]:
        taken = []
        while (job_id := embedded.queue.take(wait_seconds=0)) is not None:
            taken.append(job_id)
            job = embedded.jobs.get(job_id, now=clock())
            assert JobStatus.QUEUED is job.status
            embedded.jobs.replace(job.started(lease_until=clock()))
        return taken

    return Storage(embedded.jobs, embedded.blobs, embedded.idempotency, embedded.queue, drain)


def _on_aws(resources: AwsResources) -> Storage:
    sqs = boto3.client("sqs")

    def drain() -> list[str]:
        taken = []
        while messages := sqs.receive_message(
            QueueUrl=resources.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            taken += [message["Body"] for message in messages]
        return list(dict.fromkeys(taken))

    return Storage(
        DynamoJobRepository.connect(resources.table),
        S3BlobStore.connect(resources.bucket),
        DynamoIdempotencyStore.connect(resources.table),
        SqsJobQueue.connect(resources.queue_url),
        drain,
    )
