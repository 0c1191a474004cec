"""From class activation maps to a transparent picture that lies over the image.

The map shows where the network's response spoke for AI (Zhou et al., CVPR 2016). It is no outline of
something generated, and parts of a large image that no crop covered stay clear.
"""

import io

import numpy as np
from PIL import Image

from detector.classifier import Evidence
from detector.manifest import ModelManifest
from detector.preprocess import Crops

COLOUR = (194, 24, 91)
MAX_OPACITY = 170
"""Of 255, where a region alone would score 1."""


def render_heatmap(evidence: Evidence, crops: Crops, manifest: ModelManifest) -> bytes:
    """PNG (RGBA) with the sides of `crops.size`. Opacity grows with a region's own score above 0.5.

    The scale is absolute: an image with no response gives a clear picture, not its own maximum in full colour.
    """
    score_HW = region_scores(evidence, crops, manifest)
    opacity_HW = np.clip((score_HW - 0.5) * 2.0, 0.0, 1.0) * MAX_OPACITY
    rgba = np.empty((*score_HW.shape, 4), dtype=np.uint8)
    rgba[..., :3] = COLOUR
    rgba[..., 3] = opacity_HW.round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(rgba, "RGBA").save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def region_scores(evidence: Evidence, crops: Crops, manifest: ModelManifest) -> np.ndarray:
    """Calibrated score of every pixel as float32 [H, W]; overlapping crops are averaged, uncovered is 0."""
    width, height = crops.size
    size = crops.pixels.shape[1]
    total = np.zeros((height, width), dtype=np.float32)
    count = np.zeros((height, width), dtype=np.float32)
    for cam, (left, top) in zip(evidence.cams, crops.boxes, strict=True):
        grown = Image.fromarray(cam + manifest.logit_bias).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        inside = np.s_[max(top, 0) : top + size, max(left, 0) : left + size]
        rows, columns = count[inside].shape
        y, x = max(-top, 0), max(-left, 0)
        total[inside] += np.asarray(grown)[y : y + rows, x : x + columns]
        count[inside] += 1
    logit = total / np.maximum(count, 1)
    scores = manifest.calibration.probability(logit)
    return np.where(count > 0, scores, 0).astype(np.float32)
