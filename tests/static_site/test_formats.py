import pytest

from static_site.formats import EN_DASH, ENGLISH, INDONESIAN, Language


@pytest.mark.parametrize(("language", "expected"), [(ENGLISH, "12,345"), (INDONESIAN, "12.345")])
def test_counts_are_grouped(language: Language, expected: str) -> None:
    """Thousands are set apart as the language does."""
    assert language.integer(12345) == expected


@pytest.mark.parametrize(("language", "expected"), [(ENGLISH, "87.3%"), (INDONESIAN, "87,3%")])
def test_rates_are_percentages(language: Language, expected: str) -> None:
    """Indonesian writes a decimal comma."""
    assert language.percent(0.8734) == expected


@pytest.mark.parametrize(("language", "expected"), [(ENGLISH, "0.998"), (INDONESIAN, "0,998")])
def test_plain_numbers_have_three_decimals(language: Language, expected: str) -> None:
    """Numbers such as AUROC keep three decimals."""
    assert language.decimal(0.9981) == expected


def test_intervals_share_one_percent_sign() -> None:
    """An interval of rates is written with one sign at its end."""
    assert INDONESIAN.percent_range([0.756, 0.912]) == f"75,6{EN_DASH}91,2%"


def test_dates_name_the_month() -> None:
    """The day comes from the instant as written, with the month in the language."""
    assert INDONESIAN.date("2026-05-03T20:00:00Z") == "3 Mei 2026"
    assert ENGLISH.date("2026-05-03T20:00:00Z") == "3 May 2026"


def test_what_was_not_measured_is_a_dash() -> None:
    """A missing number is never written as zero."""
    written = {
        ENGLISH.integer(None),
        ENGLISH.decimal(None),
        ENGLISH.percent(None),
        ENGLISH.percent_range(None),
        ENGLISH.percent_range([None, 0.2]),
        ENGLISH.decimal_range(None),
    }
    assert written == {EN_DASH}
