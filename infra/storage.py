"""Where files and results are kept, and for how long."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledgments import acknowledge
from infra.bucket import PrivateBucket
from infra.stages import Stage

UPLOADS, HEATMAPS, KEPT = "uploads/*", "heatmaps/*", "kept/*"
"""The objects that the service keeps: files until they are scored, heatmaps as long as their results, and
the files that visitors let us keep with their feedback."""
KEPT_DAYS = 365


class Storage(Construct):
    """The media bucket, and the tables of jobs and of messages, API keys and counted requests."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name)
        self._removal_policy = (
            cdk.RemovalPolicy.RETAIN if stage.keep_data else cdk.RemovalPolicy.DESTROY
        )
        self.media = PrivateBucket(
            self,
            "Media",
            stage=stage,
            # The signed form is what permits an upload. To name the site here, which itself names this
            # bucket in its security policy, would be a circle.
            cors=[
                s3.CorsRule(
                    allowed_methods=[s3.HttpMethods.POST],
                    allowed_origins=["*"],
                    allowed_headers=["*"],
                    max_age=3600,
                )
            ],
            # The service deletes media once it is scored; this is the net below.
            lifecycle_rules=[
                s3.LifecycleRule(
                    prefix=objects.removesuffix("*"),
                    expiration=cdk.Duration.days(days),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
                )
                for objects, days in ((UPLOADS, 1), (HEATMAPS, 1), (KEPT, KEPT_DAYS))
            ],
        )
        acknowledge(
            self.media,
            {
                "AwsSolutions-S1": "Objects live for minutes; an access log would keep what we promise to forget."
            },
        )
        self.jobs = self._table("JobRecords")
        self.messages = self._table("Messages")

    def allow(self, function: lambda_.IFunction, objects: str, *actions: str) -> None:
        """Let `function` do this to the media bucket's `objects`, a pattern."""
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=list(actions), resources=[self.media.arn_for_objects(objects)]
            )
        )
        # Without it S3 answers "forbidden" where it means "not found".
        function.add_to_role_policy(
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[self.media.bucket_arn])
        )
        assert function.role is not None
        bucket = cdk.Stack.of(self).get_logical_id(self.media.node.default_child)
        acknowledge(
            function.role,
            {
                f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/{objects}]": "Each object's name is an "
                "unguessable id, made when it is needed."
            },
        )

    def _table(self, name: str) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            name,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            removal_policy=self._removal_policy,
        )
