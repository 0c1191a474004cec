"""Reading the report that belongs to a model."""

import json
from pathlib import Path

import pytest

from detector.errors import ModelLoadError
from detector.evaluation import EvaluationReport


def test_errors_are_found_by_condition(tiny_report: Path) -> None:
    """Each measured condition has its row; another has none."""
    report = EvaluationReport.load(tiny_report)
    web = report.expected_errors("web")

    assert web is not None
    assert ("web", 0.012, 600) == (web.condition, web.false_positive_rate, web.n_real)
    assert report.expected_errors("underwater") is None


def test_a_condition_without_photographs_has_no_errors() -> None:
    """What was not measured is absent, never 0."""
    row = {"false_positive_rate": None, "ci95": None, "n_real": 0, "miss_rate": 0.5, "n_ai": 10}

    assert (
        EvaluationReport({"id": "x", "expected_errors": {"web": row}}).expected_errors("web")
        is None
    )


@pytest.mark.parametrize(
    ("sections", "is_verified"),
    [
        ({}, False),
        ({"explanation": {"share": None, "holds": False}}, False),
        ({"explanation": {"share": 0.79, "holds": False}}, False),
        ({"explanation": {"share": 0.8, "holds": True}}, True),
    ],
)
def test_heatmaps_are_verified_by_the_report(
    sections: dict[str, object], is_verified: bool
) -> None:
    """Without a measurement they are not."""
    assert is_verified == EvaluationReport(sections).heatmap_is_verified


@pytest.mark.parametrize(
    "values",
    [
        [],
        {},
        {"id": "x"},
        {"id": "x", "expected_errors": {"web": {"n_real": 3}}},
        {"expected_errors": {}},
    ],
)
def test_other_json_is_refused(tmp_path: Path, values: object) -> None:
    """A report that lacks what is published from it does not load."""
    path = tmp_path / "report.json"
    path.write_text(json.dumps(values), "utf-8")

    with pytest.raises(ModelLoadError):
        EvaluationReport.load(path)


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    """No error rates, no service."""
    with pytest.raises(ModelLoadError):
        EvaluationReport.load(tmp_path / "absent.json")
