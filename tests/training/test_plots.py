"""Figures of a report."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from detector.analysis import REPORT_PATH
from detector.classifier import OnnxClassifier
from training.evaluate import evaluate, write_report
from training.plots import PLOTS, main, write_plot
from training.records import read_records


@pytest.fixture(scope="module")
def report(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of photographs that are darker than AI images, most of them."""
    folder = tmp_path_factory.mktemp("plots")
    rng = np.random.default_rng(0)
    for name, grey in (("0_real", 100), ("1_fake", 150)):
        below = folder / "brightness" / name
        below.mkdir(parents=True)
        for i in range(12):
            value = int(np.clip(rng.normal(grey, 30), 0, 255))
            Image.new("RGB", (230, 230), (value, value, value)).save(below / f"{i}.png")
    path = folder / "report.json"
    write_report(evaluate(OnnxClassifier.load(tiny_model), read_records(folder), {}), path)
    return path


def _main(monkeypatch: pytest.MonkeyPatch, report: Path, out: Path) -> None:
    monkeypatch.setattr("sys.argv", ["plots", "--report", str(report), "--out", str(out)])
    main()


def test_each_figure_shows_the_figures_of_the_report(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As text, so that they can be read and found."""
    _main(monkeypatch, report, tmp_path)
    values = json.loads(report.read_text("utf-8"))
    seen = {r["condition"]: r for r in values["summary"] if r["set"] == "seen"}
    words = {
        path.stem: " ".join(ET.fromstring(path.read_text("utf-8")).itertext())
        for path in tmp_path.iterdir()
    }

    assert set(PLOTS) == set(words)
    for name, row in seen.items():
        assert f"{name}, AUROC {row['auroc']:.3f}" in words["roc"]
        assert f"{name}, ECE {row['ece']:.3f}" in words["reliability"]
    for n in seen["clean"]["confusion"].values():
        assert str(n) in words["confusion"].split()


def test_the_same_report_gives_the_same_bytes(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a change in a figure is a change in a result."""
    for name in ("a", "b"):
        _main(monkeypatch, report, tmp_path / name)

    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_the_curves_agree_with_the_summary(report: Path) -> None:
    """The area below each, and its distance from the diagonal, are the figures published beside it."""
    values = json.loads(report.read_text("utf-8"))
    seen = {r["condition"]: r for r in values["summary"] if r["set"] == "seen"}

    assert ["clean", "web", "hard"] == [curve["condition"] for curve in values["curves"]]
    for curve in values["curves"]:
        row, roc, bins = seen[curve["condition"]], curve["roc"], curve["reliability"]
        area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
        gaps = [b["weight"] * abs(b["mean_probability"] - b["share_ai"]) for b in bins]
        assert row["auroc"] == pytest.approx(area, abs=0.002)
        assert row["ece"] == pytest.approx(sum(gaps) / 2, abs=0.002)
        assert row["n_real"] + row["n_ai"] == sum(b["n"] for b in bins)


@pytest.mark.model
def test_what_a_report_does_not_hold_is_not_drawn(tmp_path: Path) -> None:
    """Curves, as in the reports of earlier releases; the rest of the shipped one is."""
    values = {k: v for k, v in json.loads(REPORT_PATH.read_text("utf-8")).items() if k != "curves"}
    drawn = {name: write_plot(values, draw, tmp_path / name) for name, draw in PLOTS.items()}

    assert {"roc": False, "reliability": False, "confusion": True, "robustness": True} == drawn
    assert {"confusion", "robustness"} == {path.name for path in tmp_path.iterdir()}
