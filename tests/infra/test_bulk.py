"""The state machine of bulk runs: its definition, and a run of it step by step, with the real handler."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import ManualArgs, lint

from detector.video_file import VideoLimits
from infra.bulk import definition
from tests.aws import REGION, moto_server
from tests.images import plain_image
from tests.infra.synthesis import Synthesised

pytestmark = pytest.mark.slow

Handler = Callable[[dict[str, Any], "Clock"], list[dict[str, Any]]]

BUCKET, PREFIX = "archive", "2026/"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:bulk"


class Clock:
    """The context of a call: how long it may still run, each time it is asked. Time to spare at the end."""

    def __init__(self, *left_ms: int) -> None:
        self._left_ms = iter(left_ms)

    def get_remaining_time_in_millis(self) -> int:
        return next(self._left_ms, 900_000)


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Three folders' worth of images, one file that is none, and what a console makes of a folder."""
    with moto_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=BUCKET, Key=PREFIX)
        for number in range(11):
            grey = 255 if number % 2 else 0
            image = plain_image("JPEG", (300, 300), grey)
            s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}{number:02}.jpg", Body=image)
        s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}notes.txt", Body=b"no image at all")
        s3.put_object(Bucket=BUCKET, Key="2025/other.jpg", Body=plain_image("JPEG"))
        yield s3


@pytest.fixture
def handler(
    objects: object, tiny_model: Path, tiny_report: Path, monkeypatch: pytest.MonkeyPatch
) -> Handler:
    """From a module that is imported anew, as when a function starts."""
    del objects  # its server is in the environment now
    monkeypatch.setenv("ASLI_MODEL_PATH", str(tiny_model))
    monkeypatch.setenv("ASLI_REPORT_PATH", str(tiny_report))
    monkeypatch.delitem(sys.modules, "lambda_api.entrypoints.bulk", raising=False)
    function: Handler = importlib.import_module("lambda_api.entrypoints.bulk").handler
    return function


def test_the_language_is_understood(stack: Synthesised) -> None:
    """The definition follows the rules of Amazon's States Language, and is the one that is deployed."""
    machine = deployed(stack)
    properties = {"RoleArn": "arn:aws:iam::123456789012:role/runs", "Definition": machine}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    template = json.dumps({"Resources": {"Runs": resource}})

    assert [] == [str(each) for each in lint(template, config=ManualArgs(regions=[REGION]))]
    assert stack.stage.bulk_concurrency == machine["States"]["ScoreObjects"]["MaxConcurrency"]


def test_a_run(stack: Synthesised, handler: Handler, objects: Any) -> None:
    """Every object under the prefix gets one line, in the words of `asli detect --json`; no other is read."""
    given = {"bucket": BUCKET, "prefix": PREFIX}
    lines = run(deployed(stack), given, handler, objects)

    paths = {line["path"]: line for line in lines}
    names = [*(f"{number:02}.jpg" for number in range(11)), "notes.txt"]
    assert [f"s3://{BUCKET}/{PREFIX}{name}" for name in names] == sorted(paths)
    assert len(paths) == len(lines)
    error = paths[f"s3://{BUCKET}/{PREFIX}notes.txt"]["error"]
    assert "unsupported_type" == error["code"]
    bright, dark = (paths[f"s3://{BUCKET}/{PREFIX}{name}.jpg"] for name in ("01", "00"))
    assert bright["pixel"]["score"] > dark["pixel"]["score"]
    assert bright["verdict"] in {"likely_ai", "inconclusive"}


def test_what_is_gone_or_too_large_gets_a_line_too(handler: Handler, objects: Any) -> None:
    """An object that was deleted after it was listed, and one that is not even fetched."""
    del objects
    too_large = VideoLimits().max_bytes + 1
    items = [{"Key": "gone.jpg", "Size": 5}, {"Key": "2025/other.jpg", "Size": too_large}]

    lines = handler({"BatchInput": {"bucket": BUCKET}, "Items": items}, Clock())

    assert ["object_missing", "file_too_large"] == [line["error"]["code"] for line in lines]


