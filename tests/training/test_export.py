"""From torch to ONNX and to int8."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto

from detector.classifier import OnnxClassifier
from detector.errors import ModelLoadError
from detector.preprocess import PreprocessSpec
from tests.models import TINY_MANIFEST
from training.export import export_onnx, parity, write_manifest
from training.model import ResNet50Detector
from training.quantize import (
    Comparison,
    _mean_inputs,
    best_scale,
    halve_weights,
    quantize,
    quantize_weights,
)


@pytest.fixture(scope="module")
def model() -> ResNet50Detector:
    torch.manual_seed(0)
    return ResNet50Detector().eval()


@pytest.fixture(scope="module")
def graph(model: ResNet50Detector, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "fp32.onnx"
    export_onnx(model, path, PreprocessSpec())
    return path


def _crops(n: int, seed: int = 0) -> torch.Tensor:
    """Noise, uint8 [n, 224, 224, 3]."""
    seeded = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 224, 224, 3), dtype=torch.uint8, generator=seeded)


def test_the_graph_equals_the_network(model: ResNet50Detector, graph: Path) -> None:
    """Within a thousandth, for any number of crops."""
    for n in (1, 5):
        assert parity(model, graph, _crops(n)) < 1e-3


def test_the_graph_is_used_only_with_a_manifest(graph: Path, tmp_path: Path) -> None:
    """Without one it is refused; with one it loads and the last one counts."""
    path = tmp_path / "model.onnx"
    path.write_bytes(graph.read_bytes())
    with pytest.raises(ModelLoadError):
        OnnxClassifier.load(path)
    write_manifest(path, TINY_MANIFEST)
    write_manifest(path, TINY_MANIFEST)

    assert OnnxClassifier.load(path).manifest == TINY_MANIFEST


def test_the_int8_graph_keeps_the_contract(graph: Path, tmp_path: Path) -> None:
    """A quarter of the size, the same names and types, and a map that still explains the logit."""
    crops = _crops(8).numpy()
    quantize(graph, tmp_path / "int8.onnx", crops)
    session = onnxruntime.InferenceSession(tmp_path / "int8.onnx")
    logit, cam = session.run(["logit", "cam"], {"crops": crops})

    assert (tmp_path / "int8.onnx").stat().st_size < 0.3 * graph.stat().st_size
    assert ("tensor(uint8)", [224, 224, 3]) == (
        session.get_inputs()[0].type,
        session.get_inputs()[0].shape[1:],
    )
    assert (8, 7, 7) == cam.shape
    offset = logit - cam.mean(axis=(1, 2))
    np.testing.assert_allclose(offset, np.full(8, offset[0]), atol=1e-4)


def test_eight_bit_weights_hardly_change_the_logits(
    model: ResNet50Detector, graph: Path, tmp_path: Path
) -> None:
    """Little more than a quarter of the size, and logits within a tenth of the spread of their maps."""
    quantize_weights(graph, tmp_path / "small.onnx", _crops(8, seed=1).numpy())
    crops = _crops(4)
    with torch.inference_mode():
        spread = float(model(crops)[1].std())

    assert (tmp_path / "small.onnx").stat().st_size < 0.3 * graph.stat().st_size
    assert parity(model, tmp_path / "small.onnx", crops) < 0.1 * spread


def test_eight_bit_weights_are_multiplied_in_fp32(graph: Path, tmp_path: Path) -> None:
    """So that no processor can saturate: nothing but constants is ever an integer of eight bits, and those are cast."""
    quantize_weights(graph, tmp_path / "small.onnx", _crops(2).numpy())
    small = onnx.load(tmp_path / "small.onnx").graph
    eight_bits = {each.name for each in small.initializer if each.data_type == TensorProto.INT8}

    assert eight_bits
    assert {"Cast"} == {node.op_type for node in small.node if eight_bits & set(node.input)}
    assert not [
        node.op_type for node in small.node if "Quant" in node.op_type or "Integer" in node.op_type
    ]


def test_the_first_stages_are_in_half_precision(graph: Path, tmp_path: Path) -> None:
    """The later ones are in eight bits, and the first convolution is as it was."""
    quantize_weights(graph, tmp_path / "small.onnx", _crops(2).numpy())
    types = {
        each.name: each.data_type for each in onnx.load(tmp_path / "small.onnx").graph.initializer
    }

    assert types["backbone.conv1.weight"] == TensorProto.FLOAT
    for stage, kind, wanted in (
        *((stage, "half", TensorProto.FLOAT16) for stage in (1, 2)),
        *((stage, "int8", TensorProto.INT8) for stage in (3, 4)),
    ):
        assert types[f"backbone.layer{stage}.0.conv2.weight_{kind}"] == wanted


def test_what_rounding_moves_goes_into_the_biases(
    model: ResNet50Detector, graph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On other crops of the kind that they were measured on, the logits move half as much or less."""
    quantize_weights(graph, tmp_path / "corrected.onnx", _crops(8, seed=1).numpy())
    monkeypatch.setattr("training.quantize._mean_inputs", lambda *_: {})
    quantize_weights(graph, tmp_path / "plain.onnx", _crops(8, seed=1).numpy())
    corrected, plain = (
        parity(model, tmp_path / f"{name}.onnx", _crops(4)) for name in ("corrected", "plain")
    )

    assert corrected < 0.5 * plain


