"""The import contracts are alive: breaking one is noticed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (
        "asli_cli",
        "asli_client",
        "detector",
        "infra",
        "lambda_api",
        "training",
        "static_site",
    ):
        ignored = shutil.ignore_patterns("__pycache__", "*.onnx")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; sys.path.insert(0, '.'); "
        "from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-P", "-c", program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("detector/preprocess.py", "import torch"),
        ("detector/image.py", "import training.metrics"),
        ("detector/analysis.py", "import fastapi"),
        ("lambda_api/services.py", "import lambda_api.routes.detections"),
        ("lambda_api/services.py", "import boto3"),
        ("lambda_api/adapters/sqlite.py", "import botocore.config"),
        ("training/metrics.py", "import torch"),
        ("asli_client/client.py", "import detector.image"),
        ("lambda_api/services.py", "import aws_cdk"),
        ("infra/api.py", "import lambda_api.settings"),
    ],
)
def test_a_forbidden_import_fails_the_check(copy: Path, module: str, line: str) -> None:
    """One line in the wrong place breaks a contract that held before."""
    path = copy / module
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    done = _lint(copy)

    assert 1 == done.returncode
    assert "BROKEN" in done.stdout


def test_the_contracts_hold(copy: Path) -> None:
    """Without such a line, all are kept."""
    done = _lint(copy)

    assert (0, True) == (done.returncode, "0 broken" in done.stdout), done.stdout + done.stderr
