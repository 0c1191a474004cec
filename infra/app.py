"""What the CDK command line runs: one stack for the stage that `-c stage=` names."""

import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.detector_stack import DetectorStack
from infra.stages import choose_stage

SITE = Path("build/site")


def main() -> None:
    """Write the cloud assembly. An unknown stage ends with status 1 and one sentence."""
    app = cdk.App()
    try:
        stage = choose_stage(
            app.node.try_get_context("stage"),
            operator_email=app.node.try_get_context("operator_email"),
        )
    except ValueError as error:
        sys.exit(str(error))
    DetectorStack(app, stage=stage, site=SITE)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
