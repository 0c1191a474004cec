"""Families of generators that a model has not met."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.models import TINY_MANIFEST, write_tiny_model
from training.leave_one_out import main, merge

FAMILIES = {"progan": "gan", "stylegan": "gan", "glide": "diffusion"}


def _row(family: str, generator: str, auroc: float, condition: str = "clean") -> dict[str, object]:
    return {"family": family, "generator": generator, "condition": condition, "auroc": auroc}


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
    assert {"progan": pytest.approx(0.8), "stylegan": pytest.approx(0.6)} == gan["generators"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Dark photographs; bright images of two families."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "generator", "family", "source", "group_id", "split"])
        for generator, family in {"real": "real", **FAMILIES}.items():
            for i in range(4):
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
    assert {"progan", "stylegan"} == set(gan["generators"])
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
