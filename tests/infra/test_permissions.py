"""Each function may do what its own code does, and nothing else."""

import re

import pytest

from tests.infra.duties import EVERYTHING, LOGS, TRACES
from tests.infra.policies import Allowed, allowed, flat, listed, may, statements
from tests.infra.synthesis import ROOT, Synthesised

pytestmark = pytest.mark.slow  # a stack takes seconds to make

ACTIONS = {
    "get_item": "dynamodb:GetItem",
    "put_item": "dynamodb:PutItem",
    "update_item": "dynamodb:UpdateItem",
    "delete_item": "dynamodb:DeleteItem",
    "transact_write_items": "dynamodb:PutItem",
    "generate_presigned_post": "s3:PutObject",
    "head_object": "s3:GetObject",
    "get_object": "s3:GetObject",
    "download_fileobj": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObject",
    "send_message": "sqs:SendMessage",
    "publish": "sns:Publish",
}
"""What the adapters' calls need."""

OPERATORS_CALLS = {"scan"}
"""Made on the operator's own behalf, to list keys and messages."""

SURROUNDINGS = {*LOGS, *TRACES, "s3:ListBucket"}
"""What a function needs beside its calls."""


def permissions(stack: Synthesised, function: str) -> set[Allowed]:
    return permissions_of_role(stack, f"{function}FunctionRole")


def permissions_of_role(stack: Synthesised, start: str) -> set[Allowed]:
    (role,) = (name for name in stack.of_type("AWS::IAM::Role") if name.startswith(start))
    return allowed(stack, role)


def test_the_api_may_do_what_the_adapters_do(stack: Synthesised) -> None:
    """Its actions are exactly those of the calls in the adapters' code."""
    source = "".join(
        path.read_text("utf-8") for path in (ROOT / "lambda_api/adapters").glob("*.py")
    )
    called = set(re.findall(r"_(?:client|table|s3|sns)\.(\w+)\(", source))
    called -= OPERATORS_CALLS

    assert called <= set(ACTIONS)
    expected = {ACTIONS[call] for call in called} | SURROUNDINGS
    assert expected == {each.action for each in permissions(stack, "Api")}


@pytest.mark.parametrize("function", EVERYTHING)
def test_a_function_may_do_what_it_does_and_nothing_else(stack: Synthesised, function: str) -> None:
    """No action more, and none on anything else: whatever is not listed is denied."""
    expected = {
        Allowed(action, named(stack, resource))
        for resource, actions in EVERYTHING[function].items()
        for action in actions
    }

    assert expected == permissions(stack, function)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "StorageMedia/uploads/x"),
        ("s3:GetObject", "StorageMedia/heatmaps/x"),
        ("s3:PutObject", "StorageMedia/other"),
        ("s3:PutBucketPolicy", "StorageMedia"),
        ("dynamodb:DeleteItem", "StorageJobRecords"),
        ("dynamodb:Scan", "StorageJobRecords"),
        ("sqs:SendMessage", "JobsQueue"),
        ("sqs:PurgeQueue", "JobsQueue"),
        ("sns:Publish", "Operators"),
        ("iam:PassRole", "ApiFunctionRole"),
        ("lambda:InvokeFunction", "ApiFunction"),
        ("logs:DeleteLogGroup", "WorkerFunctionLog"),
    ],
)
def test_the_worker_is_denied(stack: Synthesised, action: str, resource: str) -> None:
    """What its code never does is refused."""
    assert not may(permissions(stack, "Worker"), action, named(stack, resource))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:PutObject", "StorageMedia/other"),
        ("s3:GetObject", "WebsitePages/index.html"),
        ("s3:PutObject", "WebsitePages/index.html"),
        ("s3:DeleteBucket", "StorageMedia"),
        ("dynamodb:Scan", "StorageJobRecords"),
        ("dynamodb:DeleteTable", "StorageJobRecords"),
        ("sqs:ReceiveMessage", "JobsQueue"),
        ("sqs:SendMessage", "JobsDeadLetters"),
        ("lambda:InvokeFunction", "WorkerFunction"),
        ("cloudfront:CreateInvalidation", "WebsiteDistribution"),
    ],
)
def test_the_api_is_denied(stack: Synthesised, action: str, resource: str) -> None:
    """What its code never does is refused."""
    assert not may(permissions(stack, "Api"), action, named(stack, resource))


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "BulkFiles/images/x"),
        ("s3:PutObject", "BulkFiles/images/x"),
        ("s3:DeleteObject", "BulkFiles/results/x"),
        ("s3:ListBucket", "StorageMedia"),
        ("s3:GetObject", "StorageMedia/uploads/x"),
        ("lambda:InvokeFunction", "WorkerFunction"),
        ("iam:PassRole", "BulkFunctionRole"),
        ("logs:CreateLogDelivery", "BulkFunctionLog"),
    ],
)
def test_bulk_runs_are_denied(stack: Synthesised, action: str, resource: str) -> None:
    """The state machine lists, calls its function and writes results; the rest is refused."""
    runs = permissions_of_role(stack, "BulkRunsRole")

    assert not may(runs, action, named(stack, resource))
    assert may(runs, "s3:ListBucket", named(stack, "BulkFiles"))
    assert may(runs, "s3:PutObject", named(stack, "BulkFiles/results/x"))
    assert may(runs, "lambda:InvokeFunction", named(stack, "BulkFunction"))


