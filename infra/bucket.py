"""A bucket as all of ours are."""

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.stages import Stage


class PrivateBucket(s3.Bucket):
    """Closed to the public, encrypted, over TLS only; it outlives the stack where data is kept."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage, **options: object) -> None:
        super().__init__(
            scope,
            name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            removal_policy=(
                cdk.RemovalPolicy.RETAIN if stage.keep_data else cdk.RemovalPolicy.DESTROY
            ),
            auto_delete_objects=not stage.keep_data,
            **options,
        )
