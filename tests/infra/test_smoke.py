from pathlib import Path

import pytest

from infra import smoke
from tests.site.running import running_site


@pytest.mark.slow
def test_everything_holds(
    tmp_path: Path,
    tiny_model: Path,
    tiny_report: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Against a running service with its site, each line is ok."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("<!doctype html><title>Asli</title>")
    (site / "config.json").write_text('{"api": ""}')
    model = {"ASLI_MODEL_PATH": str(tiny_model), "ASLI_REPORT_PATH": str(tiny_report)}
    with running_site(site, tmp_path, model) as url:
        status = smoke.main([url])

    expected = [f"ok    {check.__name__}" for check in smoke.CHECKS]
    assert expected == capsys.readouterr().out.splitlines()
    assert 0 == status


def test_a_dead_address_fails_each_line_with_a_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody answers there: every check says so, and the status is 1."""
    status = smoke.main(["http://127.0.0.1:9"])

    lines = capsys.readouterr().out.splitlines()
    assert [f"FAIL  {check.__name__}" for check in smoke.CHECKS] == [
        line.partition(":")[0] for line in lines
    ]
    assert all(line.partition(": ")[2] for line in lines)
    assert 1 == status
