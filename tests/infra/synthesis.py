"""A stack as CloudFormation gets it."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.detector_stack import DetectorStack
from infra.stages import Stage

ROOT = Path(__file__).parents[2]


class Synthesised:
    """A stack's template and what the checks said of it."""

    def __init__(self, stage: Stage, out: Path) -> None:
        site = out / "site"
        site.mkdir(parents=True)
        (site / "index.html").write_text("<!doctype html>")
        context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
        self.stage = stage
        app = cdk.App(outdir=str(out / "assembly"), context=context)
        self.stack = DetectorStack(app, stage=stage, site=site)
        cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        app.synth()
        self.path = out / "assembly" / f"Asli-{stage.name}.template.json"
        self.template: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        assets = out / "assembly" / f"Asli-{stage.name}.assets.json"
        self.assets: dict[str, Any] = json.loads(assets.read_text("utf-8"))

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def one(self, kind: str, name: str = "") -> dict[str, Any]:
        """The properties of the only resource of this type whose logical id begins so."""
        (only,) = (p for key, p in self.of_type(kind).items() if key.startswith(name))
        return only
