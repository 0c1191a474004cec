"""The robustness part of a report."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from detector.classifier import OnnxClassifier
from tests.images import plain_image
from training.evaluate import evaluate, write_report
from training.records import Record, read_records
from training.robustness import ALTERATIONS, at_most, main
from training.scoring import Alteration


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Dark photographs and bright AI images."""
    for name, grey in (("0_real", 60), ("1_fake", 190)):
        below = tmp_path / "set" / name
        below.mkdir(parents=True)
        for i in range(5):
            (below / f"{i}.png").write_bytes(plain_image("PNG", (240, 240), grey + i))
    return tmp_path / "set"


def test_the_command_adds_to_a_report(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row per generator and alteration, from as many images as were asked for."""
    path = tmp_path / "report.json"
    report = evaluate(OnnxClassifier.load(tiny_model), read_records(folder), {})
    write_report(report, path)
    monkeypatch.setattr(
        "sys.argv",
        ["robustness", "--data", str(folder), "--report", str(path), "--model", str(tiny_model),
         "--per-group", "3"],
    )  # fmt: skip
    main()
    measured = json.loads(path.read_text("utf-8"))
    rows = measured.pop("robustness")["generators"]
    assert ["robustness"] == list(measured.pop("measured_on"))

    assert json.loads(json.dumps(report)) == measured
    assert [a.name for a in ALTERATIONS] == [row["condition"] for row in rows]
    assert {3} == {row["n"] for row in rows}
    assert all(row["auroc"] == 1.0 for row in rows)


def test_a_report_of_another_model_is_left_alone(
    folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Figures of two models never meet in one report."""
    path = tmp_path / "report.json"
    path.write_text('{"model": {"weights_sha256": "of another"}}')
    monkeypatch.setattr(
        "sys.argv",
        ["robustness", "--data", str(folder), "--report", str(path), "--model", str(tiny_model)],
    )

    with pytest.raises(SystemExit, match="2"):
        main()


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda a: a.name)
def test_alterations_do_what_their_name_says(alteration: Alteration) -> None:
    """RGB stays RGB, sizes follow the factor, and all but `clean` change the pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    altered = alteration.apply(image)
    factor = (
        float(alteration.name.removeprefix("resize")) if alteration.name.startswith("resize") else 1
    )

    assert "RGB" == altered.mode
    assert (round(120 * factor), round(80 * factor)) == altered.size
    assert (alteration.name == "clean") == np.array_equal(noise, np.asarray(altered))


def test_a_sample_is_spread_over_each_group() -> None:
    """First and last are in it; small groups stay whole."""

    def record(i: int, source: str) -> Record:
        return Record(
            path=Path(str(i)), label=0, generator="real", family="real", source=source,
            group=str(i), split="test",
        )  # fmt: skip

    records = [*(record(i, "large") for i in range(10)), *(record(i, "small") for i in range(2))]

    assert ["0", "4", "9", "0", "1"] == [r.group for r in at_most(records, 3)]
