"""Bills as they come in London and Brussels, worked by hand: estimated, at a wrong price, of days too many, over a
change of tariff and of the clock, refunded, in another currency.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import billing
from appliance.billing import Check
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import DYNAMIC, keep_prices, known
from tests.meter_series import keep

LONDON, BRUSSELS = ZoneInfo("Europe/London"), ZoneInfo("Europe/Brussels")
VAT_5, VAT_6 = {"kind": "tax", "percent": "5"}, {"kind": "tax", "percent": "6"}
DAILY = {"kind": "standing", "price": "0.60", "period": "day"}


def rates(price: str, **more: str) -> dict[str, Any]:
    return {"kind": "rates", "rates": [{"band": "all day", "price": price}], **more}


def ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000


def read(store: Store, zone: ZoneInfo, first: date, last: date, wh: int, role: str = "electricity.import") -> None:
    """Half-hours of whole local days, of as many Wh each."""
    begin, end = ms(first, zone), ms(last + timedelta(days=1), zone)
    keep(store, role, [wh] * ((end - begin) // 1_800_000), first_ms=begin, exponent=-3)


def agreed(store: Store, zone: ZoneInfo, tariff: str, at: str, supply: str = "electricity", **more: str) -> None:
    said = {"party": "Ember", "supply": supply, "tariff": tariff, "at": at, **more}
    stating.add(store, "energy.agreement", said, "Ada", zone=zone)


def checked(store: Store, zone: ZoneInfo, first: str, until: str, to_pay: str, unit: str = "GBP", **more: str) -> Check:
    said = {"at": until, "party": "Ember", "amount": to_pay, "unit": unit, "from": first, "until": until, **more}
    if "supply" not in said:
        said["supply"] = "electricity"
    return billing.check(store, stating.add(store, "energy.bill", said, "Ada", zone=zone).id, zone)


def kinds(found: Check) -> list[tuple[str, str]]:
    return [(each.kind, str(each.amount)) for each in found.causes]


def test_the_month_in_which_clocks_change_is_right_to_the_cent(store: Store) -> None:
    """London, March 2025: 31 days less an hour, 1486 half-hours of 250 Wh are 371.5 kWh.

    371.5 x 0.24 = 89.16, 31 x 0.60 = 18.60, 5 % of 107.76 = 5.39: 113.15. At night, 31 times 0:00 to 4:00 less the hour
    that is left out, 123 hours x 0.5 kWh = 61.5 kWh x 0.09 = 5.54 (5.535), by day 310 x 0.30 = 93.00.
    """
    read(store, LONDON, date(2025, 3, 1), date(2025, 3, 31), 250)
    night = {"band": "night", "price": "0.09", "times": [{"from": "00:00", "until": "04:00"}]}
    known(
        store,
        "Europe/London",
        {"name": "Flat", "charges": [rates("0.24"), DAILY, VAT_5]},
        {"name": "Owl", "charges": [{"kind": "rates", "rates": [night, {"band": "day", "price": "0.30"}]}]},
        currency="GBP",
    )
    agreed(store, LONDON, "Flat", "2025-01-01")
    found = checked(store, LONDON, "2025-03-01", "2025-03-31", "113.15", used="371.5", tax="5.39")
    assert found.verdict == "The bill is right to the last cent."
    agreed(store, LONDON, "Owl", "2025-02-01")
    assert checked(store, LONDON, "2025-03-01", "2025-03-31", "98.54", number="2").total == Decimal("98.54")


def test_brussels_october_over_a_change_of_tariff_has_the_lines_of_both(store: Store) -> None:
    """October 2025 has 745 hours: to the 14th 336 hours of 0.5 kWh at 0.20 are 33.60, from the 15th 409 hours, 204.5
    kWh at 0.30, are 61.35; 14 x 0.60 = 8.40 and 17 x 0.60 = 10.20; 6 % of 42.00 is 2.52 and of 71.55 is 4.29: 120.36.
    """
    read(store, BRUSSELS, date(2025, 10, 1), date(2025, 10, 31), 250)
    known(
        store,
        "Europe/Brussels",
        {"name": "Old", "charges": [rates("0.20"), DAILY, VAT_6]},
        {"name": "New", "charges": [rates("0.30"), DAILY, VAT_6]},
    )
    agreed(store, BRUSSELS, "Old", "2025-01-01")
    agreed(store, BRUSSELS, "New", "2025-10-15")
    said = {"used": "372.5", "standing_charge": "18.60", "units_charge": "94.95", "tax": "6.81"}
    found = checked(store, BRUSSELS, "2025-10-01", "2025-10-31", "120.36", "EUR", **said)
    assert found.verdict == "The bill is right to the last cent."
    assert [each.difference for each in found.compared] == [Decimal(0)] * 5
    assert found.tariffs == ("Old", "New")
    # all of it at the new price: 372.5 x 0.30 = 111.75 for 94.95
    dearer = {**said, "units_charge": "111.75", "tax": "7.82"}
    found = checked(store, BRUSSELS, "2025-10-01", "2025-10-31", "138.17", "EUR", **dearer, number="2")
    assert kinds(found)[0] == ("tariff", "17.81")
    assert "those of New" in found.causes[0].text


def test_gas_that_is_counted_alike_and_made_to_other_energy_is_no_reading_that_is_wrong(store: Store) -> None:
    """100 m3 are 1,107.86 kWh by the usual 39 MJ/m3 and 1.02264; by 39.5 they are 1,122.06."""
    at_ms = ms(date(2025, 1, 1), LONDON)
    keep(store, "gas", [1000, 1100], first_ms=at_ms, unit="m3", seconds=0, every_s=31 * 86400, exponent=0)
    known(store, "Europe/London", {"name": "Gas", "charges": [rates("0.06"), VAT_5]}, currency="GBP", supply="gas")
    agreed(store, LONDON, "Gas", "2025-01-01", supply="gas")
    said = {"supply": "gas", "used": "1122.06", "volume": "100"}
    found = checked(store, LONDON, "2025-01-01", "2025-01-31", "70.69", **said)
    assert kinds(found) == [("gas", "0.90")]
    assert "makes 11.221 kWh each and we 11.079" in found.causes[0].text
    misread = {**said, "volume": "120", "used": "1329.43", "register_before": "1000", "register_after": "1120"}
    found = checked(store, LONDON, "2025-01-01", "2025-01-31", "83.75", **misread, number="2")
    assert found.causes[0].kind == "use"
    assert "takes 1,120 as the last reading, and the meter showed 1,100" in found.causes[0].text


def test_gas_that_a_bill_states_by_volume_alone_is_compared_by_it(store: Store) -> None:
    """Of 110 m3 for 100 a tenth is too much: 66.47 for 1,107.86 kWh at 0.06 is 73.12 then; 5 % makes 3.32 and 3.66."""
    at_ms = ms(date(2025, 1, 1), LONDON)
    keep(store, "gas", [1000, 1100], first_ms=at_ms, unit="m3", seconds=0, every_s=31 * 86400, exponent=0)
    known(store, "Europe/London", {"name": "Gas", "charges": [rates("0.06"), VAT_5]}, currency="GBP", supply="gas")
    agreed(store, LONDON, "Gas", "2025-01-01", supply="gas")
    found = checked(store, LONDON, "2025-01-01", "2025-01-31", "76.78", supply="gas", volume="110")
    assert (found.total, kinds(found)) == (Decimal("69.79"), [("use", "6.99")])
    [volume] = [each for each in found.compared if each.what == "Volume used"]
    assert (volume.billed, volume.ours, volume.unit) == (Decimal(110), Decimal(100), "m3")


def test_heat_that_is_counted_in_gigajoules_is_not_taken_for_kilowatt_hours(store: Store) -> None:
    """1 GJ is 277.78 kWh: at 0.10 it is 27.78."""
    at_ms = ms(date(2025, 1, 1), BRUSSELS)
    keep(store, "heat", [50, 51], first_ms=at_ms, unit="GJ", seconds=0, every_s=31 * 86400, exponent=0)
    known(store, "Europe/Brussels", {"name": "Warm", "charges": [rates("0.10")]}, supply="heat")
    agreed(store, BRUSSELS, "Warm", "2025-01-01", supply="heat")
    said = {"supply": "heat", "register_before": "50", "register_after": "51"}
    assert checked(store, BRUSSELS, "2025-01-01", "2025-01-31", "27.78", "EUR", **said).is_right
    found = checked(store, BRUSSELS, "2025-01-01", "2025-01-31", "99.00", "EUR", **said, number="2")
    assert not found.causes


def test_water_in_brussels_whose_first_reading_was_estimated(store: Store) -> None:
    """12 m3 at 4.50 and 30 a year over 365 days, 31 of them 2.55; 6 % of 56.55 is 3.39: 59.94. With 15 m3, 74.25."""
    at_ms = ms(date(2025, 1, 1), BRUSSELS)
    keep(store, "water", [500, 512], first_ms=at_ms, unit="m3", seconds=0, every_s=31 * 86400, exponent=0)
    yearly = {"kind": "standing", "price": "30", "period": "year"}
    known(store, "Europe/Brussels", {"name": "Tap", "charges": [rates("4.50"), yearly, VAT_6]}, supply="water")
    agreed(store, BRUSSELS, "Tap", "2025-01-01", supply="water")
    said = {"supply": "water", "register_before": "497", "register_after": "512"}
    found = checked(store, BRUSSELS, "2025-01-01", "2025-01-31", "74.25", "EUR", **said)
    assert found.total == Decimal("59.94")
    assert kinds(found) == [("use", "14.31")]
    assert "takes 497 as the first reading, and the meter showed 500" in found.causes[0].text


@pytest.fixture
def flat(store: Store) -> Store:
    """Brussels, January 2025: 372 kWh at 0.25, 18.60 of standing charges and 6 %: 118.30."""
    read(store, BRUSSELS, date(2025, 1, 1), date(2025, 1, 31), 250)
    known(store, "Europe/Brussels", {"name": "Flat", "charges": [rates("0.25"), DAILY, VAT_6]})
    agreed(store, BRUSSELS, "Flat", "2025-01-01")
    return store


def test_a_refund_is_the_bill_less_what_was_paid_before(flat: Store) -> None:
    found = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "-31.70", "EUR", adjustments="-150")
    assert found.verdict == "The bill is right to the last cent."
    found = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "-31.70", "EUR", number="2")
    assert found.unexplained == Decimal("-150.00")
    assert any("instalments" in each for each in found.told)


def test_an_estimated_bill_that_does_not_say_what_it_counts_is_asked_for_it(flat: Store) -> None:
    [told] = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "144.80", "EUR", estimated="yes").told
    assert "if 472 kWh had been used, and your readings make 372 kWh" in told


def test_standing_charges_of_more_days_and_a_use_that_its_own_readings_do_not_make(flat: Store) -> None:
    said = {"standing_charge": "24.60", "used": "400", "register_before": "0", "register_after": "372"}
    found = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "150.08", "EUR", **said, levies="9")
    assert [each.kind for each in found.causes] == ["use", "standing"]
    assert "Its own readings make 372 kWh." in found.causes[0].text
    assert "that is 41 days, and the period has 31" in found.causes[1].text


def test_a_dynamic_price_whose_line_is_too_high_is_told_by_that_line(store: Store) -> None:
    read(store, BRUSSELS, date(2025, 1, 1), date(2025, 1, 31), 250)
    begin, end = (ms(each, BRUSSELS) // 900_000 for each in (date(2025, 1, 1), date(2025, 2, 1)))
    keep_prices(store, begin, end)
    known(store, "Europe/Brussels", DYNAMIC)
    agreed(store, BRUSSELS, "Dynamic", "2025-01-01")
    ours = checked(store, BRUSSELS, "2025-01-01", "2025-01-31", "1", "EUR")
    [units] = [each.ours for each in ours.compared if each.what == "For what was used"]
    assert units is not None
    asked = {"units_charge": f"{units + 10}", "number": "2"}
    found = checked(store, BRUSSELS, "2025-01-01", "2025-01-31", f"{ours.total + 10}", "EUR", **asked)
    assert kinds(found) == [("units", "10.00")]


def test_another_currency_is_refused_with_what_to_do(flat: Store) -> None:
    with pytest.raises(UserError, match="another currency than its tariff: EUR and GBP; correct that of the bill"):
        checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "118.30", "GBP")


def test_days_that_another_bill_counts_too_are_told(flat: Store) -> None:
    first = checked(flat, BRUSSELS, "2025-01-01", "2025-01-20", "76.32", "EUR").bill
    second = checked(flat, BRUSSELS, "2025-01-16", "2025-01-31", "61.06", "EUR").bill
    for more in ({"supply": "water"}, {"until": "2025-01-16"}):
        said = {"at": "2025-02-01", "party": "Ember", "amount": "5", "from": "2024-12-16", "until": "2025-01-31"}
        stating.add(flat, "energy.bill", {**said, "supply": "electricity", **more}, "Ada", zone=BRUSSELS)
    with flat.read() as connection:
        [found] = billing.shared(connection, second)
    assert (found.bill, found.first, found.last, found.days) == (first, date(2025, 1, 16), date(2025, 1, 20), 5)


def test_a_price_with_its_tax_in_it_is_compared_with_ours_with_tax(flat: Store) -> None:
    said = {"unit_price": "0.265", "units_charge": "98.58"}
    found = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "118.30", "EUR", **said)
    assert found.is_right
    wrong = checked(flat, BRUSSELS, "2025-01-01", "2025-01-31", "138.01", "EUR", unit_price="0.318", number="2")
    assert kinds(wrong) == [("rate", "19.71")]
    assert "a kWh costs 0.318 EUR with tax, and the tariff says 0.265" in wrong.causes[0].text
