import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks.cost import Prices, break_even, main


def test_price_of_a_million() -> None:
    """Half a second at 3,008 MB: what Lambda and the gateway publish, worked out by hand."""
    each = Prices.load().detection(billed_ms=500, memory_mb=3008)

    assert each * 1e6 == pytest.approx(3008 / 1024 * 0.5 * 16.6667 + 0.20 + 1.00)


def test_at_break_even_both_cost_the_same() -> None:
    """There, the detections of a month cost what the servers cost."""
    prices = Prices.load()
    detections = break_even(prices, billed_ms=500, memory_mb=3008)

    expected = (0.0116 + 0.0928) * 730
    assert expected == pytest.approx(prices.servers_per_month)
    cost = detections * prices.detection(billed_ms=500, memory_mb=3008)
    assert expected == pytest.approx(cost)


def test_slower_costs_more() -> None:
    """Twice the time lowers the point at which servers are cheaper."""
    prices = Prices.load()
    points = [break_even(prices, billed_ms=ms, memory_mb=3008) for ms in (200, 400)]

    assert points[0] > points[1]


def test_table_and_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table names date and region of its prices; the chart is well-formed and shows the same point."""
    main(["--billed-ms", "500", "--svg", str(tmp_path / "cost.svg")])
    said = capsys.readouterr().out

    assert Prices.load().date in said
    assert "Break-even: 2,9" in said
    picture = ET.parse(tmp_path / "cost.svg").getroot()
    words = [node.text for node in picture.iter() if node.text]
    point = said.split("Break-even: ")[1].split(" ")[0]
    assert point in words
