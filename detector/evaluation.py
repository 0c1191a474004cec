"""The evaluation report that belongs to a model: the only source of published error rates."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.errors import ModelLoadError


@dataclass(frozen=True, kw_only=True)
class ExpectedErrors:
    """Errors measured on test images in one condition. Rates in 0..1."""

    condition: str
    false_positive_rate: float
    """Share of photographs that landed in the likely-AI band."""
    ci95: tuple[float, float]
    """Clopper-Pearson interval of the false-positive rate."""
    n_real: int
    miss_rate: float
    """Share of AI images that landed in the no-signs band."""
    n_ai: int


@dataclass(frozen=True)
class EvaluationReport:
    """A report as written by `make evaluate`; `values` is its JSON."""

    values: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> "EvaluationReport":
        """Raises ModelLoadError when there is no readable report at `path`."""
        try:
            report = cls(json.loads(path.read_text("utf-8")))
            for condition in report.values["expected_errors"]:
                report.expected_errors(condition)
            str(report.id + report.weights_sha256)
            str(report.largest_photograph_px)
            str(report.largest_footage_px)
            str(report.heatmap_is_verified)
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelLoadError(f"The evaluation report {path.name} cannot be read.") from error
        return report

    @property
    def id(self) -> str:
        return str(self.values["id"])

    @property
    def weights_sha256(self) -> str:
        """Of the model file that was measured."""
        return str(self.values["model"]["weights_sha256"])

    @property
    def largest_photograph_px(self) -> int | None:
        """The longest side of all photographs that errors were measured on, if the report says so."""
        value = self.values.get("data", {}).get("largest_photograph_px")
        return None if value is None else int(value)

    @property
    def largest_footage_px(self) -> int | None:
        """The longest side of the footage that errors on videos were measured on, if they were."""
        value = self.values.get("video", {}).get("largest_px")
        return None if value is None else int(value)

    @property
    def heatmap_is_verified(self) -> bool:
        """Whether heatmaps were measured to point at what scores come from."""
        return bool(self.values.get("explanation", {}).get("holds", False))

    def expected_errors(self, condition: str) -> ExpectedErrors | None:
        """The errors measured in a condition, or None when it was not measured."""
        row = self.values["expected_errors"].get(condition)
        if row is None or row["false_positive_rate"] is None or row["miss_rate"] is None:
            return None
        low, high = row["ci95"]
        return ExpectedErrors(condition=condition, **{**row, "ci95": (low, high)})
