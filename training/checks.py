"""Measure what stands around the score, and write it into the model's report. Needs no torch.

    python -m training.checks --data FOLDER [--data FOLDER ...] --report REPORT.json [--model MODEL.onnx]

Stability: what it and the gate change in the verdicts of 300 photographs and 300 AI images. Suitability: how
many graphics and photographs the gate takes away. Explanation: whether the heatmap points at what the score
came from. Images come from the split `test`, and from the held-out pool when that has too few.
"""

import dataclasses
import json
from typing import Any

from rich.progress import track

from detector.classifier import Classifier
from detector.conditions import CONDITIONS, Condition
from detector.image import decode_image
from detector.labels import FAKE, REAL
from detector.preprocess import cut_crops, shrink_to
from detector.stability import RESAVES, score_with_resaves
from detector.suitability import find_obstacles
from detector.verdict import Verdict, decide
from training.explanation import measure_explanation
from training.metrics import clopper_pearson
from training.records import Record
from training.report import rounded
from training.sections import load_measured, section_parser
from training.suitability import draw, measure_suitability

IMAGES_PER_CLASS = 300
EXPLAINED_IMAGES = 100
CHECKS = ("none", "suitability", "stability", "both")
RIGHT = {REAL: Verdict.NO_AI_SIGNS_FOUND, FAKE: Verdict.LIKELY_AI}


def main() -> None:
    """Run the command line."""
    parser = section_parser(__doc__.split("\n")[0])
    measured = load_measured(parser, parser.parse_args())
    sections = measure_checks(measured.classifier, measured.records)
    measured.add(sections)
    for row in sections["stability"]["rows"]:
        print(json.dumps(row))
    print(json.dumps(sections["suitability"]))
    print(json.dumps(sections["explanation"]))
    print(f"wrote {measured.path}")


def measure_checks(classifier: Classifier, records: list[Record]) -> dict[str, Any]:
    """The sections `stability`, `suitability` and `explanation` of a report."""
    seen = [r for r in records if r.generator in classifier.manifest.trained_on]
    explained = draw(seen or records, FAKE, EXPLAINED_IMAGES)
    sections: dict[str, Any] = rounded(
        {
            "stability": measure_stability(classifier, records),
            "suitability": measure_suitability(records),
            "explanation": measure_explanation(classifier, explained),
        }
    )
    return sections


def measure_stability(classifier: Classifier, records: list[Record]) -> dict[str, Any]:
    """What the checks change in verdicts, in every condition, each alone and both together.

    A verdict is right when a photograph shows no signs or an AI image shows some; right verdicts that a
    check withholds are lost.
    """
    chosen = [r for label in (REAL, FAKE) for r in draw(records, label, IMAGES_PER_CLASS)]
    found: dict[str, list[tuple[int, dict[str, Verdict]]]] = {c.name: [] for c in CONDITIONS}
    for record in track(chosen, description="checking"):
        for condition in CONDITIONS:
            _, verdicts = judge(classifier, record, condition)
            found[condition.name].append((record.label, verdicts))
    return {
        "resaves": [resave.name for resave in RESAVES],
        "rows": [
            {"condition": name, "checks": checks, **_changes(verdicts, checks)}
            for name, verdicts in found.items()
            for checks in CHECKS
        ],
    }


def judge(
    classifier: Classifier, record: Record, condition: Condition
) -> tuple[float, dict[str, Verdict]]:
    """The calibrated probability of AI of a file in this condition, and its verdict with each choice of CHECKS."""
    spec, bands = classifier.manifest.spec, classifier.manifest.bands
    decoded = decode_image(record.path.read_bytes())
    image = condition.apply(decoded.pixels)
    facts = dataclasses.replace(
        decoded.facts,
        width=image.width,
        height=image.height,
        jpeg_quality_estimate=condition.jpeg_quality or decoded.facts.jpeg_quality_estimate,
    )
    image = shrink_to(image, spec.max_long_side)
    obstacles = find_obstacles(image, facts)
    evidence, stability = score_with_resaves(classifier, image, cut_crops(image, spec))
    verdicts = {
        checks: decide(
            evidence.probability,
            bands,
            obstacles=obstacles if checks in {"suitability", "both"} else (),
            stability=stability if checks in {"stability", "both"} else None,
        ).verdict
        for checks in CHECKS
    }
    return evidence.probability, verdicts


def _changes(verdicts: list[tuple[int, dict[str, Verdict]]], checks: str) -> dict[str, Any]:
    photographs = [found[checks] for label, found in verdicts if label == REAL]
    images = [found[checks] for label, found in verdicts if label == FAKE]
    right = [found for label, found in verdicts if found["none"] is RIGHT[label]]
    flagged = photographs.count(Verdict.LIKELY_AI)
    lost = sum(found[checks] is not found["none"] for found in right)
    return {
        "n_real": len(photographs),
        "n_ai": len(images),
        "flagged": flagged,
        "false_positive_rate": _share(flagged, len(photographs)),
        "ci95": clopper_pearson(flagged, len(photographs)),
        "found_rate": _share(images.count(Verdict.LIKELY_AI), len(images)),
        "right": len(right),
        "lost": lost,
        "lost_rate": _share(lost, len(right)),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


if __name__ == "__main__":
    main()
