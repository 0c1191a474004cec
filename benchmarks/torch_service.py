"""The yardstick: the same crops through torchvision's ResNet-50, as a service of FastAPI and torch is often written.

Runs in a process of its own: `python -m benchmarks.torch_service PORT`.
"""

import io
import sys
from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torchvision.models import resnet50

from detector.analysis import MODEL_PATH
from detector.classifier import Evidence, OnnxClassifier
from detector.manifest import ModelManifest
from detector.preprocess import Crops, cut_crops, shrink_to
from detector.stability import score_with_resaves

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class TorchClassifier:
    """The network in fp32, without class activation maps. Its weights are random: that costs the same."""

    weights_sha256 = ""

    def __init__(self, manifest: ModelManifest) -> None:
        self.manifest = manifest
        self._network = resnet50(num_classes=1).eval()
        self._mean, self._std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))

    def logits(self, crops_NHWC: np.ndarray) -> np.ndarray:
        """float32 [N] of uint8 [N, S, S, 3]."""
        batch = torch.from_numpy(np.ascontiguousarray(crops_NHWC)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            return self._network((batch - self._mean) / self._std)[:, 0].numpy()

    def score(self, crops: Crops) -> Evidence:
        return self.score_together([crops])[0]

    def score_together(self, images: Sequence[Crops]) -> list[Evidence]:
        """All crops in one run, as the detector does it."""
        logits = self.logits(np.concatenate([crops.pixels for crops in images]))
        ends = np.cumsum([len(crops.pixels) for crops in images])[:-1]
        no_maps = np.empty((0, 7, 7), np.float32)
        return [
            Evidence(own, no_maps, float(self.manifest.calibration.probability(own.mean())))
            for own in np.split(logits, ends)
        ]


def build_service(classifier: TorchClassifier) -> FastAPI:
    """One path, which scores one image and its re-saves."""
    service = FastAPI()

    @service.post("/v1/detections")
    def detect(file: Annotated[UploadFile, File()]) -> dict[str, float]:
        image = Image.open(io.BytesIO(file.file.read())).convert("RGB")
        image = shrink_to(image, classifier.manifest.spec.max_long_side)
        crops = cut_crops(image, classifier.manifest.spec)
        evidence, stability = score_with_resaves(classifier, image, crops)
        return {"score": evidence.probability, "min": stability.min, "max": stability.max}

    return service


if __name__ == "__main__":
    shipped = OnnxClassifier.load(MODEL_PATH).manifest
    uvicorn.run(build_service(TorchClassifier(shipped)), port=int(sys.argv[1]), log_level="warning")
