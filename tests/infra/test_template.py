"""What CloudFormation is asked for."""

import dataclasses
import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from cfnlint.api import ManualArgs, lint

from lambda_api.security_headers import SECURITY_HEADERS
from lambda_api.settings import CloudSettings, Settings
from tests.container.functions import inference_threads
from tests.infra.policies import flat
from tests.infra.synthesis import ROOT, Synthesised

pytestmark = pytest.mark.slow  # a stack takes seconds to make

OUTPUTS = {
    "SiteUrl",
    "ApiUrl",
    "MediaBucket",
    "PagesBucket",
    "JobsQueueUrl",
    "DeadLettersUrl",
    "DistributionId",
    "JobsTable",
    "MessagesTable",
    "BulkBucket",
    "BulkRuns",
}
JUDGED = {
    "AwsSolutions-APIG4",
    "AwsSolutions-CFR1",
    "AwsSolutions-CFR2",
    "AwsSolutions-CFR3",
    "AwsSolutions-CFR4",
    "AwsSolutions-IAM4",
    "AwsSolutions-IAM5",
    "AwsSolutions-L1",
    "AwsSolutions-S1",
    "AwsSolutions-SF1",
    "AwsSolutions-SQS3",
    "Serverless-LambdaDLQ",
    "Serverless-LambdaEventSourceMappingDestination",
    "Serverless-LambdaLatestVersion",
    "Serverless-LambdaTracing",
    "Serverless-SQSRedrivePolicy",
}
"""The rules of cdk-nag with an exception, and no other."""
KEPT = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
ALARMS = {
    "DeadLetters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    "OldestJobSeconds": ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
    "ServerErrors": ("AWS/ApiGateway", "5xx"),
    "ApiErrors": ("AWS/Lambda", "Errors"),
    "ApiThrottles": ("AWS/Lambda", "Throttles"),
    "WorkerErrors": ("AWS/Lambda", "Errors"),
    "WorkerThrottles": ("AWS/Lambda", "Throttles"),
    "BulkFailures": ("AWS/States", "ExecutionsFailed"),
}
"""What wakes an operator, and by which metric."""


def functions(stack: Synthesised) -> dict[str, dict[str, Any]]:
    """Ours, without those that the CDK brings along."""
    every = stack.of_type("AWS::Lambda::Function")
    return {name: each for name, each in every.items() if each.get("PackageType") == "Image"}


def function(stack: Synthesised, name: str) -> dict[str, Any]:
    (only,) = (each for key, each in functions(stack).items() if key.startswith(name))
    return only


def test_buckets_are_private(stack: Synthesised) -> None:
    """Nobody reads a bucket from outside, and nobody talks to one without TLS."""
    buckets = stack.of_type("AWS::S3::Bucket")
    policies = stack.of_type("AWS::S3::BucketPolicy").values()

    assert 3 == len(buckets)
    for name, bucket in buckets.items():
        flags = {
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        }
        assert dict.fromkeys(flags, True) == bucket["PublicAccessBlockConfiguration"]
        (policy,) = (
            p["PolicyDocument"]["Statement"] for p in policies if p["Bucket"] == {"Ref": name}
        )
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s.get("Condition") for s in policy]


def test_media_expires(stack: Synthesised) -> None:
    """What the service does not delete is gone after a day, and visitors can only send."""
    media = stack.one("AWS::S3::Bucket", "StorageMedia")

    rules = media["LifecycleConfiguration"]["Rules"]
    assert {"uploads/": 1, "heatmaps/": 1, "kept/": 365} == {
        rule["Prefix"]: rule["ExpirationInDays"] for rule in rules
    }
    for rule in rules:
        assert {"DaysAfterInitiation": 1} == rule["AbortIncompleteMultipartUpload"]
    (cors,) = media["CorsConfiguration"]["CorsRules"]
    assert ["POST"] == cors["AllowedMethods"]


def test_tables_forget_and_can_be_restored(stack: Synthesised) -> None:
    """Every table drops what has expired and can be put back to any moment of the last weeks."""
    tables = stack.of_type("AWS::DynamoDB::Table").values()

    assert 2 == len(tables)
    for table in tables:
        assert table["TimeToLiveSpecification"]["Enabled"]
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert "PAY_PER_REQUEST" == table["BillingMode"]


