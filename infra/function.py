"""One function from the service's image. API, worker and bulk scoring differ by their command."""

from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgments import acknowledge

ROOT = Path(__file__).parents[1]
CORE_MB = 1769
"""Memory that comes with one whole core."""


class ServiceFunction(lambda_.DockerImageFunction):
    """A container function with a role of its own that may, so far, only log and trace."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        handler: str,
        description: str,
        environment: Mapping[str, str],
        memory_mb: int,
        timeout: cdk.Duration,
        logs_kept: logs.RetentionDays,
        storage_mb: int = 512,
        snap_start: bool = False,
    ) -> None:
        log_group = logs.LogGroup(
            scope, f"{name}Log", retention=logs_kept, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        role = iam.Role(
            scope, f"{name}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        log_group.grant_write(role)
        super().__init__(
            scope,
            name,
            code=lambda_.DockerImageCode.from_image_asset(
                str(ROOT),
                file="lambda_api/Dockerfile",
                cmd=[handler],
                platform=ecr_assets.Platform.LINUX_AMD64,
            ),
            architecture=lambda_.Architecture.X86_64,
            description=description,
            role=role,
            environment={
                **environment,
                "ASLI_INFERENCE_THREADS": str(max(1, round(memory_mb / CORE_MB))),
            },
            memory_size=memory_mb,
            timeout=timeout,
            ephemeral_storage_size=cdk.Size.mebibytes(storage_mb),
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": "X-Ray knows no narrower resource."})
        acknowledge(
            self,
            {
                "Serverless-LambdaDLQ": "Never invoked asynchronously; the queue of jobs has its own "
                "dead letters."
            },
        )
