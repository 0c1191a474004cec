"""Photographs of sources never met, judged as in service."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.images import plain_image
from tests.models import write_tiny_model, write_tiny_report
from training.metrics import clopper_pearson, grouped_proportion
from training.records import Record, write_records
from training.unseen_photographs import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two dark photographs, one bright one, and a white sheet; and an AI image, which does not count."""
    photographs = tmp_path / "foods" / "0_real"
    photographs.mkdir(parents=True)
    for i, grey in enumerate((40, 44, 220)):
        (photographs / f"{i}.png").write_bytes(plain_image("PNG", (240, 240), grey))
    Image.new("RGB", (240, 240), "white").save(photographs / "sheet.png")
    (tmp_path / "foods" / "1_fake").mkdir()
    (tmp_path / "foods" / "1_fake" / "a.png").write_bytes(plain_image("PNG", (240, 240), 220))
    return tmp_path / "foods"


def _run(
    folder: Path, model: Path, report: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> None:
    arguments = ["--data", str(folder), "--model", str(model), "--report", str(report)]
    monkeypatch.setattr("sys.argv", ["unseen_photographs", *arguments, *more])
    main()


def _refusal(
    folder: Path, model: Path, report: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], *more: str,
) -> str:  # fmt: skip
    """What the command says when it ends at once, which leaves the report as it was."""
    before = report.read_bytes()
    with pytest.raises(SystemExit):
        _run(folder, model, report, monkeypatch, *more)
    assert before == report.read_bytes()
    return capsys.readouterr().err


