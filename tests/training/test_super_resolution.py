"""Super-resolution: an image that was made smaller comes back at its size and place."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from training import synthesize
from training.super_resolution import NETWORKS, SuperResolution, load_super_resolution
from training.synthesize import DecoderFiles


def _write_wheel(folder: Path, network: SuperResolution) -> Path:
    """A wheel with a network that repeats each pixel: its output is known without running it."""
    path = folder / f"{network.package}-1.0-py3-none-any.whl"
    enlarge = f"{network.input} {network.output} 0=1 1={network.scale}.0 2={network.scale}.0"
    structure = f"7767517\n2 2\nInput a 0 1 {network.input}\nInterp b 1 1 {enlarge}\n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{network.package}/{network.files}.param", structure)
        archive.writestr(f"{network.package}/{network.files}.bin", b"")
    return path


def _repeated(image_HWC: np.ndarray, scale: int) -> np.ndarray:
    height, width = image_HWC.shape[:2]
    small = Image.fromarray(image_HWC).resize(
        (width // scale, height // scale), Image.Resampling.BICUBIC
    )
    return np.asarray(small).repeat(scale, 0).repeat(scale, 1)


@pytest.fixture
def network() -> SuperResolution:
    return NETWORKS["waifu2x"]


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("margin", [1, 5])
def test_an_image_comes_back_at_its_size_and_place(
    scale: int, margin: int, network: SuperResolution, tmp_path: Path
) -> None:
    """Reduced, then each pixel repeated; what was mirrored around it is cut off on every side."""
    image_HWC = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    network = dataclasses.replace(network, scale=scale, margin=margin)

    large_HWC = load_super_resolution(network, _write_wheel(tmp_path, network))(image_HWC)

    assert large_HWC.dtype == np.uint8
    assert np.array_equal(large_HWC, _repeated(image_HWC, scale))


def test_every_network_is_found_in_its_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the names of its files and of what goes in and out; one wheel may hold several."""
    monkeypatch.setattr(synthesize, "load_taef2", lambda folder: folder)
    for network in NETWORKS.values():
        _write_wheel(tmp_path, network)
    image_HWC = data.astronaut()[:256, :200]

    decoders = DecoderFiles(tmp_path, tmp_path).load()

    assert {"taef2-recon", *NETWORKS} == set(decoders)
    for name, network in NETWORKS.items():
        expected = _repeated(image_HWC, network.scale)
        assert np.array_equal(decoders[name](image_HWC), expected), name


def test_a_wheel_without_the_network_is_refused(network: SuperResolution, tmp_path: Path) -> None:
    wheel = _write_wheel(tmp_path, network)

    with pytest.raises(ValueError, match=r"does not hold other\.param"):
        load_super_resolution(dataclasses.replace(network, files="other"), wheel)


def test_a_wheel_that_is_not_whole_is_refused(network: SuperResolution, tmp_path: Path) -> None:
    wheel = _write_wheel(tmp_path, network)
    wheel.write_bytes(wheel.read_bytes()[:100])

    with pytest.raises(ValueError, match="is not a whole wheel"):
        load_super_resolution(network, wheel)


@pytest.mark.parametrize("names", [("other", "output"), ("input", "other")])
def test_a_network_with_other_names_is_refused(
    names: tuple[str, str], network: SuperResolution, tmp_path: Path
) -> None:
    """Asked for what it does not have, ncnn would end the process."""
    network = dataclasses.replace(network, input="input", output="output")
    renamed = dataclasses.replace(network, input=names[0], output=names[1])

    with pytest.raises(ValueError, match="other inputs and outputs"):
        load_super_resolution(network, _write_wheel(tmp_path, renamed))


def test_a_network_that_cannot_be_read_is_refused(network: SuperResolution, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as archive:
        for ending in (".param", ".bin"):
            archive.writestr(network.files + ending, "no network")

    with pytest.raises(ValueError, match="a network that ncnn does not read"):
        load_super_resolution(network, tmp_path / "a.whl")


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_sides_of_a_pair_divide_by_each_scale(network: SuperResolution) -> None:
    """`training.synthesize` cuts to multiples of eight."""
    assert 8 % network.scale == 0
