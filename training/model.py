"""torchvision's ResNet-50 with one logit, normalisation inside, and a class activation map beside the logit."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet50

_IMAGENET_STD = (0.229, 0.224, 0.225)

# (pixel - 128) / 64 is exact in bfloat16 for every 8-bit pixel, which (pixel - mean) / std is not: that
# would round by up to half a grey level, as much as the traces we look for.
_CENTRE = 128.0
_SCALE = 64.0


class ResNet50Detector(nn.Module):
    """uint8 crops [N, S, S, 3] RGB -> logit [N], positive for AI, and cam [N, S/32, S/32].

    mean(cam) + backbone.fc.bias == logit: global average pooling and a linear layer commute
    (Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = resnet50(weights=None, num_classes=1)

    def forward(self, crops_NHWC: Tensor) -> tuple[Tensor, Tensor]:
        net = self.backbone
        x = (crops_NHWC.permute(0, 3, 1, 2).float() - _CENTRE) / _SCALE
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        x = net.layer4(net.layer3(net.layer2(net.layer1(x))))
        with torch.autocast(x.device.type, enabled=False):
            cam = nn.functional.conv2d(x.float(), net.fc.weight[:, :, None, None])[:, 0]
            return cam.mean((1, 2)) + net.fc.bias, cam


def from_imagenet(weights: Path | None = None) -> ResNet50Detector:
    """A detector that starts from ImageNet features.

    `weights` is a torchvision-layout state dict with 1000 classes; without it torchvision's own are fetched.
    """
    if weights is None:
        state = ResNet50_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True)
    else:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    state = {key: value for key, value in state.items() if not key.startswith("fc.")}
    # The features expect (pixel / 255 - mean) / std. The scale goes into the first layer; the small
    # constant that remains is taken up by its batch normalisation.
    std = torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1)
    state["conv1.weight"] = state["conv1.weight"] * (_SCALE / (255 * std))
    model = ResNet50Detector()
    missing, unexpected = model.backbone.load_state_dict(state, strict=False)
    if unexpected or set(missing) != {"fc.weight", "fc.bias"}:
        raise ValueError(
            f"Not ResNet-50 weights: missing {missing[:3]}, unexpected {unexpected[:3]}"
        )
    nn.init.normal_(model.backbone.fc.weight, std=0.01)
    nn.init.zeros_(model.backbone.fc.bias)
    return model.to(memory_format=torch.channels_last)


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The averaged weights that a run kept as its best, and where they come from."""

    model: ResNet50Detector
    recipe: str
    generators: tuple[str, ...]
    """All that were learned, or chose the weights, sorted."""
    seed: int
    whole_images: bool = False
    """It learned images resized to its crop, and has to see them so."""


def from_checkpoint(path: Path) -> Trained:
    """Read what `training.train` wrote as `best.pt`."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = ResNet50Detector()
    model.load_state_dict(state["model"])
    return Trained(
        model=model.to(memory_format=torch.channels_last).eval(),
        recipe=state["recipe"],
        generators=tuple(state["generators"]),
        seed=state["seed"],
        whole_images=state.get("whole_images", False),
    )
