"""How models carry over to families of generators that each of them was trained without.

    python -m training.leave_one_out MODEL [MODEL ...] --data FOLDER [--data FOLDER ...] --out OUT.json

Models are checkpoints (`best.pt`) of `training.train --without FAMILY`, or model files (`*.onnx`). Each is
measured on the families of which it has learned no generator. A family that several models have not met gets
the mean of their figures. Prints and writes each family, and the macro mean over families; writes each
generator with the number of its images and a 95 % interval from a bootstrap over groups.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from detector.conditions import CONDITIONS
from detector.errors import ModelLoadError
from detector.labels import FAKE
from training.candidate import Candidate, load_candidate
from training.evaluate import describe, held_out_records, write_report
from training.metrics import auroc, bootstrap_auroc
from training.records import Record, read_records
from training.report import ranked_against, rounded
from training.scoring import Scores


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows, models = [], []
    try:
        families = families_of([r for folder in args.data for r in read_records(folder)])
        for path in args.models:
            candidate = load_candidate(path)
            records = unseen_records(args.data, candidate, families)
            scores = candidate.score(records, CONDITIONS)
            rows += list(generator_rows(scores, families))
            manifest = candidate.classifier.manifest
            models.append(
                {
                    "recipe": manifest.recipe,
                    "weights_sha256": candidate.classifier.weights_sha256,
                    "learned": list(manifest.trained_on),
                    "unseen_families": sorted({r.family for r in records if r.label == FAKE}),
                    "data": {**describe(args.data, records), "unreadable": scores.failures},
                }
            )
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))
    result = merge(rows)
    for row in result["families"]:
        print(
            f"{row['family']:12} {row['condition']:6} {row['auroc']:.4f}  of {row['models']} model(s)"
        )
    for row in result["summary"]:
        print(
            f"{'macro':12} {row['condition']:6} {row['auroc']:.4f}  of {row['families']} families"
        )
    write_report(rounded({"models": models, **result}), args.out)
    print(f"wrote {args.out}")


def families_of(records: list[Record]) -> dict[str, str]:
    """The family of each generator."""
    return {r.generator: r.family for r in records if r.label == FAKE}


def unseen_records(
    folders: Sequence[Path], candidate: Candidate, families: Mapping[str, str]
) -> list[Record]:
    """Held-out photographs, and the AI images of families of which this model learned no generator.

    Raises ValueError when there is no such family, or when a generator that was learned is in no folder,
    so that its family is not known.
    """
    manifest = candidate.classifier.manifest
    if absent := set(manifest.trained_on) - set(families):
        raise ValueError(f"No images of {sorted(absent)}, which {manifest.recipe} has learned")
    met = {families[name] for name in manifest.trained_on}
    records = [
        r
        for r in held_out_records(folders, manifest.trained_on)
        if r.label != FAKE or r.family not in met
    ]
    if not any(r.label == FAKE for r in records):
        raise ValueError(f"{manifest.recipe} has met all families: {sorted(met)}")
    return records


def generator_rows(scores: Scores, families: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """AUROC of each generator in each condition, ranked as in a report, with its interval."""
    for generator in sorted({r.generator for r in scores.records if r.label == FAKE}):
        chosen = ranked_against(scores, generator)
        labels, groups = scores.labels[chosen], scores.groups[chosen]
        for column, condition in enumerate(scores.conditions):
            logits = scores.logits[chosen, column]
            yield {
                "family": families[generator],
                "generator": generator,
                "condition": condition.name,
                "n": int((labels == FAKE).sum()),
                "auroc": auroc(labels, logits),
                "auroc_ci95": bootstrap_auroc(labels, logits, groups),
            }


def merge(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """`families`: mean over their generators, each the mean over models. `summary`: mean over families."""
    found: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        found[row["family"], row["condition"]][row["generator"]].append(row)
    families: list[dict[str, Any]] = []
    for (family, condition), of_family in found.items():
        generators = {name: _over_models(own) for name, own in of_family.items()}
        families.append(
            {
                "family": family,
                "condition": condition,
                "models": max(map(len, of_family.values())),
                "auroc": float(np.mean([figures["auroc"] for figures in generators.values()])),
                "generators": generators,
            }
        )
    conditions = list(dict.fromkeys(row["condition"] for row in families))
    summary = []
    for condition in conditions:
        values = [row["auroc"] for row in families if row["condition"] == condition]
        summary.append(
            {"condition": condition, "families": len(values), "auroc": float(np.mean(values))}
        )
    return {"families": families, "summary": summary}


def _over_models(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One generator's figures, each the mean over models; `n` is the fewest images that one was measured on.

    If anything, the mean of the models' intervals is too wide for the mean of their figures. It is None where
    one of them is.
    """
    intervals = [row["auroc_ci95"] for row in rows]
    return {
        "n": min(row["n"] for row in rows),
        "auroc": float(np.mean([row["auroc"] for row in rows])),
        "auroc_ci95": None if None in intervals else np.mean(intervals, axis=0).tolist(),
    }


if __name__ == "__main__":
    main()
