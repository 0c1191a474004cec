import dataclasses
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.cost import Measured, Prices, Work, chart, main, monthly, table

ROOT = Path(__file__).parents[2]
HALF_A_SECOND = Work("any", 3008, 500)


def test_price_of_a_million() -> None:
    """Half a second at 3,008 MB: what Lambda and the gateway publish, worked out by hand."""
    each = Prices.load().detection(HALF_A_SECOND)

    assert each * 1e6 == pytest.approx(3008 / 1024 * 0.5 * 16.6667 + 0.20 + 1.00)


def test_at_break_even_both_cost_the_same() -> None:
    """There, the detections of a month cost what the servers cost."""
    prices = Prices.load()
    detections = prices.break_even(HALF_A_SECOND)

    expected = (0.0116 + 0.0928) * 730
    assert expected == pytest.approx(prices.servers_per_month)
    assert expected == pytest.approx(detections * prices.detection(HALF_A_SECOND))


def test_slower_costs_more() -> None:
    """Twice the time lowers the point at which servers are cheaper."""
    prices = Prices.load()
    slower = dataclasses.replace(HALF_A_SECOND, billed_ms=1000)

    assert prices.break_even(HALF_A_SECOND) > prices.break_even(slower)


def test_printed_with_dates_and_ways(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whoever reads the numbers reads from when the prices are, and how the times were measured."""
    main(["--svg", str(tmp_path / "cost.svg")])
    said = capsys.readouterr().out
    measured = Measured.load()

    assert Prices.load().date in said
    assert measured.how in said
    assert table(Prices.load(), measured) in said
    assert (tmp_path / "cost.svg").read_text("utf-8") == chart(Prices.load(), measured)


def test_the_handbook_has_these_numbers() -> None:
    """Tables and chart in docs/ are what the command prints and writes."""
    prices, measured = Prices.load(), Measured.load()
    handbook = (ROOT / "docs/operations.md").read_text("utf-8")

    assert table(prices, measured) in handbook
    assert monthly(prices, measured) in handbook
    assert chart(prices, measured) == (ROOT / "docs/cost.svg").read_text("utf-8")


def test_chart_shows_the_break_even_points() -> None:
    """It is well-formed, and the points are those of the table."""
    prices, measured = Prices.load(), Measured.load()
    words = [node.text for node in ET.fromstring(chart(prices, measured)).iter() if node.text]

    points = {f"{round(prices.break_even(work), -3):,.0f}" for work in measured.works}
    assert 2 == len(points & set(words))
