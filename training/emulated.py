"""What runs on the processor that `training.emulation` emulates: the logit of one crop after the other.

    python -m training.emulated MODEL.onnx CROPS.npy FOLDER PLACE [PLACE ...]

Writes that of CROPS[PLACE] to FOLDER/PLACE.npy. Needs no torch.
"""

import sys
from pathlib import Path

import numpy as np

from detector.classifier import OnnxClassifier
from detector.preprocess import Crops
from training.files import replacing


def main(model: str, crops: str, folder: str, *places: str) -> None:
    """Run the command line."""
    classifier = OnnxClassifier.load(Path(model), threads=1)
    crops_NHWC = np.load(crops)
    for place in places:
        logit = classifier.score(crop_alone(crops_NHWC, int(place))).logits[0]
        with replacing(Path(folder, f"{place}.npy")) as partial:
            np.save(partial, logit)


def crop_alone(crops_NHWC: np.ndarray, place: int) -> Crops:
    """One of many crops, each of an image of its own, uint8 [N, S, S, 3], as an image of one crop."""
    pixels = crops_NHWC[place : place + 1]
    return Crops(pixels, ((0, 0),), (pixels.shape[2], pixels.shape[1]))


if __name__ == "__main__":
    main(*sys.argv[1:])
