"""The network: its contract, and where it starts from."""

from pathlib import Path

import pytest
import torch
from torchvision.models import resnet50

from training.model import ResNet50Detector, from_imagenet


def test_the_map_explains_the_logit() -> None:
    """mean(cam) + bias is the logit, at every crop size."""
    model = ResNet50Detector().eval()
    for size in (96, 224):
        crops = torch.randint(0, 256, (2, size, size, 3), dtype=torch.uint8)
        with torch.inference_mode():
            logit, cam = model(crops)

        assert (2, size // 32, size // 32) == cam.shape
        torch.testing.assert_close(cam.mean((1, 2)) + model.backbone.fc.bias, logit)


def test_the_input_is_exact_in_bfloat16() -> None:
    """Each of the 256 pixel values survives the normalisation unrounded."""
    pixels = torch.arange(256, dtype=torch.float32)
    normalised = (pixels - 128) / 64

    assert torch.equal(normalised, normalised.bfloat16().float())


def test_imagenet_features_are_kept(tmp_path: Path) -> None:
    """Only the stem's scale and the last layer differ from the weights that were given."""
    torch.manual_seed(0)
    original = resnet50(weights=None).state_dict()
    torch.save(original, tmp_path / "imagenet.pth")

    state = from_imagenet(tmp_path / "imagenet.pth").backbone.state_dict()

    changed = {key for key in state if not torch.equal(state[key], original[key])}
    assert {"conv1.weight", "fc.weight", "fc.bias"} == changed


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """A state dict of another network is named as such."""
    torch.save(
        {"layer9.weight": torch.zeros(1), "conv1.weight": torch.zeros(64, 3, 7, 7)},
        tmp_path / "x.pth",
    )

    with pytest.raises(ValueError, match="Not ResNet-50 weights"):
        from_imagenet(tmp_path / "x.pth")
