"""Families of generators that a model has not met."""

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from detector.conditions import CLEAN
from detector.labels import FAKE, REAL
from tests.models import TINY_MANIFEST, write_tiny_model
from training.leave_one_out import generator_rows, main, merge
from training.records import Record
from training.scoring import Scores

FAMILIES = {"progan": "gan", "stylegan": "gan", "glide": "diffusion"}


def _row(
    family: str, generator: str, auroc: float, condition: str = "clean", **more: Any
) -> dict[str, Any]:
    known = {"family": family, "generator": generator, "condition": condition}
    return {**known, "n": 9, "auroc": auroc, "auroc_ci95": None, **more}


def test_families_count_alike() -> None:
    """Models are averaged for each generator, generators for each family, and families in the end."""
    merged = merge(
        [
            _row("gan", "progan", 0.9),
            _row("gan", "progan", 0.7),
            _row("gan", "stylegan", 0.6),
            _row("diffusion", "glide", 0.5),
            _row("diffusion", "glide", 0.4, "web"),
        ]
    )

    assert [
        {"condition": "clean", "families": 2, "auroc": pytest.approx(0.6)},
        {"condition": "web", "families": 1, "auroc": pytest.approx(0.4)},
    ] == merged["summary"]
    gan = merged["families"][0]
    assert (2, pytest.approx(0.7)) == (gan["models"], gan["auroc"])
    assert {"progan": pytest.approx(0.8), "stylegan": pytest.approx(0.6)} == {
        name: figures["auroc"] for name, figures in gan["generators"].items()
    }


def test_a_generator_keeps_its_number_and_its_interval() -> None:
    """The mean interval over models, and none where one has too few groups for it; the fewest images."""
    merged = merge(
        [
            _row("gan", "progan", 0.9, n=40, auroc_ci95=(0.8, 0.95)),
            _row("gan", "progan", 0.7, n=30, auroc_ci95=(0.5, 0.85)),
            _row("gan", "stylegan", 0.6, auroc_ci95=(0.5, 0.7)),
            _row("gan", "stylegan", 0.6, auroc_ci95=None),
        ]
    )
    progan, stylegan = merged["families"][0]["generators"].values()

    assert (30, pytest.approx([0.65, 0.9])) == (progan["n"], progan["auroc_ci95"])
    assert (9, None) == (stylegan["n"], stylegan["auroc_ci95"])


@pytest.mark.parametrize(("per_group", "wide"), [(1, False), (10, True)])
def test_the_interval_is_of_whole_groups(per_group: int, wide: bool) -> None:
    """A hundred images of ten groups that are alike inside say less than a hundred of their own."""
    rng = np.random.default_rng(0)
    records, logits = [], []
    for label, name in ((REAL, "real"), (FAKE, "progan")):
        for group in range(100 // per_group):
            logits += [rng.normal(label)] * per_group
            records += [
                Record(
                    path=Path(), label=label, generator=name, family="gan", source="s", group=str(group), split="test"
                )
            ] * per_group  # fmt: skip
    scores = Scores(records, (CLEAN,), np.array(logits)[:, None], np.full(200, 230), [])
    (row,) = generator_rows(scores, FAMILIES)
    low, high = row["auroc_ci95"]

    assert 100 == row["n"]
    assert low < row["auroc"] < high
    assert wide == (high - low > 0.2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Dark photographs; bright images of two families; five of each, so that there are intervals."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "generator", "family", "source", "group_id", "split"])
        for generator, family in {"real": "real", **FAMILIES}.items():
            for i in range(5):
                name, label = f"{generator}{i}.png", int(generator != "real")
                pixels = rng.normal(190 if label else 60, 20, (230, 230, 3)).clip(0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
                writer.writerow([name, label, generator, family, generator, name, "test"])
    return folder


def _model(folder: Path, learned: str) -> str:
    manifest = dataclasses.replace(TINY_MANIFEST, trained_on=(learned,))
    return str(write_tiny_model(folder / f"{learned}.onnx", manifest))


def test_each_model_is_measured_on_what_it_has_not_met(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that learned ProGAN is no measure of GANs, StyleGAN included."""
    models = [_model(tmp_path, "progan"), _model(tmp_path, "glide")]
    out = tmp_path / "out.json"
    monkeypatch.setattr(
        "sys.argv", ["leave_one_out", *models, "--data", str(data), "--out", str(out)]
    )
    main()
    result = json.loads(out.read_text("utf-8"))

    assert [["diffusion"], ["gan"]] == [model["unseen_families"] for model in result["models"]]
    assert ["clean", "web", "hard"] == [row["condition"] for row in result["summary"]]
    assert all(row == {**row, "families": 2, "auroc": 1.0} for row in result["summary"])
    gan = next(row for row in result["families"] if row["family"] == "gan")
    figures = {"n": 5, "auroc": 1.0, "auroc_ci95": [1.0, 1.0]}
    assert {"progan": figures, "stylegan": figures} == gan["generators"]
    assert "macro" in capsys.readouterr().out


@pytest.mark.parametrize(("learned", "message"), [("all", "No images of"), ("both", "met all")])
def test_a_model_without_unseen_families_is_wrong_usage(
    learned: str,
    message: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence and status 2."""
    names = {"all": ("elsewhere",), "both": ("progan", "glide")}[learned]
    manifest = dataclasses.replace(TINY_MANIFEST, trained_on=names)
    model = write_tiny_model(tmp_path / "model.onnx", manifest)
    monkeypatch.setattr(
        "sys.argv", ["leave_one_out", str(model), "--data", str(data), "--out", str(tmp_path / "x")]
    )

    with pytest.raises(SystemExit, match="2"):
        main()
    assert message in capsys.readouterr().err
