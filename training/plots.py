"""The curves of an evaluation report as SVG, for pages and documents.

    python -m training.plots --out FOLDER [--report REPORT.json]

Writes roc.svg, reliability.svg, confusion.svg and robustness.svg; what the report does not hold is named and
left out. The same report gives the same files, byte for byte, and their words are text.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detector.analysis import REPORT_PATH
from detector.errors import ModelLoadError
from detector.evaluation import EvaluationReport

Report = Mapping[str, Any]

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "asli",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.w_pad": 0.15,  # the reader's font may be wider than ours
}
COLOURS = {"clean": "#0b6e4f", "web": "#c2571a", "hard": "#5b3a8c"}
SETS = {"seen": "generators of the training", "unseen": "generators never seen"}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--report", type=Path, default=REPORT_PATH)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    try:
        report = EvaluationReport.load(args.report).values
    except ModelLoadError as error:
        parser.error(str(error))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, draw in PLOTS.items():
        path = args.out / f"{name}.svg"
        print(f"wrote {path}" if write_plot(report, draw, path) else f"the report has no {name}")


def write_plot(report: Report, draw: Callable[[Report, Axes], bool], path: Path) -> bool:
    """One figure as SVG. False, and no file, when the report does not hold it, as those before `curves`."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        figure = Figure(figsize=(5.2, 4.2), layout="constrained")
        drawn = draw(report, figure.add_subplot())
        if drawn:
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    return drawn


def draw_roc(report: Report, axes: Axes) -> bool:
    """Found AI images over flagged photographs, one line per condition; generators of the training."""
    curves = report.get("curves", [])
    if not curves:
        return False
    for curve in curves:
        name, roc = curve["condition"], curve["roc"]
        axes.plot(
            roc["false_positive_rate"],
            roc["true_positive_rate"],
            color=COLOURS.get(name),
            label=f"{name}, AUROC {_summary(report, 'seen', name)['auroc']:.3f}",
        )
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="photographs flagged", ylabel="AI images found", xlim=(0, 1), ylim=(0, 1.005))
    axes.legend(loc="lower right")
    return True


def draw_reliability(report: Report, axes: Axes) -> bool:
    """Share of AI images over the probability that was given; on the diagonal they agree."""
    curves = report.get("curves", [])
    if not curves:
        return False
    for curve in curves:
        name = curve["condition"]
        axes.plot(
            [b["mean_probability"] for b in curve["reliability"]],
            [b["share_ai"] for b in curve["reliability"]],
            color=COLOURS.get(name),
            marker="o",
            markersize=4,
            label=f"{name}, ECE {_summary(report, 'seen', name)['ece']:.3f}",
        )
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="probability given",
        ylabel="share of AI images",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    axes.legend(loc="upper left")
    return True


def draw_confusion(report: Report, axes: Axes) -> bool:
    """Counts at the shipped threshold, clean; generators of the training."""
    counts = _summary(report, "seen", "clean").get("confusion")
    if counts is None:
        return False
    classes = ("photo", "ai")
    rows = [[counts[f"{true}_{taken}"] for taken in classes] for true in classes]
    shares = [[n / max(sum(row), 1) for n in row] for row in rows]
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1)
    for y, row in enumerate(rows):
        for x, n in enumerate(row):
            colour = "white" if shares[y][x] > 0.5 else "black"
            axes.text(x, y, f"{n}\n{shares[y][x]:.1%}", ha="center", va="center", color=colour)
    axes.set(
        xticks=(0, 1),
        xticklabels=("not flagged", "flagged"),
        yticks=(0, 1),
        yticklabels=("photographs", "AI images"),
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return True


def draw_robustness(report: Report, axes: Axes) -> bool:
    """AUROC after each alteration that was measured, or at least after the published re-saves."""
    rows = report.get("robustness", report)["summary"]
    conditions = list(dict.fromkeys(row["condition"] for row in rows))
    for name, colour in zip(SETS, COLOURS.values(), strict=False):
        values = {row["condition"]: row["auroc"] for row in rows if row["set"] == name}
        if any(value is not None for value in values.values()):
            heights = [float("nan") if values[c] is None else values[c] for c in conditions]
            axes.plot(conditions, heights, color=colour, marker="o", label=SETS[name])
    axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.set(ylabel="AUROC", ylim=(0.4, 1.005))
    axes.tick_params(axis="x", labelrotation=35)
    if not axes.get_legend_handles_labels()[0]:
        return False
    axes.legend(loc="best")
    return True


def _summary(report: Report, name: str, condition: str) -> dict[str, Any]:
    return next(
        (r for r in report["summary"] if (r["set"], r["condition"]) == (name, condition)), {}
    )


PLOTS: dict[str, Callable[[Report, Axes], bool]] = {
    "roc": draw_roc,
    "reliability": draw_reliability,
    "confusion": draw_confusion,
    "robustness": draw_robustness,
}


if __name__ == "__main__":
    main()
