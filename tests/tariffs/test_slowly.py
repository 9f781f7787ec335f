"""The engine agrees to the last digit with a plain computation, a quarter-hour after the other, in fractions."""

import random
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.tariffs import (
    Capacity,
    Costs,
    Dynamic,
    Levy,
    Prices,
    Rate,
    Rates,
    Season,
    Standing,
    Tariff,
    Tax,
    Tier,
    Tiers,
    Times,
    Usage,
    cost,
)
from tests.tariffs import slowly
from tests.tariffs.strategies import tariffs
from tests.tariffs.usages import midnight, tariff

YEAR = date(2024, 1, 1), date(2025, 1, 1)
LONDON, BRUSSELS = "Europe/London", "Europe/Brussels"
EXPONENT, PRICE_EXPONENT = -4, -5

_NIGHT = Times(from_minute=30, until_minute=450)
_WEEKEND = Times(days=("saturday", "sunday"), from_minute=450, until_minute=30)
_SUMMER = Times(
    days=("monday", "tuesday", "wednesday", "thursday", "friday"),
    from_minute=960,
    until_minute=1140,
    season=Season(from_day="04-01", until_day="10-01"),
)
KINDS = {
    "flat": (
        Rates(rates=(Rate(band="all day", price=Decimal("0.2734")),)),
        Standing(price=Decimal("0.5312"), period="day"),
        Tax(percent=Decimal(5)),
    ),
    "day and night": (
        Rates(
            rates=(
                Rate(band="day", price=Decimal("0.3011")),
                Rate(band="night", price=Decimal("0.0899"), times=(_NIGHT, _WEEKEND)),
                Rate(band="peak", price=Decimal("0.51237"), times=(_SUMMER,)),
            )
        ),
        Levy(price=Decimal("0.00775")),
        Standing(price=Decimal("7.35"), period="month"),
        Tax(percent=Decimal("5.5"), until_day=date(2024, 7, 1)),
        Tax(percent=Decimal(21), from_day=date(2024, 7, 1)),
    ),
    "dynamic": (
        Dynamic(index="day-ahead", factor=Decimal("1.05"), addition=Decimal("0.004")),
        Tax(percent=Decimal(6)),
    ),
    "dynamic between bounds": (
        Dynamic(index="day-ahead", factor=Decimal("2.2"), addition=Decimal("0.12"), floor=Decimal(0), cap=Decimal(1)),
    ),
    "tiered": tuple(
        Tiers(
            name=period,
            period=period,
            tiers=(
                Tier(band="low", price=Decimal("0.2411"), up_to=Decimal(low)),
                Tier(band="high", price=Decimal("0.3107"), up_to=Decimal(high)),
                Tier(band="beyond", price=Decimal("0.4523")),
            ),
        )
        for period, low, high in (
            ("day", "3.5", "12.0005"),
            ("month", 150, 300),
            ("quarter", 400, 900),
            ("year", 1000, 4000),
        )
    ),
    "capacity": (
        Capacity(price=Decimal("41.3087"), period="year", months=12, minimum=Decimal("2.5")),
        Capacity(name="Power", price=Decimal("1.27"), period="month"),
        Standing(price=Decimal(113), period="year"),
    ),
}


def year(zone: str, seed: int) -> tuple[Usage, dict[int, Fraction]]:
    """A year's usage with gaps, for the engine and for the plain computation."""
    begin, end = (midnight(day, zone) for day in YEAR)
    chance = random.Random(seed)
    present = [quarter for quarter in range(begin, end) if chance.random() > 0.01]
    totals = [chance.randrange(0, 9000) for _ in present]
    usage = Usage.of(np.array(present), np.array(totals), EXPONENT, begin, end)
    plain = {
        quarter: Fraction(total) * Fraction(10) ** EXPONENT for quarter, total in zip(present, totals, strict=True)
    }
    return usage, plain