def test_verdicts_are_counted_in_every_condition(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sheet has the score of an AI image, but is none of the detector's business."""
    report = write_tiny_report(tmp_path / "report.json", tiny_model)
    before = json.loads(report.read_text("utf-8"))
    _run(folder, tiny_model, report, monkeypatch)
    after = json.loads(report.read_text("utf-8"))
    rows = after.pop("unseen_photographs")
    measured_on = after.pop("measured_on")["unseen_photographs"]

    assert before == after
    assert ("foods", 5, []) == tuple(measured_on[key] for key in ("name", "n", "unreadable"))
    assert ["clean", "web", "hard"] == [row["condition"] for row in rows]
    for row in rows:
        assert ("Foods", 4, 1, 2) == (
            row["title"],
            row["n"],
            row["likely_ai"],
            row["likely_ai_by_score"],
        )
        assert (0, 2, 1) == tuple(
            row[v] for v in ("inconclusive", "no_ai_signs_found", "not_applicable")
        )
        assert row["likely_ai_rate"] == 0.25
        assert 4 == row["n_groups"]
        assert ([], 0, None) == (row["generators"], row["n_ai"], row["auroc"])
        assert row["ci95"][0] < 0.25 < row["ci95"][1]


def test_photographs_of_one_maker_are_not_taken_for_independent(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six makers of three photographs each, two of whom have bright ones alone: the interval is that of groups."""
    folder = tmp_path / "s"
    (folder / "0_real").mkdir(parents=True)
    records = []
    for maker in range(6):
        for i in range(3):
            path = folder / "0_real" / f"{maker}_{i}.png"
            path.write_bytes(plain_image("PNG", (240, 240), (220 if maker < 2 else 40) + i))
            records.append(
                Record(
                    path=path, label=0, generator="real", family="real", source="s",
                    group=f"maker{maker}", split="pool",
                )
            )  # fmt: skip
    write_records(folder, records)
    report = write_tiny_report(tmp_path / "report.json", tiny_model)
    _run(folder, tiny_model, report, monkeypatch)
    row = json.loads(report.read_text("utf-8"))["unseen_photographs"][0]

    flagged, makers = np.arange(18) < 6, np.arange(18) // 3
    assert (18, 6, 6) == (row["n"], row["likely_ai"], row["n_groups"])
    assert row["ci95"] == pytest.approx(grouped_proportion(flagged, makers), abs=1e-4)
    assert row["ci95"][1] > clopper_pearson(6, 18)[1] + 0.1


def test_what_the_checks_take_away_is_not_counted_as_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grain that no re-save keeps: the score flags it, the verdict does not."""
    photographs = tmp_path / "s" / "0_real"
    photographs.mkdir(parents=True)
    (photographs / "a.png").write_bytes(plain_image("PNG", (240, 240)))
    model = write_tiny_model(tmp_path / "grain.onnx", looks_at="grain")
    report = write_tiny_report(tmp_path / "report.json", model)
    _run(photographs.parent, model, report, monkeypatch)
    row = json.loads(report.read_text("utf-8"))["unseen_photographs"][0]

    assert (1, 0, 1) == (row["likely_ai_by_score"], row["likely_ai"], row["inconclusive"])


def test_generators_never_seen_are_ranked_against_each_source(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the score in the same condition. What was learned does not count, nor do photographs beside them."""
    (tmp_path / "rooms" / "0_real").mkdir(parents=True)
    for grey in (90, 110):
        path = tmp_path / "rooms" / "0_real" / f"{grey}.png"
        path.write_bytes(plain_image("PNG", (240, 240), grey))
    for name, grey in {
        "new/1_fake/a": 100,
        "new/1_fake/b": 230,
        "newer/1_fake/a": 100,
        "brightness/1_fake/a": 0,
        "new/0_real/a": 0,
    }.items():
        path = tmp_path / "ai" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(plain_image("PNG", (240, 240), grey))
    (tmp_path / "ai" / "newer" / "1_fake" / "broken.png").write_bytes(b"broken")
    report = write_tiny_report(tmp_path / "report.json", tiny_model)
    more = ("--data", str(tmp_path / "rooms"), "--ai", str(tmp_path / "ai"))
    _run(folder, tiny_model, report, monkeypatch, *more)
    after = json.loads(report.read_text("utf-8"))

    beside = after["measured_on"]["unseen_photographs"]["beside"]
    assert ("ai", 3) == (beside["name"], beside["n"])
    assert "broken.png" in beside["unreadable"][0]
    # Of the foods, 40, 44, 220 and the white sheet, two are darker than 100 and three than 230.
    expected = {"foods": ((2 + 3) / 2 / 4 + 2 / 4) / 2, "rooms": ((1 + 2) / 2 / 2 + 1 / 2) / 2}
    assert 6 == len(after["unseen_photographs"])
    for row in after["unseen_photographs"]:
        assert (["new", "newer"], 3) == (row["generators"], row["n_ai"])
        assert row["auroc"] == pytest.approx(expected[row["source"]], abs=1e-4)


def test_each_condition_has_its_own_ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grain stands out until saving takes it away; an edge stays."""
    model = write_tiny_model(tmp_path / "grain.onnx", looks_at="grain")
    edges = np.zeros((240, 240, 3), np.uint8)
    edges[:, np.arange(240) // 30 % 2 == 1] = 255
    photograph, image = (
        tmp_path / "s" / "0_real" / "a.png",
        tmp_path / "ai" / "new" / "1_fake" / "a.png",
    )
    photograph.parent.mkdir(parents=True)
    Image.fromarray(edges).save(photograph)
    image.parent.mkdir(parents=True)
    image.write_bytes(plain_image("PNG", (240, 240)))
    report = write_tiny_report(tmp_path / "report.json", model)
    _run(tmp_path / "s", model, report, monkeypatch, "--ai", str(tmp_path / "ai"))
    rows = json.loads(report.read_text("utf-8"))["unseen_photographs"]
    assert {"clean": 1.0, "web": 0.0, "hard": 0.0} == {r["condition"]: r["auroc"] for r in rows}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("brightness/1_fake/a.png", plain_image("PNG")),
        ("new/0_real/a.png", plain_image("PNG")),
        ("new/1_fake/a.png", b"broken"),
    ],
    ids=["learned", "photograph", "unreadable"],
)
def test_folders_with_nothing_to_rank_are_refused(
    name: str, content: bytes, folder: Path, tiny_model: Path, tiny_report: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Before anything is measured."""
    path = tmp_path / "ai" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    more = ("--ai", str(tmp_path / "ai"))
    said = _refusal(folder, tiny_model, tiny_report, monkeypatch, capsys, *more)
    assert "The --ai folders have no readable image of a generator not learned" in said


def test_a_folder_without_photographs_is_refused(
    tmp_path: Path, tiny_model: Path, tiny_report: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """With the reason, and the report as it was."""
    images = tmp_path / "s" / "1_fake"
    images.mkdir(parents=True)
    (images / "a.png").write_bytes(plain_image("PNG", (240, 240)))
    said = _refusal(images.parent, tiny_model, tiny_report, monkeypatch, capsys)
    assert "There are no photographs" in said


def test_a_file_that_is_no_image_is_named_and_not_counted(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The command goes on without it."""
    (folder / "0_real" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    path = write_tiny_report(tmp_path / "report.json", tiny_model)
    _run(folder, tiny_model, path, monkeypatch)
    report = json.loads(path.read_text("utf-8"))

    assert "could not decode broken.png" in capsys.readouterr().out
    assert [4, 4, 4] == [row["n"] for row in report["unseen_photographs"]]
    (unreadable,) = report["measured_on"]["unseen_photographs"]["unreadable"]
    assert "broken.png" in unreadable


def test_a_folder_to_learn_from_is_refused(
    folder: Path, tiny_model: Path, tiny_report: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Its photographs may have been met."""
    learned = folder / "progan_train" / "0_real"
    learned.mkdir(parents=True)
    (learned / "a.png").write_bytes(plain_image("PNG", (240, 240), 40))
    said = _refusal(folder, tiny_model, tiny_report, monkeypatch, capsys)
    assert "images to learn from" in said
