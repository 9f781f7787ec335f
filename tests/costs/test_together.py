"""What all supplies of a household cost together: each once, what is fed in taken off, and what is unclear left out."""

from datetime import date
from decimal import Decimal

from appliance import costs_together, supplies
from appliance.costs_together import BESIDE_DECLARED, NOT_READ, SEVERAL, Together
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import QUARTER_S, known
from tests.meter_series import keep
from tests.switching.household import BRUSSELS, agreed, midnight

FIRST, LAST = date(2025, 3, 1), date(2025, 3, 2)


def keep_days(store: Store, role: str, kwh_a_day: int, source: str = "house", unit: str = "kWh") -> None:
    values = [kwh_a_day * 1_000_000 // 96] * 2 * 96
    keep(
        store, role, values, first_ms=midnight(FIRST) * QUARTER_S * 1000, seconds=900, source=source, unit=unit
    )  # fmt: skip


def a_tariff(store: Store, name: str, price: str, **said: str) -> None:
    """One price without a standing charge, on which the household is."""
    charges = [{"kind": "rates", "rates": [{"band": "all day", "price": price}]}]
    known(store, "Europe/Brussels", {"name": name, "charges": charges}, **said)
    agreed(store, name, **said)


def a_household(store: Store) -> None:
    keep_days(store, "electricity.import", 96)
    keep_days(store, "electricity.export", 48)
    keep_days(store, "gas", 192)
    keep_days(store, "water", 96, source="tap", unit="m3")
    a_tariff(store, "In", "0.30")
    a_tariff(store, "Out", "0.10", direction="export")
    a_tariff(store, "Gas", "0.05", supply="gas")


def together(store: Store, first: date = FIRST, last: date = LAST) -> Together:
    return costs_together.together(store, supplies.every(store, BRUSSELS), BRUSSELS, first, last)


def why(found: Together) -> dict[str, str]:
    return {f"{supply.source}/{supply.role}": reason for supply, reason in found.left_out}


def test_supplies_add_up_and_what_is_fed_in_is_taken_off(store: Store) -> None:
    a_household(store)
    found = together(store)
    assert found.totals == {"EUR": 2 * (96 * Decimal("0.30") - 48 * Decimal("0.10") + 192 * Decimal("0.05"))}
    assert len(found.costs) == 4, "water is shown too, though nobody knows what it costs"
    later = together(store, date(2025, 4, 1), date(2025, 4, 2))
    assert (later.costs, list(why(later).values())) == ((), [NOT_READ] * 4)


def test_two_meters_of_a_kind_add_up_only_once_somebody_says_which_are_supplies(store: Store) -> None:
    a_household(store)
    keep_days(store, "electricity.import", 24, source="heat pump")
    found = together(store)
    assert found.totals == {"EUR": 2 * (192 * Decimal("0.05") - 48 * Decimal("0.10"))}
    assert why(found) == dict.fromkeys(("heat pump/electricity.import", "house/electricity.import"), SEVERAL)
    said = {"title": "Electricity", "supply": "electricity", "source": "house"}
    stating.add(store, "energy.supply", said, "Ada")
    found = together(store)
    assert found.totals == {"EUR": 2 * (96 * Decimal("0.30") - 48 * Decimal("0.10") + 192 * Decimal("0.05"))}
    assert why(found) == {"heat pump/electricity.import": BESIDE_DECLARED}
    stating.add(store, "energy.supply", {**said, "title": "Heat pump", "source": "heat pump"}, "Ada")
    found = together(store)
    assert found.totals == {"EUR": 2 * (120 * Decimal("0.30") - 48 * Decimal("0.10") + 192 * Decimal("0.05"))}
    assert why(found) == {}
