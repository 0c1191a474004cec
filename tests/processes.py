"""The command line in a process of its own, with what it costs."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

_PROGRAM = """
import json, re, sys, time
from pathlib import Path
from detector.cli import main
started = time.perf_counter()
status = main(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text("ascii"))[1]
print(json.dumps([int(peak) * 1024, time.process_time(), time.perf_counter() - started]))
sys.exit(status)
"""


@dataclass(frozen=True)
class Measured:
    """One analysis; the interpreter, the libraries and the model are included in its cost."""

    analysis: dict[str, Any]
    peak_bytes: int
    cpu_seconds: float
    """Of all threads together, which other programs on the machine do not change much."""
    seconds: float

    def __str__(self) -> str:
        return (
            f"peak memory {self.peak_bytes / 1e6:.0f} MB, "
            f"{self.cpu_seconds:.1f} s of processor time, {self.seconds:.1f} s"
        )


def measured_detect(path: Path) -> Measured:
    """`asli detect --json` on a file that can be analysed, with the shipped model."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "detect", "--json", str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    analysis, cost = map(json.loads, done.stdout.splitlines())
    return Measured(analysis, *cost)
