"""Measures what Lambda would bill: `python -m tests.container.billed --out benchmarks/billed.json`.

The built image answers the same photograph again and again, with the memory and the share of the processors that
Lambda gives. Of the billed durations that the Runtime Interface Emulator reports, the least counts: other
work on the machine only ever adds to them. The processor time of the same requests is kept beside them.
"""

import argparse
import datetime as dt
import io
import json
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from skimage import data

from tests.container.functions import API, CORE_MB, Function, build, docker, running

MEMORY_MB = (CORE_MB, 3008)
SIDES = {"512 x 512": 512, "12 megapixels": 3464}
ROUNDS = 12


def main(arguments: Sequence[str] | None = None) -> None:
    """Takes some minutes, and a Docker engine."""
    parser = argparse.ArgumentParser(prog="python -m tests.container.billed", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    image = build()
    measured = [row for memory_mb in MEMORY_MB for row in rows(image, memory_mb)]
    values = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "how": f"least Billed Duration of {ROUNDS} warm requests, by AWS's Runtime Interface Emulator, of the "
        "built image with Lambda's memory and share of the processors; cpu_ms is the median processor time "
        "of the same requests. On a busy machine, durations are "
        "too long rather than too short. Lambda's own processors may be slower or faster",
        "processor": processor(),
        "measured": measured,
    }
    options.out.write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def rows(image: str, memory_mb: int) -> list[dict[str, Any]]:
    """One for each photograph."""
    with running(image, API, memory_mb=memory_mb, timeout_seconds=300) as function:
        return [row(function, memory_mb, name, side) for name, side in SIDES.items()]


def row(function: Function, memory_mb: int, name: str, side: int) -> dict[str, Any]:
    photo = photograph(side)
    function.detect(photo)
    billed, used = [], []
    for _ in range(ROUNDS):
        before = processor_ms(function)
        answer = function.detect(photo)
        assert 200 == answer.status_code, answer.text
        used.append(processor_ms(function) - before)
        billed.append(function.billed_ms)
    return {
        "photograph": name,
        "memory_mb": memory_mb,
        "billed_ms": round(min(billed)),
        "cpu_ms": round(statistics.median(used)),
    }


def photograph(side: int) -> bytes:
    """The one that scikit-image ships, enlarged."""
    buffer = io.BytesIO()
    Image.fromarray(data.astronaut()).resize((side, side)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def processor_ms(function: Function) -> float:
    """What the container has used so far, as either version of control groups counts it."""
    show = "cat /sys/fs/cgroup/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpuacct/cpuacct.usage"
    first, *rest = docker("exec", function.container, "sh", "-c", show).stdout.split()
    return int(rest[0]) / 1e3 if rest else int(first) / 1e6


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


if __name__ == "__main__":
    main()
