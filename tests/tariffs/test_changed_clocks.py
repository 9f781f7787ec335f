"""A rate that begins or ends with the hour of changed clocks is marked, with the day and what comes of it."""

from datetime import date
from decimal import Decimal

import pytest

from appliance.tariffs import Rate, Rates, Tariff, Times, changed_clocks
from tests.tariffs.usages import midnight, tariff

ZONE = "Europe/Brussels"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
MISSING = "the clocks change on 2026-03-29: the time from 02:00 to 03:00 does not come, and 'odd' is shorter by it"
DOUBLED = (
    "the clocks change on 2026-10-25: the time from 02:00 to 03:00 comes twice, and is charged as 'odd' both times"
)


def odd(begin_hour: int, end_hour: int, until_day: date | None = None, **more: str) -> Tariff:
    """Another price at some hours of each day."""
    rate = Rate(band="odd", price=Decimal(1), times=(Times(from_minute=begin_hour * 60, until_minute=end_hour * 60),))
    return tariff(ZONE, Rates(rates=(rate, Rate(band="all else", price=Decimal(2))), until_day=until_day), **more)


def remarks(said: Tariff, first: date, until: date) -> list[str]:
    """Of the days from the first to before another."""
    return list(changed_clocks.remarks(said, midnight(first, ZONE), midnight(until, ZONE)))


def test_a_rate_of_the_missing_hour_and_of_the_doubled_one_is_marked() -> None:
    assert remarks(odd(2, 3), date(2026, 1, 1), date(2027, 1, 1)) == [MISSING, DOUBLED]
    assert remarks(odd(2, 3), SPRING, date(2026, 3, 30)) == [MISSING]
    assert remarks(odd(2, 3), date(2026, 3, 30), AUTUMN) == []


@pytest.mark.parametrize("hours", [(22, 7), (4, 6), (12, 14)])
def test_a_rate_that_holds_before_and_after_it_too_is_not(hours: tuple[int, int]) -> None:
    assert remarks(odd(*hours), date(2026, 1, 1), date(2027, 1, 1)) == []


def test_a_rate_that_ends_with_it_is() -> None:
    assert remarks(odd(0, 3), SPRING, date(2026, 3, 30)) == [MISSING]


def test_what_goes_by_utc_or_holds_no_more_has_no_such_hour() -> None:
    assert remarks(odd(2, 3, clock="UTC"), date(2026, 1, 1), date(2027, 1, 1)) == []
    assert remarks(odd(2, 3, until_day=AUTUMN), date(2026, 1, 1), date(2027, 1, 1)) == [MISSING]


def test_ten_years_say_it_once() -> None:
    spring, autumn = remarks(odd(2, 3), date(2016, 1, 1), date(2026, 1, 1))
    assert spring.startswith("the clocks change on 2016-03-27 and 9 other days: the time from 02:00 to 03:00 does not")
    assert autumn.startswith("the clocks change on 2016-10-30 and 9 other days: ")
