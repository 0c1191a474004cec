"""Findings of cdk-nag that we have judged: each with its rule and the reason why it stays."""

from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept these findings on `construct` and below it, by rule id."""
    # The library's own `acknowledge` refuses ids that name an ARN; it would write the same.
    for rule, reason in reasons.items():
        construct.node.add_metadata(cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY, {rule: reason})
