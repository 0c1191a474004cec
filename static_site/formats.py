"""Numbers and dates as readers of each language write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

EN_DASH = "\N{EN DASH}"
NOT_MEASURED = EN_DASH


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language of the site. `code` names its locale file and is its `lang` attribute."""

    code: str
    name: str
    """In the language itself."""
    folder: str
    """Prefix of its pages' addresses, without a closing slash."""
    decimal_mark: str
    group_mark: str
    percent_sign: str
    months: tuple[str, ...]

    def address(self, page: str) -> str:
        """The address of a page from the root of the site."""
        return f"{self.folder}/{page}.html"

    def integer(self, value: float | None) -> str:
        """A count, in groups of three digits."""
        return NOT_MEASURED if value is None else f"{round(value):,}".replace(",", self.group_mark)

    def decimal(self, value: float | None, digits: int = 3) -> str:
        """A plain number with a fixed number of decimals."""
        if value is None:
            return NOT_MEASURED
        whole, point, rest = f"{value:,.{digits}f}".partition(".")
        return whole.replace(",", self.group_mark) + (point and self.decimal_mark) + rest

    def percent(self, rate: float | None, digits: int = 1) -> str:
        """A rate in 0..1 as a percentage."""
        return (
            NOT_MEASURED if rate is None else self.decimal(rate * 100, digits) + self.percent_sign
        )

    def percent_range(self, rates: Sequence[float | None] | None) -> str:
        """An interval of rates in 0..1."""
        return self._range(rates, scale=100, digits=1, unit=self.percent_sign)

    def decimal_range(self, values: Sequence[float | None] | None) -> str:
        """An interval of plain numbers."""
        return self._range(values, scale=1, digits=3, unit="")

    def _range(
        self, values: Sequence[float | None] | None, *, scale: float, digits: int, unit: str
    ) -> str:
        if values is None or None in values:
            return NOT_MEASURED
        known = [value for value in values if value is not None]
        return EN_DASH.join(self.decimal(value * scale, digits) for value in known) + unit

    def date(self, iso: str) -> str:
        """The day of an ISO 8601 instant, as written in it (UTC)."""
        day = datetime.fromisoformat(iso)
        return f"{day.day} {self.months[day.month - 1]} {day.year}"


ENGLISH = Language(
    code="en",
    name="English",
    folder="",
    decimal_mark=".",
    group_mark=",",
    percent_sign="%",
    months=(
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
)

INDONESIAN = Language(
    code="id",
    name="Bahasa Indonesia",
    folder="/id",
    decimal_mark=",",
    group_mark=".",
    percent_sign="%",
    months=(
        "Januari",
        "Februari",
        "Maret",
        "April",
        "Mei",
        "Juni",
        "Juli",
        "Agustus",
        "September",
        "Oktober",
        "November",
        "Desember",
    ),
)

LANGUAGES = (ENGLISH, INDONESIAN)
