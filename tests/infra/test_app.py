import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.synthesis import ROOT
from tests.sockets import REFUSED, without_sockets

ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "AWS_EC2_METADATA_DISABLED": "true",
    "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
}
"""No credentials, and no home that could have some."""
REPLACE = "import os; os.execv(sys.argv[1], sys.argv[1:])"


def test_the_command_line_is_pinned() -> None:
    """One version exactly: a later one of the registry cannot read what the library writes."""
    package = json.loads((ROOT / "package.json").read_text("utf-8"))

    assert re.fullmatch(r"2\.\d+\.\d+", package["devDependencies"]["aws-cdk"])


@pytest.mark.slow
def test_an_unknown_stage_ends_the_synthesis(tmp_path: Path) -> None:
    """The operator reads one sentence with the known stages."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**ENVIRONMENT, "CDK_CONTEXT_JSON": '{"stage": "zzz"}', "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == done.returncode
    assert "There is no stage 'zzz'. Known stages: dev, prod." == done.stderr.splitlines()[-1]


def test_who_is_started_without_sockets_gets_none() -> None:
    """The watch of the test below works, and is handed on to whatever is started."""
    connect = [sys.executable, "-c", "import socket; socket.socket()"]
    done = subprocess.run(
        [sys.executable, "-c", without_sockets(REPLACE, REFUSED), *connect],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 1 == done.returncode
    assert "Network is unreachable" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_command_line_synthesises(stage: str, tmp_path: Path) -> None:
    """`cdk synth` needs neither credentials nor a network: whoever asks for a socket gets none."""
    cdk = ROOT / "node_modules/.bin/cdk"
    out = tmp_path / "assembly"
    synth = [str(cdk), "synth", "--quiet", "--context", f"stage={stage}", "--output", str(out)]
    done = subprocess.run(
        [sys.executable, "-c", without_sockets(REPLACE, REFUSED), *synth],
        cwd=ROOT,
        env={**ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert (out / f"Asli-{stage}.template.json").exists()
