"""The command line: output for people, for programs, and exit statuses."""

import json
from pathlib import Path

import pytest

from detector.cli import HEADLINES, main
from detector.verdict import Verdict
from tests.images import plain_image
from tests.videos import encode, steady
from tests.wording import overclaims


@pytest.fixture
def options(tiny_model: Path, tiny_report: Path) -> list[str]:
    return ["--model", str(tiny_model), "--report", str(tiny_report)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    below = tmp_path / "photos" / "below"
    below.mkdir(parents=True)
    (tmp_path / "photos" / "bright.png").write_bytes(plain_image("PNG", (300, 300), 255))
    (below / "dark.JPG").write_bytes(plain_image("JPEG", (300, 300), 0))
    (below / "notes.txt").write_text("not an image", "utf-8")
    return tmp_path / "photos"


def test_json_has_one_analysis_per_line(
    options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder is searched to the bottom, for images only; each line says its path."""
    status = main([*options, "detect", "--json", str(folder)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert 0 == status
    assert ["dark.JPG", "bright.png"] == [Path(line["path"]).name for line in lines]
    assert ["no_ai_signs_found", "likely_ai"] == [line["verdict"] for line in lines]


def test_one_bad_file_does_not_stop_the_others(
    options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bad one is reported in its place, the others are analysed, and the status is 1."""
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    status = main([*options, "detect", "--json", str(folder), str(folder / "absent.png")])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert 1 == status
    codes = {Path(line["path"]).name: line.get("error", {}).get("code") for line in lines}
    assert {
        "bright.png": None,
        "dark.JPG": None,
        "broken.png": "undecodable_media",
        "absent.png": "unreadable_file",
    } == codes


def test_folders_have_videos_too(
    options: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A film is one line with its frames, and a broken one is reported like a broken image."""
    (folder / "clip.mp4").write_bytes(encode(steady(2)))
    (folder / "cut.MOV").write_bytes(encode(steady(1), "mov")[:200])
    status = main([*options, "detect", "--json", str(folder)])
    lines = {
        Path(line["path"]).name: line
        for line in map(json.loads, capsys.readouterr().out.splitlines())
    }

    assert 1 == status
    assert {"clip.mp4", "cut.MOV", "bright.png", "dark.JPG"} == set(lines)
    assert 4 == len(lines["clip.mp4"]["frames"])
    assert "undecodable_media" == lines["cut.MOV"]["error"]["code"]


def test_people_get_a_table(
    options: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the verdict in words and the caveat under it."""
    monkeypatch.setenv("COLUMNS", "250")

    assert 0 == main([*options, "detect", str(folder)])
    text = capsys.readouterr().out
    assert "signs of AI generation found" in text
    assert "Do not use this alone to accuse" in text


def test_every_verdict_has_words() -> None:
    """No verdict would be missing from the table, and none overclaims."""
    assert set(Verdict) == set(HEADLINES)
    assert not any(overclaims(text) for text in HEADLINES.values())


def test_file_names_are_printed_as_they_are(
    options: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Brackets are no markup."""
    monkeypatch.setenv("COLUMNS", "250")
    (tmp_path / "photo [copy][b].png").write_bytes(plain_image("PNG", (300, 300)))

    assert 0 == main([*options, "detect", str(tmp_path)])
    assert "photo [copy][b].png" in capsys.readouterr().out


def test_enormous_files_are_not_read(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of terabytes is refused at once, and the others are analysed."""
    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(4 * 10**12)
    (tmp_path / "b.png").write_bytes(plain_image("PNG", (300, 300)))
    status = main([*options, "detect", "--json", str(tmp_path)])
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())

    assert 1 == status
    assert "file_too_large" == first["error"]["code"]
    assert "verdict" in second


@pytest.mark.parametrize(
    "arguments", [[], ["detect"], ["detect", "--colour", "x.jpg"], ["paint", "x.jpg"]]
)
def test_wrong_usage_exits_with_2(options: list[str], arguments: list[str]) -> None:
    """As command lines do."""
    with pytest.raises(SystemExit) as caught:
        main([*options, *arguments])

    assert 2 == caught.value.code


def test_an_empty_folder_is_wrong_usage(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so instead of printing nothing."""
    with pytest.raises(SystemExit) as caught:
        main([*options, "detect", str(tmp_path)])

    assert 2 == caught.value.code
    assert "no images or videos in the folder" in capsys.readouterr().err


def test_a_missing_model_is_said_in_one_line(
    tmp_path: Path, tiny_report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No stack trace, and a status that is not 0."""
    with pytest.raises(SystemExit) as caught:
        main(["--model", str(tmp_path / "absent.onnx"), "--report", str(tiny_report), "model"])

    assert 1 == caught.value.code
    assert 1 == len(capsys.readouterr().err.splitlines())


def test_the_model_describes_itself(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With its manifest, the hash of its file and its measured errors."""
    assert 0 == main([*options, "model"])
    values = json.loads(capsys.readouterr().out)

    assert "tiny-brightness" == values["model_id"]
    assert 64 == len(values["weights_sha256"])
    assert 600 == values["evaluation"]["expected_errors"]["web"]["n_real"]
