"""The evaluation report, arranged as the pages show it. No number is made up or typed here.

The one exception is `PAPER`: what the paper this project builds on printed, which no report of ours
can hold.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Group:
    """The rows of one generator or photo source, one for each condition in the report's order."""

    title: str
    first: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class RocCurve:
    """What each limit would do to one condition's images, from the strictest limit to none."""

    condition: str
    flagged: list[float]
    """Shares of the photographs, 0 to 1."""
    found: list[float]
    """Shares of the AI images at the same limits."""

    def found_at(self, most_flagged: float) -> float | None:
        """The largest share that can be found while no larger share of photographs is flagged."""
        shares = zip(self.flagged, self.found, strict=True)
        return max((found for flagged, found in shares if flagged <= most_flagged), default=None)


@dataclass(frozen=True, kw_only=True)
class PaperResult:
    """Counts that the paper printed, with what follows from them."""

    correct: int
    n: int
    ci95: tuple[float, float]
    """Wilson interval of `correct` of `n`."""
    precision: tuple[int, int]
    """For photographs: how many called one were one."""
    recall: tuple[int, int]
    """For photographs: how many of them were called one."""

    @property
    def accuracy(self) -> float:
        return self.correct / self.n


PAPER = PaperResult(correct=68, n=80, ci95=(0.756, 0.912), precision=(20, 32), recall=(20, 20))


class Evaluation:
    """A report as written by `make evaluate`. Any number in it may be None: not measured."""

    paper = PAPER

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report

    @property
    def conditions(self) -> list[dict[str, Any]]:
        conditions: list[dict[str, Any]] = self.report["conditions"]
        return conditions

    @property
    def generators(self) -> list[Group]:
        """Those seen in training first, each part by title."""
        groups = self._grouped("generators", "generator")
        return sorted(groups, key=lambda group: (not group.first["seen_in_training"], group.title))

    @property
    def sources(self) -> list[Group]:
        return self._grouped("reals", "source")

    @property
    def unseen_sources(self) -> list[Group]:
        """Photographs that the model never met, by their verdicts; empty where they were not measured."""
        measured = "unseen_photographs" in self.report
        return self._grouped("unseen_photographs", "source") if measured else []

    @property
    def ranked_sources(self) -> list[Group]:
        """Those against which all AI images of generators never seen were ranked, too."""

        def images(rows: list[dict[str, Any]]) -> dict[str, Any]:
            return {row["condition"]: (row.get("generators"), row.get("n_ai")) for row in rows}

        return [
            group
            for group in self.unseen_sources
            if group.first.get("auroc") is not None
            and images(group.rows) == images(self.summaries("unseen"))
        ]

    @property
    def untested_note(self) -> list[str]:
        notes: list[str] = self.report["limits_of_this_test"]
        return notes

    @property
    def checks(self) -> dict[str, Any] | None:
        """The sections `stability`, `suitability` and `explanation`, or None where they were not measured."""
        names = ("stability", "suitability", "explanation")
        measured = all(name in self.report for name in names)
        return {name: self.report[name] for name in names} if measured else None

    @property
    def heatmap_is_verified(self) -> bool:
        """Whether heatmaps are made and shown at all."""
        return bool(self.checks and self.checks["explanation"]["holds"])

    @property
    def absent_parts(self) -> tuple[str, ...]:
        """How the keys of messages begin that no page says because of this report."""
        absent = {
            "about.checks": self.checks is None,
            "about.robustness": len(self.robustness) < 2,
            "about.roc": not self.roc,
            "about.never_met": not self.unseen_sources,
            "about.unseen.text": not self.ranked_sources,
            "help.heatmap": not self.heatmap_is_verified,
        }
        return tuple(prefix for prefix, is_absent in absent.items() if is_absent)

    def expected(self, condition: str) -> dict[str, Any] | None:
        """The errors that a visitor is told about for an image in this condition."""
        errors: dict[str, Any] | None = self.report["expected_errors"].get(condition)
        return errors

    def summaries(self, name: str) -> list[dict[str, Any]]:
        """The rows of one set ("seen" or "unseen"), one for each condition."""
        return [row for row in self.report["summary"] if row["set"] == name]

    @property
    def footage(self) -> list[dict[str, Any]]:
        """A row for videos beside the conditions of images, if they were measured."""
        return [{"name": "video"}] if self.expected("video") else []

    @property
    def robustness(self) -> dict[str, list[dict[str, Any]]]:
        """The rows of each set whose AUROC was measured in every condition."""
        sets = {name: self.summaries(name) for name in ("seen", "unseen")}
        return {
            name: rows
            for name, rows in sets.items()
            if rows and all(row["auroc"] is not None for row in rows)
        }

    @property
    def roc(self) -> list[RocCurve]:
        """Of the generators that were seen in training; empty in a report from before the curves."""
        curves = [
            RocCurve(
                condition=row["condition"],
                flagged=row["roc"]["false_positive_rate"],
                found=row["roc"]["true_positive_rate"],
            )
            for row in self.report.get("curves", [])
        ]
        return [curve for curve in curves if None not in [*curve.flagged, *curve.found]]

    @staticmethod
    def count(rate: float | None, n: int | None) -> int | None:
        """How many of `n` a rate stands for."""
        return None if rate is None or n is None else round(rate * n)

    def _grouped(self, table: str, key: str) -> list[Group]:
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in self.report[table]:
            groups.setdefault(row[key], []).append(row)
        order = [condition["name"] for condition in self.conditions]
        return [
            Group(
                title=rows[0]["title"],
                first=rows[0],
                rows=sorted(rows, key=lambda row: order.index(row["condition"])),
            )
            for rows in groups.values()
        ]
