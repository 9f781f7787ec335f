"""What is not known is marked, and the rest is computed right."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from appliance.errors import UserError
from appliance.tariffs import Capacity, Dynamic, Levy, Prices, Rate, Rates, Standing, Tier, Tiers, Times, Usage, cost
from tests.tariffs.usages import midnight, starts_ms, tariff, used

ZONE = "Europe/Brussels"
FIRST, LAST = date(2024, 6, 1), date(2024, 6, 3)
TEN = Decimal("0.1")


def usage() -> Usage:
    return used(ZONE, FIRST, LAST, lambda _: 100)


def all_day(price: Decimal = TEN) -> Rates:
    return Rates(rates=(Rate(band="all day", price=price),))


def test_a_gap_between_rates_is_marked_with_what_was_used_in_it() -> None:
    """Rates from 06:00 to 22:00 alone: 8 hours a day have none, 2 x 32 quarters, 6.4 kWh."""
    times = (Times(from_minute=360, until_minute=1320),)
    costs = cost(tariff(ZONE, Rates(rates=(Rate(band="day", price=TEN, times=times),))), usage())
    assert costs.total == Decimal("1.28")
    assert len(costs.marks.no_rate) == 64
    assert costs.marks.no_rate[0] == midnight(FIRST, ZONE)
    assert costs.marks.unpriced == Decimal("6.4")
    assert not costs.marks.complete


def test_days_before_the_first_price_and_after_the_tariff_are_marked() -> None:
    late = cost(tariff(ZONE, replace(all_day(), from_day=date(2024, 6, 2))), usage())
    assert late.marks.no_rate.tolist() == list(range(midnight(FIRST, ZONE), midnight(date(2024, 6, 2), ZONE)))
    ended = cost(tariff(ZONE, all_day(), Standing(price=TEN, period="day"), until_day=date(2024, 6, 2)), usage())
    assert ended.by_day() == {FIRST: Decimal("1.06"), date(2024, 6, 2): Decimal(0)}
    assert len(ended.marks.no_rate) == 96


def test_a_rate_that_is_missing_is_not_hidden_by_another_charge_that_holds() -> None:
    grid = Rates(name="Grid", rates=(Rate(band="all day", price=TEN),))
    costs = cost(tariff(ZONE, replace(all_day(), until_day=date(2024, 6, 2)), grid), usage())
    assert len(costs.marks.no_rate) == 96
    assert cost(tariff(ZONE, Levy(price=TEN)), usage()).marks.unpriced == Decimal("19.2")


def test_an_index_that_ends_is_marked_from_there_on() -> None:
    """Prices for the first day alone, at 100 EUR/MWh: 9.6 kWh x 0.1."""
    spent = usage()
    ends = midnight(date(2024, 6, 2), ZONE)
    prices = Prices.of(starts_ms(spent.first, ends, 60), 60, [100] * 24, -3, "EUR")
    costs = cost(tariff(ZONE, Dynamic(index="day-ahead", addition=TEN)), spent, {"day-ahead": prices})
    assert costs.total == Decimal("1.92")
    assert costs.marks.no_price.tolist() == list(range(ends, spent.end))
    assert costs.marks.unpriced == Decimal("9.6")
    none = cost(tariff(ZONE, Dynamic(index="day-ahead")), spent)
    assert len(none.marks.no_price) == 192
    assert none.marks.remarks == ("There are no prices of day-ahead: fetch or import them",)


def test_prices_of_a_quarter_a_half_and_a_whole_hour_cost_the_same() -> None:
    spent = usage()
    totals = {
        cost(
            tariff(ZONE, Dynamic(index="spot")),
            spent,
            {"spot": Prices.of(starts, minutes, [at // 7_200_000 % 24 * 1000 - 3000 for at in starts], -5, "EUR")},
        ).total
        for minutes in (15, 30, 60)
        for starts in [starts_ms(spent.first, spent.end, minutes)]
    }
    assert len(totals) == 1


def test_quarters_without_a_reading_and_estimated_ones_are_marked() -> None:
    begin, end = midnight(FIRST, ZONE), midnight(LAST, ZONE)
    quarters = np.array([begin - 5, begin + 2, begin + 3, begin + 40, end])
    cuts = np.array([0, 0, 1, 0, 0])
    spent = Usage.of(quarters, np.array([999, 100, 200, 300, 999]), -3, begin, end, estimated=cuts)
    costs = cost(tariff(ZONE, all_day()), spent)
    assert costs.total == Decimal("0.06")
    assert costs.marks.estimated.tolist() == [begin + 3]
    assert len(costs.marks.no_reading) == 192 - 3


def test_what_was_used_less_than_nothing_is_a_credit() -> None:
    """A correction of -2.5 kWh after a swap takes 0.25 off, and off the tier in which the count is."""
    begin, end = midnight(FIRST, ZONE), midnight(LAST, ZONE)
    spent = Usage.of(np.arange(begin, begin + 2), np.array([4_000, -2_500]), -3, begin, end)
    assert cost(tariff(ZONE, all_day()), spent).total == Decimal("0.15")
    tiers = Tiers(
        period="day", tiers=(Tier(band="1", price=TEN, up_to=Decimal(1)), Tier(band="2", price=Decimal("0.2")))
    )
    assert cost(tariff(ZONE, tiers), spent).total == Decimal("0.2")


def test_tiers_and_peaks_that_reach_back_before_the_readings_are_remarked() -> None:
    spent = used(ZONE, date(2024, 6, 10), date(2024, 6, 12), lambda _: 100)
    tiers = Tiers(period="month", tiers=(Tier(band="1", price=TEN, up_to=Decimal(5)), Tier(band="2", price=TEN)))
    assert cost(tariff(ZONE, tiers), spent).marks.remarks == (
        "Readings begin on 2024-06-10, within a month of tiers: what was used before it is not counted",
    )
    assert cost(tariff(ZONE, replace(tiers, period="day")), spent).marks.remarks == ()
    peaks = Capacity(price=TEN, period="year", months=12)
    assert cost(tariff(ZONE, peaks), spent).marks.remarks == (
        "The peak of 2024-06 is the mean of 1 of 12 months: of the others there is no reading",
    )


def test_a_month_without_any_reading_counts_for_no_peak() -> None:
    begin, end = midnight(date(2024, 5, 1), ZONE), midnight(date(2024, 7, 1), ZONE)
    june = np.arange(midnight(date(2024, 6, 1), ZONE), end)
    spent = Usage.of(june, np.full(len(june), 1000), -3, begin, end)
    costs = cost(tariff(ZONE, Capacity(price=Decimal(1), period="month", months=2, minimum=Decimal(2))), spent)
    assert [(line.from_day.month, line.quantity, line.amount) for line in costs.lines] == [
        (5, Decimal(2), Decimal(2)),
        (6, Decimal(4), Decimal(4)),
    ]
    assert costs.marks.remarks == (
        "No reading of 2024-05 nor of the months before tells its peak of power",
        "The peak of 2024-06 is the mean of 1 of 2 months: of the others there is no reading",
    )


def test_spans_that_follow_one_another_add_up() -> None:
    spent = used(ZONE, date(2024, 3, 30), date(2024, 4, 2), lambda at: at.hour)
    offered = tariff(ZONE, all_day(), Standing(price=Decimal(10), period="month"))
    cuts = [spent.first, spent.first + 7, spent.first + 101, spent.end]
    parts = [cost(offered, spent, None, begin, end).total for begin, end in pairwise(cuts)]
    assert sum(parts) == cost(offered, spent).total
    assert cost(offered, spent, None, spent.first, spent.first).total == 0


def test_what_does_not_fit_is_refused() -> None:
    spent = usage()
    with pytest.raises(UserError, match="has prices a m3, and the usage is in kWh; convert"):
        cost(tariff(ZONE, all_day(), supply="water"), spent)
    with pytest.raises(UserError, match="not within that of the usage"):
        cost(tariff(ZONE, all_day()), spent, None, spent.first - 1)
    pounds = Prices.of(starts_ms(spent.first, spent.end, 60), 60, [1] * 48, 0, "GBP")
    with pytest.raises(UserError, match="is in EUR, and the prices of its index in GBP"):
        cost(tariff(ZONE, Dynamic(index="spot")), spent, {"spot": pounds})
    with pytest.raises(UserError, match="two for one quarter-hour"):
        Prices.of([0, 900_000], 30, [1, 2], -2, "EUR")
    with pytest.raises(UserError, match="15, 30 or 60 minutes"):
        Prices.of([0], 45, [1], -2, "EUR")
    with pytest.raises(UserError, match="more than this box can count"):
        Usage.of(np.array([0, 1]), np.array([2**62, 2**62]), 0, 0, 2)


def test_a_household_in_a_zone_of_odd_quarters() -> None:
    """Kathmandu is 5:45 ahead of UTC: its midnight is a quarter-hour's begin, and a day has 96 of them."""
    spent = used("Asia/Kathmandu", FIRST, LAST, lambda at: 100 if at.hour == 0 else 0)
    times = (Times(until_minute=60),)
    offered = Rates(rates=(Rate(band="first hour", price=Decimal(1), times=times), Rate(band="rest", price=TEN)))
    costs = cost(tariff("Asia/Kathmandu", offered), spent)
    assert costs.by_day() == {FIRST: Decimal("0.4"), date(2024, 6, 2): Decimal("0.4")}


def test_a_clock_that_is_put_back_over_midnight_begins_no_day_twice() -> None:
    """St. John's, 7 November 2010: at 00:01 it was 23:01 of the day before again."""
    spent = used("America/St_Johns", date(2010, 11, 6), date(2010, 11, 8), lambda _: 0)
    costs = cost(tariff("America/St_Johns", Standing(price=Decimal(1), period="day")), spent)
    assert costs.days == (date(2010, 11, 6), date(2010, 11, 7))
    assert costs.total == 2


def test_water_by_the_cubic_metre() -> None:
    spent = used(ZONE, FIRST, LAST, lambda at: 25 if at == datetime(2024, 6, 1, 7, tzinfo=at.tzinfo) else 0, unit="m3")
    assert cost(tariff(ZONE, all_day(Decimal(4)), supply="water"), spent).total == Decimal("0.1")
