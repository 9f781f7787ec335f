"""How much was used by quarter-hours: exact, whatever is counted, with what is missing and what is estimated."""

from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from appliance import costs, supplies
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from appliance.supplies import Used
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
NEW_YEAR_MS = 1_767_225_600_000  # 2026 in London
FIRST = NEW_YEAR_MS // 900_000


def used(store: Store, count: int = 4, begin: int = FIRST) -> Used:
    return supplies.usage(store, supplies.named(store, "", LONDON), begin, begin + count, LONDON)


def test_half_hours_are_shared_by_their_quarters_to_the_last_unit(store: Store) -> None:
    keep(store, "electricity.import", [7, 4], first_ms=NEW_YEAR_MS)
    found = used(store, 6)
    assert found.quarters.totals.tolist() == [3, 4, 2, 2, 0, 0]
    assert found.quarters.missing.tolist() == [False] * 4 + [True] * 2
    assert not found.quarters.estimated.any()
    assert (found.quarters.unit, found.quarters.exponent, found.total) == ("kWh", -6, Decimal("0.000011"))


def test_a_span_within_an_interval_has_its_share(store: Store) -> None:
    keep(store, "electricity.import", [960], first_ms=NEW_YEAR_MS, seconds=86_400)
    found = used(store, 3, FIRST + 40)
    assert found.quarters.totals.tolist() == [10, 10, 10]
    assert found.quarters.estimated.all()  # a day's use says nothing of when it was
    assert not found.quarters.missing.any()


def test_what_the_source_calls_an_estimate_is_one(store: Store) -> None:
    keep(store, "electricity.import", [5, 5], first_ms=NEW_YEAR_MS, quality="Geschat", seconds=900)
    keep(store, "electricity.import", [5, 5], first_ms=NEW_YEAR_MS + 1_800_000, quality="Uitgelezen", seconds=900)
    assert used(store).quarters.estimated.tolist() == [True, True, False, False]


def test_a_register_s_gap_is_an_estimate_between_its_readings(store: Store) -> None:
    keep(store, "electricity.import", [0, 10], first_ms=NEW_YEAR_MS, seconds=0, every_s=900)
    keep(store, "electricity.import", [70], first_ms=NEW_YEAR_MS + 4 * 900_000, seconds=0)
    found = used(store, 5)
    assert found.quarters.totals.tolist() == [10, 20, 20, 20, 0]
    assert found.quarters.estimated.tolist() == [False, True, True, True, False]
    assert found.quarters.missing.tolist() == [False, False, False, False, True]


def test_the_registers_of_two_tariffs_are_one_supply(store: Store) -> None:
    keep(store, "electricity.import.t1", [0, 10, 30], first_ms=NEW_YEAR_MS, seconds=0, every_s=900)
    keep(store, "electricity.import.t2", [0, 500, 500], first_ms=NEW_YEAR_MS, seconds=0, every_s=900, exponent=-7)
    found = used(store, 2)
    assert found.total == Decimal("0.00008")
    assert not found.quarters.missing.any()


def test_power_by_minutes_is_energy_and_a_missing_minute_is_missing(store: Store) -> None:
    keep(store, "electricity.power", [1_000_000] * 15 + [2_000_001] * 10, first_ms=NEW_YEAR_MS, unit="kW", seconds=60)
    found = used(store, 2)
    assert found.quarters.totals.tolist() == [250_000_000, 333_333_500]  # 10^-9 kWh
    assert found.quarters.missing.tolist() == [False, True]


def test_gas_is_energy_by_what_it_held_then(store: Store) -> None:
    keep(store, "gas", [1_000_000] * 48, first_ms=NEW_YEAR_MS, unit="m3", seconds=3600)
    assert "assumed" in " ".join(used(store).assumptions)
    stating.add(store, "energy.gas_quality", {"at": "2026-01-01", "calorific_value": "39.4"}, "Ada")
    said = {"at": "2026-01-02", "calorific_value": "11.25", "calorific_unit": "kWh/m3", "correction": "0.9634"}
    stating.add(store, "energy.gas_quality", said, "Ada")
    found = used(store, 192)
    assert found.assumptions == ()
    first = Fraction("39.4") * Fraction("1.02264") / Fraction("3.6") / 4
    assert found.quarters.totals[0] == round(first * 10**9)
    assert found.quarters.totals[96] == Fraction("11.25") * Fraction("0.9634") / 4 * 10**9
    assert found.total == (found.quarters.totals[0] * 96 + found.quarters.totals[96] * 96) * Decimal("1e-9")


@pytest.mark.parametrize(("unit", "kwh"), [("GJ", "277.777777778"), ("MJ", "0.277777778"), ("kWh", "1")])
def test_heat_is_energy(store: Store, unit: str, kwh: str) -> None:
    keep(store, "heat", [1_000_000], first_ms=NEW_YEAR_MS, unit=unit, seconds=900)
    assert used(store, 1).total == Decimal(kwh)


def test_water_stays_what_it_is(store: Store) -> None:
    keep(store, "water", [1_000_000], first_ms=NEW_YEAR_MS, unit="m3", seconds=900)
    assert (used(store, 1).quarters.unit, used(store, 1).total) == ("m3", Decimal(1))


def test_a_revision_of_a_day_changes_no_other(store: Store) -> None:
    keep(store, "gas", [333_333] * 96, first_ms=NEW_YEAR_MS, unit="m3", seconds=1800)
    before = used(store, 192).quarters.totals
    keep(store, "gas", [123_457] * 48, first_ms=NEW_YEAR_MS, unit="m3", seconds=1800)
    after = used(store, 192).quarters.totals
    assert (before[96:] == after[96:]).all()
    assert (before[:96] != after[:96]).all()


def test_the_span_of_the_readings_is_known(store: Store) -> None:
    keep(store, "electricity.import", [7, 4], first_ms=NEW_YEAR_MS)
    assert supplies.extent(store, supplies.named(store, "", LONDON)) == (FIRST, FIRST + 4)


def test_a_supply_is_the_household_s_from_its_first_day_to_its_last(store: Store) -> None:
    keep(store, "electricity.import", [1] * 48 * 10, first_ms=NEW_YEAR_MS)
    said = {"title": "The old flat", "supply": "electricity", "at": "2026-01-03", "until": "2026-01-07"}
    fact = stating.add(store, "energy.supply", said, "Ada", zone=LONDON).id
    found = costs.cost(store, supplies.named(store, "flat", LONDON), LONDON)
    assert [each.day.day for each in found.days] == [3, 4, 5, 6, 7]
    stating.correct(store, fact, {"at": "2026-03-01", "until": ""}, "Ada", zone=LONDON)
    with pytest.raises(UserError, match="The old flat has no readings from when it was yours"):
        supplies.extent(store, supplies.named(store, "flat", LONDON))


def test_a_unit_that_is_no_energy_is_refused(store: Store) -> None:
    keep(store, "electricity.import", [1], first_ms=NEW_YEAR_MS, unit="kVAh", seconds=900)
    with pytest.raises(UserError, match="counted in kVAh"):
        used(store, 1)
