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
