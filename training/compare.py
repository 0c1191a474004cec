"""Whether one model is better than others, on the same images that none of them has learned.

    python -m training.compare --model A --against B [--against C ...] --data FOLDER [--data FOLDER ...]
        [--unmet FOLDER ...] --out OUT.json

Models are checkpoints (`best.pt`) or model files (`*.onnx`). Prints, per condition, the difference of macro
AUROC, A minus the other, with its 95 % interval from a paired bootstrap over groups. The --unmet folders hold
photographs that no model has met, such as `training.photographs` makes them: against each of their sources the
generators are ranked that no model has learned. What a model knows of photographs then does not help it.
"""

import argparse
import dataclasses
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.conditions import CLEAN, WEB
from detector.errors import ModelLoadError
from detector.labels import FAKE, REAL
from training.candidate import load_candidate
from training.evaluate import held_out_records, write_report
from training.metrics import auroc, draw_groups, resampled_auroc
from training.records import Record, read_unmet
from training.report import ranked_against, rounded
from training.scoring import Scores, readable
from training.sections import described

CONDITIONS = (CLEAN, WEB)
KNOWN = "known"
"""The photographs of the --data folders, of sources that a model may have learned."""
RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two models on the same images in one condition; AUROC is the mean over generators."""

    photographs: str
    """KNOWN, or the source of those that no model has met."""
    condition: str
    auroc: float
    against_auroc: float
    difference: float
    """The first one's minus the other's."""
    ci95: tuple[float, float]
    generators: dict[str, float]
    """The difference for each."""

    @property
    def better(self) -> bool:
        """Whether the whole interval lies above 0."""
        return self.ci95[0] > 0


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--against", type=Path, action="append", required=True)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument(
        "--unmet", type=Path, action="append", default=[], help="photographs that no model has met"
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    paths = [args.model, *args.against]
    try:
        candidates = [load_candidate(path) for path in paths]
        learned = {name for c in candidates for name in c.classifier.manifest.trained_on}
        records, unreadable = readable(held_out_records(args.data, learned))
        unmet, unmet_unreadable = readable(unmet_photographs(args.unmet))
        if {REAL, FAKE} != {r.label for r in records}:
            raise ValueError("The --data folders need photographs and AI images that none learned")
        if unmet and all(r.generator in learned for r in records if r.label == FAKE):
            raise ValueError("No AI image of a generator that no model has learned")
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))
    first, *others = [
        comparable(c.score(records, CONDITIONS), c.score(unmet, CONDITIONS), learned)
        for c in candidates
    ]
    result: dict[str, object] = {
        "data": described(args.data, records, unreadable),
        **({"unmet": described(args.unmet, unmet, unmet_unreadable)} if unmet else {}),
        "model": candidates[0].classifier.weights_sha256,
        "against": [],
    }
    rows = []
    for path, candidate, scores in zip(args.against, candidates[1:], others, strict=True):
        differences = [
            difference
            for photographs, own in first.items()
            for difference in compare(own, scores[photographs], photographs=photographs)
        ]
        for found in differences:
            low, high = found.ci95
            print(
                f"{found.photographs}, {found.condition:5} against {path}: {found.auroc:.4f}"
                f" - {found.against_auroc:.4f} = {found.difference:+.4f},"
                f" 95 % {low:+.4f} to {high:+.4f}"
                f"  {'better' if found.better else 'not shown to be better'}"
            )
        rows.append(
            {
                "model": candidate.classifier.weights_sha256,
                "recipe": candidate.classifier.manifest.recipe,
                "differences": [
                    rounded({**dataclasses.asdict(d), "better": d.better}) for d in differences
                ],
            }
        )
    write_report({**result, "against": rows}, args.out)
    print(f"wrote {args.out}")


def unmet_photographs(folders: Sequence[Path]) -> list[Record]:
    """Those of folders that nothing is learned from.

    Raises ValueError as `read_unmet` does, and when a folder has AI images.
    """
    records = read_unmet(folders)
    if images := [r for r in records if r.label == FAKE]:
        raise ValueError(f"{images[0].path} is an AI image; those to rank are in --data")
    return records


def comparable(scores: Scores, unmet: Scores, learned: Container[str]) -> dict[str, Scores]:
    """What is compared, by the name of its photographs: the `scores`; and for each source of the `unmet` photographs
    those, with all AI images of generators that are not `learned`.
    """
    unseen = np.array([r.label == FAKE and r.generator not in learned for r in scores.records])
    images = scores.only(unseen)
    return {
        KNOWN: scores,
        **{
            source: images + unmet.only(unmet.where(source=source))
            for source in sorted({r.source for r in unmet.records})
        },
    }


def compare(scores: Scores, against: Scores, *, photographs: str = KNOWN) -> list[Difference]:
    """One row per condition. A resample holds the same images for both models.

    Raises ValueError when the scores are not of the same images, or hold one class alone.
    """
    if scores.records != against.records:
        raise ValueError("Only scores of the same images can be compared")
    if len(set(scores.labels.tolist())) < 2:
        raise ValueError("A comparison needs photographs and AI images")
    drawn = draw_groups(scores.labels, scores.groups, resamples=RESAMPLES)
    chosen = {
        name: ranked_against(scores, name)
        for name in sorted({r.generator for r in scores.records if r.label == FAKE})
    }
    return [
        _difference(
            photographs,
            condition.name,
            scores.labels,
            (scores.logits[:, column], against.logits[:, column]),
            chosen,
            drawn,
        )
        for column, condition in enumerate(scores.conditions)
    ]


def _difference(
    photographs: str,
    condition: str,
    labels: np.ndarray,
    logits: tuple[np.ndarray, np.ndarray],
    chosen: Mapping[str, np.ndarray],
    drawn: np.ndarray,
) -> Difference:
    aurocs = np.array([[auroc(labels[c], z[c]) for c in chosen.values()] for z in logits])
    resampled = np.array(
        [[resampled_auroc(labels[c], z[c], drawn[:, c]) for c in chosen.values()] for z in logits]
    )
    # A generator whose images are all of one group is absent from some resamples, for both models alike.
    differences = np.nanmean(resampled[0] - resampled[1], axis=0)
    low, high = np.quantile(differences, [0.025, 0.975])
    by_generator = aurocs[0] - aurocs[1]
    return Difference(
        photographs=photographs,
        condition=condition,
        auroc=float(aurocs[0].mean()),
        against_auroc=float(aurocs[1].mean()),
        difference=float(by_generator.mean()),
        ci95=(float(low), float(high)),
        generators=dict(zip(chosen, by_generator.tolist(), strict=True)),
    )


if __name__ == "__main__":
    main()
