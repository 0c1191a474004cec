"""Where the network's time goes, operator by operator: `python -m benchmarks.operators` prints it as JSON."""

import importlib.util
import json
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.engine import crops_scored
from benchmarks.pictures import picture
from detector.analysis import MODEL_PATH, Detector
from detector.classifier import SLOWER_OPTIMIZERS

RUNS = 5
"""After one that is not counted."""


def main() -> None:
    """Profile the shipped graph and the yardstick's network on the crops of one image of 1 Mpx."""
    detector = Detector.load()
    crops_NHWC = np.concatenate(crops_scored(detector, picture(1)))
    values: dict[str, object] = {
        "crops": len(crops_NHWC),
        "onnxruntime_ms": onnxruntime_operators(crops_NHWC),
    }
    if importlib.util.find_spec("torch") is not None:
        values["torch_ms"] = torch_operators(detector, crops_NHWC)
    print(json.dumps(values))


def onnxruntime_operators(crops_NHWC: np.ndarray) -> dict[str, float]:
    """Milliseconds of each kind of operator in one run of the shipped graph, by onnxruntime's profiler."""
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            MODEL_PATH,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=SLOWER_OPTIMIZERS,
        )
        for _ in range(RUNS + 1):
            session.run(["logit", "cam"], {"crops": crops_NHWC})
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    spent: dict[str, list[float]] = {}
    for event in events:
        if event["cat"] == "Node" and "op_name" in event["args"]:
            spent.setdefault(f"{event['args']['op_name']} {event['name']}", []).append(event["dur"])
    operators: dict[str, float] = {}
    for name, microseconds in spent.items():
        kind = name.split()[0]
        operators[kind] = operators.get(kind, 0) + sum(microseconds[1:]) / RUNS / 1000
    return _longest_first(operators)


def torch_operators(detector: Detector, crops_NHWC: np.ndarray) -> dict[str, float]:
    """The same of the yardstick's network, by torch's profiler."""
    from torch.profiler import ProfilerActivity, profile

    from benchmarks.torch_service import TorchClassifier

    classifier = TorchClassifier(detector.manifest)
    classifier.logits(crops_NHWC)
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(RUNS):
            classifier.logits(crops_NHWC)
    return _longest_first(
        {
            each.key.removeprefix("aten::"): each.self_cpu_time_total / RUNS / 1000
            for each in profiled.key_averages()
        }
    )


def _longest_first(operators: dict[str, float]) -> dict[str, float]:
    return dict(sorted(operators.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    main()
