"""The queue of jobs, and the function that works it off."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.function import ServiceFunction
from infra.stages import Stage

ATTEMPTS = 3
"""Deliveries of one message before it is put aside for an operator."""

VISIBILITY_TIMEOUTS = 6
"""A delivered message stays hidden for so many of the worker's timeouts, as AWS advises."""


class JobQueue(Construct):
    """Messages that name jobs. One that fails again and again waits in the dead-letter queue."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(14),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=cdk.Duration.days(1),  # as long as an upload is kept
            visibility_timeout=cdk.Duration.seconds(
                VISIBILITY_TIMEOUTS * stage.worker_timeout_seconds
            ),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=ATTEMPTS
            ),
        )
        acknowledge(
            self.dead_letters,
            {
                "AwsSolutions-SQS3": "This is the dead-letter queue.",
                "Serverless-SQSRedrivePolicy": "This is the dead-letter queue.",
            },
        )


class Worker(Construct):
    """Analyses what was uploaded, one job at a time in each function."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        environment: Mapping[str, str],
        jobs: JobQueue,
    ) -> None:
        super().__init__(scope, name)
        self.jobs = jobs
        self.function = ServiceFunction(
            self,
            "Function",
            handler="lambda_api.entrypoints.worker.handler",
            description="Analyses uploaded files, jobs from the queue.",
            environment=environment,
            memory_mb=stage.worker_memory_mb,
            timeout=cdk.Duration.seconds(stage.worker_timeout_seconds),
            storage_mb=stage.worker_storage_mb,
            logs_kept=stage.log_retention,
        )
        self.function.add_event_source(
            event_sources.SqsEventSource(
                jobs.queue,
                batch_size=1,
                report_batch_item_failures=True,
                # A reserved concurrency would take from a new account what it has not got.
                max_concurrency=stage.worker_concurrency,
            )
        )
        acknowledge(
            self.function,
            {
                "Serverless-LambdaEventSourceMappingDestination": "The queue's dead letters are the "
                "destination."
            },
        )
