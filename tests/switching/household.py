"""A household of Brussels for tests: two years of half-hours, tariffs, and what it agreed."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance import supplies
from appliance.ingest import stating
from appliance.store.database import Store
from appliance.switching import Comparison, compare
from tests.costs.tariffs import QUARTER_S, slowly
from tests.meter_series import keep

BRUSSELS = ZoneInfo("Europe/Brussels")
ON = date(2026, 1, 1)
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)

Used = dict[int, Decimal]


def midnight(day: date) -> int:
    """The quarter-hour with which a day begins in Brussels."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BRUSSELS).timestamp()) // QUARTER_S


def half_hours(first: date, days: int) -> Used:
    """What is used in the half-hours of some days, kWh by quarter-hour: each half-hour another amount."""
    begin, end = midnight(first), midnight(first + timedelta(days=days))
    return {quarter: Decimal(100 + quarter // 2 % 37).scaleb(-3) for quarter in range(begin, end)}


def keep_used(store: Store, used: Used, role: str = "electricity.import", source: str = "house") -> None:
    first = min(used)
    values = [int((used[at] + used[at + 1]) * 1000) for at in range(first, max(used), 2)]
    keep(store, role, values, first_ms=first * QUARTER_S * 1000, exponent=-3, source=source)


def a_year(store: Store) -> Used:
    used = half_hours(FIRST, 365)
    keep_used(store, used)
    return used


def agreed(store: Store, tariff: str, at: str = "2024-01-01", **more: str) -> None:
    said = {"party": "Ember", "supply": "electricity", "tariff": tariff, "at": at, **more}
    stating.add(store, "energy.agreement", said, "Ada", zone=BRUSSELS)


def compared(store: Store, on: date = ON, name: str = "") -> Comparison:
    return compare(store, supplies.named(store, name, BRUSSELS), BRUSSELS, on)


def total(used: Used) -> Decimal:
    return sum(used.values(), Decimal(0))


def plainly(used: Used, tariff: str) -> Decimal:
    """What the year costs under one of the three tariffs, counted a quarter-hour at a time."""
    return sum(slowly(used, tariff, "Europe/Brussels", FIRST, LAST).values(), Decimal(0))
