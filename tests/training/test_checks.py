"""What the checks change in verdicts, counted."""

import json
from pathlib import Path

import pytest
from PIL import Image

from detector.classifier import OnnxClassifier
from detector.evaluation import EvaluationReport
from detector.labels import REAL
from tests.images import plain_image
from tests.models import write_tiny_model, write_tiny_report
from training.checks import CHECKS, main, measure_stability
from training.records import Record, read_records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four dark photographs, four bright AI images, and an AI image that is one colour all over."""
    for name, grey in (("0_real", 40), ("1_fake", 220)):
        below = tmp_path / "set" / name
        below.mkdir(parents=True)
        for i in range(4):
            (below / f"{i}.png").write_bytes(plain_image("PNG", (240, 240), grey + i))
    Image.new("RGB", (240, 240), "white").save(tmp_path / "set" / "1_fake" / "white.png")
    return tmp_path / "set"


def _rows(model: Path, records: list[Record]) -> dict[tuple[str, str], dict[str, object]]:
    section = measure_stability(OnnxClassifier.load(model, threads=1), records)
    return {(row["condition"], row["checks"]): row for row in section["rows"]}


def test_every_choice_is_counted_in_every_condition(tiny_model: Path, folder: Path) -> None:
    """The white image is found without the gate, and lost to it."""
    rows = _rows(tiny_model, read_records(folder))

    assert {(c, k) for c in ("clean", "web", "hard") for k in CHECKS} == set(rows)
    assert (4, 5, 0, 1.0, 9, 0) == tuple(
        rows["clean", "none"][key]
        for key in ("n_real", "n_ai", "flagged", "found_rate", "right", "lost")
    )
    assert (0.8, 1) == tuple(rows["clean", "both"][key] for key in ("found_rate", "lost"))


def test_stability_takes_false_alarms_away(tmp_path: Path) -> None:
    """A photograph that is flagged for its grain is flagged no more; nothing right is lost."""
    path = tmp_path / "photo.png"
    path.write_bytes(plain_image("PNG", (240, 240)))
    records = [
        Record(
            path=path, label=REAL, generator="real", family="", source="s", group="g", split="test"
        )
    ]
    rows = _rows(write_tiny_model(tmp_path / "grain.onnx", looks_at="grain"), records)

    assert [1, 1, 0, 0] == [rows["clean", checks]["flagged"] for checks in CHECKS]
    assert [0, 0, 0, 0] == [rows["clean", checks]["lost"] for checks in CHECKS]
    assert rows["clean", "both"]["found_rate"] is None


@pytest.mark.browser
def test_the_command_adds_its_sections_to_the_report(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else in the report stays as it was."""
    report = write_tiny_report(tmp_path / "report.json", tiny_model)
    before = json.loads(report.read_text("utf-8"))
    monkeypatch.setattr("training.suitability.MEASURED_GRAPHICS", 4)
    monkeypatch.setattr(
        "sys.argv",
        ["checks", "--data", str(folder), "--model", str(tiny_model), "--report", str(report)],
    )
    main()
    after = EvaluationReport.load(report).values

    sections = {"stability", "suitability", "explanation"}
    measured_on = after.pop("measured_on")
    assert sections == set(measured_on)
    assert 9 == measured_on["stability"]["n"]
    assert sections <= set(after)
    assert {key: before[key] for key in before if key not in sections} == {
        key: after[key] for key in after if key not in sections
    }
    assert 4 == sum(row["n"] for row in after["suitability"]["graphics"])
    assert 5 == after["suitability"]["ai_images"][0]["n"]


def test_a_report_of_another_model_is_refused(
    folder: Path,
    tiny_report: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Numbers never get into a report that they do not belong to."""
    other = write_tiny_model(tmp_path / "other.onnx", looks_at="grain")
    monkeypatch.setattr(
        "sys.argv",
        ["checks", "--data", str(folder), "--model", str(other), "--report", str(tiny_report)],
    )
    with pytest.raises(SystemExit) as caught:
        main()

    assert 2 == caught.value.code
    assert "measures another model" in capsys.readouterr().err
