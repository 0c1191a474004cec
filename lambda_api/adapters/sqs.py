"""The queue of jobs on SQS. A function is handed its messages: see `entrypoints/worker.py`."""

from typing import TYPE_CHECKING, Self

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsJobQueue:
    """A message per request to work on a job; its body is the job's id."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    @classmethod
    def connect(cls, queue_url: str) -> Self:
        """With the environment's credentials, in the environment's region."""
        return cls(boto3.client("sqs"), queue_url)

    def put(self, job_id: str) -> None:
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=job_id)
