"""The checkpoint of a released model, read back."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from detector.preprocess import PreprocessSpec
from tests.models import TINY_MANIFEST
from training.export import export_onnx, parity, write_manifest
from training.model import ResNet50Detector, from_checkpoint
from training.quantize import halve_weights, quantize, quantize_weights
from training.recipes import RECIPES, NetworkSpec, Phase, Recipe
from training.restore import restore, settle_norms, trainable
from training.train import save_atomically

SPEC = NetworkSpec(stages=(1, 3), deviations=True)
RECIPE = Recipe(
    name="test",
    network=SPEC,
    phases=(Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"gan": 1.0}),),
    seed=5,
)


@pytest.fixture(autouse=True)
def _known_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RECIPES, "test", lambda: RECIPE)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A network whose norms and head are no longer as they begin, in four precisions."""
    torch.manual_seed(0)
    model = ResNet50Detector(SPEC)
    for name, values in model.state_dict().items():
        if name.endswith(("running_mean", "running_var", "bias", "centre", "scale", "intercept")):
            values.copy_(torch.rand(values.shape) + 0.5)
    folder = tmp_path_factory.mktemp("exported")
    paths = {name: folder / f"{name}.onnx" for name in ("full", "half", "eight", "int8")}
    export_onnx(model.eval(), paths["full"], PreprocessSpec())
    halve_weights(paths["full"], paths["half"])
    crops = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    quantize_weights(paths["full"], paths["eight"], crops)
    quantize(paths["full"], paths["int8"], crops)
    manifest = dataclasses.replace(
        TINY_MANIFEST, recipe="test", trained_on=("gan",), logit_bias=float(model.head.bias.item())
    )
    for path in paths.values():
        write_manifest(path, manifest)
    return paths


@pytest.mark.parametrize("precision", ["full", "half", "eight"])
def test_the_network_says_the_same(
    exported: dict[str, Path], precision: str, tmp_path: Path
) -> None:
    """As the file that it was read from; and what it learned is known."""
    save_atomically(restore(exported[precision]), tmp_path / "restored.pt")
    trained = from_checkpoint(tmp_path / "restored.pt")
    crops = torch.randint(0, 256, (4, 224, 224, 3), dtype=torch.uint8)

    assert parity(trained.model, exported[precision], crops) < 1e-3
    assert ("test", ("gan",), 5) == (trained.recipe, trained.generators, trained.seed)


def test_norms_measure_again_what_the_export_put_away(exported: dict[str, Path]) -> None:
    """So that training sees the network as serving does; without, it would see another one."""
    torch.manual_seed(1)
    state = restore(exported["full"])
    model = ResNet50Detector(SPEC)
    model.load_state_dict(state["model"])
    crops = torch.randint(0, 256, (16, 64, 64, 3), dtype=torch.uint8)
    with torch.no_grad():
        serving = model.eval()(crops)[0]
        lost = (model.train()(crops)[0] - serving).abs().max()
        model.load_state_dict(state["model"])
        like = ResNet50Detector(SPEC)
        settle_norms(model.eval(), like, crops)
        settled = model(crops)[0]
        trained = model.train()(crops)[0]

    torch.testing.assert_close(settled, serving, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(trained, serving, rtol=1e-2, atol=1e-2)
    assert lost > 10 * (trained - serving).abs().max()
    lengths = (m.backbone.conv1.weight.flatten(1).norm(dim=1) for m in (model, like))
    torch.testing.assert_close(*lengths)


def test_a_recipe_with_another_network_is_refused(exported: dict[str, Path]) -> None:
    """Rather than trained half."""
    other = dataclasses.replace(RECIPE, network=NetworkSpec(stages=(1,)))
    with pytest.raises(ValueError, match="'test' trains another network"):
        trainable(restore(exported["full"]), other, [], None)


def test_arithmetic_in_eight_bits_is_refused(exported: dict[str, Path]) -> None:
    """Its weights are not those of the network."""
    with pytest.raises(ValueError, match="computes in int8"):
        restore(exported["int8"])


def test_a_recipe_that_is_gone_is_named(exported: dict[str, Path], tmp_path: Path) -> None:
    """Its network cannot be built."""
    path = tmp_path / "gone.onnx"
    path.write_bytes(exported["full"].read_bytes())
    write_manifest(path, dataclasses.replace(TINY_MANIFEST, recipe="gone"))

    with pytest.raises(ValueError, match="No recipe is known as 'gone'"):
        restore(path)
