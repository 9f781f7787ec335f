"""Octopus's rates as tariffs: what was agreed by a code is costed without a tariff's file."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import costs, supplies, switching
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.ingest import importing, stating
from appliance.store.database import Store
from appliance.tariffs import Rates, Standing, Tariff
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
CODE = "E-1R-VAR-22-11-01-N"
QUARTER = Decimal("0.25")

Row = tuple[str, str, str | None]
"""Pence with tax, from when, until when."""


def published(store: Store, code: str, charge: str, *rows: Row, method: str | None = None) -> None:
    results: list[dict[str, Any]] = [
        {"value_exc_vat": float(value) / 1.05, "value_inc_vat": float(value), "valid_from": begin, "valid_to": end,
         "payment_method": method}
        for value, begin, end in rows
    ]  # fmt: skip
    options = {"supply": "gas" if code.startswith("G") else "electricity", "direction": "import", "tariff": code}
    data = json.dumps({"count": len(results), "next": None, "previous": None, "results": results}).encode()
    report = importing.import_bytes(store, data, "rates.json", options={**options, "charge": charge})
    assert not report.rejected


def made(store: Store, code: str = CODE) -> Tariff:
    with store.read() as connection:
        [found] = [each for each in supplies.tariffs(connection) if each.code == code]
    return found.needed()


def a_kwh_a_quarter(store: Store, first: date, days: int) -> None:
    begin = datetime(first.year, first.month, first.day, tzinfo=LONDON)
    end = datetime.combine(first + timedelta(days=days), datetime.min.time(), LONDON)
    count = int((end.astimezone(UTC) - begin.astimezone(UTC)) / timedelta(minutes=30))
    keep(store, "electricity.import", [500_000] * count, first_ms=int(begin.timestamp()) * 1000)


def cost(store: Store, **said: Any) -> Cost:
    return costs.cost(store, supplies.named(store, "electricity", LONDON), LONDON, **said)


def amounts(found: Cost) -> Sequence[Decimal | None]:
    return [each.amount for each in found.days]


def test_standard_rates_hold_from_day_to_day_at_the_price_of_who_pays_by_direct_debit(store: Store) -> None:
    published(store, CODE, "standard-unit-rates", ("20", "2026-03-31T23:00:00Z", "2026-07-01T00:00:00+01:00"))
    published(store, CODE, "standard-unit-rates", ("24.7065", "2026-06-30T23:00:00Z", None), method="DIRECT_DEBIT")
    published(store, CODE, "standard-unit-rates", ("26.1", "2026-06-30T23:00:00Z", None), method="NON_DIRECT_DEBIT")
    published(store, CODE, "standing-charges", ("50", "2026-03-31T23:00:00Z", None))
    found = made(store)
    assert (found.supplier, found.supply, found.direction, found.currency) == (
        "Octopus Energy",
        "electricity",
        "import",
        "GBP",
    )
    rates = [each for each in found.charges if isinstance(each, Rates)]
    assert [(each.from_day, each.until_day, each.rates[0].price) for each in rates] == [
        (date(2026, 4, 1), date(2026, 7, 1), Decimal("0.20")),
        (date(2026, 7, 1), None, Decimal("0.247065")),
    ]
    [standing] = [each for each in found.charges if isinstance(each, Standing)]
    assert (standing.price, standing.from_day, standing.until_day) == (Decimal("0.5"), date(2026, 4, 1), None)


def test_what_was_agreed_is_costed_by_the_rates_that_were_published(store: Store) -> None:
    a_kwh_a_quarter(store, date(2026, 6, 30), 2)
    published(store, CODE, "standard-unit-rates", ("20", "2026-03-31T23:00:00Z", "2026-06-30T23:00:00Z"))
    published(store, CODE, "standard-unit-rates", ("30", "2026-06-30T23:00:00Z", None))
    published(store, CODE, "standing-charges", ("50", "2026-03-31T23:00:00Z", None))
    said = {"party": "Octopus Energy", "supply": "electricity", "tariff": CODE, "at": "2026-04-01"}
    stating.add(store, "energy.agreement", said, "Ada")
    assert amounts(cost(store)) == [24 * Decimal("0.20") + QUARTER * 2, 24 * Decimal("0.30") + QUARTER * 2]


def test_rates_that_change_within_the_day_are_its_bands(store: Store) -> None:
    """As of Go: a night of four hours, each of them a rate of its own. The clocks are put back on the 25th."""
    times = [datetime(2026, 10, day, hour, 30, tzinfo=LONDON) for day in range(24, 28) for hour in (0, 4)]
    rows = [("7" if begin.hour == 0 else "25", begin.isoformat(), end.isoformat()) for begin, end in pairwise(times)]
    published(store, "E-1R-GO-22-07-05-N", "standard-unit-rates", *rows)
    a_kwh_a_quarter(store, date(2026, 10, 25), 2)
    found = cost(store, tariff="E-1R-GO-22-07-05-N")
    assert amounts(found) == [
        5 * Decimal("0.07") + 20 * Decimal("0.25"),
        4 * Decimal("0.07") + 20 * Decimal("0.25"),
    ]
    assert not any(each.unpriced for each in found.days)
    bands = {each.band for each in found.bands}
    assert bands == {"00:30 to 04:30", "other times"}
    assert len(made(store, "E-1R-GO-22-07-05-N").charges) == 3  # the first day, those in between, and the last


def test_a_price_of_each_day_is_one_charge_a_change(store: Store) -> None:
    """As of Tracker."""
    prices = ["20", "20", "21", "20"]
    days = [datetime(2026, 1, day, tzinfo=UTC).isoformat() for day in range(1, 6)]
    rows = [(price, *span) for price, span in zip(prices, pairwise(days), strict=True)]
    published(store, "E-1R-SILVER-24-01-01-N", "standard-unit-rates", *rows)
    a_kwh_a_quarter(store, date(2026, 1, 1), 4)
    assert amounts(cost(store, tariff="E-1R-SILVER-24-01-01-N")) == [24 * Decimal(each) / 100 for each in prices]
    assert len(made(store, "E-1R-SILVER-24-01-01-N").charges) == 3


def test_the_night_of_economy_7_is_seven_hours_in_utc(store: Store) -> None:
    code = "E-2R-VAR-22-11-01-N"
    published(store, code, "day-unit-rates", ("30", "2026-01-01T00:00:00Z", None))
    published(store, code, "night-unit-rates", ("10", "2026-01-01T00:00:00Z", "2026-07-01T23:00:00Z"))
    published(store, code, "night-unit-rates", ("12", "2026-07-01T23:00:00Z", None))
    a_kwh_a_quarter(store, date(2026, 7, 1), 2)
    found = cost(store, tariff=code)
    assert amounts(found) == [
        7 * Decimal("0.10") + 17 * Decimal("0.30"),
        7 * Decimal("0.12") + 17 * Decimal("0.30"),
    ]
    night = next(each for each in made(store, code).charges if isinstance(each, Rates)).rates[0].times[0]
    assert (made(store, code).clock, night.from_minute, night.until_minute) == ("UTC", 30, 450)


def test_agile_follows_its_series_of_half_hours(store: Store) -> None:
    code = "E-1R-AGILE-24-10-01-N"
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    half_hours = [(begin + number * timedelta(minutes=30)).isoformat() for number in range(49)]
    rows = [(f"{number - 5}.25", *span) for number, span in enumerate(pairwise(half_hours))]
    published(store, code, "standard-unit-rates", *rows)
    published(store, code, "standing-charges", ("50", "2026-01-01T00:00:00Z", None))
    a_kwh_a_quarter(store, date(2026, 1, 1), 1)
    expected = sum((Decimal(f"{number - 5}.25") for number in range(48)), Decimal(0)) / 200 + Decimal("0.5")
    found = cost(store, tariff=code)
    assert (amounts(found), found.told) == ([expected], ())
    with store.read() as connection:
        facts = supplies.tariffs(connection)
    assert [each.code for each in facts] == [code]


def test_gas_is_costed_too(store: Store) -> None:
    code = "G-1R-VAR-22-11-01-N"
    published(store, code, "standard-unit-rates", ("6", "2026-01-01T00:00:00Z", None))
    keep(store, "gas", [1_000_000] * 48, first_ms=1_767_225_600_000, unit="kWh", source="gas")
    found = costs.cost(store, supplies.named(store, "gas", LONDON), LONDON, tariff=code)
    assert found.totals == {"GBP": Decimal("2.88")}


def test_a_tariff_whose_standing_charge_nobody_brought_is_never_the_cheapest(store: Store) -> None:
    published(store, CODE, "standard-unit-rates", ("20", "2026-01-01T00:00:00Z", None))
    a_kwh_a_quarter(store, date(2026, 7, 1), 2)
    found = cost(store, tariff=CODE)
    assert any(f"{CODE} costs too little here: its standing charge is not known" in said for said in found.told)
    compared = switching.compare(store, supplies.named(store, "electricity", LONDON), LONDON, date(2026, 7, 3))
    assert (compared.offers, [each.name for each in compared.left_out]) == ((), [CODE])
    published(store, CODE, "standing-charges", ("50", "2026-01-01T00:00:00Z", None))
    assert cost(store, tariff=CODE).told == ()


def test_half_hourly_prices_alone_say_what_else_to_bring(store: Store) -> None:
    code = "E-1R-AGILE-24-10-01-N"
    published(store, code, "standard-unit-rates", ("20", "2026-07-01T00:00:00Z", "2026-07-01T00:30:00Z"))
    a_kwh_a_quarter(store, date(2026, 7, 1), 1)
    with pytest.raises(UserError, match=f"{code}: its standing charge is not known, only the price of a kWh"):
        cost(store, tariff="agile")
    stating.add(store, "energy.agreement", {"party": "Octopus Energy", "tariff": code, "at": "2026-01-01"}, "Ada")
    assert any(said.startswith(f"{code}: its standing charge is not known") for said in cost(store).told)
