"""The manifest inside a model file."""

import dataclasses
import json

import pytest

from detector.errors import ModelLoadError
from detector.manifest import Calibration, ModelManifest
from tests.models import TINY_MANIFEST


def test_a_manifest_survives_its_own_json() -> None:
    """What is written is what is read."""
    assert ModelManifest.from_json(TINY_MANIFEST.to_json()) == TINY_MANIFEST


@pytest.mark.parametrize(
    "field",
    [f.name for f in dataclasses.fields(ModelManifest) if f.name not in {"schema", "video"}],
)
def test_every_field_is_needed(field: str) -> None:
    """A manifest that lacks anything is refused, not completed by guesses."""
    values = json.loads(TINY_MANIFEST.to_json())
    del values[field]

    with pytest.raises(ModelLoadError):
        ModelManifest.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 999}', "null"])
def test_other_json_is_refused(text: str) -> None:
    """What is not a manifest of this schema is not one."""
    with pytest.raises(ModelLoadError):
        ModelManifest.from_json(text)


@pytest.mark.parametrize(
    ("logit", "expected"), [(0.0, 0.5), (1e9, 1.0), (-1e9, 0.0), (1.0, 0.952574)]
)
def test_calibration_is_a_logistic_curve(logit: float, expected: float) -> None:
    """Platt's curve, which extreme logits do not overflow."""
    slope = Calibration(slope=3.0, bias=0.0)

    assert slope.probability(logit) == pytest.approx(expected, abs=1e-6)
