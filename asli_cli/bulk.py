"""`asli bulk`: a deployed stage scores every object under an S3 prefix."""

import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

DONE, FAILED = 0, 1
SCHEME = "s3://"
MACHINE, OWN_BUCKET = "BulkRuns", "BulkBucket"
"""The stack's outputs that name the state machine, and the bucket that the stage brings."""
IMAGES = "images/"
"""Where that bucket has what is to be scored: the results of other runs lie beside it."""


def run_bulk(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Do what `args` ask for, with the environment's credentials; returns the exit status."""
    try:
        if args.action == "start":
            return _start(*_bucket_and_prefix(args.address, parser), stage=args.stage)
        return _status(args.run)
    except LookupError as error:
        message = str(error.args[0])
    except ClientError as error:
        message = error.response["Error"]["Message"]
    except BotoCoreError as error:
        message = str(error)
    print(f"asli: {message}", file=sys.stderr)
    return FAILED


def _start(bucket: str, prefix: str, *, stage: str) -> int:
    outputs = _outputs(stage)
    if bucket == outputs[OWN_BUCKET] and not prefix.startswith(IMAGES):
        raise LookupError(f"In {SCHEME}{bucket} only what lies under {IMAGES} is scored.")
    run = boto3.client("stepfunctions").start_execution(
        stateMachineArn=outputs[MACHINE], input=json.dumps({"bucket": bucket, "prefix": prefix})
    )["executionArn"]
    print(run)
    print(f"Started. How it goes: asli bulk status {run}", file=sys.stderr)
    return DONE


def _status(run: str) -> int:
    told = boto3.client("stepfunctions").describe_execution(executionArn=run)
    state = told["status"]
    if state == "SUCCEEDED":
        written = json.loads(told["output"])["ResultWriterDetails"]
        print(f"{state} s3://{written['Bucket']}/{written['Key']}")
    else:
        print(state, *(told[why] for why in ("error", "cause") if why in told))
    return DONE if state in {"SUCCEEDED", "RUNNING"} else FAILED


def _outputs(stage: str) -> dict[str, str]:
    """By name. Raises LookupError when that stack scores nothing in bulk."""
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=f"Asli-{stage}")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    if not outputs.keys() >= {MACHINE, OWN_BUCKET}:
        raise LookupError(
            f"The stack Asli-{stage} has no bulk runs: deploy this version of it first."
        )
    return outputs


def _bucket_and_prefix(address: str, parser: argparse.ArgumentParser) -> tuple[str, str]:
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if not address.startswith(SCHEME) or not bucket:
        parser.error(f"{address!r} is no address of objects: expected s3://BUCKET/PREFIX")
    return bucket, prefix
