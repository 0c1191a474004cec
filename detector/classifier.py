"""Runs the ONNX graph: crops in, logits and class activation maps out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import onnxruntime

from detector.errors import ModelLoadError
from detector.manifest import METADATA_KEY, ModelManifest
from detector.preprocess import Crops

CROPS_PER_RUN = 4
"""Six at once take 70 MB more, and are one hundredth faster."""

SLOWER_OPTIMIZERS = ["QDQPropagationTransformer"]
"""Left out when a graph is prepared: it makes the first pooling work on integers, which takes six times as long."""


@dataclass(frozen=True)
class Evidence:
    """What the model says about one image."""

    logits: np.ndarray
    """float32 [N], one per crop; positive speaks for AI."""
    cams: np.ndarray
    """float32 [N, 7, 7]; mean(cam) + manifest.logit_bias == logit."""
    probability: float
    """Calibrated probability of the mean logit, 0..1."""


class Classifier(Protocol):
    """What the analysis needs of a model."""

    manifest: ModelManifest
    weights_sha256: str

    def score(self, crops: Crops) -> Evidence: ...
    def score_together(self, images: Sequence[Crops]) -> list[Evidence]: ...


class OnnxClassifier:
    """A model file with its manifest, loaded once. `score` may be called from several threads."""

    def __init__(
        self, session: onnxruntime.InferenceSession, manifest: ModelManifest, weights_sha256: str
    ) -> None:
        self._session = session
        self.manifest = manifest
        self.weights_sha256 = weights_sha256

    @classmethod
    def load(cls, path: Path, *, threads: int | None = None) -> Self:
        """Load a model; `threads` is the number used for one run, by default one per core.

        Raises ModelLoadError when the file is missing or damaged, or carries no manifest.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelLoadError(f"The model file {path.name} cannot be read.") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            session = onnxruntime.InferenceSession(
                data,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=SLOWER_OPTIMIZERS,
            )
        except Exception as error:  # onnxruntime raises many unrelated types for a damaged file
            raise ModelLoadError(f"The model file {path.name} is damaged.") from error
        names = [node.name for node in (*session.get_inputs(), *session.get_outputs())]
        if names != ["crops", "logit", "cam"]:
            raise ModelLoadError(
                f"The model file {path.name} has {names}, not crops, logit and cam."
            )
        manifest_json = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if manifest_json is None:
            raise ModelLoadError(f"The model file {path.name} has no manifest.")
        return cls(
            session, ModelManifest.from_json(manifest_json), hashlib.sha256(data).hexdigest()
        )

    def score(self, crops: Crops) -> Evidence:
        """Score all crops of one image."""
        return self.score_together([crops])[0]

    def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
        """Score all crops of several images."""
        pixels = np.concatenate([crops.pixels for crops in images])
        runs = [
            self._session.run(["logit", "cam"], {"crops": pixels[i : i + CROPS_PER_RUN]})
            for i in range(0, len(pixels), CROPS_PER_RUN)
        ]
        logits, cams = (np.concatenate(outputs) for outputs in zip(*runs, strict=True))
        ends = np.cumsum([len(crops.pixels) for crops in images])[:-1]
        return [
            Evidence(own, maps, float(self.manifest.calibration.probability(own.mean())))
            for own, maps in zip(np.split(logits, ends), np.split(cams, ends), strict=True)
        ]
