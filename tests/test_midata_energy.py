"""The midata file against a literal one: 2025 at 10 kWh a day is 3,650 kWh; at 0.25, and 0.50 a day, 1,095.00."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance import supplies
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.midata_energy import Midata, midata
from appliance.store.database import Store
from tests.costs.tariffs import known
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
RATE = {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]}
HOME = {"name": "Home 1 Year", "charges": [RATE, {"kind": "standing", "price": "0.50", "period": "day"}]}
MPAN = "2000050773706"


def keep_days(store: Store, first: date, days: int, role: str = "electricity.import") -> None:
    begin = int(datetime(first.year, first.month, first.day, tzinfo=LONDON).timestamp()) * 1000
    keep(store, role, [10_000] * days, first_ms=begin, seconds=86400, exponent=-3)


def agreed(store: Store, **more: str) -> None:
    said = {
        "party": "Ember", "supply": "electricity", "tariff": "Home 1 Year", "at": "2025-03-01", "account": "A-12",
        "point": MPAN, "amount": "75", "unit": "GBP", "fixed_until": "2026-02-28",
        "address": "1 The Street, FALKIRK, fk5 4fh",
    }  # fmt: skip
    stating.add(store, "energy.agreement", said | more, "Ada", zone=LONDON)


def made(store: Store) -> Midata:
    return midata(store, supplies.named(store, "electricity.import", LONDON), LONDON, date(2026, 1, 5))


def test_the_file_says_what_a_comparison_site_asks(store: Store) -> None:
    keep_days(store, date(2025, 1, 1), 365)
    known(store, "Europe/London", HOME, currency="GBP")
    agreed(store)
    found = made(store)
    assert list(csv.reader(io.StringIO(found.csv()))) == [
        [
            "customerReferenceNumber", "date", "fuel", "validAtDate", "meterPointAdministrationNumber",
            "energyProvider", "productName", "cancellationFeeIndicator", "contractStartDate", "postCode",
            "contractEndDate", "forecastedEnergyUsage", "energyUsage", "forecastedCost", "paymentMethod",
        ],
        [
            "A-12", "20260105", "Electricity", "20251231", MPAN, "Ember", "Home 1 Year", "true", "20250301", "FK5 4FH",
            "20260228", "3650", "3650", "1095.00", "",
        ],
    ]  # fmt: skip
    assert (found.exit_fee, found.told) == (Decimal(75), ())


def test_a_year_with_days_missing_is_forecast_by_the_others_and_says_so(store: Store) -> None:
    keep_days(store, date(2025, 1, 1), 100)
    keep_days(store, date(2025, 4, 21), 255)  # ten days less
    agreed(store, amount="")
    found = made(store)
    assert (found.fields["energyUsage"], found.fields["forecastedEnergyUsage"]) == ("3550", "3650")
    assert (found.fields["cancellationFeeIndicator"], found.fields["forecastedCost"]) == ("false", "")
    assert "960 of the year's 35,040 quarter-hours were not measured" in found.told[0]
    assert "the tariff 'Home 1 Year' is not known; import it" in found.told[1]


def test_all_that_is_missing_is_said_at_once(store: Store) -> None:
    keep_days(store, date(2025, 1, 1), 10)
    with pytest.raises(UserError) as error:
        made(store)
    assert [each.split(";")[0] for each in error.value.problems] == [
        "the meter point's number of Electricity, The house is not known",
        "no agreement is known of Electricity, The house now",
        "Electricity, The house was measured for 10 days of the last year",
    ]


def test_what_is_fed_in_has_no_such_file(store: Store) -> None:
    keep_days(store, date(2025, 1, 1), 40, "electricity.export")
    [supply] = supplies.every(store, LONDON)
    with pytest.raises(UserError, match="is neither"):
        midata(store, supply, LONDON, date(2026, 1, 5))
