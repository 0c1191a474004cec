"""Thousands of requests made from the contract, good and bad, against a running service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import running_service

ROOT = Path(__file__).parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""All but those that expect random bytes to be an image, or see types in a form, where all is bytes."""

EXAMPLES = int(os.environ.get("ASLI_CONTRACT_EXAMPLES", "60"))
"""For each operation; those without parameters have far fewer. 1,000 make more than 5,000 cases, in some minutes."""

CASES = 5 * EXAMPLES
"""At least."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_service_keeps_its_contract(
    tiny_model: Path, tiny_report: Path, tmp_path: Path
) -> None:
    """Whatever is sent, nothing is answered with a server error or in a form that the contract does not name."""
    settings = {
        "ASLI_MODEL_PATH": str(tiny_model),
        "ASLI_REPORT_PATH": str(tiny_report),
        "ASLI_ANONYMOUS_PER_MINUTE": "100000",
        "ASLI_ANONYMOUS_PER_DAY": "1000000",
        "ASLI_MESSAGES_PER_HOUR": "100000",
    }
    with running_service(tmp_path, settings) as url:
        program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
        assert program
        done = subprocess.run(
            [
                program,
                "run",
                f"{url}/v1/openapi.json",
                *("--checks", ",".join(CHECKS)),
                *("--max-examples", str(EXAMPLES)),
                *("--phases", "examples,coverage,fuzzing"),
                *("--workers", "2"),
                *("--seed", "1"),
                "--no-color",
            ],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.lambda_api.schemathesis_hooks",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert 0 == done.returncode, done.stdout[-5000:]
    counted = re.search(r"Test cases:\s+([\d,]+) generated", done.stdout)
    assert counted, done.stdout[-2000:]
    print(f"{counted[1]} cases, no complaint")
    assert CASES <= int(counted[1].replace(",", ""))
