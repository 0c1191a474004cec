"""Fits the head alone, in closed form: before anything else is trained, and once more in the end (`refit.py`).

A head that starts at random pulls the features out of shape while it learns; one that already fits
leaves them as they are (Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", ICLR 2022).
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.files import replacing
from training.model import ResNet50Detector

_LOGIT_OF_TARGET = 4.0
"""The targets are -1 and 1, which the penalty draws towards 0."""


@torch.inference_mode()
def collect_statistics(
    model: ResNet50Detector, batches: Iterable[tuple[Tensor, Tensor]], *, device: str
) -> tuple[Tensor, Tensor]:
    """The head's inputs, float32 [N, F], and the labels, float32 [N], of all crops.

    In full precision, as they are computed when the model serves.
    """
    model.eval()
    features, labels = [torch.empty(0, len(model.head.weight))], [torch.empty(0)]
    for crops_PCHW, labels_PC in batches:
        features.append(model.statistics(crops_PCHW.flatten(0, 1).to(device)).cpu())
        labels.append(labels_PC.flatten())
    return torch.cat(features), torch.cat(labels)


def save_statistics(file: Path, features_NF: Tensor, labels_N: Tensor) -> None:
    """Write them whole or not at all."""
    with replacing(file) as partial:
        np.savez(partial, features=features_NF.numpy(), labels=labels_N.numpy())


def load_statistics(folder: Path) -> tuple[Tensor, Tensor]:
    """All features and labels that were saved there, in order."""
    parts = [np.load(file) for file in sorted(folder.glob("*.npz"))]
    features, labels = (
        np.concatenate([part[name] for part in parts]) for name in ("features", "labels")
    )
    return torch.from_numpy(features), torch.from_numpy(labels)


@torch.inference_mode()
def fit_head(
    model: ResNet50Detector, features_NF: Tensor, labels_N: Tensor, penalty: float
) -> None:
    """Set the head by ridge regression on standardised features.

    It minimises mean((w x + b - y)^2) + penalty |w|^2 over y = -1 for photographs and 1 for AI.
    """
    features = features_NF.double()
    centre, scale = features.mean(0), features.std(0).clamp_min(1e-6)
    x = (features - centre) / scale
    y = labels_N.double() * 2 - 1
    gram = x.T @ x / len(x) + penalty * torch.eye(x.shape[1], dtype=torch.double)
    weight = torch.linalg.solve(gram, x.T @ (y - y.mean()) / len(x))
    head = model.head
    head.centre.copy_(centre)
    head.scale.copy_(scale)
    head.weight.copy_(_LOGIT_OF_TARGET * weight)
    head.intercept.copy_(_LOGIT_OF_TARGET * y.mean())
