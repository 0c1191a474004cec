"""From a labelled folder to a report, with the small model."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from detector.classifier import OnnxClassifier
from detector.evaluation import EvaluationReport
from tests.images import plain_image
from training.evaluate import evaluate, held_out_records, main, write_report
from training.records import read_records
from training.report import rounded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dark photographs and bright AI images of two generators, and one file that is no image."""
    rng = np.random.default_rng(0)
    for generator in ("brightness", "unseen"):
        for name, centre in (("0_real", 60), ("1_fake", 190)):
            below = tmp_path / "set" / generator / name
            below.mkdir(parents=True)
            for i, grey in enumerate(rng.normal(centre, 30, 12).clip(0, 255).astype(int)):
                (below / f"{i}.png").write_bytes(plain_image("PNG", (240, 240), int(grey)))
    (tmp_path / "set" / "unseen" / "1_fake" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return tmp_path / "set"


def test_the_command_writes_a_report(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row per generator and condition, per photo source and condition, and a summary."""
    out = tmp_path / "report.json"
    arguments = ["evaluate", "--data", str(folder), "--out", str(out), "--model", str(tiny_model)]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    report = json.loads(out.read_text("utf-8"))

    assert 6 == len(report["generators"])
    assert 6 == len(report["reals"])
    seen = {row["generator"]: row["seen_in_training"] for row in report["generators"]}
    assert {"brightness": True, "unseen": False} == seen
    assert all(row["auroc"] > 0.9 for row in report["generators"])
    assert 1 == len(report["data"]["unreadable"])
    assert "broken.png" in report["data"]["unreadable"][0]


def test_the_counts_agree_with_each_other(folder: Path, tiny_model: Path) -> None:
    """Bands add up to n, and the errors expected of a condition are those counted in its rows."""
    report = evaluate(OnnxClassifier.load(tiny_model), read_records(folder), {})
    rows = [*report["reals"], *report["generators"]]

    for row in rows:
        assert row["n"] == row["likely_ai"] + row["inconclusive"] + row["no_ai_signs_found"]
    for condition, errors in report["expected_errors"].items():
        photos = [row for row in report["reals"] if row["condition"] == condition]
        flagged = sum(row["likely_ai"] for row in photos)
        assert errors["n_real"] == sum(row["n"] for row in photos)
        assert errors["false_positive_rate"] == pytest.approx(flagged / errors["n_real"], abs=1e-4)


def test_the_detector_reads_the_report(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    """What evaluation writes is what serving publishes."""
    report = evaluate(OnnxClassifier.load(tiny_model), read_records(folder), {})
    path = tmp_path / "new" / "report.json"
    write_report(report, path)
    errors = EvaluationReport.load(path).expected_errors("hard")

    assert errors is not None
    assert (24, 24) == (errors.n_real, errors.n_ai)


def test_a_folder_of_photographs_alone_is_measured_too(folder: Path, tiny_model: Path) -> None:
    """Without AI images there is a false-positive rate and no AUROC."""
    photos = [r for r in read_records(folder) if r.label == 0]
    report = evaluate(OnnxClassifier.load(tiny_model), photos, {})

    assert [] == report["generators"]
    assert report["expected_errors"]["clean"]["miss_rate"] is None


def test_an_empty_folder_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence and status 2, no stack trace."""
    monkeypatch.setattr("sys.argv", ["evaluate", "--data", str(tmp_path), "--out", "x.json"])
    with pytest.raises(SystemExit) as caught:
        main()

    assert 2 == caught.value.code
    assert "0_real and 1_fake" in capsys.readouterr().err


def test_what_was_learned_is_not_measured(tmp_path: Path) -> None:
    """Of the pool, a learned generator's source gives only the part that was kept out of training.

    Another's images are left out when the training has one of the same group.
    """
    rows = [
        ("photo", 0, "real", "streets", "pool"),
        ("street", 1, "cyclegan", "streets", "pool"),
        ("art", 1, "disco", "art", "pool"),
        ("face", 1, "stylegan", "faces", "test"),
        ("lesson", 1, "stylegan", "faces", "train"),
        ("prompt", 1, "disco", "art", "pool"),
        *((f"ring{i}", 1, "progan", "rings", "pool") for i in range(10)),
    ]
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "generator", "family", "source", "group_id", "split"])
        for name, label, generator, source, split in rows:
            group = "street" if source == "streets" else name
            group = "lesson" if name == "prompt" else group
            writer.writerow([name, label, generator, "", source, group, split])
    found = [
        record.path.name
        for record in held_out_records([tmp_path], {"cyclegan", "stylegan", "progan"})
    ]

    assert ["art", "face"] == found[:2]
    assert 2 == len(found[2:])
    assert all(name.startswith("ring") for name in found[2:])


def test_what_is_not_a_number_becomes_null() -> None:
    """JSON has no NaN, and a missing figure is never 0."""
    assert {"a": None, "b": [0.1235], "low": 0.123456} == rounded(
        {"a": float("nan"), "b": (0.12345678,), "low": 0.123456}
    )
