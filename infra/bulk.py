"""Scoring a whole bucket: Step Functions hands its objects, batch by batch, to the service's image."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.bucket import PrivateBucket
from infra.function import ServiceFunction
from infra.stages import Stage

IMAGES, RESULTS = "images/", "results/"
"""What the bucket of bulk runs holds: what operators put there to be scored, and what came out."""
KEPT_DAYS = 30
BATCH = 10
"""Objects for one call of the function: enough to pay for its start, and few to try again."""
TIMEOUT = cdk.Duration.minutes(15)
TOLERATED_FAILURE_PERCENT = 10
"""More failed batches than that end the run: then the fault is not with single files."""


def definition(*, function_arn: str, bucket: str, concurrency: int) -> dict[str, Any]:
    """The state machine in Amazon's States Language. Its input says `bucket` and `prefix`."""
    partition = cdk.Aws.PARTITION
    score_batch = {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function_arn, "Payload.$": "$"},
        "OutputPath": "$.Payload",
        "Retry": [
            {
                "ErrorEquals": [
                    "Lambda.ServiceException",
                    "Lambda.AWSLambdaException",
                    "Lambda.SdkClientException",
                    "Lambda.TooManyRequestsException",
                    "Lambda.Unknown",
                ],
                "IntervalSeconds": 2,
                "BackoffRate": 2,
                "MaxAttempts": 6,
                "JitterStrategy": "FULL",
            }
        ],
        "End": True,
    }
    score_objects = {
        "Type": "Map",
        "Label": "Objects",
        "ItemReader": {
            "Resource": f"arn:{partition}:states:::s3:listObjectsV2",
            "Parameters": {"Bucket.$": "$.bucket", "Prefix.$": "$.prefix"},
        },
        "ItemBatcher": {
            "MaxItemsPerBatch": BATCH,
            "BatchInput": {"bucket.$": "$.bucket"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "ScoreBatch",
            "States": {"ScoreBatch": score_batch},
        },
        "MaxConcurrency": concurrency,
        "ToleratedFailurePercentage": TOLERATED_FAILURE_PERCENT,
        "ResultWriter": {
            "Resource": f"arn:{partition}:states:::s3:putObject",
            "Parameters": {"Bucket": bucket, "Prefix": RESULTS.rstrip("/")},
            "WriterConfig": {"OutputType": "JSONL", "Transformation": "FLATTEN"},
        },
        "End": True,
    }
    return {"StartAt": "ScoreObjects", "States": {"ScoreObjects": score_objects}}


class Bulk(Construct):
    """A bucket of its own, the function, and the state machine that runs it on every object."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name)
        self.bucket = PrivateBucket(
            self,
            "Files",
            stage=stage,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(KEPT_DAYS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
            ],
        )
        self.function = ServiceFunction(
            self,
            "Function",
            handler="lambda_api.entrypoints.bulk.handler",
            description="Analyses batches of objects for bulk runs.",
            environment={},
            memory_mb=stage.worker_memory_mb,
            timeout=TIMEOUT,
            logs_kept=stage.log_retention,
        )
        self._role = iam.Role(
            self, "RunsRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        text = cdk.Stack.of(self).to_json_string(
            definition(
                function_arn=self.function.function_arn,
                bucket=self.bucket.bucket_name,
                concurrency=stage.bulk_concurrency,
            )
        )
        self.runs = stepfunctions.StateMachine(
            self,
            "Runs",
            definition_body=stepfunctions.DefinitionBody.from_string(text),
            role=self._role,
            tracing_enabled=True,
        )
        self._grant(stage.bulk_sources)
        self._judge(stage)

    def _grant(self, sources: tuple[str, ...]) -> None:
        others = [
            s3.Bucket.from_bucket_name(self, f"Source{number}", source)
            for number, source in enumerate(sources)
        ]
        every = [self.bucket.arn_for_objects(f"{IMAGES}*")]
        every += [other.arn_for_objects("*") for other in others]
        assert self.function.role is not None
        self._let(self.function.role, "Read", "s3:GetObject", on=every)
        lists = [self.bucket.bucket_arn, *(other.bucket_arn for other in others)]
        self._let(self._role, "List", "s3:ListBucket", on=lists)
        self._let(
            self._role,
            "Write",
            "s3:PutObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:AbortMultipartUpload",
            on=[self.bucket.arn_for_objects(f"{RESULTS}*")],
        )
        self._let(self._role, "Invoke", "lambda:InvokeFunction", on=[self.function.function_arn])
        # Each batch is a run of the same machine.
        self._let(self._role, "Start", "states:StartExecution", on=[self.runs.state_machine_arn])
        batches = cdk.Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self.runs.state_machine_name}:*",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        self._let(
            self._role, "Follow", "states:DescribeExecution", "states:StopExecution", on=[batches]
        )

    def _let(self, role: iam.IRole, name: str, *actions: str, on: list[str]) -> None:
        # A policy of its own: the role's has to exist before the machine, which this one may name.
        statement = iam.PolicyStatement(actions=list(actions), resources=on)
        iam.Policy(self, name, statements=[statement], roles=[role])

    def _judge(self, stage: Stage) -> None:
        own = cdk.Stack.of(self).get_logical_id(self.bucket.node.default_child)
        folders = [f"<{own}.Arn>/{folder}*" for folder in (IMAGES, RESULTS)]
        partitions = ("aws", "<AWS::Partition>")  # with the region known, and without
        folders += [
            f"arn:{each}:s3:::{source}/*" for each in partitions for source in stage.bulk_sources
        ]
        unnamed = "Whoever puts objects there chooses their names."
        acknowledge(self, {f"AwsSolutions-IAM5[Resource::{each}]": unnamed for each in folders})
        acknowledge(self.bucket, {"AwsSolutions-S1": "Only operators and their runs come here."})
        machine = cdk.Stack.of(self).get_logical_id(self.runs.node.default_child)
        place = f"states:{stage.region or '<AWS::Region>'}:<AWS::AccountId>"
        batches = [f"arn:{each}:{place}:execution:<{machine}.Name>:*" for each in partitions]
        unknown = "Step Functions chooses the names of batches when it starts them."
        acknowledge(self, {f"AwsSolutions-IAM5[Resource::{each}]": unknown for each in batches})
        acknowledge(
            self._role, {"AwsSolutions-IAM5[Resource::*]": "X-Ray knows no narrower resource."}
        )
        acknowledge(
            self.runs,
            {
                "AwsSolutions-SF1": "The function logs, and Step Functions keeps each run for 90 days; "
                "to deliver more, the role would need rights to all log deliveries of the account."
            },
        )
