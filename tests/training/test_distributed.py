"""The same script on two processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import resnet50

from training.model import from_checkpoint
from training.recipes import smoke
from training.records import read_records
from training.train import BEST, CHECKPOINT, conditions_of, evaluate, validation_records

ROOT = Path(__file__).parents[2]
WORDS = ["path", "label", "generator", "family", "source", "group_id", "split"]


def _write_data(folder: Path) -> None:
    """Noise as photographs and smooth noise as portraits, five of each in train and three in val."""
    rng = np.random.default_rng(0)
    rows = [",".join(WORDS)]
    for i in range(8):
        for label, generator in ((0, "real"), (1, "stylegan")):
            noise = Image.fromarray(rng.integers(0, 256, (120, 120, 3), dtype=np.uint8))
            image = noise.resize((40, 40)).resize((120, 120)) if label and i % 2 else noise
            image.save(folder / f"{i}_{label}.png")
            split = "val" if i < 3 else "train"
            rows.append(f"{i}_{label}.png,{label},{generator},x,s,{i}_{label},{split}")
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")


@pytest.mark.slow
def test_two_processes_train_one_network_and_measure_it_as_one_does(tmp_path: Path) -> None:
    """They share pairs and images; the figures are those of one process on the same weights."""
    data, out, weights = tmp_path / "data", tmp_path / "run", tmp_path / "imagenet.pt"
    data.mkdir()
    _write_data(data)
    torch.manual_seed(0)
    torch.save(resnet50().state_dict(), weights)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"),
            *("-m", "training.train", "--recipe", "smoke", "--device", "cpu", "--workers", "0"),
            *("--data", str(data), "--out", str(out), "--imagenet", str(weights)),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    assert 1 == done.stdout.count("finished")
    assert smoke().steps == torch.load(out / CHECKPOINT, weights_only=True)["step"]

    figures = torch.load(out / BEST, weights_only=True)["validation"]
    validation = validation_records(read_records(data), smoke())
    again = evaluate(
        from_checkpoint(out / BEST).model,
        validation,
        device="cpu",
        conditions=conditions_of(smoke()),
    )
    assert 6 == len(validation)
    assert again == pytest.approx(figures, abs=1e-6)
