"""Commands that measure a model once more and add a section to the report that it has."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.analysis import MODEL_PATH, REPORT_PATH
from detector.classifier import OnnxClassifier
from detector.errors import ModelLoadError
from detector.evaluation import EvaluationReport
from training.evaluate import describe, held_out_records, write_report
from training.records import Record
from training.scoring import readable


@dataclass(frozen=True)
class Measured:
    """A model, the report that measures it, and the images that it has not learned and that can be decoded."""

    classifier: OnnxClassifier
    report: EvaluationReport
    records: list[Record]
    data: dict[str, Any]
    """What the report says of these images, with their number, and of those that could not be decoded."""
    path: Path

    def add(self, sections: dict[str, Any], beside: Mapping[str, object] | None = None) -> None:
        """Write the report again, with these sections, and in `measured_on` what their images were drawn from.

        `beside` describes other images that were looked at.
        """
        data = {**self.data, "beside": beside} if beside else self.data
        measured_on = self.report.values.get("measured_on", {}) | dict.fromkeys(sections, data)
        write_report({**self.report.values, **sections, "measured_on": measured_on}, self.path)


def section_parser(description: str) -> argparse.ArgumentParser:
    """A parser with --data, which may be repeated, --report and --model."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--report", type=Path, default=REPORT_PATH)
    parser.add_argument("--model", type=Path, default=MODEL_PATH)
    return parser


def load_measured(parser: argparse.ArgumentParser, args: argparse.Namespace) -> Measured:
    """What the arguments name; ends the program with status 2 when it cannot be read or used together."""
    try:
        classifier = OnnxClassifier.load(args.model)
        report = EvaluationReport.load(args.report)
        records = held_out_records(args.data, classifier.manifest.trained_on)
    except (OSError, ValueError, ModelLoadError) as error:
        parser.error(str(error))
    if report.weights_sha256 != classifier.weights_sha256:
        parser.error(f"{args.report} measures another model than {args.model}")
    records, unreadable = readable(records)
    data = described(args.data, records, unreadable)
    return Measured(classifier, report, records, data, args.report)


def described(
    folders: Sequence[Path], records: list[Record], unreadable: list[str]
) -> dict[str, Any]:
    """What the report says of the images of these folders that were looked at."""
    return {**describe(folders, records), "n": len(records), "unreadable": unreadable}
