"""torchvision's ResNet-50 with one logit from several of its stages, and a class activation map beside it."""

import dataclasses
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torchvision.models import ResNet50_Weights, resnet50

from detector.errors import ModelLoadError
from training.recipes import NetworkSpec

_IMAGENET_STD = (0.229, 0.224, 0.225)
_CHANNELS = {1: 256, 2: 512, 3: 1024, 4: 2048}
_TINY_VARIANCE = 1e-6

# (pixel - 128) / 64 is exact in bfloat16 for every 8-bit pixel, which (pixel - mean) / std is not: that
# would round by up to half a grey level, as much as the traces we look for.
_CENTRE = 128.0
_SCALE = 64.0


class StatisticsHead(nn.Module):
    """Maps of some stages, each [N, C, H, W] -> logit [N] and cam [N, S, S], where mean(cam) + bias == logit.

    The logit is linear in each channel's mean and, if asked, its standard deviation sigma. Both are means
    over places, of x and of (x - mean)^2 / sigma: so each place's share in the logit is exact
    (after Zhou et al., "Learning Deep Features for Discriminative Localization", CVPR 2016).
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.channels = [_CHANNELS[stage] for stage in spec.stages]
        self.deviations = spec.deviations
        count = sum(self.channels) * (2 if spec.deviations else 1)
        self.weight = nn.Parameter(torch.randn(count) * 0.01)
        self.intercept = nn.Parameter(torch.zeros(()))
        self.register_buffer("centre", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))

    @property
    def bias(self) -> Tensor:
        """What the logit has beyond the mean of the map."""
        return self.intercept - (self.weight * self.centre / self.scale).sum()

    def forward(self, maps: list[Tensor], side: int) -> tuple[Tensor, Tensor]:
        weights = (self.weight / self.scale).split(self._sizes())
        cam = torch.zeros(())
        for i, x in enumerate(maps):
            of_means, *of_deviations = weights[i * self._per_stage :][: self._per_stage]
            shares = torch.einsum("nchw,c->nhw", x, of_means)
            for weight in of_deviations:
                energy, sigma = _spread(x)
                shares = shares + torch.einsum("nchw,nc->nhw", energy, weight / sigma)
            cam = cam + nn.functional.adaptive_avg_pool2d(shares, side)
        return cam.mean((1, 2)) + self.bias, cam

    def logits(self, features_NF: Tensor) -> Tensor:
        """Of what `statistics` gives, [N]."""
        return ((features_NF - self.centre) / self.scale) @ self.weight + self.intercept

    def statistics(self, maps: list[Tensor]) -> Tensor:
        """What the logit is linear in, [N, F]."""
        columns: list[Tensor] = []
        for x in maps:
            columns += MeansAndDeviations.apply(x) if self.deviations else [x.float().mean((2, 3))]
        return torch.cat(columns, dim=1)

    @property
    def _per_stage(self) -> int:
        return 2 if self.deviations else 1

    def _sizes(self) -> list[int]:
        return [count for count in self.channels for _ in range(self._per_stage)]


class MeansAndDeviations(torch.autograd.Function):
    """[N, C, H, W] -> each channel's mean and standard deviation, float32 [N, C] each.

    The gradient of both is linear in x, so that it takes one pass over the map, in the map's own precision.
    Autograd would take eight in float32: on a CPU that was a third of each training step.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x_NCHW: Tensor) -> tuple[Tensor, Tensor]:
        values = x_NCHW.float()
        mean, sigma = values.mean((2, 3)), _spread(values)[1]
        ctx.save_for_backward(x_NCHW, mean, sigma)
        return mean, sigma

    @staticmethod
    def backward(ctx: FunctionCtx, of_mean: Tensor, of_sigma: Tensor) -> Tensor:
        x_NCHW, mean, sigma = ctx.saved_tensors
        places = x_NCHW.shape[2] * x_NCHW.shape[3]
        varies = sigma > _TINY_VARIANCE**0.5  # elsewhere sigma is this constant
        slope = torch.where(varies, of_sigma / (sigma * places), 0)
        offset = of_mean / places - slope * mean
        slope, offset = (v[:, :, None, None].to(x_NCHW.dtype) for v in (slope, offset))
        return torch.addcmul(offset, slope, x_NCHW)


def _spread(x_NCHW: Tensor) -> tuple[Tensor, Tensor]:
    """Squared distances from each channel's mean [N, C, H, W], and the standard deviations [N, C]."""
    energy = (x_NCHW - x_NCHW.mean((2, 3), keepdim=True)).square()
    return energy, energy.mean((2, 3)).clamp_min(_TINY_VARIANCE).sqrt()


