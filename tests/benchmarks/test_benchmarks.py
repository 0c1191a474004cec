"""The measuring itself measures what it says."""

import io
import itertools
import time
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import table, targets
from benchmarks.engine import crops_scored
from benchmarks.load import crowd
from benchmarks.operators import onnxruntime_operators
from benchmarks.pictures import MEGAPIXELS, picture
from benchmarks.turns import in_turns
from detector.analysis import Detector


def test_pictures_have_their_size() -> None:
    """1 Mpx is one million pixels, and the same bytes each time."""
    data = picture(1)

    assert MEGAPIXELS[1] == Image.open(io.BytesIO(data)).size
    assert data == picture(1)
    assert all(abs(w * h / 1e6 - size) < 0.3 for size, (w, h) in MEGAPIXELS.items())


def test_turns_are_counted_without_the_first() -> None:
    """Each way runs once more than it is measured, and the slower one is slower."""
    calls: list[str] = []

    def slow() -> None:
        calls.append("slow")
        time.sleep(0.02)

    seconds = in_turns({"slow": slow, "fast": lambda: calls.append("fast")}, rounds=3)

    assert (4, 4) == (calls.count("slow"), calls.count("fast"))
    assert seconds["slow"] > 0.019 > seconds["fast"]


def test_a_crowd_counts_answers_and_errors() -> None:
    """Every call is one or the other; the first of each caller is neither."""
    calls = itertools.count()

    def call() -> None:
        time.sleep(0.001)
        if next(calls) % 3 == 2:
            raise httpx.ReadError("broken")

    tally = crowd(lambda: call, 1, seconds=0.2)

    assert tally.errors > 0
    assert next(calls) == 1 + tally.errors + len(tally.latencies)
    assert tally.per_second == pytest.approx(len(tally.latencies) / 0.2)
    assert tally.p95_ms >= 1


def test_the_crops_of_an_analysis_are_recorded(tiny_detector: Detector, photo_jpeg: bytes) -> None:
    """What the raw way scores is what the detector scored."""
    runs = crops_scored(tiny_detector, photo_jpeg)

    assert runs
    assert all(run.shape[1:] == (224, 224, 3) for run in runs)


@pytest.mark.model
def test_most_of_the_time_goes_into_convolutions() -> None:
    """Of the shipped graph; the operator that takes longest comes first."""
    operators = onnxruntime_operators(np.zeros((1, 224, 224, 3), np.uint8))
    convolutions = sum(ms for name, ms in operators.items() if name in {"QLinearConv", "Conv"})

    assert convolutions > sum(operators.values()) / 2
    assert max(operators.values()) == next(iter(operators.values()))


def test_a_soak_is_told_in_full() -> None:
    """Throughput, the slowest answers, errors and memory; a target that was missed says so."""
    soak = {
        "seconds": 600.0,
        "in_process_per_second": 4.0,
        "per_second": 3.6,
        "share_of_in_process": 0.9,
        "p95_ms": 3000.0,
        "errors": 0,
        "first_mib": 800.0,
        "last_mib": 880.0,
        "growth": 1.1,
    }
    results: dict[str, Any] = {"soak": soak, "targets": targets({"soak": soak})}
    told = table(results)

    assert [True, False, True] == [row["met"] for row in results["targets"]]
    assert "8 clients for 600 s: 3.6 images per second, p95 3000 ms, 0 errors" in told
    assert "memory 800 MiB in the first tenth, 880 MiB in the last" in told
