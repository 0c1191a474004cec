"""The head's closed form."""

import pytest
import torch

from training.model import ResNet50Detector
from training.probe import collect_statistics, fit_head
from training.recipes import NetworkSpec


@pytest.fixture
def model() -> ResNet50Detector:
    """Untrained, with a head on the first stage."""
    torch.manual_seed(0)
    return ResNet50Detector(NetworkSpec(stages=(1,)))


def test_the_fitted_head_tells_the_crops_apart(model: ResNet50Detector) -> None:
    """Dark crops labelled 1 get positive logits, bright ones labelled 0 negative ones."""
    bright = torch.randint(100, 256, (3, 4, 1, 64, 64, 3), dtype=torch.uint8)
    crops = torch.cat([bright, bright // 8], dim=2)
    labels = torch.tensor([0.0, 1.0]).expand(4, 2)
    features, targets = collect_statistics(model, [(c, labels) for c in crops], device="cpu")
    fit_head(model, features, targets, penalty=0.1)
    with torch.inference_mode():
        logits = model.eval()(crops.flatten(0, 2))[0].reshape(-1, 2)

    assert (24, 256) == tuple(features.shape)
    assert (logits[:, 0] < -1).all()
    assert (logits[:, 1] > 1).all()


def test_a_penalty_draws_the_weights_towards_nought(model: ResNet50Detector) -> None:
    """And without one the regression hits its targets."""
    features = torch.randn(300, 256)
    labels = (features[:, 3] > 0).float()
    sizes = []
    for penalty in (0.01, 1.0, 100.0):
        fit_head(model, features, labels, penalty)
        sizes.append(float(model.head.weight.detach().norm()))

    assert sizes == sorted(sizes, reverse=True)
    assert 3 == int(model.head.weight.abs().argmax())


def test_what_says_nothing_gets_a_logit_near_nought(model: ResNet50Detector) -> None:
    """The direction in which it varies is given up, and the other one that tells the crops apart is used instead."""
    torch.manual_seed(0)
    features = torch.randn(4000, 256)
    labels = (features[:, 3] > 0).float()
    features[:, 5] = features[:, 3]
    neutral = torch.randn(4000, 256)
    neutral[:, 3] = 0.0
    weights = []
    for given in (None, neutral):
        fit_head(model, features, labels, 0.1, neutral_MF=given, neutral_weight=10.0)
        weights.append(model.head.weight.tolist())

    assert weights[0][3] == pytest.approx(weights[0][5], rel=1e-3)
    assert weights[1][3] > 10 * abs(weights[1][5])
    with torch.inference_mode():
        assert model.head.logits(neutral).abs().mean() < 0.3


def test_the_fit_is_that_of_least_squares(model: ResNet50Detector) -> None:
    """All rows stacked and solved at once, where classes differ in size and what says nothing lies off the middle."""
    torch.manual_seed(0)
    features, neutral = torch.randn(400, 256), torch.randn(300, 256) + 0.5
    labels = (torch.arange(400) % 4 == 0).float()
    fit_head(model, features, labels, 0.2, neutral_MF=neutral, neutral_weight=3.0)
    x, z = ((rows - features.mean(0)) / features.std(0) for rows in (features, neutral))
    y = labels * 2 - 1
    rows = [x / 400**0.5, z * (3 / 300) ** 0.5, 0.2**0.5 * torch.eye(256)]
    wanted = [(y - y.mean()) / 400**0.5, -y.mean() * torch.full((300,), (3 / 300) ** 0.5)]
    targets = torch.cat([*wanted, torch.zeros(256)])[:, None]
    solved = torch.linalg.lstsq(torch.cat(rows).double(), targets.double()).solution[:, 0]

    torch.testing.assert_close(model.head.weight.detach(), 4 * solved.float(), atol=1e-4, rtol=1e-3)
    assert model.head.intercept.item() == pytest.approx(-2.0)
