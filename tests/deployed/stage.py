"""A stage deployed by the CDK's own command line, whose functions are the built containers.

What the emulator cannot do is worked around here and nowhere else; each way around says what for.
"""

import json
import mimetypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from tests.container.functions import running
from tests.deployed.emulator import ACCOUNT, HOST, REGION, Emulator
from tests.deployed.queueing import one_at_a_time
from tests.serving import ROOT

STACK = "Asli-dev"
SERVICES = ("dynamodb", "sqs", "sns", "s3")
"""That the functions talk to."""
CDK_SECONDS = 300
PATIENCE = 4
"""So many of Lambda's timeouts; this machine does the work of all at the same time."""


@dataclass(frozen=True)
class Stage:
    """The stage `dev` on an emulator. `assembly` is the folder of its template."""

    emulator: Emulator
    assembly: Path

    @cached_property
    def outputs(self) -> dict[str, str]:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    @cached_property
    def template(self) -> dict[str, Any]:
        text = (self.assembly / f"{STACK}.template.json").read_text("utf-8")
        values: dict[str, Any] = json.loads(text)
        return values

    def cdk(self, *arguments: str) -> str:
        """What the command line prints. Fails unless it succeeds."""
        return _cdk(self.emulator, *arguments, "--app", str(self.assembly))

    def physical(self, logical: str) -> str:
        """What CloudFormation named it."""
        detail = boto3.client("cloudformation").describe_stack_resource(
            StackName=STACK, LogicalResourceId=logical
        )["StackResourceDetail"]
        return detail["PhysicalResourceId"]

    def one(self, kind: str, start: str = "") -> tuple[str, dict[str, Any]]:
        """Logical id and properties."""
        (found,) = (
            (name, each["Properties"])
            for name, each in self.template["Resources"].items()
            if each["Type"] == kind and name.startswith(start)
        )
        return found


def synthesise(emulator: Emulator, work: Path) -> Stage:
    """As `make synth` does; what follows deploys from that folder."""
    assembly = work / "assembly"
    _cdk(emulator, "synth", "--quiet", "--context", "stage=dev", "--output", str(assembly))
    _adapt(assembly / f"{STACK}.template.json")
    return Stage(emulator, assembly)


def _cdk(emulator: Emulator, *arguments: str) -> str:
    done = subprocess.run(
        [str(ROOT / "node_modules/.bin/cdk"), *arguments],
        cwd=ROOT,
        env={**os.environ, **emulator.for_the_cdk},
        capture_output=True,
        text=True,
        timeout=CDK_SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    assert 0 == done.returncode, said[-4000:]
    return said


def _adapt(path: Path) -> None:
    """The emulator has no AWS command line for the function that copies pages, nor for the one that empties
    buckets; `publish_pages` and `empty_buckets` do their work.
    """
    template = json.loads(path.read_text("utf-8"))
    resources = template["Resources"]
    for name in [n for n, each in resources.items() if each["Type"].startswith("Custom::")]:
        del resources[name]
    # Its distribution fetches pages without TLS from the bucket, which would refuse that.
    (policy,) = (
        each["Properties"]["PolicyDocument"]
        for name, each in resources.items()
        if each["Type"] == "AWS::S3::BucketPolicy" and name.startswith("WebsitePages")
    )
    policy["Statement"] = [each for each in policy["Statement"] if each["Effect"] != "Deny"]
    path.write_text(json.dumps(template), "utf-8")


def publish_pages(stage: Stage, site: Path) -> None:
    """What the two deployments of `infra.website` do."""
    s3, bucket = boto3.client("s3"), stage.outputs["PagesBucket"]
    for path in site.rglob("*"):
        if path.is_file() and path.name != "config.json":
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            key = path.relative_to(site).as_posix()
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind)
    config = json.dumps({"api": stage.outputs["ApiUrl"]}).encode()
    s3.put_object(
        Bucket=bucket,
        Key="config.json",
        Body=config,
        ContentType="application/json",
        CacheControl="no-store",
    )


def empty_buckets(stage: Stage) -> None:
    """What the custom resource of `auto_delete_objects` does."""
    s3 = boto3.resource("s3")
    for name in ("PagesBucket", "MediaBucket", "BulkBucket"):
        s3.Bucket(stage.outputs[name]).objects.all().delete()


def tell_the_gateway_its_origins(stage: Stage) -> None:
    """The emulator keeps CORS as CloudFormation writes it, with capital letters, and then finds none."""
    logical, properties = stage.one("AWS::ApiGatewayV2::Api")
    cors = {**properties["CorsConfiguration"], "AllowOrigins": [stage.outputs["SiteUrl"]]}
    boto3.client("apigatewayv2").update_api(ApiId=stage.physical(logical), CorsConfiguration=cors)


@contextmanager
def running_functions(stage: Stage, image: str) -> Iterator[None]:
    """Containers answer for API and worker: the emulator hands events on to an address."""
    media = f"{stage.outputs['MediaBucket']}.s3.{REGION}.amazonaws.com"
    hosts = (media, *(f"{service}.{REGION}.amazonaws.com" for service in SERVICES))
    certificate = stage.emulator.certificate
    functions = boto3.client("lambda")
    with ExitStack() as stack:
        for start in ("Api", "Worker"):
            logical, properties = stage.one("AWS::Lambda::Function", start)
            name = stage.physical(logical)
            told = functions.get_function_configuration(FunctionName=name)["Environment"]
            function = stack.enter_context(
                running(
                    image,
                    properties["ImageConfig"]["Command"][0],
                    environment={**told["Variables"], **stage.emulator.environment},
                    memory_mb=properties["MemorySize"],
                    timeout_seconds=PATIENCE * properties["Timeout"],
                    mount={certificate: str(certificate)},
                    hosts=dict.fromkeys(hosts, HOST),
                )
            )
            door = stack.enter_context(one_at_a_time(function.url))
            proxy = {"MINISTACK_LAMBDA_PROXY_URL": door}
            functions.update_function_configuration(
                FunctionName=name, Environment={"Variables": {**told["Variables"], **proxy}}
            )
            if start == "Api":
                version = functions.publish_version(FunctionName=name)["Version"]
                functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        yield


def bootstrap(stage: Stage) -> None:
    stage.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")


def deploy(stage: Stage) -> None:
    stage.cdk("deploy", STACK, "--require-approval", "never")


def destroy(stage: Stage) -> None:
    stage.cdk("destroy", STACK, "--force")
