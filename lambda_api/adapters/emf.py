"""Metrics as lines of CloudWatch's embedded metric format, which the function's log turns into metrics."""

import json
import sys
import time
from collections.abc import Mapping
from typing import TextIO

NAMESPACE = "Asli"

_TIMES = {"Latency", "AnalysisTime"}


class EmfMetrics:
    """Writes one line per event; nothing has to be sent or kept."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        values = {
            "Requests": 1,
            "ClientErrors": int(400 <= status < 500),
            "ServerErrors": int(status >= 500),
            "Latency": round(seconds * 1000, 1),
        }
        self._write(values, {"Route": f"{method} {route}"})

    def analysed(self, verdict: str, seconds: float) -> None:
        values = {"Analyses": 1, "AnalysisTime": round(seconds * 1000, 1)}
        self._write(values, {"Verdict": verdict})

    def refused(self, code: str) -> None:
        self._write({"RefusedFiles": 1}, {"Code": code})

    def _write(self, values: Mapping[str, float], dimensions: Mapping[str, str]) -> None:
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [[], list(dimensions)],
            "Metrics": [
                {"Name": name, "Unit": "Milliseconds" if name in _TIMES else "Count"}
                for name in values
            ],
        }
        line = {
            "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]},
            **dimensions,
            **values,
        }
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
