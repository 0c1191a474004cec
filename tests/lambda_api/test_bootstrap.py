import subprocess
import sys
from pathlib import Path

import pytest

from lambda_api.app import create_app
from lambda_api.bootstrap import build_dependencies
from lambda_api.settings import Settings
from tests.apps import Caller
from tests.images import plain_image
from tests.signing import MADE, make_signer, sign


def _app(tmp_path: Path, model: Path, report: Path) -> Caller:
    settings = Settings(data_dir=tmp_path / "data", model_path=model, report_path=report)
    return Caller(create_app(build_dependencies(settings)))


def test_whole_app_is_built(tmp_path: Path, tiny_model: Path, tiny_report: Path) -> None:
    """With a model and its report the service analyses images."""
    call = _app(tmp_path, tiny_model, tiny_report)

    assert 200 == call("GET", "/v1/readyz").status_code
    assert 200 == call.detect(plain_image("JPEG")).status_code


@pytest.mark.parametrize("damage", ["missing", "truncated", "emptied", "without_manifest"])
def test_damaged_model_never_scores(
    tmp_path: Path,
    tiny_model: Path,
    tiny_report: Path,
    damage: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With missing or damaged weights the service starts, says so, and scores nothing."""
    weights = tiny_model.read_bytes()
    contents = {
        "truncated": weights[: len(weights) // 2],
        "emptied": b"",
        "without_manifest": weights.replace(b"asli", b"else"),
    }
    model = tmp_path / "model.onnx"
    if damage in contents:
        model.write_bytes(contents[damage])
    call = _app(tmp_path, model, tiny_report)

    for response in (call("GET", "/v1/readyz"), call.detect(plain_image("JPEG"))):
        assert (503, "model_load_failed") == (response.status_code, response.json()["code"])
        assert str(tmp_path) not in response.text
    assert 200 == call("GET", "/v1/healthz").status_code
    assert any("The model is not ready" in message for message in caplog.messages)
    assert not any(str(tmp_path) in message for message in caplog.messages)


def test_missing_report_never_scores(tmp_path: Path, tiny_model: Path) -> None:
    """A model without its evaluation report is not used."""
    call = _app(tmp_path, tiny_model, tmp_path / "none.json")

    assert 503 == call.detect(plain_image("JPEG")).status_code


@pytest.mark.parametrize(("content", "status"), [(None, 200), ("no certificate", 503)])
def test_trusted_signers_come_from_a_file(
    tmp_path: Path,
    tiny_model: Path,
    tiny_report: Path,
    content: str | None,
    status: int,
) -> None:
    """With certificates their signers are trusted; with a damaged file nothing is analysed."""
    path = tmp_path / "trusted.pem"
    path.write_text(content or make_signer().root, "ascii")
    settings = Settings(
        data_dir=tmp_path / "data",
        model_path=tiny_model,
        report_path=tiny_report,
        trust_anchors_path=path,
    )
    call = Caller(create_app(build_dependencies(settings)))
    response = call.detect(sign(plain_image("JPEG"), MADE))

    assert status == response.status_code
    if status == 200:
        assert "trusted" == response.json()["provenance"]["state"]


def test_nothing_happens_on_import(tmp_path: Path) -> None:
    """Importing the service's modules reads no setting, loads no model and writes no file."""
    program = (
        "import lambda_api.app, lambda_api.bootstrap, lambda_api.entrypoints.local\n"
        "import os; assert not os.listdir('.'), os.listdir('.')"
    )
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASLI_MAX_CONCURRENT_ANALYSES": "not a number",
    }

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
