"""Which supplies a household has, as it says or as its series suggest, and who sells them."""

from zoneinfo import ZoneInfo

import pytest

from appliance import supplies
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from appliance.supplies import Supply
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
NEW_YEAR_MS = 1_767_225_600_000  # 2026 in London


def measured(store: Store) -> None:
    keep(store, "electricity.import.t1", [1, 2], first_ms=NEW_YEAR_MS, seconds=0, every_s=900)
    keep(store, "electricity.import.t2", [1, 2], first_ms=NEW_YEAR_MS, seconds=0, every_s=900)
    keep(store, "electricity.power", [1, 2], first_ms=NEW_YEAR_MS, unit="kW", seconds=0, every_s=900)
    keep(store, "electricity.price", [1, 2], first_ms=NEW_YEAR_MS, unit="EUR/kWh", source="entsoe")
    keep(store, "gas", [1, 2], first_ms=NEW_YEAR_MS, unit="m3", source="gas")


def roles(found: list[Supply]) -> list[tuple[str, str, bool]]:
    return [(each.source, each.role, each.is_offered) for each in found]


def test_series_that_count_a_supply_are_offered_and_no_price_nor_power_beside_them(store: Store) -> None:
    measured(store)
    assert roles(supplies.every(store, LONDON)) == [("gas", "gas", True), ("house", "electricity.import", True)]


def test_what_is_declared_comes_first_and_is_offered_no_more(store: Store) -> None:
    measured(store)
    said = {"title": "Gas at home", "supply": "gas", "at": "2026-01-01", "until": "2026-01-31", "point": "3938424403"}
    stating.add(store, "energy.supply", said, "Ada")
    [gas, power] = supplies.every(store, LONDON)
    assert (gas.name, gas.source, gas.role, gas.point, gas.is_offered) == (
        "Gas at home",
        "gas",
        "gas",
        "3938424403",
        False,
    )
    assert (gas.first_ms, gas.end_ms) == (NEW_YEAR_MS, NEW_YEAR_MS + 31 * 86_400_000)
    assert power.is_offered


def test_a_supply_is_found_by_its_name_or_its_series_and_else_they_are_named(store: Store) -> None:
    with pytest.raises(UserError, match="inglenook import FILE"):
        supplies.named(store, "", LONDON)
    measured(store)
    assert supplies.named(store, "gas", LONDON).role == "gas"
    assert supplies.named(store, "house/electricity.import", LONDON).source == "house"
    with pytest.raises(UserError, match=r"several supplies; name one: gas/gas, house/electricity\.import"):
        supplies.named(store, "", LONDON)
    with pytest.raises(UserError, match="'oil' is no supply here: gas/gas"):
        supplies.named(store, "oil", LONDON)


def test_an_agreement_is_of_its_meter_point_and_else_of_what_is_supplied(store: Store) -> None:
    measured(store)
    stating.add(store, "energy.supply", {"title": "In", "supply": "electricity", "point": "1312345678907"}, "Ada")
    base = {"party": "Octopus", "supply": "electricity", "tariff": "AGILE", "amount": "50", "unit": "GBP"}
    stating.add(store, "energy.agreement", base | {"at": "2026-03-01", "fixed_until": "2027-02-28"}, "Ada")
    stating.add(store, "energy.agreement", base | {"at": "2025-03-01", "until": "2026-02-28", "tariff": "OLD"}, "Ada")
    for other in ({"direction": "export"}, {"supply": "gas"}, {"point": "1012345678903"}):
        stating.add(store, "energy.agreement", base | {"at": "2026-01-01", "tariff": "OTHER"} | other, "Ada")
    with store.read() as connection:
        found = supplies.agreements(connection, supplies.named(store, "In", LONDON), LONDON)
    assert [each.tariff for each in found] == ["OLD", "AGILE"]
    assert found[0].end_ms == found[1].first_ms
    assert (str(found[1].exit_fee), found[1].currency, str(found[1].fixed_until)) == ("50.00", "GBP", "2027-02-28")
