"""Measure a model on a labelled folder and write the report. Needs no torch.

    python -m training.evaluate --data FOLDER [--data FOLDER ...] --out REPORT.json [--model MODEL.onnx]

A folder has a manifest.csv, or ForenSynths folders: [generator/][class/]0_real and 1_fake. Of a folder
with splits, `test` is used, and what the model has not learned of `pool` (see `training.records.divide_pool`).
"""

import argparse
import dataclasses
import json
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.analysis import MODEL_PATH
from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS, Condition
from detector.errors import ModelLoadError
from training.records import Record, data_sha256, divide_pool, read_records
from training.report import build_report
from training.scoring import score_records

NOTES = [
    "Face swaps, local edits, sound and generators that are not in the table were not tested.",
    "Sets of about a hundred images have wide intervals; do not rank generators by them.",
    "Images of generators that were not in the training are left out where the training has one of the same prompt.",
    "A generator without photographs of its own is ranked against photographs of other subjects.",
    "Photographs of sources that were not in the training can be flagged more often than those of the others.",
    "No photographs at a camera's full resolution were tested; images above 1024 pixels are reduced first.",
]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=MODEL_PATH)
    args = parser.parse_args()
    try:
        classifier = OnnxClassifier.load(args.model)
        records = held_out_records(args.data, classifier.manifest.trained_on)
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))
    report = evaluate(classifier, records, describe(args.data, records))
    write_report(report, args.out)
    for row in report["summary"]:
        print(json.dumps(row))
    print(f"wrote {args.out}")


def held_out_records(folders: Sequence[Path], trained_on: Container[str]) -> list[Record]:
    """The test split, with that of the pool's sources in `trained_on`, and the rest of the pool.

    Of the latter, images of a group that is also in the training, such as those of a prompt whose images by
    another generator are learned, are left out. Raises ValueError when there are none.
    """
    records = [r for folder in folders for r in read_records(folder) if not r.pair]
    divided = divide_pool(records, trained_on)
    known = {r.group for r in divided if r.split == "train"}
    found = [
        r for r in divided if r.split == "test" or (r.split == "pool" and r.group not in known)
    ]
    if not found:
        names = ", ".join(str(folder) for folder in folders)
        raise ValueError(f"No image in the splits test and pool of {names}")
    return found


def describe(folders: Sequence[Path], records: list[Record]) -> dict[str, Any]:
    """What a report says about its data."""
    return {
        "name": "+".join(folder.resolve().name for folder in folders),
        "manifest_sha256": data_sha256(records),
    }


def evaluate(
    classifier: OnnxClassifier,
    records: list[Record],
    data: Mapping[str, Any],
    conditions: Sequence[Condition] = CONDITIONS,
) -> dict[str, Any]:
    """Score the records, in every published condition if nothing else is said, and build the report."""
    report = build_report(
        score_records(classifier, records, conditions),
        classifier.manifest,
        data=data,
        weights_sha256=classifier.weights_sha256,
        notes=NOTES,
    )
    return {**report, "conditions": [dataclasses.asdict(condition) for condition in conditions]}


def write_report(report: dict[str, Any], path: Path) -> None:
    """As indented JSON; makes the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
