"""What registers and appliances cost by themselves, against a plain count a quarter-hour at a time."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from appliance import costs, costs_apart, supplies
from appliance.costs_apart import Share
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import DYNAMIC, FLAT, NIGHT, QUARTER_S, keep_prices, known, price
from tests.meter_series import keep

BRUSSELS = ZoneInfo("Europe/Brussels")
FIRST, DAYS = date(2025, 3, 28), 5  # over the change of clocks
BEGIN = int(datetime(2025, 3, 28, tzinfo=BRUSSELS).timestamp()) // QUARTER_S
QUARTERS = range(BEGIN, BEGIN + DAYS * 96 - 4)
HOUSE = {quarter: 100 + quarter % 7 * 10 for quarter in QUARTERS}  # Wh
FREEZER = {quarter: 20 + quarter % 3 for quarter in QUARTERS}
KETTLE = {quarter: 900 if quarter % 48 == 0 else 0 for quarter in QUARTERS}


def keep_wh(store: Store, role: str, wh: dict[int, int], source: str = "house") -> None:
    first_ms = next(iter(wh)) * QUARTER_S * 1000
    keep(store, role, list(wh.values()), first_ms=first_ms, seconds=QUARTER_S, exponent=-3, source=source)


def cost(store: Store, tariff: str, **said: Any) -> costs.Cost:
    [supply] = supplies.every(store, BRUSSELS)
    return costs.cost(store, supply, BRUSSELS, tariff=tariff, **said)


def appliances(store: Store, tariff: str) -> dict[str, Share]:
    return {each.source: each for each in costs_apart.by_appliance(store, cost(store, tariff), BRUSSELS)}


def rate(quarter: int, tariff: str) -> Decimal:
    at = datetime.fromtimestamp(quarter * QUARTER_S, BRUSSELS)
    return {
        "Flat": Decimal("0.2415") * Decimal("1.21"),
        "Night": Decimal("0.1207" if at.hour >= 22 or at.hour < 7 or at.weekday() >= 5 else "0.3119"),
        "Dynamic": Decimal("1.05") * Decimal(price(quarter)).scaleb(-5) + Decimal("0.0123"),
    }[tariff]


def slowly(wh: dict[int, int], tariff: str) -> Decimal:
    """What a part costs, in no quarter-hour more than the house used."""
    kwh = {quarter: Decimal(min(each, HOUSE[quarter])) / 1000 for quarter, each in wh.items()}
    return sum((each * rate(quarter, tariff) for quarter, each in kwh.items()), Decimal(0))


def test_appliances_cost_what_a_plain_count_says_and_the_rest_makes_it_whole(store: Store) -> None:
    keep_wh(store, "electricity.import", HOUSE)
    keep_wh(store, "plug.energy", FREEZER, "freezer")
    keep_wh(store, "plug.electricity.import", KETTLE, "kettle")
    known(store, "Europe/Brussels", FLAT, NIGHT, DYNAMIC)
    keep_prices(store, QUARTERS.start, QUARTERS.stop)
    for tariff in ("Flat", "Night", "Dynamic"):
        found = appliances(store, tariff)
        assert list(found) == ["freezer", "kettle", ""]
        assert found["freezer"].amounts == {"EUR": slowly(FREEZER, tariff)}
        assert found["kettle"].amounts == {"EUR": slowly(KETTLE, tariff)}
        whole = cost(store, tariff).totals["EUR"]
        assert sum((each.amounts["EUR"] for each in found.values()), Decimal(0)) == whole
        assert sum((each.used for each in found.values()), Decimal(0)) == Decimal(sum(HOUSE.values())) / 1000
    boiled = [quarter for quarter, each in KETTLE.items() if each]
    assert found["kettle"].counted == Decimal(900 * len(boiled)) / 1000
    assert found["kettle"].used == Decimal(sum(HOUSE[each] for each in boiled)) / 1000, "no more than came in"


def test_the_registers_of_a_meter_cost_what_they_counted(store: Store) -> None:
    high = {each: wh for each, wh in HOUSE.items() if each % 96 < 50}
    keep_wh(store, "electricity.import.t1", {each: high.get(each, 0) for each in QUARTERS})
    keep_wh(store, "electricity.import.t2", {each: 0 if each in high else HOUSE[each] for each in QUARTERS})
    known(store, "Europe/Brussels", FLAT)
    t1, t2, rest = costs_apart.by_role(store, cost(store, "Flat"), BRUSSELS)
    assert (t1.role, t2.role, rest.role) == ("electricity.import.t1", "electricity.import.t2", "")
    assert t1.amounts == {"EUR": slowly(high, "Flat")}
    assert t1.amounts["EUR"] + t2.amounts["EUR"] == slowly(HOUSE, "Flat")
    assert rest.amounts == {"EUR": DAYS * Decimal("0.5312") * Decimal("1.21")}
    assert (rest.used, t1.used) == (Decimal(0), Decimal(sum(high.values())) / 1000)


def test_the_plugs_of_one_source_are_told_apart_by_their_place(store: Store) -> None:
    keep_wh(store, "electricity.import", HOUSE)
    keep_wh(store, "submetering1.electricity.import", FREEZER, "meter")
    keep_wh(store, "submetering2.electricity.import", KETTLE, "meter")
    keep_wh(store, "plug.energy", FREEZER, "shed")
    known(store, "Europe/Brussels", FLAT)
    found = costs_apart.by_appliance(store, cost(store, "Flat"), BRUSSELS)
    named = {(each.source, each.title) for each in found}
    assert {("meter", "The meter, submetering1"), ("meter", "The meter, submetering2"), ("shed", "The shed")} <= named


def test_days_without_a_tariff_cost_no_appliance_anything(store: Store) -> None:
    keep_wh(store, "electricity.import", HOUSE)
    keep_wh(store, "plug.energy", FREEZER, "freezer")
    known(store, "Europe/Brussels", FLAT)
    said = {"party": "Ember", "supply": "electricity", "tariff": "Flat", "at": "2025-03-31"}
    stating.add(store, "energy.agreement", said, "Ada", zone=BRUSSELS)
    found = appliances(store, "")
    since = int(datetime(2025, 3, 31, tzinfo=BRUSSELS).timestamp()) // QUARTER_S
    late = {quarter: wh for quarter, wh in FREEZER.items() if quarter >= since}
    assert found["freezer"].amounts == {"EUR": slowly(late, "Flat")}
    assert found["freezer"].counted == Decimal(sum(FREEZER.values())) / 1000


def test_a_span_has_its_own_shares_and_what_is_fed_in_none(store: Store) -> None:
    keep_wh(store, "electricity.import", HOUSE)
    keep_wh(store, "plug.energy", FREEZER, "freezer")
    known(store, "Europe/Brussels", FLAT)
    one_day = cost(store, "Flat", first_day=FIRST, last_day=FIRST)
    freezer, rest = costs_apart.by_appliance(store, one_day, BRUSSELS)
    today = {quarter: FREEZER[quarter] for quarter in list(QUARTERS)[:96]}
    assert (freezer.counted, freezer.quarters) == (Decimal(sum(today.values())) / 1000, 96)
    assert freezer.amounts == {"EUR": slowly(today, "Flat")}
    assert rest.quarters == 96
    keep_wh(store, "electricity.export", HOUSE)
    [out] = [each for each in supplies.every(store, BRUSSELS) if each.direction == "export"]
    assert costs_apart.by_appliance(store, costs.cost(store, out, BRUSSELS), BRUSSELS) == []
