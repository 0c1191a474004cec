"""`python -m benchmarks --out build/bench.json`: measures everything and prints the table of the README."""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, median
from typing import Any

import onnxruntime

from benchmarks.engine import measure_engine, measure_resaves
from benchmarks.load import Tally, crowd, http_caller
from benchmarks.pictures import MEGAPIXELS, picture
from benchmarks.servers import ROOT, server_process, torch_service
from benchmarks.turns import in_turns
from detector.analysis import Detector
from tests.serving import running_service

CLIENTS = (1, 2, 4, 8)
PLACES = 2
"""Analyses at once, in the service and in this process alike."""

ENGINE, RESAVES, HTTP, THROUGHPUT, TORCH, MEMORY = 1.25, 2.5, 1.15, 0.85, 4.0, 1.05
"""Targets: at most, at most, at most, at least, at least, at most."""
LARGEST_SHARES = 5
"""Of the operators of a network, so many are named in the table."""

SERVICE = {"ASLI_MAX_CONCURRENT_ANALYSES": str(PLACES), "ASLI_MAX_WAIT_SECONDS": "60"}


def main() -> None:
    """Measure, write JSON, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each pair (%(default)s)")
    parser.add_argument("--seconds", type=float, default=8, help="of each load (%(default)s)")
    parser.add_argument(
        "--soak", type=float, metavar="SECONDS", help="only 8 clients, for so long: is memory flat?"
    )
    options = parser.parse_args()
    detector, data = Detector.load(), picture(1)
    with tempfile.TemporaryDirectory() as work, running_service(Path(work), SERVICE) as url:
        if options.soak:
            results = {
                "machine": machine(detector),
                "soak": soak(detector, url, data, options.soak),
            }
        else:
            results = measure(detector, url, data, options)
    results["targets"] = targets(results)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(table(results))
    print(f"\nAll figures: {options.out}", file=sys.stderr)


def measure(
    detector: Detector, url: str, data: bytes, options: argparse.Namespace
) -> dict[str, Any]:
    """Everything but the soak; ends within five minutes on two cores."""
    return {
        "machine": machine(detector),
        "engine": measure_engine(detector, data, rounds=options.rounds),
        "resaves": measure_resaves(detector, rounds=options.rounds),
        "http": measure_http(detector, url, data, rounds=options.rounds),
        "throughput": measure_throughput(detector, url, data, seconds=options.seconds),
        "torch": measure_torch(url, data, rounds=max(5, options.rounds // 2)),
        "operators": in_new_process("operators"),
        "start": measure_start(),
        "memory": {
            f"{size}_mpx": in_new_process("fresh", str(size))["peak_mib"] for size in MEGAPIXELS
        },
    }


def machine(detector: Detector) -> dict[str, object]:
    """What the figures belong to."""
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "model": detector.model.id,
        "precision": detector.manifest.precision,
        "measured_at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "load_before": os.getloadavg()[0],
    }


def measure_http(detector: Detector, url: str, data: bytes, *, rounds: int) -> dict[str, float]:
    """One caller over HTTP against the detector in this process, both with heatmap."""
    seconds = in_turns(
        {
            "engine": lambda: detector.analyze_image(data, heatmap=True),
            "http": http_caller(url, data)(),
        },
        rounds=rounds,
    )
    return {
        "http_ms": seconds["http"] * 1000,
        "engine_ms": seconds["engine"] * 1000,
        "ratio": seconds["http"] / seconds["engine"],
    }


def measure_throughput(
    detector: Detector, url: str, data: bytes, *, seconds: float
) -> dict[str, Any]:
    """Images per second with more and more clients, against as many threads as the service uses."""
    before = in_process(detector, data, seconds)
    over_http = {count: crowd(http_caller(url, data), count, seconds=seconds) for count in CLIENTS}
    after = in_process(detector, data, seconds)
    here = fmean([before.per_second, after.per_second])
    return {
        "in_process_per_second": here,
        "clients": {str(count): _of(tally, here) for count, tally in over_http.items()},
    }


def in_process(detector: Detector, data: bytes, seconds: float) -> Tally:
    """The detector called without any service."""
    return crowd(
        lambda: lambda: detector.analyze_image(data, heatmap=True), PLACES, seconds=seconds
    )


def _of(tally: Tally, in_process_per_second: float) -> dict[str, float]:
    return {
        "per_second": tally.per_second,
        "share_of_in_process": tally.per_second / in_process_per_second,
        "p95_ms": tally.p95_ms,
        "errors": tally.errors,
    }


def measure_torch(url: str, data: bytes, *, rounds: int) -> dict[str, float] | None:
    """Our service against a plain one of FastAPI and torch; None where torch is not installed."""
    with torch_service() as torch_url:
        if torch_url is None:
            return None
        seconds = in_turns(
            {"ours": http_caller(url, data)(), "torch": http_caller(torch_url, data)()},
            rounds=rounds,
        )
    return {
        "torch_ms": seconds["torch"] * 1000,
        "ours_ms": seconds["ours"] * 1000,
        "ratio": seconds["torch"] / seconds["ours"],
    }


def measure_start() -> dict[str, float]:
    """Medians of three new processes."""
    processes = [in_new_process("fresh", "1") for _ in range(3)]
    return {
        name: median(process[name] for process in processes)
        for name in ("import_ms", "load_ms", "first_answer_ms")
    }


def in_new_process(module: str, *arguments: str) -> dict[str, Any]:
    """What a module of this package prints when it has a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def soak(detector: Detector, url: str, data: bytes, seconds: float) -> dict[str, float]:
    """Eight clients for a long time. The first and the last tenth of the memory's samples are compared."""
    here = in_process(detector, data, min(30, seconds / 4)).per_second
    process, samples, ends = server_process(), [], threading.Event()

    def watch() -> None:
        while not ends.wait(1):
            samples.append(process.memory_info().rss / 2**20)

    crowd(http_caller(url, data), 8, seconds=min(30, seconds / 10))  # warm-up
    watcher = threading.Thread(target=watch)
    watcher.start()
    tally = crowd(http_caller(url, data), 8, seconds=seconds)
    ends.set()
    watcher.join()
    tenth = max(1, len(samples) // 10)
    first, last = fmean(samples[:tenth]), fmean(samples[-tenth:])
    return {
        "seconds": seconds,
        "in_process_per_second": here,
        **_of(tally, here),
        "first_mib": first,
        "last_mib": last,
        "growth": last / first,
    }


def targets(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each target that was measured, with its value and whether it is met."""
    rows: list[tuple[str, float, float, bool]] = []

    def at_most(name: str, value: float, most: float) -> None:
        rows.append((name, value, most, value <= most))

    def at_least(name: str, value: float, least: float) -> None:
        rows.append((name, value, least, value >= least))

    if "soak" in results:
        values = results["soak"]
        at_least("8 clients ÷ in-process", values["share_of_in_process"], THROUGHPUT)
        at_most("memory, end ÷ start", values["growth"], MEMORY)
        at_most("errors", values["errors"], 0)
    else:
        eight = results["throughput"]["clients"]["8"]
        at_most("detector ÷ (decode + raw onnxruntime)", results["engine"]["ratio"], ENGINE)
        for side, ratio in results["resaves"].items():
            at_most(f"with ÷ without re-saves, {side} px", ratio, RESAVES)
        at_most("HTTP ÷ detector", results["http"]["ratio"], HTTP)
        at_least("8 clients ÷ in-process", eight["share_of_in_process"], THROUGHPUT)
        at_most(
            "errors", sum(each["errors"] for each in results["throughput"]["clients"].values()), 0
        )
        if results["torch"] is not None:
            at_least("FastAPI + torch ÷ ours", results["torch"]["ratio"], TORCH)
    return [
        {"name": name, "value": value, "target": target, "met": met}
        for name, value, target, met in rows
    ]


def target_table(results: Mapping[str, Any]) -> str:
    """The targets, as the README quotes them from measured.json."""
    return "\n".join(
        [
            "| measured | value | target | met |",
            "|---|---|---|---|",
            *(
                f"| {row['name']} | {row['value']:.2f} | {row['target']:.2f} | {'yes' if row['met'] else 'no'} |"
                for row in results["targets"]
            ),
        ]
    )


def table(results: Mapping[str, Any]) -> str:
    """For people, as Markdown."""
    lines = [target_table(results)]
    if "soak" in results:
        return "\n".join([*lines, "", _soak_in_words(results["soak"])])
    if results["torch"] is None:
        lines.append("| FastAPI + torch ÷ ours | torch is not installed | 4.00 | no |")
    engine, start = results["engine"], results["start"]
    steps = ", ".join(f"{name} {ms:.0f}" for name, ms in engine["steps_ms"].items())
    lines += ["", f"One image of 1 Mpx takes the detector {engine['engine_ms']:.0f} ms ({steps})."]
    lines += [
        f"{count} clients: {_answers(each)}"
        for count, each in results["throughput"]["clients"].items()
    ]
    lines += _operators_in_words(results["operators"])
    phases = [f"{name.removesuffix('_ms')} {ms:.0f} ms" for name, ms in start.items()]
    peaks = [f"{size} {mib:.0f} MiB" for size, mib in results["memory"].items()]
    lines += [f"Start: {', '.join(phases)}", f"Peak memory: {', '.join(peaks)}"]
    return "\n".join(lines)


def _answers(load: Mapping[str, float]) -> str:
    return (
        f"{load['per_second']:.1f} images per second, p95 {load['p95_ms']:.0f} ms, "
        f"{load['errors']} errors"
    )


def _soak_in_words(soak: Mapping[str, float]) -> str:
    return (
        f"8 clients for {soak['seconds']:.0f} s: {_answers(soak)}; memory {soak['first_mib']:.0f} MiB "
        f"in the first tenth, {soak['last_mib']:.0f} MiB in the last"
    )


def _operators_in_words(operators: Mapping[str, Any]) -> list[str]:
    """Which operators the two networks spend their time in, on the same crops."""
    lines = []
    for runtime in ("onnxruntime", "torch"):
        spent = operators.get(f"{runtime}_ms")
        if spent is None:
            continue
        total = sum(spent.values())
        largest = list(spent.items())[:LARGEST_SHARES]
        shares = ", ".join(f"{name} {ms:.0f} ({ms / total:.0%})" for name, ms in largest)
        lines.append(f"{operators['crops']} crops in {runtime}: {total:.0f} ms: {shares}")
    return lines


if __name__ == "__main__":
    main()
