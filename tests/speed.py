"""How fast this machine is, so that limits in seconds ask the same of a slower one."""

import statistics
import time

import numpy as np
import onnxruntime

from detector.analysis import MODEL_PATH

CROPS = 18
REFERENCE_SECONDS = 0.56
"""What CROPS took on the two cores, with AVX-512, on which the limits were set (`benchmarks/measured.json`)."""


def slowness() -> float:
    """How many times longer the shipped model takes here than there, at least 1; the median of five runs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(MODEL_PATH, options)
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, 224, 224, 3), dtype=np.uint8)
    seconds = []
    for _ in range(6):
        started = time.perf_counter()
        session.run(None, {"crops": crops})
        seconds.append(time.perf_counter() - started)
    return max(1.0, statistics.median(seconds[1:]) / REFERENCE_SECONDS)