def test_one_failure_leaves_the_other_lines(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw costs one object its analysis, and not its batch."""
    module = sys.modules["lambda_api.entrypoints.bulk"]

    class Broken:
        def score(self, bucket: str, key: str, _size: int) -> dict[str, str]:
            if key == "a":
                raise RuntimeError("secret of /srv/private")
            return {"path": f"s3://{bucket}/{key}"}

    monkeypatch.setattr(module, "_scorer", Broken())
    items = [{"Key": key, "Size": 1} for key in "ab"]
    broken, whole = handler({"BatchInput": {"bucket": "x"}, "Items": items}, Clock())

    assert "analysis_failed" == broken["error"]["code"]
    assert "secret" not in json.dumps(broken)
    assert {"path": "s3://x/b"} == whole


def test_what_may_not_end_in_time_is_not_begun(
    stack: Synthesised, handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines that are done come back, and the objects that are left say that they were not reached."""
    module = sys.modules["lambda_api.entrypoints.bulk"]
    longest = stack.stage.worker_timeout_seconds * 1000
    scored = []

    class Slow:
        def score(self, _bucket: str, key: str, _size: int) -> dict[str, str]:
            scored.append(key)
            return {"path": key}

    monkeypatch.setattr(module, "_scorer", Slow())
    items = [{"Key": key, "Size": 1} for key in "abc"]
    clock = Clock(900_000, longest, longest - 1)
    *done, left = handler({"BatchInput": {"bucket": "x"}, "Items": items}, clock)

    assert ["a", "b"] == scored == [line["path"] for line in done]
    assert ("s3://x/c", "not_reached") == (left["path"], left["error"]["code"])


def deployed(stack: Synthesised) -> dict[str, Any]:
    """The definition in the template, with its references filled in."""
    (_, parts) = stack.one("AWS::StepFunctions::StateMachine")["DefinitionString"]["Fn::Join"]
    names = {"AWS::Partition": "aws"}
    text = "".join(
        part
        if isinstance(part, str)
        else names.get(part["Ref"], "results")
        if "Ref" in part
        else ARN
        for part in parts
    )
    machine: dict[str, Any] = json.loads(text)
    concurrency = machine["States"]["ScoreObjects"]["MaxConcurrency"]
    expected = definition(function_arn=ARN, bucket="results", concurrency=concurrency)
    assert json.loads(json.dumps(expected).replace(partition(expected), "aws")) == machine
    return machine


def partition(machine: dict[str, Any]) -> str:
    """How the CDK writes what it does not know yet."""
    resource: str = machine["States"]["ScoreObjects"]["ItemReader"]["Resource"]
    return resource.removeprefix("arn:").removesuffix(":states:::s3:listObjectsV2")


def run(machine: dict[str, Any], given: dict[str, str], handler: Handler, s3: Any) -> list[Any]:
    """What Step Functions does with a distributed map: read, batch, call, flatten."""
    state = machine["States"][machine["StartAt"]]
    assert state["ItemReader"]["Resource"].endswith(":s3:listObjectsV2")
    listed = s3.list_objects_v2(**resolved(state["ItemReader"]["Parameters"], given))["Contents"]
    items = json.loads(json.dumps(listed, default=str))
    batcher, processor = state["ItemBatcher"], state["ItemProcessor"]
    task = processor["States"][processor["StartAt"]]
    assert task["Resource"].endswith(":lambda:invoke")
    assert "FLATTEN" == state["ResultWriter"]["WriterConfig"]["Transformation"]
    lines = []
    for start in range(0, len(items), batcher["MaxItemsPerBatch"]):
        batch = {
            "BatchInput": resolved(batcher["BatchInput"], given),
            "Items": items[start : start + batcher["MaxItemsPerBatch"]],
        }
        called = resolved(task["Parameters"], batch)
        assert ARN == called["FunctionName"]
        answer = {"Payload": json.loads(json.dumps(handler(called["Payload"], Clock())))}
        lines += path(task["OutputPath"], answer)
    return lines


def resolved(template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Parameters whose names end in `.$` are paths into what is given."""
    return {
        key.removesuffix(".$"): path(value, given) if key.endswith(".$") else value
        for key, value in template.items()
    }


def path(expression: str, given: dict[str, Any]) -> Any:
    value: Any = given
    for name in expression.removeprefix("$").split(".")[1:]:
        value = value[name]
    return value
