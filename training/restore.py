"""The checkpoint of a released model, read back from its file: to go on from there.

    python -m training.restore MODEL.onnx --out RESTORED.pt
                               [--recipe NAME --data FOLDER [--data FOLDER ...] [--imagenet WEIGHTS]]

The export has put the norms into the convolutions. Without --recipe they stay there: the norms of the network only add,
which will do for `training.refit`. With it they measure crops of that recipe, and the filters get the lengths of
ImageNet's: then `training.train --start` can go on. Either way the network says the same as the file.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from detector.classifier import OnnxClassifier
from detector.errors import ModelLoadError
from detector.manifest import ModelManifest
from training.dataset import PairDataset, StepSampler
from training.model import ResNet50Detector, from_imagenet, network_state
from training.quantize import stored_weights
from training.recipes import RECIPES, NetworkSpec, Recipe, recipe_named
from training.records import Record, read_records
from training.train import save_atomically

_BIAS = ".weight_bias"
_SHORTEST, _FACTORS = 1e-12, (1e-3, 1e3)
"""Filters that have died in either network stay as they are, or nearly."""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", choices=sorted(RECIPES), help="with which it will be trained")
    parser.add_argument("--data", type=Path, action="append", default=[])
    parser.add_argument(
        "--imagenet", type=Path, help="ImageNet weights; torchvision's own by default"
    )
    args = parser.parse_args()
    if bool(args.recipe) != bool(args.data):
        parser.error("--recipe and --data go together")
    try:
        state = restore(args.model)
        if args.recipe:
            records = [record for folder in args.data for record in read_records(folder)]
            recipe = RECIPES[args.recipe]()
            state |= trainable(state, recipe, records, args.imagenet)
        save_atomically(state, args.out)
    except (OSError, ModelLoadError, ValueError) as error:
        parser.error(str(error))
    print(f"wrote {args.out}")


def restore(path: Path) -> dict[str, Any]:
    """What `training.model.from_checkpoint` reads, of an exported network whose weights may be stored smaller.

    Raises ModelLoadError when it is no model file, and ValueError when it computes in int8, or its recipe is not
    known, or has another network now.
    """
    manifest = OnnxClassifier.load(path).manifest
    recipe = recipe_named(manifest.recipe)
    model = ResNet50Detector(recipe.network)
    try:
        _fill(model, stored_weights(path), manifest)
    except KeyError as error:
        raise ValueError(
            f"{path} does not hold {error}: a graph that computes in int8 is not read back"
        ) from error
    return {
        "recipe": manifest.recipe,
        "generators": list(manifest.trained_on),
        "seed": recipe.seed,
        "commit": manifest.commit,
        **network_state(model),
    }


def trainable(
    state: Mapping[str, Any], recipe: Recipe, records: list[Record], imagenet: Path | None
) -> dict[str, Any]:
    """The network of what `restore` gives, with norms that measure the pairs of the recipe's first two steps.

    Raises ValueError when the recipe has another network, or its images are not among the records, and OSError as
    `training.model.from_imagenet` does.
    """
    model = ResNet50Detector(NetworkSpec(**state["network"]))
    if model.spec != recipe.network:
        raise ValueError(f"Recipe {recipe.name!r} trains another network")
    model.load_state_dict(state["model"])
    pairs = PairDataset(records, recipe)
    places = [place for step in StepSampler(recipe, 0, end=2) for place in step]
    settle_norms(
        model.eval(),
        from_imagenet(recipe.network, imagenet),
        torch.cat([pairs[place][0] for place in places]),
    )
    return network_state(model)


@torch.no_grad()
def settle_norms(model: ResNet50Detector, like: ResNet50Detector, crops_NHWC: torch.Tensor) -> None:
    """Give the norms of a network that `restore` gave the statistics of these crops, and each filter the length of
    its like; what it says stays.

    A norm that only adds would, in training, take the spread of its channels for its own, and lose it.
    """
    modules, likes = dict(model.named_modules()), dict(like.named_modules())
    convolutions = [name for name, module in modules.items() if isinstance(module, nn.Conv2d)]
    seen: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]] = {}

    def look(norm: nn.Module, inputs: tuple[torch.Tensor], _output: torch.Tensor) -> None:
        seen[norm] = (inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3)))

    hooks = [modules[_norm_of(name)].register_forward_hook(look) for name in convolutions]
    model(crops_NHWC)
    for hook in hooks:
        hook.remove()
    for name in convolutions:
        convolution, norm = modules[name], modules[_norm_of(name)]
        length, wanted = (each[name].weight.flatten(1).norm(dim=1) for each in (modules, likes))
        factor = (wanted / length.clamp_min(_SHORTEST)).clamp(*_FACTORS)
        mean, variance = seen[norm]
        convolution.weight.mul_(factor.view(-1, 1, 1, 1))
        norm.running_mean.copy_(factor * mean)
        norm.running_var.copy_(factor.square() * variance)
        norm.weight.copy_((norm.running_var + norm.eps).sqrt() / factor)
        norm.bias.add_(mean)


@torch.no_grad()
def _fill(model: ResNet50Detector, weights: dict[str, np.ndarray], manifest: ModelManifest) -> None:
    modules = dict(model.named_modules())
    for name, convolution in modules.items():
        if isinstance(convolution, nn.Conv2d):
            convolution.weight.copy_(torch.from_numpy(weights[f"{name}.weight"]))
            norm = modules[_norm_of(name)]
            assert isinstance(norm, nn.BatchNorm2d)
            norm.reset_parameters()
            norm.running_var -= norm.eps
            norm.bias.copy_(torch.from_numpy(weights[name + _BIAS]))
    head = model.head
    of_head = [
        values
        for name, values in weights.items()
        if values.shape == tuple(head.weight.shape) and not name.endswith(_BIAS)
    ]
    if len(of_head) != 1:
        raise ValueError(f"{len(of_head)} arrays could be the head of recipe {manifest.recipe!r}")
    head.weight.copy_(torch.from_numpy(of_head[0]))
    head.intercept.fill_(manifest.logit_bias)


def _norm_of(convolution: str) -> str:
    """`layer1.0.conv2` -> `layer1.0.bn2`, `downsample.0` -> `downsample.1`."""
    above, _, last = convolution.rpartition(".")
    return f"{above}.1" if last == "0" else f"{above}.{last.replace('conv', 'bn')}"


if __name__ == "__main__":
    main()