def test_a_bulk_run_starts_and_stops_its_own_batches(stack: Synthesised) -> None:
    """They are runs of the same machine: no other machine's can be touched."""
    runs = {
        each
        for each in permissions_of_role(stack, "BulkRunsRole")
        if each.action.startswith("states:")
    }
    (machine,) = stack.of_type("AWS::StepFunctions::StateMachine")
    (follow,) = {each.resource for each in runs if each.action != "states:StartExecution"}

    assert Allowed("states:StartExecution", machine) in runs
    assert {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"} == {
        each.action for each in runs
    }
    assert re.fullmatch(rf"arn:.*:states:.*:execution:{machine}:\*", follow)


def test_the_simulation_can_say_yes(stack: Synthesised) -> None:
    """The same question about what is granted is answered with yes."""
    api = permissions(stack, "Api")

    assert may(api, "s3:PutObject", named(stack, "StorageMedia/uploads/x"))
    assert may(api, "sqs:SendMessage", named(stack, "JobsQueue"))


def test_no_action_is_a_star(stack: Synthesised) -> None:
    """Nobody may do everything, and X-Ray alone may be told by anyone of anything."""
    for statement in statements(stack):
        actions = listed(statement["Action"])
        assert [] == [each for each in actions if each == "*" or each.endswith(":*")]
        if "*" in listed(statement["Resource"]):
            assert {"xray"} == {each.partition(":")[0] for each in actions}
    assert not any(role.get("Policies") for role in stack.of_type("AWS::IAM::Role").values())


def test_the_copier_of_pages_tells_our_distribution_alone(stack: Synthesised) -> None:
    """The CDK's own function, which any distribution of the account would be open to otherwise."""
    (told,) = (
        listed(each["Resource"])
        for each in statements(stack)
        if "cloudfront:CreateInvalidation" in listed(each["Action"])
    )

    assert [f":distribution/{named(stack, 'WebsiteDistribution')}"] == [
        flat(each).partition("AWS::AccountId")[2] for each in told
    ]


def named(stack: Synthesised, resource: str) -> str:
    """The full logical id, and what follows the slash. A star stays one."""
    if resource == "*":
        return resource
    start, slash, rest = resource.partition("/")
    (name, *_) = sorted(
        (each for each in stack.template["Resources"] if each.startswith(start)), key=len
    )
    return name + slash + rest
