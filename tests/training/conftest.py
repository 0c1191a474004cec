"""Tests of the modules that know torch are collected only where torch is installed."""

import importlib.util
from pathlib import Path

import pytest

WITH_TORCH = {
    "test_candidate.py",
    "test_compare.py",
    "test_dataset.py",
    "test_decoders.py",
    "test_distributed.py",
    "test_export.py",
    "test_leak_runs.py",
    "test_leave_one_out.py",
    "test_model.py",
    "test_probe.py",
    "test_refit.py",
    "test_release.py",
    "test_shards.py",
    "test_synthesize.py",
    "test_train.py",
}

collect_ignore = [] if importlib.util.find_spec("torch") else sorted(WITH_TORCH)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).name in WITH_TORCH and "training" in Path(item.path).parts:
            item.add_marker(pytest.mark.torch)
