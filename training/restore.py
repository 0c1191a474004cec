"""The checkpoint of a released model, read back from its file: to go on from there, with `training.refit` for instance.

    python -m training.restore MODEL.onnx --out RESTORED.pt

What the export has put into the convolutions, the norms and the scale of the head, stays there: the norms of the
network only add, and it says the same as the file.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from detector.classifier import OnnxClassifier
from detector.errors import ModelLoadError
from detector.manifest import ModelManifest
from training.model import ResNet50Detector, network_state
from training.recipes import recipe_named
from training.train import save_atomically

_HALVED = "_half"
_BIAS = ".weight_bias"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    try:
        save_atomically(restore(args.model), args.out)
    except (ModelLoadError, ValueError) as error:
        parser.error(str(error))
    print(f"wrote {args.out}")


def restore(path: Path) -> dict[str, Any]:
    """What `training.model.from_checkpoint` reads, of an exported network in fp32 or half precision.

    Raises ModelLoadError when it is no model file, and ValueError when its weights are in eight bits, or its recipe is
    not known, or has another network now.
    """
    manifest = OnnxClassifier.load(path).manifest
    recipe = recipe_named(manifest.recipe)
    weights = {
        each.name.removesuffix(_HALVED): numpy_helper.to_array(each)
        for each in onnx.load(path).graph.initializer
    }
    model = ResNet50Detector(recipe.network)
    try:
        _fill(model, weights, manifest)
    except KeyError as error:
        raise ValueError(f"{path} does not hold {error} as numbers of 16 or 32 bits") from error
    return {
        "recipe": manifest.recipe,
        "generators": list(manifest.trained_on),
        "seed": recipe.seed,
        "commit": manifest.commit,
        **network_state(model),
    }


@torch.no_grad()
def _fill(model: ResNet50Detector, weights: dict[str, np.ndarray], manifest: ModelManifest) -> None:
    modules = dict(model.named_modules())
    for name, convolution in modules.items():
        if isinstance(convolution, nn.Conv2d):
            convolution.weight.copy_(_floats(weights[f"{name}.weight"]))
            norm = modules[_norm_of(name)]
            assert isinstance(norm, nn.BatchNorm2d)
            norm.reset_parameters()
            norm.running_var -= norm.eps
            norm.bias.copy_(_floats(weights[name + _BIAS]))
    head = model.head
    of_head = [
        values
        for name, values in weights.items()
        if values.shape == tuple(head.weight.shape) and not name.endswith(_BIAS)
    ]
    if len(of_head) != 1:
        raise ValueError(f"{len(of_head)} arrays could be the head of recipe {manifest.recipe!r}")
    head.weight.copy_(_floats(of_head[0]))
    head.intercept.fill_(manifest.logit_bias)


def _norm_of(convolution: str) -> str:
    """`layer1.0.conv2` -> `layer1.0.bn2`, `downsample.0` -> `downsample.1`."""
    above, _, last = convolution.rpartition(".")
    return f"{above}.1" if last == "0" else f"{above}.{last.replace('conv', 'bn')}"


def _floats(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))


if __name__ == "__main__":
    main()
