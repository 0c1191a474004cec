"""How fast this machine is, so that limits in seconds ask the same of a slower one."""

import numpy as np
import onnxruntime

from benchmarks.turns import in_turns
from detector.analysis import MODEL_PATH

CROPS = 18
REFERENCE_SECONDS = 0.56
"""What CROPS took on the machine of `benchmarks/measured.json`, by its `operators`."""


def slowness() -> float:
    """How many times longer the shipped graph takes here than there, at least 1; the median of five runs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(MODEL_PATH, options)
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, 224, 224, 3), dtype=np.uint8)
    ways = {"score": lambda: session.run(None, {"crops": crops})}
    return max(1.0, in_turns(ways, rounds=5)["score"] / REFERENCE_SECONDS)
