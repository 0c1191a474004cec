"""What a process of its own costs: `python -m benchmarks.fresh MEGAPIXELS` prints it as JSON."""

import json
import resource
import sys
import time

from benchmarks.pictures import picture


def main() -> None:
    """Import, load, answer; then the most memory that this took."""
    data = picture(int(sys.argv[1]))
    at_start = _peak_mib()
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
        "peak_mib": _peak_mib(),
        "peak_before_mib": at_start,
    }
    print(json.dumps(values))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
