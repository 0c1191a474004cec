"""Decoders: shapes, and colours matched back."""

import numpy as np
import torch
from skimage import data

from training.decoders import (
    CycleGanGenerator,
    match_histograms,
    tiny_autoencoder_decoder,
    tiny_autoencoder_encoder,
)


def test_the_autoencoder_has_the_published_size() -> None:
    """The numbers of weights are those of the published files."""
    count = [
        sum(p.numel() for p in module.parameters())
        for module in (tiny_autoencoder_encoder(), tiny_autoencoder_decoder())
    ]

    assert [1_338_528, 1_338_499] == count


def test_the_autoencoder_divides_by_eight_and_back() -> None:
    """RGB to 32 channels at an eighth of the size, and RGB again."""
    with torch.inference_mode():
        latent = tiny_autoencoder_encoder()(torch.rand(1, 3, 64, 96))
        image = tiny_autoencoder_decoder()(latent)

    assert (1, 32, 8, 12) == latent.shape
    assert (1, 3, 64, 96) == image.shape


def test_the_generator_keeps_the_size() -> None:
    """Two steps down, nine blocks, two steps up."""
    with torch.inference_mode():
        image = CycleGanGenerator(width=8)(torch.rand(1, 3, 64, 96))

    assert (1, 3, 64, 96) == image.shape


def test_colours_are_matched() -> None:
    """A darkened image gets its brightness back."""
    original = data.astronaut()
    matched = match_histograms((original * 0.5).astype(np.uint8), original)

    assert np.abs(matched.astype(float) - original).mean() < 3
