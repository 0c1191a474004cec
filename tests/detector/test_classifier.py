"""Loading a model, and running it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from detector.classifier import OnnxClassifier
from detector.errors import ModelLoadError
from detector.preprocess import PreprocessSpec, cut_crops


def test_the_map_and_the_logit_belong_together(tiny_model: Path) -> None:
    """mean(cam) + bias is the logit, crop by crop."""
    classifier = OnnxClassifier.load(tiny_model)
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (500, 700, 3), dtype=np.uint8))

    evidence = classifier.score(cut_crops(image, PreprocessSpec()))

    expected = evidence.cams.mean(axis=(1, 2)) + classifier.manifest.logit_bias
    np.testing.assert_allclose(expected, evidence.logits, atol=1e-4)


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    """The message does not tell where files lie."""
    with pytest.raises(ModelLoadError) as caught:
        OnnxClassifier.load(tmp_path / "absent.onnx")

    assert "absent.onnx" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a graph", b"\x08\x0a" * 500])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """There is no score without a model."""
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)

    with pytest.raises(ModelLoadError):
        OnnxClassifier.load(path)


def test_a_cut_file_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    """Half a model is no model."""
    path = tmp_path / "cut.onnx"
    path.write_bytes(tiny_model.read_bytes()[:600])

    with pytest.raises(ModelLoadError):
        OnnxClassifier.load(path)


def test_a_model_without_manifest_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    """A graph that does not say how to use it is not used."""
    graph = onnx.load(tiny_model)
    del graph.metadata_props[:]
    onnx.save(graph, tmp_path / "bare.onnx")

    with pytest.raises(ModelLoadError, match="no manifest"):
        OnnxClassifier.load(tmp_path / "bare.onnx")


def test_a_model_with_other_outputs_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    """The names of the contract are checked when loading, not at the first image."""
    graph = onnx.load(tiny_model)
    graph.graph.output[0].name = "mean"
    onnx.save(graph, tmp_path / "other.onnx")

    with pytest.raises(ModelLoadError, match="not crops, logit and cam"):
        OnnxClassifier.load(tmp_path / "other.onnx")
