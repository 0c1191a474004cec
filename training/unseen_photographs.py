"""How often photographs that the model never met are flagged; added to a report. Needs no torch.

    python -m training.unseen_photographs --data FOLDER [--data FOLDER ...] [--ai FOLDER ...]
        --report REPORT.json [--model MODEL.onnx]

Those of the splits test and pool of folders from which nothing was learned, such as `training.photographs` makes them.
Each photograph is judged as in service, with all its crops, the re-saves and the gate for graphics, and by its score
alone. With --ai, AI images of those folders, of generators never seen either, are ranked against them by their scores.
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
from training.evaluate import describe, held_out_records
from training.metrics import auroc, grouped_proportion
from training.records import Record, read_records
from training.report import rounded, title_of
from training.scoring import readable, score_records
from training.sections import load_measured, section_parser


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    parser.add_argument(
        "--ai", type=Path, action="append", default=[], help="AI images to rank against them"
    )
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
    try:
        images = _never_seen(args.ai, measured.classifier)
    except ValueError as error:
        parser.error(str(error))
    rows = measure_unseen(measured.classifier, photographs, images)
    beside = {**describe(args.ai, images), "n_held_out": len(images)} if images else None
    measured.add({"unseen_photographs": rows}, beside)
    for row in rows:
        print(
            f"{row['title']}, {row['condition']}: {row['likely_ai']} of {row['n']} flagged "
            f"({row['likely_ai_rate']:.1%}), {row['likely_ai_by_score']} by the score alone; "
            f"AUROC of {len(row['generators'])} generators never seen: {row['auroc']}"
        )


def _never_seen(folders: list[Path], classifier: Classifier) -> list[Record]:
    """The AI images of these folders that can be decoded, of generators that the model did not learn.

    Raises ValueError when there are folders and no such image.
    """
    if not folders:
        return []
    learned = classifier.manifest.trained_on
    found = [
        r
        for r in held_out_records(folders, learned)
        if r.label == FAKE and r.generator not in learned
    ]
    if not found:
        raise ValueError("In the folders of --ai every generator was learned")
    return readable(found)[0]


def measure_unseen(
    classifier: Classifier, photographs: list[Record], images: list[Record]
) -> list[dict[str, Any]]:
    """One row for each source and condition, with the numbers of verdicts.

    The interval allows for photographs of one group, such as a maker, being alike. `auroc` is of the AI `images`
    against the row's photographs, in the same condition: the mean over their generators, None where there are none.
    """
    judged: dict[tuple[str, str], list[tuple[float, dict[str, Verdict]]]] = defaultdict(list)
    groups: dict[str, list[str]] = defaultdict(list)
    for record in track(photographs, description="judging"):
        groups[record.source].append(record.group)
        for condition in CONDITIONS:
            found = judge(classifier, record, condition)
            judged[record.source, condition.name].append(found)
    scored = score_records(classifier, images, CONDITIONS)
    ai = classifier.manifest.calibration.probability(scored.logits)
    of = np.array([r.generator for r in scored.records])
    columns = {condition.name: column for column, condition in enumerate(CONDITIONS)}
    rows: list[dict[str, Any]] = rounded(
        [
            {
                **_row(source, condition, found, np.array(groups[source])),
                "generators": sorted(set(of)),
                "auroc": _mean_auroc(
                    np.array([probability for probability, _ in found]),
                    ai[:, columns[condition]],
                    of,
                ),
            }
            for (source, condition), found in judged.items()
        ]
    )
    return rows


def _row(
    source: str,
    condition: str,
    judged: list[tuple[float, dict[str, Verdict]]],
    groups: np.ndarray,
) -> dict[str, Any]:
    served = [verdicts["both"] for _, verdicts in judged]
    flagged = np.array([verdict is Verdict.LIKELY_AI for verdict in served])
    return {
        "source": source.removeprefix("real_"),
        "title": title_of(source),
        "condition": condition,
        "n": len(served),
        **{verdict.value: served.count(verdict) for verdict in Verdict},
        "likely_ai_by_score": sum(verdicts["none"] is Verdict.LIKELY_AI for _, verdicts in judged),
        "likely_ai_rate": float(flagged.mean()),
        "ci95": grouped_proportion(flagged, groups),
        "n_groups": len(set(groups)),
    }


def _mean_auroc(photographs: np.ndarray, images: np.ndarray, of: np.ndarray) -> float | None:
    """Of the scores of images against those of photographs, the mean over the generators that they are `of`."""
    found = [
        auroc(
            np.repeat([REAL, FAKE], [len(photographs), (of == generator).sum()]),
            np.concatenate([photographs, images[of == generator]]),
        )
        for generator in sorted(set(of))
    ]
    return float(np.mean(found)) if found else None


if __name__ == "__main__":
    main()
