"""What detections cost on Lambda, against two servers that are always on: `python -m benchmarks.cost`.

Prices and their date are in prices.json; what Lambda would bill for a photograph, and how that was measured, in
billed.json, which `python -m tests.container.billed` writes.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).parent
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
    def load(cls, path: Path = FOLDER / "prices.json") -> Self:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return cls(**values)

    def detection(self, work: "Work") -> float:
        """Of one detection that came through the gateway."""
        gb_seconds = work.memory_mb / 1024 * work.billed_ms / 1000
        return gb_seconds * self.lambda_gb_second + self.lambda_request + self.http_api_request

    @property
    def servers(self) -> str:
        return " + ".join(self.servers_per_hour)

    @property
    def servers_per_month(self) -> float:
        """All servers, always on."""
        return sum(self.servers_per_hour.values()) * HOURS_A_MONTH

    def break_even(self, work: "Work") -> float:
        """Detections a month that cost as much as the servers."""
        return self.servers_per_month / self.detection(work)


@dataclass(frozen=True)
class Work:
    """One warm detection of a photograph by a function of this memory."""

    photograph: str
    memory_mb: int
    billed_ms: float

    @property
    def title(self) -> str:
        return f"{self.photograph}, {self.memory_mb:,} MB"


@dataclass(frozen=True)
class Measured:
    """What the container was billed, and how that was found."""

    date: str
    how: str
    processor: str
    works: tuple[Work, ...]

    @classmethod
    def load(cls, path: Path = FOLDER / "billed.json") -> Self:
        values: dict[str, Any] = json.loads(path.read_text("utf-8"))
        works = tuple(
            Work(each["photograph"], each["memory_mb"], each["billed_ms"])
            for each in values["measured"]
        )
        return cls(values["date"], values["how"], values["processor"], works)


def table(prices: Prices, measured: Measured) -> str:
    """Every measured work and what it costs, in Markdown, as docs/operations.md has it."""
    lines = [
        "| photograph, memory | billed | 1,000 detections | a million | costs as much as the servers |",
        "|---|---|---|---|---|",
    ]
    for work in measured.works:
        each = prices.detection(work)
        lines.append(
            f"| {work.title} | {work.billed_ms:,.0f} ms | ${each * 1e3:.4f} | ${each * 1e6:.2f} "
            f"| at {round(prices.break_even(work), -3):,.0f} a month |"
        )
    return "\n".join(lines)


def monthly(prices: Prices, measured: Measured) -> str:
    """Dollars a month for rising numbers of detections, in Markdown."""
    numbers = " | ".join(f"{number:,}" for number in MONTHLY)
    lines = [f"| dollars for detections a month: | {numbers} |", "|---|" + "---|" * len(MONTHLY)]
    for work in measured.works:
        costs = [f"{number * prices.detection(work):,.2f}" for number in MONTHLY]
        lines.append(f"| {work.title} | {' | '.join(costs)} |")
    always = [f"{prices.servers_per_month:.2f}"] * len(MONTHLY)
    lines.append(f"| {prices.servers}, always on | {' | '.join(always)} |")
    return "\n".join(lines)


def chart(prices: Prices, measured: Measured) -> str:
    """Dollars against detections a month, both logarithmic, as SVG: dearest and cheapest work."""
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
    level = y(prices.servers_per_month)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 350" font-family="sans-serif" font-size="12">',
        "<title>Dollars a month against detections a month</title>",
        '<rect width="660" height="350" fill="white"/>',
        f'<clipPath id="plot"><path d="M{left} {top}H{right}V{bottom}H{left}Z"/></clipPath>',
        *(
            f'<path d="M{left} {y(10.0**power)}H{right}" stroke="#ddd"/>'
            + text(left - 8, y(10.0**power) + 4, f"${10.0**power:g}", "end")
            for power in range(decades_y[0], decades_y[1] + 1)
        ),
        *(
            text(x(10.0**power), bottom + 18, f"{10**power:,}")
            for power in range(decades_x[0], decades_x[1] + 1)
        ),
        f'<path d="M{left} {level}H{right}" stroke="#b30" stroke-width="3" stroke-dasharray="8 4"/>',
        text(left + 6, level - 8, f"{prices.servers}, always on", "start"),
        text((left + right) / 2, bottom + 38, f"detections a month; prices of {prices.date}"),
    ]
    by_price = sorted(measured.works, key=prices.detection)
    for work, colour, beside, anchor in (
        (by_price[0], "#0b6", 14, "start"),
        (by_price[-1], "#06b", -14, "end"),
    ):
        each, even = prices.detection(work), prices.break_even(work)
        line = f"M{x(first)} {y(first * each)}L{x(last)} {y(last * each)}"
        parts += [
            f'<path d="{line}" stroke="{colour}" stroke-width="3" clip-path="url(#plot)"/>',
            text(x(30_000) + beside, y(30_000 * each) + 4, work.title, anchor),
            f'<circle cx="{x(even)}" cy="{level}" r="5"/>',
            text(
                x(even),
                level + (22 if anchor == "start" else -10),
                f"{round(even, -3):,.0f}",
                anchor,
            ),
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and write the chart if a file is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--svg", type=Path, help="write the chart here")
    options = parser.parse_args(arguments)
    prices, measured = Prices.load(), Measured.load()
    print(f"Prices of {prices.date}, {prices.region}, without {prices.left_out}.")
    print(f"Billed: {measured.how}. Measured {measured.date} on {measured.processor}.\n")
    print(table(prices, measured), "\n")
    print(monthly(prices, measured))
    if options.svg:
        options.svg.write_text(chart(prices, measured), "utf-8")


if __name__ == "__main__":
    main()
