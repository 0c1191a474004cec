"""Tests of what only training needs are collected only where torch and ncnn are installed; images to train on."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.records import Record

WITH_TORCH = {
    "test_candidate.py",
    "test_compare.py",
    "test_dataset.py",
    "test_decoders.py",
    "test_distributed.py",
    "test_emulation.py",
    "test_export.py",
    "test_leak_runs.py",
    "test_leave_one_out.py",
    "test_model.py",
    "test_probe.py",
    "test_refit.py",
    "test_release.py",
    "test_restore.py",
    "test_shards.py",
    "test_super_resolution.py",
    "test_synthesize.py",
    "test_train.py",
}

_INSTALLED = all(importlib.util.find_spec(name) for name in ("torch", "ncnn"))
collect_ignore = [] if _INSTALLED else sorted(WITH_TORCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).name in WITH_TORCH and "training" in Path(item.path).parts:
            item.add_marker(pytest.mark.torch)


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    """Noise as photographs, smooth noise as AI images."""
    rng = np.random.default_rng(0)
    records = []
    for i in range(8):
        noise = Image.fromarray(rng.integers(0, 256, (120, 120, 3), dtype=np.uint8))
        for label, generator in ((0, "real"), (1, "vae")):
            image = noise.resize((30, 30)).resize((120, 120)) if label else noise
            path = tmp_path / f"{i}_{generator}.png"
            image.save(path)
            records.append(
                Record(
                    path=path, label=label, generator=generator, family="", source="s", group=str(i),
                    split="val" if i < 2 else "train", pair=str(i),
                )
            )  # fmt: skip
    return records
