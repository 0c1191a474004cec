"""What the shipped report says of the checks around the score: every promised number is in it, and kept."""

from typing import Any

import pytest

from detector.analysis import REPORT_PATH
from detector.conditions import CONDITIONS
from detector.evaluation import EvaluationReport

pytestmark = pytest.mark.model

PER_CLASS = 300
EXPLAINED = 100
LEAST_SHARE = 0.8


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return EvaluationReport.load(REPORT_PATH).values


def test_the_checks_take_false_alarms_away(report: dict[str, Any]) -> None:
    """Of 300 photographs fewer are flagged with both; what that costs in right verdicts stands beside it."""
    rows = {(row["condition"], row["checks"]): row for row in report["stability"]["rows"]}
    for row in rows.values():
        print(row["condition"], row["checks"], row["flagged"], "flagged,", row["lost_rate"], "lost")
        assert (PER_CLASS, PER_CLASS) == (row["n_real"], row["n_ai"])
        assert row["lost"] <= row["right"]

    without, with_both = (
        sum(rows[condition.name, checks]["flagged"] for condition in CONDITIONS)
        for checks in ("none", "both")
    )
    assert with_both < without or 0 == without
    for condition in CONDITIONS:
        assert rows[condition.name, "both"]["lost_rate"] is not None


def test_the_heatmap_is_shown_only_where_it_holds(report: dict[str, Any]) -> None:
    """Measured on 100 AI images; below four fifths it is off."""
    measured = report["explanation"]

    assert EXPLAINED == measured["n"]
    assert (measured["lowered_more"] >= LEAST_SHARE * EXPLAINED) == measured["holds"]


def test_the_gate_is_in_the_report(report: dict[str, Any]) -> None:
    """Both numbers: of graphics set aside, and of photographs in each condition."""
    measured = report["suitability"]

    assert 90 <= sum(row["gated"] for row in measured["graphics"])
    assert [c.name for c in CONDITIONS] == [row["condition"] for row in measured["photographs"]]


def test_footage_was_measured_at_several_rates(report: dict[str, Any]) -> None:
    """As a condition of its own, with every clip at one of the rates."""
    footage = report["video"]
    errors = report["expected_errors"]["video"]

    assert 3 <= len({row["bits_per_pixel"] for row in footage["rates"]})
    assert errors["n_real"] == sum(row["n_real"] for row in footage["rates"])
    assert errors["false_positive_rate"] == footage["all"]["false_positive_rate"]