def test_the_means_are_those_over_all_crops(model: ResNet50Detector, graph: Path) -> None:
    """Also where the last batch is smaller than the others."""
    crops = _crops(9)
    seen = []
    convolution = model.get_submodule("backbone.layer1.1.conv1")
    hook = convolution.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.inference_mode():
        model(crops)
    hook.remove()
    found = _mean_inputs(graph, crops.numpy())["backbone.layer1.1.conv1.weight"]

    np.testing.assert_allclose(found, seen[0].mean((0, 2, 3)).numpy(), rtol=1e-3, atol=1e-5)


def test_half_precision_changes_the_logits_less_than_eight_bits(
    model: ResNet50Detector, graph: Path, tmp_path: Path
) -> None:
    """Half of the size, and less than a third of the error."""
    quantize_weights(graph, tmp_path / "eight.onnx", _crops(8, seed=1).numpy())
    halve_weights(graph, tmp_path / "half.onnx")
    crops = _crops(4)
    eight, half = (parity(model, tmp_path / f"{name}.onnx", crops) for name in ("eight", "half"))

    assert (tmp_path / "half.onnx").stat().st_size < 0.55 * graph.stat().st_size
    assert half < eight / 3


def test_weights_that_lie_on_a_grid_keep_their_values() -> None:
    """Each channel has a grid of its own; a channel of noughts stays one, and others lose little."""
    rng = np.random.default_rng(0)
    levels = rng.integers(-63, 64, (5, 8, 3, 3)).astype(np.float32)
    levels[4] = 0
    steps = np.array([0.003, 0.01, 0.7, 2.1, 1.0], np.float32).reshape(-1, 1, 1, 1)
    scale = best_scale(levels * steps)
    restored = np.round(levels * steps / scale) * scale

    assert (5, 1, 1, 1) == scale.shape
    assert np.abs(np.round(levels * steps / scale)).max() <= 127
    np.testing.assert_allclose(levels * steps, restored, rtol=1e-6)

    free = rng.normal(size=(2, 8, 3, 3)).astype(np.float32)
    scale = best_scale(free)
    error = np.square(free - np.round(free / scale) * scale).sum((1, 2, 3))
    usual = np.abs(free).max(axis=(1, 2, 3), keepdims=True) / 127
    assert (error <= np.square(free - np.round(free / usual) * usual).sum((1, 2, 3)) + 1e-6).all()


@pytest.mark.parametrize(
    ("change", "agreement", "passed"),
    [(0.004, 0.995, True), (-0.006, 0.995, False), (0.0, 0.98, False)],
)
def test_the_gate(change: float, agreement: float, passed: bool) -> None:
    """int8 ships only when no AUROC moves by more than 0.005 and 99 % of the verdicts stay."""
    assert passed == Comparison("int8", {"gan/clean": change, "vae/web": 0.0}, agreement).passed
