"""From the best checkpoint to the shipped model and its report: export, quantise, calibrate, evaluate.

    python -m training.release --checkpoint RUN/best.pt --data FOLDER [--data FOLDER ...] --out detector/models

The int8 graph ships only when it passes the gate of `training.quantize`; otherwise the fp32 graph does.
Calibration and bands come from the val split, the report from test and pool.
"""

import argparse
import dataclasses
import hashlib
import json
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from detector.classifier import OnnxClassifier
from detector.conditions import CONDITIONS
from detector.image import decode_image
from detector.labels import CLASS_NAMES, FAKE
from detector.manifest import Bands, Calibration, ModelManifest
from detector.preprocess import PreprocessSpec, cut_crops
from training.calibrate import fit_bands, fit_calibration
from training.evaluate import NOTES, describe, held_out_records, write_report
from training.export import export_onnx, load_checkpoint, write_manifest
from training.quantize import Comparison, auroc_change, quantize
from training.recipes import RECIPES
from training.records import Record, read_records
from training.report import build_report, ranked_against, rounded
from training.scoring import Scores, score_records

CALIBRATION_IMAGES = 240
MODEL_NAME = "resnet50.onnx"
REPORT_NAME = "report.json"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="asli")
    parser.add_argument("--version", required=True, help="for instance 2026.11.1")
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    release(args.checkpoint, args.recipe, args.version, args.data, args.out)


def release(
    checkpoint: Path, recipe_name: str, version: str, folders: list[Path], out: Path
) -> None:
    """Write MODEL_NAME and REPORT_NAME to `out`."""
    recipe = RECIPES[recipe_name]()
    spec = PreprocessSpec()
    model = load_checkpoint(checkpoint)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    draft = ModelManifest(
        model_id=f"resnet50-{recipe.name}",
        version=version,
        class_names=CLASS_NAMES,
        spec=spec,
        logit_bias=float(model.backbone.fc.bias.item()),
        calibration=Calibration(1.0, 0.0),
        bands=Bands(0.5, 0.5),
        precision="fp32",
        recipe=recipe.name,
        trained_on=tuple(sorted(recipe.mix)),
        commit=_commit(),
        checkpoint_sha256=digest,
        evaluation_id=f"eval-{datetime.now(UTC):%Y-%m-%d}-{digest[:8]}",
    )
    # Reconstructions are for learning; limits and probabilities are fitted on what generators really
    # gave, and on each photograph once.
    records = [r for folder in folders for r in read_records(folder)]
    validation = [r for r in records if r.split == "val" and not r.pair]
    testing = held_out_records(folders)
    with tempfile.TemporaryDirectory() as folder:
        fp32, int8 = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        export_onnx(model, fp32, spec)
        quantize(fp32, int8, _calibration_crops(validation, spec))
        fp32_scores = _fit_and_score(fp32, draft, validation, testing)
        int8_scores = _fit_and_score(
            int8, dataclasses.replace(draft, precision="int8"), validation, testing
        )
        comparison = _compare(fp32, fp32_scores, int8, int8_scores)
        chosen, scores = (int8, int8_scores) if comparison.passed else (fp32, fp32_scores)
        classifier = OnnxClassifier.load(chosen)
        report = build_report(
            scores,
            classifier.manifest,
            data={**describe(folders, testing), "seed": recipe.seed},
            weights_sha256=classifier.weights_sha256,
            notes=NOTES,
        )
        report["quantisation"] = rounded(
            {**dataclasses.asdict(comparison), "passed": comparison.passed}
        )
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(chosen, out / MODEL_NAME)
        write_report(report, out / REPORT_NAME)
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
    """Fit calibration and bands for one graph, write its manifest, and score the test images."""
    write_manifest(path, draft)
    held_out = score_records(OnnxClassifier.load(path), validation, CONDITIONS)
    calibration = fit_calibration(held_out)
    bands = fit_bands(held_out, calibration)
    write_manifest(path, dataclasses.replace(draft, calibration=calibration, bands=bands))
    return score_records(OnnxClassifier.load(path), testing, CONDITIONS)


def _compare(fp32: Path, fp32_scores: Scores, int8: Path, int8_scores: Scores) -> Comparison:
    changes = {}
    generators = sorted({r.generator for r in fp32_scores.records if r.label == FAKE})
    for generator in generators:
        chosen = ranked_against(fp32_scores, generator)
        for column, condition in enumerate(fp32_scores.conditions):
            changes[f"{generator}/{condition.name}"] = auroc_change(
                fp32_scores.labels[chosen],
                fp32_scores.logits[chosen, column],
                int8_scores.logits[chosen, column],
            )
    bands = [_bands(path, scores) for path, scores in ((fp32, fp32_scores), (int8, int8_scores))]
    return Comparison(changes, float((bands[0] == bands[1]).mean()))


def _bands(path: Path, scores: Scores) -> np.ndarray:
    """0, 1 or 2 for each score: the band it falls in."""
    manifest = OnnxClassifier.load(path).manifest
    values = manifest.calibration.probability(scores.logits)
    return np.digitize(values, [manifest.bands.low, manifest.bands.high])


def _commit() -> str:
    """The commit of the code, with `+` when files were changed since; `unknown` outside a repository."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words
    return done.stdout.strip()


if __name__ == "__main__":
    main()
