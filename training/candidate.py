"""A model that may ship or not: a checkpoint of `training.train`, or an exported file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from detector.classifier import Classifier, Evidence, OnnxClassifier
from detector.labels import CLASS_NAMES
from detector.manifest import Bands, Calibration, ModelManifest
from detector.preprocess import Crops, PreprocessSpec
from training.model import (
    ResNet50Detector,
    Trained,
    compute_in_full_precision,
    from_checkpoint,
)
from training.records import Record
from training.scoring import Alteration, Scores, score_records, seen_whole


class CheckpointClassifier:
    """The averaged weights of a checkpoint, on a GPU where there is one."""

    def __init__(
        self, model: ResNet50Detector, manifest: ModelManifest, weights_sha256: str
    ) -> None:
        compute_in_full_precision()
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device)
        self.manifest = manifest
        self.weights_sha256 = weights_sha256

    def score(self, crops: Crops) -> Evidence:
        """Score all crops of one image."""
        return self.score_together([crops])[0]

    @torch.inference_mode()
    def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
        """Score all crops of several images."""
        pixels = torch.from_numpy(np.concatenate([crops.pixels for crops in images]))
        logits, cams = (output.cpu().numpy() for output in self._model(pixels.to(self._device)))
        ends = np.cumsum([len(crops.pixels) for crops in images])[:-1]
        return [
            Evidence(own, maps, float(self.manifest.calibration.probability(own.mean())))
            for own, maps in zip(np.split(logits, ends), np.split(cams, ends), strict=True)
        ]


@dataclass(frozen=True)
class Candidate:
    """A model, and how it has to be shown images."""

    classifier: Classifier
    whole_images: bool

    def score(self, records: list[Record], conditions: Sequence[Alteration]) -> Scores:
        """As `score_records`, on whole images squeezed into a crop where the model learned such."""
        if self.whole_images:
            conditions = seen_whole(conditions, self.classifier.manifest.spec.crop_size)
        return score_records(self.classifier, records, conditions)


def load_candidate(path: Path) -> Candidate:
    """A model file `*.onnx`, or a checkpoint, which is calibrated for nothing: its probabilities say little.

    Raises ModelLoadError when it cannot be read.
    """
    if path.suffix == ".onnx":
        return Candidate(OnnxClassifier.load(path), whole_images=False)
    trained = from_checkpoint(path)
    manifest = draft_manifest(trained, path, version="unreleased")
    classifier = CheckpointClassifier(trained.model, manifest, manifest.checkpoint_sha256)
    return Candidate(classifier, trained.whole_images)


def draft_manifest(trained: Trained, checkpoint: Path, version: str) -> ModelManifest:
    """What is known of a model before anything is fitted or measured."""
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    return ModelManifest(
        model_id="resnet50-asli",
        version=version,
        class_names=CLASS_NAMES,
        spec=PreprocessSpec(),
        logit_bias=float(trained.model.head.bias.item()),
        calibration=Calibration(1.0, 0.0),
        bands=Bands(0.5, 0.5),
        precision="fp32",
        recipe=trained.recipe,
        trained_on=trained.generators,
        commit=trained.commit,
        checkpoint_sha256=digest,
        evaluation_id=f"eval-{datetime.now(UTC):%Y-%m-%d}-{digest[:8]}",
    )