def test_functions(stack: Synthesised) -> None:
    """Functions are images for the processor they are built for, traced, and log for a while only."""
    platforms = {image["source"]["platform"] for image in stack.assets["dockerImages"].values()}
    groups = stack.of_type("AWS::Logs::LogGroup")

    assert all(group["RetentionInDays"] for group in groups.values())
    assert {"linux/amd64"} == platforms
    for each in functions(stack).values():
        assert ["x86_64"] == each["Architectures"]
        assert {"Mode": "Active"} == each["TracingConfig"]
        assert "ReservedConcurrentExecutions" not in each
        assert groups[each["LoggingConfig"]["LogGroup"]["Ref"]]["RetentionInDays"] in {7, 90}
        threads = each["Environment"]["Variables"]["ASLI_INFERENCE_THREADS"]
        assert str(inference_threads(each["MemorySize"])) == threads
    assert 29 == function(stack, "Api")["Timeout"]


def test_one_image_for_all_functions(stack: Synthesised) -> None:
    """The functions differ by their command alone."""
    images = {json.dumps(each["Code"]) for each in functions(stack).values()}
    commands = {each["ImageConfig"]["Command"][0] for each in functions(stack).values()}

    assert 1 == len(images) == len(stack.assets["dockerImages"])
    assert len(functions(stack)) == len(commands)


def test_commands_are_in_the_code(stack: Synthesised) -> None:
    """Each function's command names a module and a handler that exist."""
    for each in functions(stack).values():
        module, _, name = each["ImageConfig"]["Command"][0].rpartition(".")
        source = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")

        assert re.search(rf"^(def )?{name}\b", source, re.MULTILINE), module


