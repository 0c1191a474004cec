"""Checkpoints and model files, measured alike."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from detector.conditions import CLEAN
from detector.errors import ModelLoadError
from detector.preprocess import PreprocessSpec, cut_crops
from training.augment import whole
from training.candidate import load_candidate
from training.model import ResNet50Detector
from training.recipes import NetworkSpec
from training.records import Record


def _checkpoint(path: Path, **values: object) -> ResNet50Detector:
    torch.manual_seed(0)
    model = ResNet50Detector().eval()
    state = {
        "model": model.state_dict(),
        "network": asdict(NetworkSpec()),
        "recipe": "x",
        "generators": ["gan"],
        "seed": 0,
    }
    torch.save({**state, **values}, path)
    return model


@pytest.mark.slow
def test_a_checkpoint_sees_images_as_it_learned_them(tmp_path: Path) -> None:
    """Crops of native pixels, or whole images when it says so; an old checkpoint does not."""
    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (260, 520, 3), dtype=np.uint8)
    )
    image.save(tmp_path / "0.png")
    record = Record(
        path=tmp_path / "0.png", label=0, generator="real", family="real", source="s", group="0", split="test"
    )  # fmt: skip
    model = _checkpoint(tmp_path / "crops.pt")
    _checkpoint(tmp_path / "whole.pt", whole_images=True, commit="abc")
    crops = cut_crops(image, PreprocessSpec()).pixels
    with torch.inference_mode():
        expected = [
            model(torch.from_numpy(pixels))[0].mean().item()
            for pixels in (crops, np.array(whole(image, 224))[None])
        ]

    assert 2 == len(crops)
    assert "abc" == load_candidate(tmp_path / "whole.pt").classifier.manifest.commit
    for name, logit in zip(("crops", "whole"), expected, strict=True):
        candidate = load_candidate(tmp_path / f"{name}.pt")
        assert ("gan",) == candidate.classifier.manifest.trained_on
        assert logit == pytest.approx(candidate.score([record], (CLEAN,)).logits[0, 0], abs=1e-5)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    """With its name in the message."""
    torch.save({"model": {}}, tmp_path / "best.pt")
    torch.save({"network": {"stages": [1], "gone": 1}, "model": {}}, tmp_path / "older.pt")
    (tmp_path / "text.pt").write_text("No checkpoint.")
    (tmp_path / "empty.pt").touch()
    for name in ("best.pt", "older.pt", "text.pt", "empty.pt", "absent.pt", "absent.onnx"):
        with pytest.raises(ModelLoadError, match=name):
            load_candidate(tmp_path / name)