def day_ahead(usage: Usage, seed: int, known: float = 0.999) -> tuple[Prices, dict[int, Fraction]]:
    """Hourly prices, a fifth of them negative, some of them missing, in both ways."""
    chance = random.Random(seed)
    hours = [hour for hour in range(usage.first // 4, usage.end // 4 + 1) if chance.random() < known]
    values = [chance.randrange(-5_000, 20_000) for _ in hours]
    prices = Prices.of([hour * 3_600_000 for hour in hours], 60, values, PRICE_EXPONENT, "EUR")
    plain = {
        hour * 4 + quarter: Fraction(value) * Fraction(10) ** PRICE_EXPONENT
        for hour, value in zip(hours, values, strict=True)
        for quarter in range(4)
    }
    return prices, plain


def agree(costs: Costs, plain: slowly.Sums) -> None:
    """By charge, band and day, in total, and in what is marked."""
    assert Fraction(costs.total) == plain.total()
    by_day = plain.by_day()
    assert {day: Fraction(amount) for day, amount in costs.by_day().items() if amount} == {
        day: amount for day, amount in by_day.items() if amount
    }
    amounts: Mapping[slowly.Place, Fraction] = {
        place: sum(days.values(), Fraction(0)) for place, days in plain.amounts.items()
    }
    found: dict[slowly.Place, Fraction] = {}
    for line in costs.lines:
        band = line.band
        found[line.charge, band] = found.get((line.charge, band), Fraction(0)) + Fraction(line.amount)
    assert {place: amount for place, amount in found.items() if amount} == {
        place: amount for place, amount in amounts.items() if amount
    }
    assert set(costs.marks.no_rate.tolist()) == plain.no_rate
    assert set(costs.marks.no_price.tolist()) == plain.no_price


@pytest.mark.parametrize("zone", [LONDON, BRUSSELS])
@pytest.mark.parametrize(
    ("kind", "direction"), [*((kind, "import") for kind in KINDS), ("day and night", "export"), ("dynamic", "export")]
)
def test_a_year_with_both_changes_of_clocks(kind: str, direction: str, zone: str) -> None:
    usage, plain = year(zone, seed=len(kind))
    prices, plain_prices = day_ahead(usage, seed=7)
    chosen = tariff(zone, *KINDS[kind], direction=direction, currency="EUR")
    costs = cost(chosen, usage, {"day-ahead": prices})
    agree(costs, slowly.cost(chosen, plain, {"day-ahead": plain_prices}, usage.first, usage.first, usage.end))
    assert len(costs.lines) >= 1
    assert costs.total != 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    chosen=tariffs(),
    around=st.sampled_from(
        [date(2024, 3, 31), date(2024, 10, 27), date(2023, 12, 31), date(2024, 2, 29), date(2024, 6, 1)]
    ),
    days=st.integers(1, 12),
    cut=st.tuples(st.integers(0, 200), st.integers(0, 200)),
    seed=st.integers(0, 1_000),
    exponent=st.integers(-6, 0),
)
def test_random_tariffs(
    chosen: Tariff, around: date, days: int, cut: tuple[int, int], seed: int, exponent: int
) -> None:
    """Any tariff over a few days around a change of clocks, a year's or a month's end, which may begin within a day."""
    chance = random.Random(seed)
    first = midnight(around, "Europe/Brussels") - days * 48
    end = first + days * 96
    present = [quarter for quarter in range(first, end) if chance.random() > 0.05]
    totals = [chance.choice((0, 1, -3, 250, 1_500, chance.randrange(100_000))) for _ in present]
    usage = Usage.of(np.array(present, np.int64), np.array(totals, np.int64), exponent, first, end)
    plain = {
        quarter: Fraction(total) * Fraction(10) ** exponent for quarter, total in zip(present, totals, strict=True)
    }
    prices, plain_prices = day_ahead(usage, seed, known=0.9)
    begin = min(first + cut[0], end)
    until = max(begin, end - cut[1])
    costs = cost(chosen, usage, {"day-ahead": prices}, begin, until)
    agree(costs, slowly.cost(chosen, plain, {"day-ahead": plain_prices}, first, begin, until))


def test_numbers_that_64_bits_do_not_hold_stay_exact() -> None:
    """The largest prices and percentages, on usage in 10^-9 kWh."""
    begin, end = midnight(date(2024, 6, 1), BRUSSELS), midnight(date(2024, 6, 3), BRUSSELS)
    totals = np.arange(10**15, 10**15 + end - begin)
    usage = Usage.of(np.arange(begin, end), totals, -9, begin, end)
    price = Decimal("999999999.9999999999")
    chosen = tariff(
        BRUSSELS,
        Dynamic(index="day-ahead", factor=Decimal("999999.9999999999"), addition=price, cap=price),
        Rates(name="Grid", rates=(Rate(band="all", price=price),)),
        Standing(price=price, period="year"),
        Tax(percent=Decimal("999.999999")),
        Tax(name="VAT on VAT", percent=Decimal("999.999999"), on=("VAT",)),
    )
    prices, plain_prices = day_ahead(usage, seed=3, known=1)
    plain = {begin + place: Fraction(int(total), 10**9) for place, total in enumerate(totals)}
    costs = cost(chosen, usage, {"day-ahead": prices})
    agree(costs, slowly.cost(chosen, plain, {"day-ahead": plain_prices}, begin, begin, end))
