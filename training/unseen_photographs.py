"""How often photographs that the model never met are flagged; added to a report. Needs no torch.

    python -m training.unseen_photographs --data FOLDER [--data FOLDER ...] --report REPORT.json [--model MODEL.onnx]

Those of the splits test and pool of folders from which nothing was learned, such as `training.photographs` makes them.
Each photograph is judged as in service, with all its crops, the re-saves and the gate for graphics, and by its score
alone.
"""

from collections import defaultdict
from typing import Any

import numpy as np
from rich.progress import track

from detector.classifier import Classifier
from detector.conditions import CONDITIONS
from detector.labels import REAL
from detector.verdict import Verdict
from training.checks import verdicts_of
from training.metrics import grouped_proportion
from training.records import Record, read_records
from training.report import rounded, title_of
from training.sections import load_measured, section_parser


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    args = parser.parse_args()
    try:
        records = [r for folder in args.data for r in read_records(folder)]
    except ValueError as error:
        parser.error(str(error))
    if any(r.split in {"train", "val"} for r in records):
        parser.error("These folders have images to learn from; what is never met has none")
    measured = load_measured(parser, args)
    photographs = [r for r in measured.records if r.label == REAL]
    if not photographs:
        parser.error("There are no photographs in these folders")
    rows = measure_unseen(measured.classifier, photographs)
    measured.add({"unseen_photographs": rows})
    for row in rows:
        print(
            f"{row['title']}, {row['condition']}: {row['likely_ai']} of {row['n']} flagged "
            f"({row['likely_ai_rate']:.1%}), {row['likely_ai_by_score']} by the score alone"
        )


def measure_unseen(classifier: Classifier, photographs: list[Record]) -> list[dict[str, Any]]:
    """One row for each source and condition, with the numbers of verdicts.

    The interval allows for photographs of one group, such as a maker, being alike.
    """
    found: dict[tuple[str, str], list[dict[str, Verdict]]] = defaultdict(list)
    groups: dict[str, list[str]] = defaultdict(list)
    for record in track(photographs, description="judging"):
        groups[record.source].append(record.group)
        for condition in CONDITIONS:
            verdicts = dict(verdicts_of(classifier, record, condition))
            found[record.source, condition.name].append(verdicts)
    rows: list[dict[str, Any]] = rounded(
        [
            _row(source, condition, verdicts, np.array(groups[source]))
            for (source, condition), verdicts in found.items()
        ]
    )
    return rows


def _row(
    source: str, condition: str, verdicts: list[dict[str, Verdict]], groups: np.ndarray
) -> dict[str, Any]:
    served = [each["both"] for each in verdicts]
    flagged = np.array([verdict is Verdict.LIKELY_AI for verdict in served])
    return {
        "source": source.removeprefix("real_"),
        "title": title_of(source),
        "condition": condition,
        "n": len(served),
        **{verdict.value: served.count(verdict) for verdict in Verdict},
        "likely_ai_by_score": sum(each["none"] is Verdict.LIKELY_AI for each in verdicts),
        "likely_ai_rate": float(flagged.mean()),
        "ci95": grouped_proportion(flagged, groups),
        "n_groups": len(set(groups)),
    }


if __name__ == "__main__":
    main()
