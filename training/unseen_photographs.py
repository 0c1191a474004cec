"""How often photographs that the model never met are flagged; added to a report. Needs no torch.

    python -m training.unseen_photographs --data FOLDER [--data FOLDER ...] [--ai FOLDER ...]
        --report REPORT.json [--model MODEL.onnx]

Photographs are those of the splits test and pool of the --data folders, from which nothing was learned, such as
`training.photographs` makes them. Each is judged as in service, with all its crops, the re-saves and the gate for
graphics, and by its score alone. The --ai folders give AI images of generators from which nothing was learned, of
the same splits; they are ranked against the photographs. From these folders other things may have been learned.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from detector.classifier import Classifier
from detector.conditions import CONDITIONS
from detector.labels import FAKE, REAL
from detector.verdict import Verdict
from training.checks import judge
from training.evaluate import held_out_records
from training.metrics import auroc, grouped_proportion
from training.records import Record, read_unmet
from training.report import rounded, title_of
from training.scoring import readable, score_records
from training.sections import described, load_measured, section_parser

Judged = tuple[float, dict[str, Verdict]]
"""What `checks.judge` says of one photograph in one condition."""


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    parser.add_argument(
        "--ai",
        type=Path,
        action="append",
        default=[],
        help="a folder whose AI images, of generators not learned, are ranked against the photographs",
    )
    args = parser.parse_args()
    try:
        # For what it refuses: `load_measured` reads them, too, and leaves out what cannot be decoded.
        read_unmet(args.data)
    except ValueError as error:
        parser.error(str(error))
    measured = load_measured(parser, args)
    photographs = [r for r in measured.records if r.label == REAL]
    if not photographs:
        parser.error("There are no photographs in these folders")
    images: list[Record] = []
    beside = None
    if args.ai:
        learned = measured.classifier.manifest.trained_on
        try:
            held_out = held_out_records(args.ai, learned)
        except ValueError as error:
            parser.error(str(error))
        images, unreadable = readable(
            [r for r in held_out if r.label == FAKE and r.generator not in learned]
        )
        if not images:
            parser.error("The --ai folders have no readable image of a generator not learned")
        beside = described(args.ai, images, unreadable)
    rows = measure_unseen(measured.classifier, photographs, images)
    measured.add({"unseen_photographs": rows}, beside)
    for row in rows:
        print(
            f"{row['title']}, {row['condition']}: {row['likely_ai']} of {row['n']} flagged "
            f"({row['likely_ai_rate']:.1%}), {row['likely_ai_by_score']} by the score alone"
        )
        if images:
            print(f"  AUROC of {row['n_ai']} AI images against them: {row['auroc']}")


def measure_unseen(
    classifier: Classifier, photographs: list[Record], images: list[Record]
) -> list[dict[str, Any]]:
    """One row for each source and condition, with the numbers of verdicts.

    The interval allows for photographs of one group, such as a maker, being alike. `auroc` is of the AI `images`
    against the row's photographs in the same condition, by the score alone, those that the gate sets aside included:
    the mean over the images' generators, and None where there are none.
    """
    judged: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    groups: dict[str, list[str]] = defaultdict(list)
    for record in track(photographs, description="judging"):
        groups[record.source].append(record.group)
        for condition in CONDITIONS:
            judged[record.source, condition.name].append(judge(classifier, record, condition))
    scores = score_records(classifier, images, CONDITIONS)
    probabilities = classifier.manifest.calibration.probability(scores.logits)
    ai = {
        generator: probabilities[scores.where(generator=generator)]
        for generator in sorted({r.generator for r in scores.records})
    }
    columns = {condition.name: column for column, condition in enumerate(CONDITIONS)}
    rows: list[dict[str, Any]] = rounded(
        [
            {
                **_row(source, condition, found, np.array(groups[source])),
                "generators": list(ai),
                "n_ai": len(scores.records),
                "auroc": _auroc_over_generators(
                    np.array([probability for probability, _ in found]),
                    [of_one[:, columns[condition]] for of_one in ai.values()],
                ),
            }
            for (source, condition), found in judged.items()
        ]
    )
    return rows


def _row(source: str, condition: str, judged: list[Judged], groups: np.ndarray) -> dict[str, Any]:
    served = [verdicts["both"] for _, verdicts in judged]
    by_score = [verdicts["none"] for _, verdicts in judged]
    flagged = np.array([verdict is Verdict.LIKELY_AI for verdict in served])
    return {
        "source": source.removeprefix("real_"),
        "title": title_of(source),
        "condition": condition,
        "n": len(served),
        **{verdict.value: served.count(verdict) for verdict in Verdict},
        "likely_ai_by_score": by_score.count(Verdict.LIKELY_AI),
        "likely_ai_rate": float(flagged.mean()),
        "ci95": grouped_proportion(flagged, groups),
        "n_groups": len(set(groups)),
    }


def _auroc_over_generators(photographs: np.ndarray, ai: list[np.ndarray]) -> float | None:
    """The mean over generators, each of which has an array of scores."""
    found = [
        auroc(
            np.repeat([REAL, FAKE], [len(photographs), len(images)]),
            np.concatenate([photographs, images]),
        )
        for images in ai
    ]
    return float(np.mean(found)) if found else None


if __name__ == "__main__":
    main()