def test_queue(stack: Synthesised) -> None:
    """A message stays hidden six times as long as a worker may take, and ends among the dead letters."""
    worker = function(stack, "Worker")
    queue = stack.one("AWS::SQS::Queue", "JobsQueue")
    (dead_letters,) = (n for n in stack.of_type("AWS::SQS::Queue") if "DeadLetters" in n)
    feed = stack.one("AWS::Lambda::EventSourceMapping")

    assert queue["VisibilityTimeout"] >= 6 * worker["Timeout"]
    assert dead_letters == flat(queue["RedrivePolicy"]["deadLetterTargetArn"])
    assert ["ReportBatchItemFailures"] == feed["FunctionResponseTypes"]
    assert feed["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert 1 == feed["BatchSize"]


def test_gateway(stack: Synthesised) -> None:
    """The gateway answers exactly the site's scripts, limits requests, and hands every path to the alias."""
    cors = stack.one("AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    stage = stack.one("AWS::ApiGatewayV2::Stage")
    alias = next(iter(stack.of_type("AWS::Lambda::Alias")))

    (origin,) = cors["AllowOrigins"]
    assert re.fullmatch(r"https://WebsiteDistribution\w+", flat(origin))
    assert {"GET", "POST", "DELETE"} == set(cors["AllowMethods"])
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    assert "$context.requestId" in json.loads(stage["AccessLogSettings"]["Format"]).values()
    assert "$default" == stack.one("AWS::ApiGatewayV2::Route")["RouteKey"]
    assert alias == flat(stack.one("AWS::ApiGatewayV2::Integration")["IntegrationUri"])


def test_access_log_names_nobody(stack: Synthesised) -> None:
    """No address, and no path, which would have the id that opens a result."""
    log = stack.one("AWS::ApiGatewayV2::Stage")["AccessLogSettings"]["Format"]

    assert [] == re.findall(r"sourceIp|userAgent|\.path|rawPath|routeKey", log)


def test_snapshot_needs_what_it_needs(prod: Synthesised, dev: Synthesised) -> None:
    """Where the API starts from a snapshot, its scratch space is small and its image is AWS's own."""
    api = function(prod, "Api")

    assert {"ApplyOn": "PublishedVersions"} == api["SnapStart"]
    assert 512 == api["EphemeralStorage"]["Size"]
    assert "SnapStart" not in function(dev, "Api")
    dockerfile = (ROOT / "lambda_api/Dockerfile").read_text("utf-8")
    *_, base = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert "public.ecr.aws/lambda/python:3.12" == base


def test_distribution(stack: Synthesised) -> None:
    """CloudFront signs its requests to the bucket, insists on TLS, and never turns an error into success."""
    config = stack.one("AWS::CloudFront::Distribution")["DistributionConfig"]

    (origin,) = config["Origins"]
    assert origin["OriginAccessControlId"]
    assert "" == origin["S3OriginConfig"].get("OriginAccessIdentity", "")
    assert "redirect-to-https" == config["DefaultCacheBehavior"]["ViewerProtocolPolicy"]
    assert "CacheBehaviors" not in config
    assert all(e["ResponseCode"] >= 400 for e in config["CustomErrorResponses"])


def test_security_headers_are_those_of_the_embedded_server(stack: Synthesised) -> None:
    """The cloud's policy is the local one, and lets scripts reach API and bucket besides."""
    config = stack.one("AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    policy = flat(security["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    (custom,) = config["CustomHeadersConfig"]["Items"]
    assert security["ContentTypeOptions"]["Override"]
    api = r" https://\*\.execute-api\.AWS::Region\.AWS::URLSuffix"
    bucket = r" https://StorageMedia\w+"

    assert re.search(rf"connect-src 'self'{api}{bucket};", policy)
    without = re.sub(rf"{bucket}", "", re.sub(api, "", policy))
    assert SECURITY_HEADERS == {
        "Content-Security-Policy": without,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        custom["Header"]: custom["Value"],
    }
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 365 * 86400


def test_config_is_never_cached(stack: Synthesised) -> None:
    """Pages may be kept for minutes; where the API is, not at all; neither deletes the other's files."""
    deployments = stack.of_type("Custom::CDKBucketDeployment").values()
    cached = {
        each["SystemMetadata"]["cache-control"]: each["DistributionPaths"] for each in deployments
    }

    assert ["/config.json"] == cached["no-store"]
    assert [False, False] == [each["Prune"] for each in deployments]


def test_outputs(stack: Synthesised) -> None:
    """Everything that an operator or a script asks for, under names that stay."""
    assert set(stack.template["Outputs"]) >= OUTPUTS


def test_production_keeps_its_data(prod: Synthesised, dev: Synthesised) -> None:
    """Production cannot be destroyed by mistake and keeps buckets and tables; dev leaves nothing."""
    assert prod.stack.termination_protection
    assert not dev.stack.termination_protection
    for stack, policy in ((prod, "Retain"), (dev, "Delete")):
        kept = [r for r in stack.template["Resources"].values() if r["Type"] in KEPT]
        assert {policy} == {resource["DeletionPolicy"] for resource in kept}
    assert not prod.of_type("Custom::S3AutoDeleteObjects")
    assert 3 == len(dev.of_type("Custom::S3AutoDeleteObjects"))


def test_alarms_reach_the_operators(stack: Synthesised) -> None:
    """Each goes to the topic, the handbook says what to do on it, and one page shows them all."""
    topic = next(iter(stack.of_type("AWS::SNS::Topic")))
    handbook = (ROOT / "docs/operations.md").read_text("utf-8")
    dashboard = flat(stack.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    watched = {}

    for name, alarm in stack.of_type("AWS::CloudWatch::Alarm").items():
        assert [{"Ref": topic}] == alarm["AlarmActions"]
        title = alarm["AlarmDescription"].rpartition(", ")[2].rstrip(".")
        assert f"**{title}**" in handbook
        assert name in dashboard
        watched[title] = alarm["Namespace"], alarm["MetricName"]
    assert ALARMS == watched


def test_every_finding_has_a_reason(stack: Synthesised) -> None:
    """cdk-nag found nothing else, or the stack would not have been made; each exception says why."""
    key = cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    reasons = {
        rule.partition("[")[0]: reason
        for node in stack.stack.node.find_all()
        for entry in node.node.metadata
        if entry.type == key
        for rule, reason in entry.data.items()
        if rule.startswith(("AwsSolutions-", "Serverless-"))
    }

    assert JUDGED == set(reasons)
    assert all(len(reason) > 20 for reason in reasons.values())


def test_cfn_lint(stack: Synthesised) -> None:
    """CloudFormation's own linter has nothing to say."""
    # W3005: the CDK states dependencies that a reference states already.
    options = ManualArgs(regions=["eu-west-1", "us-east-1"], ignore_checks=["W3005"])

    assert [] == [str(each) for each in lint(stack.path.read_text("utf-8"), config=options)]


def test_environment_is_what_the_service_reads(stack: Synthesised) -> None:
    """Every variable that the functions are given is a setting; API and worker get all of the cloud's."""
    for name, each in functions(stack).items():
        given = {name.removeprefix("ASLI_").lower() for name in each["Environment"]["Variables"]}

        assert given <= set(Settings.model_fields)
        if not name.startswith("Bulk"):
            assert given >= {field.name for field in dataclasses.fields(CloudSettings)}
