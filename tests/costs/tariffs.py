"""Tariffs for the tests of costs, and the same costs counted slowly and plainly, a quarter-hour at a time."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from appliance.ingest import importing
from appliance.store.database import Store
from tests.meter_series import keep

QUARTER_S = 900
STANDING = {"kind": "standing", "price": "0.5312", "period": "day"}
VAT = {"kind": "tax", "percent": "21"}
INDEX = "entsoe 10YBE----------2"
FLAT = {
    "name": "Flat",
    "charges": [{"kind": "rates", "rates": [{"band": "all day", "price": "0.2415"}]}, STANDING, VAT],
}
NIGHT = {
    "name": "Night",
    "charges": [
        {
            "kind": "rates",
            "rates": [
                {
                    "band": "night",
                    "price": "0.1207",
                    "times": [{"from": "22:00", "until": "07:00"}, {"days": ["saturday", "sunday"]}],
                },
                {"band": "day", "price": "0.3119"},
            ],
        },
        STANDING,
    ],
}
DYNAMIC = {
    "name": "Dynamic",
    "charges": [{"kind": "dynamic", "index": INDEX, "factor": "1.05", "addition": "0.0123"}, STANDING],
}


def known(store: Store, zone: str, *said: Mapping[str, Any], **more: str) -> None:
    """Has a store know tariffs, as if a file of them had been imported."""
    usual = {"inglenook_tariff": 1, "supplier": "Ember", "supply": "electricity", "zone": zone, "currency": "EUR"}
    report = importing.import_bytes(store, json.dumps([{**usual, **each, **more} for each in said]).encode(), "t.json")
    assert not report.rejected


def price(quarter: int) -> int:
    """An hour's price of the index, in 10^-5 EUR: below nothing in one hour of seven."""
    hour = quarter // 4
    return -1_234 if hour % 7 == 3 else 7_000 + hour % 24 * 613


def keep_prices(store: Store, first: int, end: int) -> None:
    """The prices of every hour of the quarters [first, end), which begin and end with one."""
    prices = [price(quarter) for quarter in range(first, end, 4)]
    keep(
        store, "electricity.price", prices, first_ms=first * QUARTER_S * 1000, unit="EUR/kWh", seconds=3600,
        source=f"{INDEX} hourly", exponent=-5,
    )  # fmt: skip


def slowly(used: Mapping[int, Decimal], name: str, zone: str, first: date, last: date) -> dict[date, Decimal]:
    """What each local day from the first to the last costs under one of the three; `used`: kWh by quarter-hour."""
    days: dict[date, Decimal] = defaultdict(Decimal)
    for quarter, kwh in used.items():
        at = datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(ZoneInfo(zone))
        is_night = at.hour >= 22 or at.hour < 7 or at.weekday() >= 5
        rate = {
            "Flat": Decimal("0.2415"),
            "Night": Decimal("0.1207") if is_night else Decimal("0.3119"),
            "Dynamic": Decimal("1.05") * Decimal(price(quarter)).scaleb(-5) + Decimal("0.0123"),
        }[name]
        days[at.date()] += kwh * rate
    every = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    vat = Decimal("1.21") if name == "Flat" else Decimal(1)
    return {day: (days[day] + Decimal("0.5312")) * vat for day in every}