class ResNet50Detector(nn.Module):
    """uint8 crops [N, S, S, 3] RGB -> logit [N], positive for AI, and cam [N, S/32, S/32].

    mean(cam) + head.bias == logit. In training mode there is no map, and cam is empty.
    """

    def __init__(self, spec: NetworkSpec | None = None) -> None:
        super().__init__()
        self.spec = spec or NetworkSpec()
        self.backbone = resnet50(weights=None)
        self.backbone.fc = nn.Identity()
        for stage in range(max(self.spec.stages) + 1, 5):
            setattr(self.backbone, f"layer{stage}", nn.Identity())
        self.head = StatisticsHead(self.spec)

    def forward(self, crops_NHWC: Tensor) -> tuple[Tensor, Tensor]:
        maps = self._maps(crops_NHWC)
        with torch.autocast(crops_NHWC.device.type, enabled=False):
            if self.training:
                return self.head.logits(self.head.statistics(maps)), maps[0].new_empty(0)
            return self.head([x.float() for x in maps], crops_NHWC.shape[1] // 32)

    def statistics(self, crops_NHWC: Tensor) -> Tensor:
        """What the logit is linear in, float32 [N, F]."""
        return self.head.statistics(self._maps(crops_NHWC))

    def _maps(self, crops_NHWC: Tensor) -> list[Tensor]:
        net = self.backbone
        x = (crops_NHWC.permute(0, 3, 1, 2).float() - _CENTRE) / _SCALE
        x = net.maxpool(net.relu(net.bn1(net.conv1(x))))
        maps = []
        for stage in range(1, max(self.spec.stages) + 1):
            x = getattr(net, f"layer{stage}")(x)
            if stage in self.spec.stages:
                maps.append(x)
        return maps


def compute_in_full_precision() -> None:
    """On a GPU, too: what is not said to be bfloat16 is float32, as it is where the model serves."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def from_imagenet(spec: NetworkSpec, weights: Path | None = None) -> ResNet50Detector:
    """A detector that starts from ImageNet features.

    `weights` is a torchvision-layout state dict with 1000 classes; without it torchvision's own are fetched.
    Raises OSError when they cannot be read or fetched, and ValueError when they are of anything else.
    """
    if weights is None:
        state = ResNet50_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True)
    else:
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
        except (EOFError, RuntimeError, pickle.UnpicklingError) as error:
            raise ValueError(f"{weights} holds no weights") from error
    # The features expect (pixel / 255 - mean) / std. The scale goes into the first layer; the small
    # constant that remains is taken up by its batch normalisation.
    std = torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1)
    state["conv1.weight"] = state["conv1.weight"] * (_SCALE / (255 * std))
    model = ResNet50Detector(spec)
    missing, unexpected = model.backbone.load_state_dict(state, strict=False)
    left_out = ("fc.", *(f"layer{stage}." for stage in range(max(spec.stages) + 1, 5)))
    unexpected = [key for key in unexpected if not key.startswith(left_out)]
    if missing or unexpected:
        raise ValueError(
            f"Not ResNet-50 weights: missing {missing[:3]}, unexpected {unexpected[:3]}"
        )
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
    commit: str = "unknown"
    """Of the code that trained it or, if that was later, fitted its head."""


def has_statistics(model: nn.Module) -> bool:
    """Whether its norms have measured anything; those that `training.restore` reads back only add, at first."""
    norms = (m for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    return any(bool(norm.running_mean.any()) for norm in norms)


def network_state(model: ResNet50Detector) -> dict[str, Any]:
    """All that `from_checkpoint` needs to build the same network."""
    return {"network": dataclasses.asdict(model.spec), "model": model.state_dict()}


def from_checkpoint(path: Path) -> Trained:
    """Read what `training.train` wrote as `best.pt`.

    Raises ModelLoadError when it cannot be read, or was written by a version that knew other networks.
    """
    try:
        state: Mapping[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        model = ResNet50Detector(NetworkSpec(**state["network"]))
        model.load_state_dict(state["model"])
        return Trained(
            model=model.to(memory_format=torch.channels_last).eval(),
            recipe=state["recipe"],
            generators=tuple(state["generators"]),
            seed=state["seed"],
            whole_images=state.get("whole_images", False),
            commit=state.get("commit", "unknown"),
        )
    except (OSError, EOFError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelLoadError(f"The checkpoint {path} cannot be read.") from error
