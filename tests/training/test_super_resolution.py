"""Super-resolution: an image that was made smaller comes back at its size and place."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.super_resolution import NETWORKS, SuperResolution, load_super_resolution

NEAREST = """7767517
2 2
Input  small 0 1 small
Interp large 1 1 small large 0=1 1={scale}.0 2={scale}.0
"""
"""Repeats each pixel: a network whose output is known without running it."""


def _network(scale: int = 2, margin: int = 5) -> SuperResolution:
    return SuperResolution(
        package="nearest", files="nearest/net", scale=scale, margin=margin, input="small", output="large"
    )  # fmt: skip


def _wheel(folder: Path, structure: str) -> Path:
    path = folder / "nearest-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nearest/net.param", structure)
        archive.writestr("nearest/net.bin", b"")
    return path


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("margin", [1, 5])
def test_an_image_comes_back_at_its_size_and_place(scale: int, margin: int, tmp_path: Path) -> None:
    """Reduced, then each pixel repeated; what was mirrored around it is cut off on every side."""
    image_HWC = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    small = Image.fromarray(image_HWC).resize((64 // scale, 40 // scale), Image.Resampling.BICUBIC)
    wheel = _wheel(tmp_path, NEAREST.format(scale=scale))

    large_HWC = load_super_resolution(_network(scale, margin), wheel)(image_HWC)

    assert large_HWC.dtype == np.uint8
    assert np.array_equal(large_HWC, np.asarray(small).repeat(scale, 0).repeat(scale, 1))


def test_a_wheel_without_the_network_is_refused(tmp_path: Path) -> None:
    elsewhere = dataclasses.replace(_network(), files="nearest/other")

    with pytest.raises(ValueError, match=r"does not hold .*nearest/other\.param"):
        load_super_resolution(elsewhere, _wheel(tmp_path, NEAREST.format(scale=2)))


def test_a_network_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a network that ncnn does not read"):
        load_super_resolution(_network(), _wheel(tmp_path, "no network"))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_sides_of_a_pair_divide_by_each_scale(network: SuperResolution) -> None:
    """`training.synthesize` cuts to multiples of eight."""
    assert 8 % network.scale == 0
