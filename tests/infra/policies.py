"""What a role may do, by the rules by which IAM decides, as far as the template uses them."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.infra.synthesis import Synthesised


@dataclass(frozen=True)
class Allowed:
    """One action on one resource pattern."""

    action: str
    resource: str


def allowed(stack: Synthesised, role: str) -> set[Allowed]:
    """Everything that the role with this logical id may do. Nothing here is conditional or denied."""
    assert not stack.template["Resources"][role]["Properties"].get("ManagedPolicyArns")
    found = set()
    for policy in stack.of_type("AWS::IAM::Policy").values():
        if {"Ref": role} in policy["Roles"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert {"Action", "Effect", "Resource"} == set(statement)
                assert "Allow" == statement["Effect"]
                found |= {
                    Allowed(action, resource)
                    for action in listed(statement["Action"])
                    for resource in map(flat, listed(statement["Resource"]))
                }
    return found


def may(permissions: set[Allowed], action: str, resource: str) -> bool:
    """Whether any of the permissions covers this; otherwise IAM denies it."""
    return any(
        fnmatchcase(action.lower(), each.action.lower()) and fnmatchcase(resource, each.resource)
        for each in permissions
    )


def statements(stack: Synthesised) -> Iterator[dict[str, Any]]:
    """All that any of the template's roles is allowed."""
    for policy in stack.of_type("AWS::IAM::Policy").values():
        yield from policy["PolicyDocument"]["Statement"]


def flat(value: object) -> str:
    """A resource as text: `Ref` and `GetAtt` become the logical id that they name."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return str(name)
        case {"Fn::GetAtt": [name, _]}:
            return str(name)
        case {"Fn::Sub": str(text)}:
            return text
        case {"Fn::Join": [joint, parts]}:
            return str(joint).join(flat(part) for part in parts)
    raise AssertionError(f"cannot read {value}")


def listed(value: object) -> list[Any]:
    """A policy may write one thing without a list around it."""
    return value if isinstance(value, list) else [value]
