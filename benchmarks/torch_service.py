"""The yardstick: the same crops through torchvision's ResNet-50, as a service of FastAPI and torch is often written.

Runs in a process of its own: `python -m benchmarks.torch_service PORT RUNS`, where each request gets RUNS
runs of the network, as many as the detector makes for the same file.
"""

import io
import sys
from typing import Annotated

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File, UploadFile
from PIL import Image
from torchvision.models import resnet50

from detector.preprocess import PreprocessSpec, cut_crops

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build_service(runs: int) -> FastAPI:
    """One path, which scores one image. The weights are random: that costs the same."""
    model = resnet50(num_classes=1).eval()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, STD))
    service = FastAPI()

    @service.post("/v1/detections")
    def detect(file: Annotated[UploadFile, File()]) -> dict[str, float]:
        image = Image.open(io.BytesIO(file.file.read())).convert("RGB")
        pixels = cut_crops(image, PreprocessSpec()).pixels
        batch = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            for _ in range(runs):
                logits = model((batch - mean) / std)
        return {"score": float(torch.sigmoid(logits.mean()))}

    return service


if __name__ == "__main__":
    uvicorn.run(build_service(int(sys.argv[2])), port=int(sys.argv[1]), log_level="warning")
