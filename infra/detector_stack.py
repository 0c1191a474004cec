"""The whole system of one stage: what there is, and who may do what to what."""

from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from infra.api import Api
from infra.bulk import Bulk
from infra.environment import service_environment
from infra.monitoring import Monitoring, Operators
from infra.outputs import publish_outputs
from infra.stages import Stage
from infra.storage import HEATMAPS, KEPT, UPLOADS, Storage
from infra.website import Website
from infra.worker import JobQueue, Worker


class DetectorStack(cdk.Stack):
    """Composes and grants; it has no resource of its own. `site` is the folder of rendered pages."""

    def __init__(self, scope: Construct, *, stage: Stage, site: Path) -> None:
        super().__init__(
            scope,
            f"Asli-{stage.name}",
            termination_protection=stage.keep_data,
            env=cdk.Environment(region=stage.region),
            tags={"service": "asli", "stage": stage.name},
        )
        storage = Storage(self, "Storage", stage=stage)
        jobs = JobQueue(self, "Jobs", stage=stage)
        operators = Operators(self, "Operators", email=stage.operator_email)
        website = Website(self, "Website", stage=stage, media=storage.media)
        environment = service_environment(storage=storage, jobs=jobs, operators=operators)
        api = Api(self, "Api", stage=stage, environment=environment, site_url=website.url)
        worker = Worker(self, "Worker", stage=stage, environment=environment, jobs=jobs)
        bulk = Bulk(self, "Bulk", stage=stage)
        website.publish(site, api_url=api.url)
        Monitoring(
            self, "Monitoring", stage=stage, operators=operators, api=api, worker=worker, bulk=bulk
        )
        publish_outputs(self, website=website, api=api, storage=storage, worker=worker, bulk=bulk)

        records = [f"dynamodb:{verb}Item" for verb in ("Get", "Put", "Update")]
        storage.jobs.grant(api.function, *records, "dynamodb:DeleteItem")
        storage.jobs.grant(worker.function, "dynamodb:GetItem", "dynamodb:PutItem")
        storage.messages.grant(api.function, *records)
        storage.allow(api.function, UPLOADS, "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
        storage.allow(api.function, HEATMAPS, "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
        storage.allow(api.function, KEPT, "s3:PutObject")
        storage.allow(worker.function, UPLOADS, "s3:GetObject", "s3:DeleteObject")
        storage.allow(worker.function, HEATMAPS, "s3:PutObject", "s3:DeleteObject")
        jobs.queue.grant(api.function, "sqs:SendMessage")
        operators.grant_publish(api.function)
