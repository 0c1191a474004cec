"""What detections cost on Lambda, against two servers that are always on.

`python -m benchmarks.cost --billed-ms 480 --memory-mb 3008 --svg docs/cost.svg`, with the billed time that
the container test prints for a warm detection. Prices and their date are in prices.json.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRICES = Path(__file__).parent / "prices.json"
HOURS_A_MONTH = 730
MONTHLY = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True)
class Prices:
    """In US dollars, without free tiers."""

    date: str
    region: str
    lambda_gb_second: float
    lambda_request: float
    http_api_request: float
    servers_per_hour: dict[str, float]
    left_out: str

    @classmethod
    def load(cls, path: Path = PRICES) -> "Prices":
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return cls(**values)

    def detection(self, *, billed_ms: float, memory_mb: float) -> float:
        """Of one detection that came through the gateway."""
        gb_seconds = memory_mb / 1024 * billed_ms / 1000
        return gb_seconds * self.lambda_gb_second + self.lambda_request + self.http_api_request

    @property
    def servers_per_month(self) -> float:
        """All servers, always on."""
        return sum(self.servers_per_hour.values()) * HOURS_A_MONTH


def break_even(prices: Prices, *, billed_ms: float, memory_mb: float) -> float:
    """Detections a month that cost as much as the servers."""
    return prices.servers_per_month / prices.detection(billed_ms=billed_ms, memory_mb=memory_mb)


def table(prices: Prices, *, billed_ms: float, memory_mb: float) -> str:
    """The comparison in words and numbers."""
    each = prices.detection(billed_ms=billed_ms, memory_mb=memory_mb)
    servers = " + ".join(prices.servers_per_hour)
    lines = [
        f"Prices of {prices.date}, {prices.region}; {billed_ms:g} ms billed at {memory_mb:g} MB.",
        f"1,000 detections: ${each * 1e3:.4f}; a million: ${each * 1e6:.2f}.",
        f"{servers}, always on: ${prices.servers_per_month:.2f} a month.",
        f"Break-even: {break_even(prices, billed_ms=billed_ms, memory_mb=memory_mb):,.0f} detections a month.",
        "",
        f"{'a month':>12} {'Lambda':>12} {'servers':>12}",
        *(f"{n:>12,} {n * each:>12.2f} {prices.servers_per_month:>12.2f}" for n in MONTHLY),
        "",
        f"Left out: {prices.left_out}.",
    ]
    return "\n".join(lines)


def chart(prices: Prices, *, billed_ms: float, memory_mb: float) -> str:
    """Dollars against detections a month, both logarithmic, as SVG."""
    each = prices.detection(billed_ms=billed_ms, memory_mb=memory_mb)
    left, right, top, bottom = 70, 620, 20, 300
    decades_x, decades_y = (3, 7), (-2, 3)

    def x(detections: float) -> float:
        share = (math.log10(detections) - decades_x[0]) / (decades_x[1] - decades_x[0])
        return round(left + share * (right - left), 1)

    def y(dollars: float) -> float:
        share = (math.log10(dollars) - decades_y[0]) / (decades_y[1] - decades_y[0])
        return round(bottom - share * (bottom - top), 1)

    def text(at_x: float, at_y: float, words: str, anchor: str = "middle") -> str:
        return f'<text x="{at_x}" y="{at_y}" text-anchor="{anchor}">{words}</text>'

    first, last = 10.0 ** decades_x[0], 10.0 ** decades_x[1]
    even = break_even(prices, billed_ms=billed_ms, memory_mb=memory_mb)
    level = y(prices.servers_per_month)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 350" font-family="sans-serif" font-size="12">',
        "<title>Dollars a month against detections a month</title>",
        '<rect width="660" height="350" fill="white"/>',
        *(
            f'<path d="M{left} {y(10.0**power)}H{right}" stroke="#ddd"/>'
            + text(left - 8, y(10.0**power) + 4, f"${10.0**power:g}", "end")
            for power in range(decades_y[0], decades_y[1] + 1)
        ),
        *(
            text(x(10.0**power), bottom + 18, f"{10**power:,}")
            for power in range(decades_x[0], decades_x[1] + 1)
        ),
        f'<path d="M{x(first)} {y(first * each)}L{x(last)} {y(last * each)}" stroke="#0b6" stroke-width="3"/>',
        f'<path d="M{left} {level}H{right}" stroke="#b30" stroke-width="3" stroke-dasharray="8 4"/>',
        text(left + 6, level - 8, " + ".join(prices.servers_per_hour) + ", always on", "start"),
        text(x(30_000), y(30_000 * each) - 14, "Lambda", "end"),
        f'<circle cx="{x(even)}" cy="{level}" r="5"/>',
        text(x(even), level + 22, f"{even:,.0f}"),
        text((left + right) / 2, bottom + 38, f"detections a month; prices of {prices.date}"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write the chart if a file is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--billed-ms", type=float, required=True, help="of one detection")
    parser.add_argument("--memory-mb", type=float, default=3008, help="of the function")
    parser.add_argument("--svg", type=Path, help="write the chart here")
    options = parser.parse_args(arguments)
    measured = {"billed_ms": options.billed_ms, "memory_mb": options.memory_mb}
    prices = Prices.load()
    print(table(prices, **measured))
    if options.svg:
        options.svg.write_text(chart(prices, **measured), "utf-8")


if __name__ == "__main__":
    main()
