"""`asli detect --remote` and `--out`: a service does the work, and a second run only the rest."""

import json
import os
import sys
import tomllib
from pathlib import Path

import pytest

from asli_cli.main import main
from asli_client import ApiProblem, Client, FileRefused
from detector.cli import main as local_main
from tests.images import padded_png, plain_image

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "bright.png").write_bytes(plain_image("PNG", (300, 300), 255))
    (photos / "dark.jpg").write_bytes(plain_image("JPEG", (300, 300), 0))
    return photos


@pytest.fixture
def options(tiny_model: Path, tiny_report: Path) -> list[str]:
    return ["--model", str(tiny_model), "--report", str(tiny_report)]


def lines(path: Path) -> dict[str, dict[str, object]]:
    """The last line about each file."""
    values = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    return {Path(each["path"]).name: each for each in values}


def test_a_service_answers_like_the_model_here(
    api_url: str, options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict and score of each file are the same, whoever computes them; bad files do not stop it."""
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    assert 1 == main(["detect", "--json", "--remote", api_url, str(folder)])
    remote = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 1 == main([*options, "detect", "--json", str(folder)])
    local = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def essence(each: dict[str, dict[str, object]]) -> tuple[object, ...]:
        if "error" in each:
            return each["path"], each["error"]["code"]
        return each["path"], each["verdict"], each["pixel"]["score"]

    assert 3 == len(remote)
    assert [essence(each) for each in local] == [essence(each) for each in remote]


def test_a_large_file_goes_by_upload_and_job(api_url: str, tmp_path: Path) -> None:
    """What one request cannot carry is uploaded, analysed as a job, and gives the same kind of result."""
    path = tmp_path / "large.png"
    path.write_bytes(padded_png(4_500_000))
    with Client(api_url) as client:
        detection = client.detect(path)
        assert 4_500_000 == detection.values["media"]["bytes"]
        assert "succeeded" == client.result(detection.id)["status"]
        client.delete(detection.id)
        with pytest.raises(ApiProblem) as gone:
            client.result(detection.id)
    assert "gone" == gone.value.code


def test_a_large_broken_file_is_refused_by_the_job(api_url: str, tmp_path: Path) -> None:
    """A job that fails raises what a direct request would have."""
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 4_500_000)
    with Client(api_url) as client, pytest.raises(FileRefused) as refused:
        client.detect(path)

    assert "undecodable_media" == refused.value.code


def test_a_second_run_does_only_the_rest(
    options: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that are done are skipped; new, changed and failed ones are not."""
    out = tmp_path / "results.jsonl"
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    command = [*options, "detect", "--out", str(out), str(folder)]
    assert 1 == local_main(command)
    assert "2 analysed, 1 failed, 0 were in" in capsys.readouterr().err

    (folder / "new.png").write_bytes(plain_image("PNG", (200, 200), 10))
    (folder / "broken.png").write_bytes(plain_image("PNG", (200, 200), 10))
    os.utime(folder / "dark.jpg", ns=(1, 1))
    assert 0 == local_main(command)
    assert "3 analysed, 0 failed, 1 were in" in capsys.readouterr().err
    assert {"bright.png", "dark.jpg", "broken.png", "new.png"} == set(lines(out))
    assert not any("error" in each for each in lines(out).values())

    assert 0 == local_main(command)
    assert "0 analysed, 0 failed, 4 were in" in capsys.readouterr().err


def test_a_broken_off_line_is_done_again(
    options: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a killed run left half-written counts for nothing and spoils no other line."""
    out = tmp_path / "results.jsonl"
    command = [*options, "detect", "--out", str(out), str(folder)]
    assert 0 == local_main(command)
    content = out.read_text("utf-8")
    out.write_text(content[:-40], "utf-8")

    assert 0 == local_main(command)
    assert "1 analysed, 0 failed, 1 were in" in capsys.readouterr().err
    whole = [line for line in out.read_text("utf-8").splitlines() if line.endswith("}")]
    assert {"bright.png", "dark.jpg"} == {Path(json.loads(each)["path"]).name for each in whole}


def test_out_must_be_writable(
    options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place that cannot be written is one sentence."""
    with pytest.raises(SystemExit) as ended:
        local_main([*options, "detect", "--out", str(folder), str(folder)])

    assert 2 == ended.value.code
    assert "cannot be written" in capsys.readouterr().err


def test_a_wrong_address_is_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said at once, in one sentence."""
    with pytest.raises(SystemExit) as ended:
        main(["detect", "--remote", "asli.example", str(folder)])

    assert 2 == ended.value.code
    assert "expected one like https://asli.example" in capsys.readouterr().err


def test_the_model_is_described_as_ever(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands that need no service are unchanged."""
    assert 0 == main([*options, "model"])
    assert "tiny-brightness" in capsys.readouterr().out


def test_without_httpx_it_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An installation of the detector alone does not have it."""
    for name in ("asli_cli.remote", "asli_client", "asli_client.client"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(SystemExit) as exit_:
        main(["detect", "--remote", "http://127.0.0.1:1", str(folder)])

    assert 1 == exit_.value.code
    assert "asli: this needs httpx, which is not installed\n" == capsys.readouterr().err


def test_what_make_serve_installs_can_ask_a_service() -> None:
    """The README shows `--remote` and the client right after it; the functions' image has no use for them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]

    assert "asli[client]" in extras["api"]
    assert not [each for each in extras["function"] if each.startswith(("asli[", "httpx"))]
