"""What ships: fitted on val, measured on test, int8 only when it agrees."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from detector.analysis import Detector
from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS
from detector.manifest import Bands, Calibration
from tests.images import plain_image
from tests.models import TINY_MANIFEST, write_tiny_model
from training import release
from training.calibrate import fit_bands, fit_calibration
from training.model import ResNet50Detector
from training.quantize import Comparison
from training.recipes import NetworkSpec, Phase, Recipe
from training.records import Record, write_records
from training.release import MODEL_NAME, REPORT_NAME, _compare, _fit_and_score, main
from training.scoring import score_records
from training.train import BEST, Run


def _records(folder: Path, split: str, n: int) -> list[Record]:
    """Dark photographs and bright AI images."""
    rng = np.random.default_rng(len(split))
    records = []
    for label, centre in ((0, 70), (1, 180)):
        for i, grey in enumerate(rng.normal(centre, 25, n).clip(0, 255).astype(int)):
            path = folder / f"{split}_{label}_{i}.png"
            path.write_bytes(plain_image("PNG", (230, 230), int(grey)))
            name = "brightness" if label else "real"
            records.append(
                Record(
                    path=path, label=label, generator=name, family=name, source="s", group=path.name, split=split
                )
            )  # fmt: skip
    return records


@pytest.fixture
def splits(tmp_path: Path) -> tuple[list[Record], list[Record]]:
    return _records(tmp_path, "val", 120), _records(tmp_path, "test", 30)


def test_bands_come_from_validation_and_the_gate_sees_both(
    tmp_path: Path, splits: tuple[list[Record], list[Record]]
) -> None:
    """The manifest gets what was fitted; each image of both splits is scored, in order."""
    draft = dataclasses.replace(
        TINY_MANIFEST, calibration=Calibration(1.0, 0.0), bands=Bands(0.5, 0.5)
    )
    path = write_tiny_model(tmp_path / "model.onnx", draft)
    scores = _fit_and_score(path, draft, *splits)
    fitted = OnnxClassifier.load(path).manifest

    assert [*splits[0], *splits[1]] == scores.records
    assert (300, len(CONDITIONS)) == scores.logits.shape
    assert fitted.calibration != draft.calibration
    assert fitted.bands != draft.bands
    assert 1.0 < fitted.calibration.slope


def test_a_graph_agrees_with_itself(
    tmp_path: Path, splits: tuple[list[Record], list[Record]]
) -> None:
    """No change and full agreement; a graph with reversed scores does not pass."""
    path = write_tiny_model(tmp_path / "model.onnx")
    scores = _fit_and_score(path, TINY_MANIFEST, *splits)
    same = _compare("int8", path, scores, path, scores)
    reversed_scores = dataclasses.replace(scores, logits=-scores.logits)

    assert (1.0, {0.0}) == (same.agreement, set(same.auroc_change.values()))
    assert same.passed
    assert not _compare("int8", path, scores, path, reversed_scores).passed


def _checkpoint(out: Path, *, whole_images: bool = False) -> Path:
    """Of a network of one stage that has learned nothing, as a run keeps its best weights."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"brightness": 1.0})
    recipe = Recipe(
        name="brief", phases=(phase,), network=NetworkSpec(stages=(1,)), whole_images=whole_images
    )
    torch.manual_seed(0)
    Run(ResNet50Detector(recipe.network), recipe, out, device="cpu").save_best({"mean": 0.5})
    return out / BEST


def _release(checkpoint: Path, data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["release", "--checkpoint", str(checkpoint), "--version", "2026.1.1"]
    monkeypatch.setattr("sys.argv", [*command, "--data", str(data), "--out", str(out)])
    main()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few photographs bound the rate, clips last a second, few images are checked, no browser draws graphics."""
    monkeypatch.setattr("training.calibrate.MAX_FALSE_POSITIVE_RATE", 0.5)
    monkeypatch.setattr("training.footage.SECONDS", 1)
    monkeypatch.setattr("training.checks.IMAGES_PER_CLASS", 1)
    monkeypatch.setattr("training.checks.EXPLAINED_IMAGES", 1)
    monkeypatch.setattr("training.suitability.render_graphics", lambda *_args, **_more: [])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Photographs and AI images of each split, of val and test also a pair and a broken file."""
    folder = tmp_path / "data"
    (folder / "pairs").mkdir(parents=True)
    records = _records(folder, "train", 1)
    for split, n in (("val", 5), ("test", 3)):
        own = _records(folder, split, n)
        broken = dataclasses.replace(own[0], path=folder / f"{split}_broken.png")
        broken.path.write_bytes(b"\x89PNG\r\n\x1a\n broken")
        pair = [
            dataclasses.replace(record, pair="p") for record in _records(folder / "pairs", split, 1)
        ]
        records += [broken, *own, *pair]
    write_records(folder, records)
    return folder


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("passes", "tried", "ships"),
    [
        ("int8-weights", ["int8", "int8-weights"], "int8-weights"),
        ("none", ["int8", "int8-weights", "half-weights"], "fp32"),
    ],
)
def test_what_ships(
    passes: str,
    tried: list[str],
    ships: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first graph that passes, else fp32; fitted on val, measured on test, without pairs and broken files."""
    monkeypatch.setattr(
        release,
        "_compare",
        lambda name, *_: Comparison(name, {"brightness/clean": 0.0}, float(name == passes)),
    )
    out = tmp_path / "out"
    _release(_checkpoint(tmp_path), data, out, monkeypatch)
    said = capsys.readouterr().out
    manifest = Detector.load(out / MODEL_NAME, out / REPORT_NAME).manifest
    report = json.loads((out / REPORT_NAME).read_text("utf-8"))

    assert (ships, ("brightness",), "2026.1.1") == (
        manifest.precision,
        manifest.trained_on,
        manifest.version,
    )
    assert f"shipped {ships}" in said
    assert [(name, name == ships) for name in tried] == [
        (row["precision"], row["passed"]) for row in report["quantisation"]
    ]

    digest = hashlib.sha256((out / MODEL_NAME).read_bytes()).hexdigest()
    assert (digest, ships) == (report["model"]["weights_sha256"], report["model"]["precision"])
    assert manifest.evaluation_id == report["id"]
    assert {"video", "stability", "suitability", "explanation"} <= set(report)

    assert "could not decode val_broken.png" in said
    for unreadable in (report["data"]["unreadable"], report["video"]["unreadable"]):
        assert ["test_broken.png"] == [failure.split(":")[0] for failure in unreadable]
    assert (6, 10 + 1) == (report["data"]["n_images"], report["quantisation"][0]["n_images"])
    assert (3, 3) == (report["video"]["all"]["n_real"], report["video"]["all"]["n_ai"])

    validation = _records(tmp_path, "val", 5)
    scores = score_records(OnnxClassifier.load(out / MODEL_NAME), validation, CONDITIONS)
    assert fit_calibration(scores).slope == pytest.approx(manifest.calibration.slope, rel=1e-3)
    assert fit_calibration(scores).bias == pytest.approx(manifest.calibration.bias, rel=1e-3)
    high = fit_bands(scores, manifest.calibration).high
    assert high == pytest.approx(manifest.bands.high, abs=1e-3)


def test_what_saw_whole_images_does_not_ship(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Serving would show it crops. One sentence, status 2, and nothing is written."""
    checkpoint = _checkpoint(tmp_path, whole_images=True)
    with pytest.raises(SystemExit, match="2"):
        _release(checkpoint, data, tmp_path / "out", monkeypatch)

    assert "was trained on resized images" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
