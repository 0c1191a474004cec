"""What `make` does for an operator, read from what it says it would do."""

import subprocess

from tests.infra.synthesis import ROOT


def would_do(*arguments: str) -> str:
    """The commands of a task, of which none is run."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_deploy_checks_before_it_deploys() -> None:
    """Docker, credentials and the command line's version; then bootstrap, deployment, addresses, in this order."""
    said = would_do("deploy", "STAGE=prod", "EMAIL=me@example.org")
    steps = (
        "docker info",
        "-m infra.account",
        "npx cdk --version",
        " bootstrap",
        " deploy --require-approval never --outputs-file build/outputs.json",
        "json.tool build/outputs.json",
    )
    places = [said.find(step) for step in steps]

    assert -1 < places[0]
    assert sorted(places) == places
    assert 2 == said.count("--context stage=prod --context operator_email=me@example.org")
    assert 2 == said.count("BUILDX_NO_DEFAULT_ATTESTATIONS=1")


def test_destroy_is_of_one_stage() -> None:
    """The one that is named, else `dev`."""
    assert "--context stage=prod  destroy --force" in would_do("destroy", "STAGE=prod")
    assert "--context stage=dev  destroy --force" in would_do("destroy")
