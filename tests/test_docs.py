"""The documents say what is so."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import target_table
from detector.analysis import REPORT_PATH

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "training/README.md",
    ROOT / "docs/operations.md",
]
CONDITIONS = ("clean", "web", "hard")
CRITERIA = {
    "1.1": [1],
    "1.2": [1, 2, 3, 4, 5],
    "1.3": [1, 2, 3, 4, 5],
    "1.4": [1, 2, 3, 4, 5, 10, 11, 12, 13],
    "2.1": [1, 2, 4],
    "2.2": [1, 2],
    "2.3": [1],
    "2.4": [1, 2, 3, 4, 5, 6, 7, 11],
    "2.5": [1, 2, 3, 4, 7, 8],
    "3.1": [1, 2],
    "3.2": [1, 2, 3, 4, 6],
    "3.3": [1, 2, 3, 4, 7, 8],
    "4.1": [2, 3],
}
"""Of WCAG 2.2, at the levels A and AA."""


def figures(report: dict[str, Any]) -> str:
    """The README's table, made from the shipped report."""
    summary = {(row["set"], row["condition"]): row for row in report["summary"]}
    errors = [report["expected_errors"][name] for name in CONDITIONS]
    seen, unseen = ([summary[kind, name] for name in CONDITIONS] for kind in ("seen", "unseen"))
    never_met = [
        tuple(
            sum(row[key] for row in report["unseen_photographs"] if row["condition"] == name)
            for key in ("likely_ai", "n")
        )
        for name in CONDITIONS
    ]

    def line(title: str, values: list[str]) -> str:
        return f"| {title} | " + " | ".join(values) + " |"

    return "\n".join(
        [
            "| measured on images kept out of training | clean | web (768 px, JPEG 60) | hard (512 px, JPEG 40) |",
            "|---|---|---|---|",
            line(
                f"photographs flagged by mistake, of {errors[0]['n_real']:,}",
                [f"{row['false_positive_rate']:.1%}" for row in errors],
            ),
            line(
                f'photographs of two sources never met that got "signs found", of {never_met[0][1]:,}',
                [f"{flagged / n:.1%}" for flagged, n in never_met],
            ),
            line(
                f"AI images that showed no signs, of {errors[0]['n_ai']:,} from {report_generators(report)} generators",
                [f"{row['miss_rate']:.1%}" for row in errors],
            ),
            line(
                f"AUROC, mean over {len(seen[0]['generators'])} generators of the training",
                [f"{row['auroc']:.3f}" for row in seen],
            ),
            line(
                f"AUROC, mean over {len(unseen[0]['generators'])} generators never seen in training",
                [f"{row['auroc']:.3f}" for row in unseen],
            ),
            *(
                line(
                    f"... against {source.lower()}, never met either",
                    [
                        f"{row['auroc']:.3f}"
                        for name in CONDITIONS
                        for row in report["unseen_photographs"]
                        if (row["title"], row["condition"]) == (source, name)
                    ],
                )
                for source in dict.fromkeys(row["title"] for row in report["unseen_photographs"])
            ),
        ]
    )


def report_generators(report: dict[str, Any]) -> int:
    """How many generators were tested."""
    return len({row["generator"] for row in report["generators"]})


@pytest.mark.model
def test_the_readme_quotes_the_report() -> None:
    """Its table of figures is the one that the shipped report gives."""
    table = figures(json.loads(REPORT_PATH.read_text("utf-8")))

    assert table in (ROOT / "README.md").read_text("utf-8"), f"expected:\n{table}"


@pytest.mark.model
def test_the_training_guide_quotes_the_report() -> None:
    """What to expect of a release is what the shipped one gave."""
    report = json.loads(REPORT_PATH.read_text("utf-8"))
    summary = {(row["set"], row["condition"]): row for row in report["summary"]}
    rows = {
        kind: " | ".join(f"{summary[kind, name]['auroc']:.3f}" for name in CONDITIONS)
        for kind in ("seen", "unseen")
    }
    flagged = " | ".join(
        f"{report['expected_errors'][name]['false_positive_rate']:.1%}" for name in CONDITIONS
    )
    last = report["quantisation"][-1]
    moved = max(map(abs, last["auroc_change"].values()))
    text = (ROOT / "training/README.md").read_text("utf-8")

    known, unknown = (len(summary[kind, "clean"]["generators"]) for kind in ("seen", "unseen"))
    assert f"| AUROC, mean over {known} generators of the training | {rows['seen']} |" in text
    assert f"| AUROC, mean over {unknown} generators never seen | {rows['unseen']} |" in text
    assert f"| photographs flagged | {flagged} |" in text
    assert f"{last['agreement']:.1%} of the verdicts agree, and AUROC moves by {moved:.4f}" in text


def test_every_criterion_of_wcag_is_judged() -> None:
    """Each success criterion of WCAG 2.2 at the levels A and AA has its place in the table."""
    text = (ROOT / "docs/accessibility.md").read_text("utf-8")
    judged: set[str] = set()
    for row in re.findall(r"^\| (\d[^|]+)\|", text, re.MULTILINE):
        span = re.match(r"(\d\.\d)\.(\d) to \1\.(\d)", row)
        if span:
            judged |= {f"{span[1]}.{n}" for n in range(int(span[2]), int(span[3]) + 1)}
        else:
            judged.update(re.findall(r"\d\.\d\.\d+", row))

    assert {f"{chapter}.{n}" for chapter, ns in CRITERIA.items() for n in ns} == judged


def test_the_readme_quotes_the_benchmark() -> None:
    """Its table of speeds is the one that was measured last."""
    measured = json.loads((ROOT / "benchmarks/measured.json").read_text("utf-8"))
    table = target_table(measured)

    assert table in (ROOT / "README.md").read_text("utf-8"), f"expected:\n{table}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_command_exists(document: Path) -> None:
    """A reader can type what is written."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    used = set(
        re.findall(r"^(?:[A-Z]+=\S+ )?make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE)
    )

    assert used <= targets


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, ROOT / "detector/models/README.md"], ids=lambda path: path.name
)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files that a document points to exist."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text("utf-8"))

    assert [] == [link for link in links if not (document.parent / link).exists()]
