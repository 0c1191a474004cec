"""What an operator or a script asks a deployed stack for, under names that stay."""

import aws_cdk as cdk

from infra.api import Api
from infra.bulk import Bulk
from infra.storage import Storage
from infra.website import Website
from infra.worker import Worker


def publish_outputs(
    stack: cdk.Stack, *, website: Website, api: Api, storage: Storage, worker: Worker, bulk: Bulk
) -> None:
    """Add each to the stack's outputs."""
    for name, value in {
        "SiteUrl": website.url,
        "ApiUrl": api.url,
        "MediaBucket": storage.media.bucket_name,
        "JobsQueueUrl": worker.jobs.queue.queue_url,
        "DeadLettersUrl": worker.jobs.dead_letters.queue_url,
        "DistributionId": website.distribution.distribution_id,
        "PagesBucket": website.bucket.bucket_name,
        "JobsTable": storage.jobs.table_name,
        "MessagesTable": storage.messages.table_name,
        "BulkBucket": bulk.bucket.bucket_name,
        "BulkRuns": bulk.runs.state_machine_arn,
    }.items():
        cdk.CfnOutput(stack, name, value=value)
