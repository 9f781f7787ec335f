"""Gas that is priced by the cubic metre: costed by what the meter counts, whatever energy it held."""

from datetime import date
from decimal import Decimal

import pytest

from appliance import costs, supplies, switching
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import QUARTER_S, known
from tests.meter_series import keep
from tests.switching.household import BRUSSELS, FIRST, ON, agreed, midnight

BY_VOLUME = {
    "name": "Volume",
    "per": "m3",
    "charges": [
        {"kind": "rates", "rates": [{"band": "all day", "price": "1.10"}]},
        {"kind": "standing", "price": "0.25", "period": "day"},
        {"kind": "tax", "percent": "10"},
    ],
}
BY_ENERGY = {"name": "Energy", "charges": [{"kind": "rates", "rates": [{"band": "all day", "price": "0.10"}]}]}


def keep_gas(store: Store, days: int, unit: str = "m3") -> None:
    """Twelve of a unit a day, half of one an hour."""
    keep(
        store, "gas", [500 * hour for hour in range(24 * days + 1)], first_ms=midnight(FIRST) * QUARTER_S * 1000,
        seconds=0, every_s=3600, unit=unit, exponent=-3,
    )  # fmt: skip


def cost(store: Store, tariff: str = "", last: date = FIRST) -> Cost:
    return costs.cost(store, supplies.named(store, "gas", BRUSSELS), BRUSSELS, FIRST, last, tariff)


def test_a_cubic_metre_costs_what_it_says_and_energy_is_shown_beside(store: Store) -> None:
    keep_gas(store, 2)
    known(store, "Europe/Brussels", BY_VOLUME, BY_ENERGY, supply="gas")
    agreed(store, "Volume", supply="gas")
    said = {"at": "2025-01-01", "calorific_value": "9.77", "calorific_unit": "kWh/m3"}
    stating.add(store, "energy.gas_quality", said, "Ada", zone=BRUSSELS)
    [day] = cost(store).days
    assert (day.amount, day.used) == ((12 * Decimal("1.10") + Decimal("0.25")) * Decimal("1.1"), 12 * Decimal("9.77"))
    [day] = cost(store, "Energy").days
    assert day.amount == 12 * Decimal("9.77") * Decimal("0.10")


def test_both_sorts_are_compared(store: Store) -> None:
    keep_gas(store, 365)
    known(store, "Europe/Brussels", BY_VOLUME, BY_ENERGY, supply="gas")
    agreed(store, "Energy", supply="gas")
    said = {"at": "2025-01-01", "calorific_value": "9.77", "calorific_unit": "kWh/m3"}
    stating.add(store, "energy.gas_quality", said, "Ada", zone=BRUSSELS)
    found = switching.compare(store, supplies.named(store, "gas", BRUSSELS), BRUSSELS, ON)
    assert {each.name: each.yearly for each in found.offers} == {
        "Energy": 365 * 12 * Decimal("9.77") * Decimal("0.10"),
        "Volume": 365 * (12 * Decimal("1.10") + Decimal("0.25")) * Decimal("1.1"),
    }


def test_where_energy_alone_is_counted_it_says_so(store: Store) -> None:
    keep_gas(store, 365, unit="kWh")
    known(store, "Europe/Brussels", BY_VOLUME, BY_ENERGY, supply="gas")
    with pytest.raises(UserError, match="Volume has prices a m3, and what was used is known in kWh alone"):
        cost(store, "Volume")
    found = switching.compare(store, supplies.named(store, "gas", BRUSSELS), BRUSSELS, ON)
    assert ([each.name for each in found.offers], [each.name for each in found.left_out]) == (["Energy"], ["Volume"])
