"""The stage is deployed once for its tests, with the built image behind its functions, and destroyed at the end."""

import os
from collections.abc import Iterator

import boto3
import pytest

from tests.container.functions import build, engine_is_missing
from tests.deployed import stage as deployed_stage
from tests.deployed.emulator import cannot_run, running_emulator
from tests.deployed.stage import Stage
from tests.serving import ROOT


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Bootstrapped, deployed and with its pages; afterwards nothing of it is left."""
    if os.environ.get("ASLI_DEPLOYED_TESTS") is None:
        pytest.skip("make test-deployed asks for it with ASLI_DEPLOYED_TESTS=1")
    missing = cannot_run() or engine_is_missing()
    assert missing is None, f"No stage can be deployed here: {missing}."
    image = build()
    work = tmp_path_factory.mktemp("aws")
    with pytest.MonkeyPatch.context() as monkeypatch, running_emulator(work, monkeypatch) as aws:
        stage = deployed_stage.synthesise(aws, work)
        deployed_stage.bootstrap(stage)
        deployed_stage.deploy(stage)
        deployed_stage.tell_the_gateway_its_origins(stage)
        deployed_stage.publish_pages(stage, ROOT / "build/site")
        with deployed_stage.running_functions(stage, image):
            yield stage
        deployed_stage.empty_buckets(stage)
        deployed_stage.destroy(stage)
        assert left_over() == []


def left_over() -> list[str]:
    """What a destroyed stage has forgotten to take along."""
    buckets = [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"]]
    return [
        *(name for name in buckets if not name.startswith("cdk-")),
        *boto3.client("dynamodb").list_tables()["TableNames"],
        *(each["FunctionName"] for each in boto3.client("lambda").list_functions()["Functions"]),
        *boto3.client("sqs").list_queues().get("QueueUrls", []),
        *(each["TopicArn"] for each in boto3.client("sns").list_topics()["Topics"]),
        *(
            each["name"]
            for each in boto3.client("stepfunctions").list_state_machines()["stateMachines"]
        ),
    ]
