"""The network: its contract, and where it starts from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import resnet50

from training.model import (
    MeansAndDeviations,
    ResNet50Detector,
    StatisticsHead,
    from_imagenet,
)
from training.recipes import NetworkSpec

SPECS = {
    "plain": NetworkSpec(),
    "texture": NetworkSpec(stages=(1, 2, 3), deviations=True),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_map_explains_the_logit(spec: NetworkSpec) -> None:
    """mean(cam) + bias is the logit, and the logit is linear in the statistics, at every crop size."""
    torch.manual_seed(0)
    model = ResNet50Detector(spec).eval()
    for size in (96, 224):
        crops = torch.randint(0, 256, (2, size, size, 3), dtype=torch.uint8)
        with torch.inference_mode():
            logit, cam = model(crops)
            linear = model.statistics(crops) @ model.head.weight + model.head.intercept

        assert (2, size // 32, size // 32) == cam.shape
        torch.testing.assert_close(cam.mean((1, 2)) + model.head.bias, logit)
        torch.testing.assert_close(linear, logit, rtol=1e-3, atol=1e-3)


def test_statistics_are_means_and_deviations_of_each_channel() -> None:
    """As numpy computes them."""
    spec = NetworkSpec(stages=(2,), deviations=True)
    maps = torch.randn(2, 512, 4, 4)
    statistics = StatisticsHead(spec).statistics([maps]).numpy()
    expected = [maps.numpy().mean((2, 3)), maps.numpy().std((2, 3))]

    np.testing.assert_allclose(statistics, np.concatenate(expected, axis=1), atol=1e-5)


def test_statistics_have_the_gradient_of_their_formula() -> None:
    """That of autograd, and none towards a channel that does not vary."""
    maps = torch.randn(2, 3, 4, 4)
    maps[0, 1] = 0.5
    of_mean, of_sigma = torch.randn(2, 2, 3)
    ours, plain = (maps.clone().requires_grad_() for _ in range(2))
    mean, sigma = MeansAndDeviations.apply(ours)
    variance, plain_mean = torch.var_mean(plain, (2, 3), correction=0)
    plain_sigma = variance.clamp_min(1e-6).sqrt()
    for values in ((mean, sigma), (plain_mean, plain_sigma)):
        (values[0] * of_mean + values[1] * of_sigma).sum().backward()

    torch.testing.assert_close((mean, sigma), (plain_mean, plain_sigma))
    torch.testing.assert_close(ours.grad, plain.grad)


def test_the_gradient_of_statistics_holds_in_bfloat16() -> None:
    """To about one in a hundred of what is typical, on features as a ReLU leaves them."""
    maps = (torch.randn(2, 3, 14, 14) + 0.5).relu().bfloat16()
    of_mean, of_sigma = torch.randn(2, 2, 3)
    rounded, exact = maps.clone().requires_grad_(), maps.float().requires_grad_()
    for values in (rounded, exact):
        mean, sigma = MeansAndDeviations.apply(values)
        (mean * of_mean + sigma * of_sigma).sum().backward()
    error = (rounded.grad.float() - exact.grad).square().mean().sqrt()

    assert rounded.grad.dtype == torch.bfloat16
    assert float(error / exact.grad.square().mean().sqrt()) < 0.01


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_training_learns_the_logit_that_serves(spec: NetworkSpec) -> None:
    """Computed without the map, which no gradient needs."""
    torch.manual_seed(0)
    model = ResNet50Detector(spec).eval()
    crops = torch.randint(0, 256, (2, 96, 96, 3), dtype=torch.uint8)
    with torch.inference_mode():
        served, _ = model(crops)
        model.training = True  # of the whole alone: its norms still use what they have collected
        learned, cam = model(crops)

    torch.testing.assert_close(learned, served, rtol=1e-3, atol=1e-3)
    assert 0 == cam.numel()


def test_stages_that_no_statistic_needs_are_left_out() -> None:
    """They would only take time and space."""
    parts = {key.split(".")[1] for key in ResNet50Detector(SPECS["texture"]).state_dict()}

    assert "layer3" in parts
    assert "layer4" not in parts


def test_only_known_stages_are_accepted() -> None:
    """ResNet-50 has four."""
    for stages in ((), (0,), (5,)):
        with pytest.raises(ValueError, match="Stages are some of 1 to 4"):
            NetworkSpec(stages=stages)


def test_the_input_is_exact_in_bfloat16() -> None:
    """Each of the 256 pixel values survives the normalisation unrounded."""
    pixels = torch.arange(256, dtype=torch.float32)
    normalised = (pixels - 128) / 64

    assert torch.equal(normalised, normalised.bfloat16().float())


def test_imagenet_features_are_kept(tmp_path: Path) -> None:
    """Only the stem's scale differs from the weights that were given."""
    torch.manual_seed(0)
    original = resnet50(weights=None).state_dict()
    torch.save(original, tmp_path / "imagenet.pth")

    for spec in SPECS.values():
        state = from_imagenet(spec, tmp_path / "imagenet.pth").backbone.state_dict()

        assert {"conv1.weight"} == {k for k in state if not torch.equal(state[k], original[k])}


def test_other_weights_are_refused(tmp_path: Path) -> None:
    """A state dict of another network is named as such."""
    torch.save(
        {"layer9.weight": torch.zeros(1), "conv1.weight": torch.zeros(64, 3, 7, 7)},
        tmp_path / "x.pth",
    )

    with pytest.raises(ValueError, match="Not ResNet-50 weights"):
        from_imagenet(NetworkSpec(), tmp_path / "x.pth")
