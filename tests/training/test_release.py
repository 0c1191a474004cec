"""What ships: fitted on val, measured on test, int8 only when it agrees."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS
from detector.manifest import Bands, Calibration
from tests.images import plain_image
from tests.models import TINY_MANIFEST, write_tiny_model
from training.records import Record
from training.release import _compare, _fit_and_score


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
