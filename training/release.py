"""From the best checkpoint to the shipped model and its report: export, quantise, calibrate, evaluate, check.

    python -m training.release --checkpoint RUN/best.pt --data FOLDER [--data FOLDER ...] --out detector/models

The first smaller graph that passes the gate of `training.quantize` ships; if none does, the fp32 graph.
Calibration and bands come from the val split, the report from test and pool.
"""

import argparse
import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS
from detector.errors import ModelLoadError
from detector.image import decode_image
from detector.labels import FAKE
from detector.manifest import ModelManifest
from detector.preprocess import PreprocessSpec, cut_crops
from training.calibrate import bands_of, fit_bands, fit_calibration
from training.candidate import draft_manifest
from training.checks import measure_checks
from training.evaluate import describe, evaluate, held_out_records, write_report
from training.export import export_onnx, write_manifest
from training.footage import fit_video, with_video
from training.model import from_checkpoint
from training.quantize import (
    Comparison,
    auroc_change,
    halve_weights,
    quantize,
    quantize_weights,
)
from training.records import Record, divide_pool, read_records
from training.report import ranked_against, rounded
from training.scoring import Scores, readable, score_records

CALIBRATION_IMAGES = 240
GATE_STRIDE = 5
"""The gate compares on all of val and on every fifth image of the test data."""
PRECISIONS = ("int8", "int8-weights", "half-weights")
"""Of the graphs that are tried beside fp32, the smallest and fastest first."""
MODEL_NAME = "resnet50.onnx"
REPORT_NAME = "report.json"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--version", required=True, help="for instance 2026.11.1")
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    try:
        release(args.checkpoint, args.version, args.data, args.out)
    except (ValueError, ModelLoadError) as error:
        parser.error(str(error))


def release(checkpoint: Path, version: str, folders: list[Path], out: Path) -> None:
    """Write MODEL_NAME and REPORT_NAME to `out`.

    Raises ModelLoadError when the checkpoint cannot be read, and ValueError for a network that has to see images
    otherwise than serving shows them.
    """
    trained = from_checkpoint(checkpoint)
    if trained.whole_images:
        raise ValueError(
            f"{checkpoint} was trained on resized images; serving cuts crops of native pixels"
        )
    draft = draft_manifest(trained, checkpoint, version)
    spec = draft.spec
    # Reconstructions are for learning; limits and probabilities are fitted on what generators really
    # gave, and on each photograph once.
    records = divide_pool([r for f in folders for r in read_records(f)], draft.trained_on)
    validation, _ = readable([r for r in records if r.split == "val" and not r.pair])
    testing = held_out_records(folders, draft.trained_on)
    gate = testing[::GATE_STRIDE]
    crops = _calibration_crops(validation, spec)
    with tempfile.TemporaryDirectory() as folder:
        exported, fp32 = Path(folder) / "exported.onnx", Path(folder) / "fp32.onnx"
        export_onnx(trained.model, exported, spec)
        shutil.copyfile(exported, fp32)
        reference = _fit_and_score(fp32, draft, validation, gate)
        chosen, comparisons = fp32, []
        for precision in PRECISIONS:
            candidate = Path(folder) / f"{precision}.onnx"
            match precision:
                case "int8":
                    quantize(exported, candidate, crops)
                case "int8-weights":
                    quantize_weights(exported, candidate, crops)
                case _:
                    halve_weights(exported, candidate)
            manifest = dataclasses.replace(draft, precision=precision)
            scores = _fit_and_score(candidate, manifest, validation, gate)
            comparisons.append(_compare(precision, fp32, reference, candidate, scores))
            print(comparisons[-1])
            if comparisons[-1].passed:
                chosen = candidate
                break
        classifier = OnnxClassifier.load(chosen)
        scale = fit_video(classifier, validation)
        write_manifest(chosen, dataclasses.replace(classifier.manifest, video=scale))
        classifier = OnnxClassifier.load(chosen)
        data = {**describe(folders, testing), "seed": trained.seed}
        report = with_video(evaluate(classifier, testing, data), classifier, testing)
        report["quantisation"] = [
            rounded(
                {**dataclasses.asdict(c), "passed": c.passed, "n_images": len(reference.records)}
            )
            for c in comparisons
        ]
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(chosen, out / MODEL_NAME)
        write_report(report, out / REPORT_NAME)
    write_report({**report, **measure_checks(classifier, readable(testing)[0])}, out / REPORT_NAME)
    print(json.dumps(report["summary"], indent=1))
    print(f"shipped {classifier.manifest.precision}: {out / MODEL_NAME}")


def _calibration_crops(records: list[Record], spec: PreprocessSpec) -> np.ndarray:
    """Serving crops of evenly chosen validation images, uint8 [N, S, S, 3], one per image."""
    crops = []
    for i, record in enumerate(records[:: max(1, len(records) // CALIBRATION_IMAGES)]):
        image = decode_image(record.path.read_bytes()).pixels
        found = cut_crops(CONDITIONS[i % len(CONDITIONS)].apply(image), spec).pixels
        crops.append(found[i % len(found)])
    return np.stack(crops)


def _fit_and_score(
    path: Path, draft: ModelManifest, validation: list[Record], testing: list[Record]
) -> Scores:
    """Fit calibration and bands for one graph, write its manifest; the scores of all these images."""
    write_manifest(path, draft)
    classifier = OnnxClassifier.load(path)
    held_out = score_records(classifier, validation, CONDITIONS)
    calibration = fit_calibration(held_out)
    bands = fit_bands(held_out, calibration)
    write_manifest(path, dataclasses.replace(draft, calibration=calibration, bands=bands))
    return held_out + score_records(classifier, testing, CONDITIONS)


def _compare(
    precision: str, fp32: Path, fp32_scores: Scores, smaller: Path, smaller_scores: Scores
) -> Comparison:
    changes = {}
    generators = sorted({r.generator for r in fp32_scores.records if r.label == FAKE})
    for generator in generators:
        chosen = ranked_against(fp32_scores, generator)
        for column, condition in enumerate(fp32_scores.conditions):
            changes[f"{generator}/{condition.name}"] = auroc_change(
                fp32_scores.labels[chosen],
                fp32_scores.logits[chosen, column],
                smaller_scores.logits[chosen, column],
            )
    bands = [
        _bands(path, scores) for path, scores in ((fp32, fp32_scores), (smaller, smaller_scores))
    ]
    return Comparison(precision, changes, float((bands[0] == bands[1]).mean()))


def _bands(path: Path, scores: Scores) -> np.ndarray:
    manifest = OnnxClassifier.load(path).manifest
    return bands_of(manifest.calibration.probability(scores.logits), manifest.bands)


if __name__ == "__main__":
    main()
