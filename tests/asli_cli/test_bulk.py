"""`asli bulk`: start a run on a prefix, and ask how it goes."""

import json
import sys
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from asli_cli.main import main
from tests.aws import REGION

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::123456789012:role/runs"
OWN_BUCKET = "asli-bulk"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


def deploy(stage: str, output: str = "BulkRuns") -> None:
    """A stack with a state machine, as far as the command line sees it."""
    states = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Succeed"}}}
    properties = {"RoleArn": ROLE, "DefinitionString": json.dumps(states)}
    template = {
        "Resources": {
            "Runs": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
        },
        "Outputs": {output: {"Value": {"Ref": "Runs"}}, "BulkBucket": {"Value": OWN_BUCKET}},
    }
    boto3.client("cloudformation").create_stack(
        StackName=f"Asli-{stage}", TemplateBody=json.dumps(template)
    )


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://archive/2026/press/", "archive", "2026/press/"),
        ("s3://archive", "archive", ""),
        ("s3://archive/a #1?", "archive", "a #1?"),
        (f"s3://{OWN_BUCKET}/images/", OWN_BUCKET, "images/"),
    ],
)
def test_a_run_is_started_on_the_prefix(
    address: str, bucket: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stage's state machine is given bucket and prefix, and the run's name is printed."""
    deploy("prod")

    assert 0 == main(["bulk", "start", address, "--stage", "prod"])
    run = capsys.readouterr().out.strip()
    told = boto3.client("stepfunctions").describe_execution(executionArn=run)
    assert {"bucket": bucket, "prefix": prefix} == json.loads(told["input"])
    assert 0 == main(["bulk", "status", run])
    assert "RUNNING\n" == capsys.readouterr().out


@pytest.mark.parametrize("prefix", ["", "results/", "image"])
def test_results_are_not_scored(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the stage's own bucket only the folder of images is, and no run is started on the rest."""
    deploy("dev")

    assert 1 == main(["bulk", "start", f"s3://{OWN_BUCKET}/{prefix}"])
    assert "only what lies under images/" in capsys.readouterr().err
    (machine,) = boto3.client("stepfunctions").list_state_machines()["stateMachines"]
    runs = boto3.client("stepfunctions").list_executions(stateMachineArn=machine["stateMachineArn"])
    assert [] == runs["executions"]


def test_a_finished_run_says_where_its_results_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the address of the manifest, which names the files of results."""
    # What Step Functions puts out after it has written a map's results; moto runs no machine.
    written = {
        "MapRunArn": "arn:…",
        "ResultWriterDetails": {"Bucket": "b", "Key": "results/m.json"},
    }
    answers = {"status": "SUCCEEDED", "output": json.dumps(written)}
    monkeypatch.setattr(boto3, "client", lambda _name: _Answering(answers))

    assert 0 == main(["bulk", "status", "arn:run"])
    assert "SUCCEEDED s3://b/results/m.json\n" == capsys.readouterr().out


def test_a_stopped_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 1, and the reason is printed."""
    deploy("dev")
    main(["bulk", "start", "s3://archive"])
    run = capsys.readouterr().out.strip()
    client = boto3.client("stepfunctions")
    client.stop_execution(executionArn=run, error="TooMany", cause="enough")

    assert 1 == main(["bulk", "status", run])
    assert capsys.readouterr().out.startswith("ABORTED")


@pytest.mark.parametrize("address", ["archive", "https://archive/x", "s3://", "s3:///b"])
def test_what_is_no_prefix_is_wrong_usage(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The address is quoted beside what was expected."""
    with pytest.raises(SystemExit) as exit_:
        main(["bulk", "start", address])

    assert 2 == exit_.value.code
    assert f"{address!r} is no address of objects" in capsys.readouterr().err


def test_without_a_deployed_stage_it_fails_in_a_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither a stack that is not there nor one without bulk runs is a traceback."""
    assert 1 == main(["bulk", "start", "s3://archive"])
    assert "asli: Stack with id Asli-dev does not exist\n" == capsys.readouterr().err

    deploy("dev", output="Other")
    assert 1 == main(["bulk", "start", "s3://archive"])
    assert "deploy this version" in capsys.readouterr().err


def test_without_boto3_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installation for one machine does not have it."""
    monkeypatch.delitem(sys.modules, "asli_cli.bulk", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(SystemExit) as exit_:
        main(["bulk", "status", "arn:run"])

    assert 1 == exit_.value.code
    assert "boto3" in capsys.readouterr().err


class _Answering:
    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers

    def describe_execution(self, **_names: str) -> dict[str, str]:
        return self._answers
