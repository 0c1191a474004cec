"""What a process of its own costs: `python -m benchmarks.fresh MEGAPIXELS` prints it as JSON."""

import json
import sys
import time
from pathlib import Path

from benchmarks.pictures import picture


def main() -> None:
    """Import, load, answer; then the most memory that this took."""
    data = picture(int(sys.argv[1]))
    at_start = peak_mib()
    started = time.perf_counter()
    from detector.analysis import Detector

    imported = time.perf_counter()
    detector = Detector.load()
    loaded = time.perf_counter()
    detector.analyze_image(data, heatmap=True)
    answered = time.perf_counter()
    values = {
        "import_ms": (imported - started) * 1000,
        "load_ms": (loaded - imported) * 1000,
        "first_answer_ms": (answered - loaded) * 1000,
        "peak_mib": peak_mib(),
        "peak_before_mib": at_start,
    }
    print(json.dumps(values))


def peak_mib() -> float:
    """The most memory this process has had, in MiB; what a parent had before it started does not count."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
