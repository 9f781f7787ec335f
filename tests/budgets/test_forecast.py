"""A month's forecast by hand: today is Tuesday, 11 March 2025; weekdays have 10, Saturdays and Sundays 14.

Of March 21 days are weekdays and 10 are not: 350. Of the first ten days 6 and 4: 116.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from appliance.budgets.forecast import Known, forecast, together

TODAY = date(2025, 3, 11)


def usual(day: date) -> Decimal:
    return Decimal(14 if day.weekday() >= 5 else 10)


def days(value: Callable[[date], Decimal] = usual, count: int = 40) -> list[Known]:
    every = [TODAY - timedelta(days=number) for number in range(count, 0, -1)]
    return [Known(day, value(day), value(day) / 4) for day in every]


def test_days_to_come_are_as_their_weekdays_were() -> None:
    found = forecast(days(), TODAY, "kWh", "GBP")
    assert found is not None
    assert (found.month, found.days, found.days_known) == (date(2025, 3, 1), 31, 10)
    assert (found.used.so_far, found.used.expected, found.used.spread) == (Decimal(116), Decimal(350), Decimal(0))
    assert found.amount is not None
    assert (found.amount.so_far, found.amount.expected) == (Decimal(29), Decimal("87.50"))


def test_the_range_is_as_wide_as_days_differ() -> None:
    """Mondays of 6 and 14 by turns: of 28 days 4 are 4 away, 1.512 in the mean; for 21 days 1.2816 x 1.512 x 4.583."""
    mondays = {date(2025, 2, 17): 6, date(2025, 2, 24): 14, date(2025, 3, 3): 6, date(2025, 3, 10): 14}
    found = forecast(days(lambda day: Decimal(mondays.get(day, usual(day)))), TODAY, "kWh", "GBP")
    assert found is not None
    assert (found.used.expected, found.used.spread) == (Decimal(350), Decimal("8.879"))
    assert (found.used.low, found.used.high) == (Decimal("341.121"), Decimal("358.879"))
    two = together([found.used, found.used])
    assert (two.so_far, two.expected, two.spread) == (Decimal(232), Decimal(700), Decimal("12.56"))


def test_it_is_said_on_which_day_a_limit_is_passed() -> None:
    found = forecast(days(), TODAY, "kWh", "GBP")
    assert found is not None
    assert found.used.passes(Decimal(200)) == 18  # 194 by the 17th, 204 by the 18th
    assert found.used.passes(Decimal(350)) is None


def test_days_that_were_not_measured_are_expected_like_those_to_come() -> None:
    found = forecast([each for each in days() if each.day != date(2025, 3, 8)], TODAY, "kWh", "GBP")
    assert found is not None
    assert (found.days_known, found.used.so_far, found.used.expected) == (9, Decimal(102), Decimal(350))


def test_a_few_days_tell_nothing_and_days_without_a_price_no_cost() -> None:
    assert forecast(days(count=6), TODAY, "kWh", "GBP") is None
    unpriced = [Known(each.day, each.used, None) for each in days()]
    found = forecast(unpriced, TODAY, "kWh", "")
    assert found is not None
    assert found.amount is None
