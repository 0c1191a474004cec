"""The head that is fitted once more in the end."""

import dataclasses
from pathlib import Path

import pytest
import torch

from training.model import ResNet50Detector, network_state
from training.recipes import RECIPES, NetworkSpec, Phase, Recipe
from training.records import Record
from training.refit import go_halfway, refit, refit_recipe
from training.revision import revision

SPEC = NetworkSpec(stages=(1,), deviations=True)
PHASE = Phase(crop_size=64, steps=2, pairs_per_step=2, mix={"vae": 0.5, "gan": 0.5})
RECIPE = Recipe(name="test", network=SPEC, phases=(PHASE,), refit=PHASE, refit_penalty=0.1)


@pytest.fixture
def two_generators(records: list[Record]) -> list[Record]:
    """The AI images are by turns of one and of the other."""
    return [
        dataclasses.replace(r, generator="gan") if r.label and int(r.group) % 2 else r
        for r in records
    ]


def test_only_the_head_changes(
    two_generators: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, and what it was before is gone; the rest of the checkpoint is as it was, but for the version of the
    code that wrote it.
    """
    monkeypatch.setitem(RECIPES, "test", lambda: RECIPE)
    torch.manual_seed(0)
    model = ResNet50Detector(SPEC)
    model.head.intercept.data.fill_(0.5)
    before = {
        "recipe": "test", "generators": ["gan", "vae"], "seed": 3, "step": 7,
        "validation": {"mean": 0.5}, "commit": "before", **network_state(model),
    }  # fmt: skip
    torch.save(before, tmp_path / "best.pt")
    refit(tmp_path / "best.pt", two_generators, tmp_path / "refit.pt", device="cpu", workers=0)
    refit(tmp_path / "refit.pt", two_generators, tmp_path / "twice.pt", device="cpu", workers=0)
    after = torch.load(tmp_path / "refit.pt", weights_only=True)

    assert {k: v for k, v in before.items() if k not in {"model", "validation", "commit"}} == {
        k: v for k, v in after.items() if k not in {"model", "commit"}
    }
    assert after["commit"] == revision()
    for name, values in before["model"].items():
        assert name.startswith("head.") != torch.equal(values, after["model"][name]), name
    twice = torch.load(tmp_path / "twice.pt", weights_only=True)
    for name, values in after["model"].items():
        torch.testing.assert_close(values, twice["model"][name], msg=name)


def test_weights_go_halfway_back_to_where_the_run_began(
    two_generators: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but those of the head, which is fitted afterwards; to another network there is no way."""
    monkeypatch.setitem(RECIPES, "test", lambda: RECIPE)
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        models.append(ResNet50Detector(SPEC))
    start, end = models
    state = {"recipe": "test", "generators": ["gan", "vae"], "seed": 0, **network_state(end)}
    torch.save(state, tmp_path / "best.pt")
    arguments = (tmp_path / "best.pt", two_generators, tmp_path / "refit.pt")
    refit(*arguments, start=start, device="cpu", workers=0)
    after = torch.load(tmp_path / "refit.pt", weights_only=True)["model"]

    for name, values in start.backbone.named_parameters():
        mean = (values + end.backbone.get_parameter(name)) / 2
        torch.testing.assert_close(after[f"backbone.{name}"], mean)
    other = ResNet50Detector(NetworkSpec(stages=(1, 2), deviations=True))
    with pytest.raises(ValueError, match="from another network"):
        refit(*arguments, start=other, device="cpu", workers=0)


def test_norms_of_another_scale_are_refused() -> None:
    """The mean of filters with the norms inside and of filters before them would be no network's."""
    model, start = ResNet50Detector(SPEC), ResNet50Detector(SPEC)
    norm = next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d))
    norm.running_mean.fill_(1.0)

    for one, other, lacking in ((model, start, "its start"), (start, model, "the run")):
        with pytest.raises(ValueError, match=f"norms of {lacking} alone"):
            go_halfway(one, other)


def test_a_recipe_that_is_gone_is_named(tmp_path: Path) -> None:
    """Instead of a traceback."""
    state = {"recipe": "gone", "generators": ["gan"], "seed": 0}
    torch.save({**state, **network_state(ResNet50Detector(SPEC))}, tmp_path / "best.pt")

    with pytest.raises(ValueError, match="No recipe is known as 'gone'"):
        refit(tmp_path / "best.pt", [], tmp_path / "refit.pt", device="cpu", workers=0)


def test_a_run_without_some_photographs_is_refused(
    two_generators: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its checkpoint does not say which, so that the head would meet them again."""
    monkeypatch.setitem(RECIPES, "test", lambda: RECIPE)
    state = {"recipe": "test-without-pets", "generators": ["gan", "vae"], "seed": 0}
    torch.save({**state, **network_state(ResNet50Detector(SPEC))}, tmp_path / "best.pt")

    with pytest.raises(ValueError, match="which photographs 'test-without-pets' left out"):
        refit(tmp_path / "best.pt", two_generators, tmp_path / "refit.pt", device="cpu", workers=0)


def test_what_was_left_out_of_the_run_is_left_out_again() -> None:
    """A recipe that fits no head in the end is refused."""
    recipe = refit_recipe(RECIPE, ("gan", "other"))

    assert ("gan",) == recipe.generators
    with pytest.raises(ValueError, match="fits no head"):
        refit_recipe(dataclasses.replace(RECIPE, refit=None), ("gan",))
