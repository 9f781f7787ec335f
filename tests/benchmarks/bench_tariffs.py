"""Costs in a cold process: ten years of quarter-hours under another tariff, and a year of half-hours under 500."""

import random
import time
from datetime import date
from decimal import Decimal

import numpy as np

from appliance.tariffs import (
    Capacity,
    Charge,
    Dynamic,
    Levy,
    Prices,
    Rate,
    Rates,
    Standing,
    Tariff,
    Tax,
    Times,
    Usage,
    cost,
)
from tests.benchmarks.row import Row

ZONE = "Europe/Brussels"
INDEX = "day-ahead BE"
YEARS, TARIFFS = 10, 500
DAY_QUARTERS = 96
FIRST = 46 * 365 * DAY_QUARTERS + 11 * DAY_QUARTERS  # 2015-12-21
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
NIGHT = Times(from_minute=22 * 60, until_minute=7 * 60)
PEAK = Times(days=WEEKDAYS, from_minute=17 * 60, until_minute=20 * 60)


def rows() -> list[Row]:
    decade_s = _decade()
    year_s = _year()
    return [
        Row("Ten years of quarter-hours recosted under another tariff", decade_s, 1, "s"),
        Row("500 tariffs over a year of half-hours", year_s, 3, "s"),
    ]


def _decade() -> float:
    usage, prices = _usage(YEARS), _prices(YEARS)
    tariff = _tariff(_history(), "all that a Flemish household pays")
    start = time.perf_counter()
    costs = cost(tariff, usage, {INDEX: prices})
    days = costs.by_day()
    seconds = time.perf_counter() - start
    if sum(days.values()) != costs.total or not costs.marks.complete:
        raise RuntimeError("the costs of ten years are not whole")
    return seconds


def _year() -> float:
    usage, prices = _usage(1, half_hours=True), _prices(1)
    chance = random.Random(5)
    tariffs = [tariff(chance, number) for number in range(TARIFFS)]
    start = time.perf_counter()
    totals = [cost(tariff, usage, {INDEX: prices}).total for tariff in tariffs]
    seconds = time.perf_counter() - start
    if len(set(totals)) < TARIFFS * 9 // 10:
        raise RuntimeError("tariffs that differ cost the same")
    return seconds


def _usage(years: int, *, half_hours: bool = False) -> Usage:
    """Watt-hours of quarters; of half-hours each spread evenly over its two quarters."""
    count = years * 365 * DAY_QUARTERS
    chance = np.random.default_rng(3)
    totals = chance.integers(10, 900, count)
    if half_hours:
        totals = np.repeat(chance.integers(10, 900, count // 2), 2)
    return Usage.of(np.arange(FIRST, FIRST + count), totals, -3, FIRST, FIRST + count)


def _prices(years: int) -> Prices:
    hours = years * 365 * 24
    starts = (FIRST // 4 + np.arange(hours, dtype=np.int64)) * 3_600_000
    return Prices.of(starts, 60, np.random.default_rng(4).integers(-5_000, 30_000, hours), -5, "EUR")


def _history() -> list[Charge]:
    """Day, night and peak that change every year, and everything else that a bill can have."""
    begins = date(2010, 1, 1)
    charges: list[Charge] = []
    for year in range(2010, 2030):
        ends = date(year + 1, 1, 1)
        price = Decimal(year - 2000) / 100
        rates = (
            Rate(band="day", price=price),
            Rate(band="night", price=price / 2, times=(NIGHT,)),
            Rate(band="peak", price=price * 2, times=(PEAK,)),
        )
        charges += [
            Rates(rates=rates, from_day=begins, until_day=ends),
            Levy(price=price / 10, from_day=begins, until_day=ends),
        ]
        begins = ends
    return [
        *charges,
        Dynamic(name="Spot", index=INDEX, factor=Decimal("1.05"), addition=Decimal("0.004"), floor=Decimal(0)),
        Standing(price=Decimal(8), period="month"),
        Capacity(price=Decimal("41.3"), period="year", months=12, minimum=Decimal("2.5")),
        Tax(percent=Decimal(6)),
    ]


def tariff(chance: random.Random, number: int) -> Tariff:
    """One of many offers; see `_offer`."""
    return _tariff(_offer(chance, number), f"offer {number}")


def _offer(chance: random.Random, number: int) -> list[Charge]:
    """An offer such as a comparison has: a third of them dynamic, the rest by day and night with hours of their own."""

    def price() -> Decimal:
        return Decimal(chance.randrange(1000, 4000)) / 10_000

    energy: Charge = Dynamic(index=INDEX, addition=price())
    if number % 3:
        night = Times(from_minute=chance.randrange(80, 96) * 15, until_minute=chance.randrange(20, 32) * 15)
        energy = Rates(rates=(Rate(band="day", price=price()), Rate(band="night", price=price(), times=(night,))))
    return [energy, Levy(price=price() / 10), Standing(price=price(), period="day"), Tax(percent=Decimal(6))]


def _tariff(charges: list[Charge], name: str) -> Tariff:
    return Tariff(
        supplier="Ember Energy",
        name=name,
        supply="electricity",
        zone=ZONE,
        currency="EUR",
        charges=tuple(charges),
    )
