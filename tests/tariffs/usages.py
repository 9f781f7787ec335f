"""Usage and tariffs for the tests: spans by local days, in quarter-hours of known size."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from appliance.tariffs import Charge, Tariff, Usage

QUARTER_S = 900


def midnight(day: date, zone: str) -> int:
    """The quarter-hour (since 1970 UTC) with which a local day begins."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp()) // QUARTER_S


def local(quarter: int, zone: str) -> datetime:
    """When a quarter-hour begins, by the clock on the wall."""
    return datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(ZoneInfo(zone))


def used(
    zone: str, from_day: date, until_day: date, total: Callable[[datetime], int], exponent: int = -3, unit: str = "kWh"
) -> Usage:
    """The usage of local days: of each quarter what `total` says, asked with its begin by the clock."""
    begin, end = midnight(from_day, zone), midnight(until_day, zone)
    quarters = np.arange(begin, end, dtype=np.int64)
    totals = np.array([total(local(quarter, zone)) for quarter in range(begin, end)], np.int64)
    return Usage.of(quarters, totals, exponent, begin, end, unit=unit)


def tariff(zone: str, *charges: Charge, **more: Any) -> Tariff:
    """A tariff of electricity with these charges."""
    stated: dict[str, Any] = {
        "supplier": "Ember Energy",
        "name": "Hearth",
        "supply": "electricity",
        "zone": zone,
        "currency": "GBP" if zone == "Europe/London" else "EUR",
        "charges": charges,
    }
    return Tariff(**{**stated, **more})


def starts_ms(begin: int, end: int, minutes: int) -> Sequence[int]:
    """When each interval of so many minutes begins, in milliseconds since 1970."""
    return [quarter * QUARTER_S * 1000 for quarter in range(begin, end, minutes // 15)]
