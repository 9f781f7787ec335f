"""A battery at home, and the washing at night: what the year would cost then."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from appliance import supplies
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.switching import Comparison, WhatIf, compare
from appliance.switching.battery import KEPT, Battery
from tests.costs.tariffs import DYNAMIC, keep_prices, known
from tests.switching.household import BRUSSELS, FIRST, LAST, ON, agreed, keep_used, midnight, total

ZONE = str(BRUSSELS)
DAYS = 365
FLAT = {"name": "Flat", "charges": [{"kind": "rates", "rates": [{"band": "all day", "price": "0.30"}]}]}
NIGHT: dict[str, Any] = {
    "name": "Night",
    "charges": [
        {
            "kind": "rates",
            "rates": [
                {"band": "night", "price": "0.10", "times": [{"from": "22:00", "until": "07:00"}]},
                {"band": "day", "price": "0.40"},
            ],
        },
        {"kind": "tax", "percent": "10"},
    ],
}


def supposed(store: Store, what_if: WhatIf) -> Comparison:
    return compare(store, supplies.named(store, "electricity.import", BRUSSELS), BRUSSELS, ON, what_if)


def all_year(kwh: str) -> dict[int, Decimal]:
    """The same in every quarter-hour."""
    return dict.fromkeys(range(midnight(FIRST), midnight(ON)), Decimal(kwh))


def difference(found: Comparison, name: str, before: Comparison) -> Decimal:
    """How much less the year costs on a tariff than where nothing is supposed."""
    now, then = ([each.yearly for each in said.offers if each.name == name] for said in (found, before))
    return then[0] - now[0]


def test_a_battery_moves_its_size_from_night_to_day_and_loses_a_tenth(store: Store) -> None:
    keep_used(store, all_year("0.1"))
    known(store, ZONE, FLAT, NIGHT)
    agreed(store, "Flat")
    before = supposed(store, WhatIf())
    found = supposed(store, WhatIf(Decimal(3)))
    expected = DAYS * (3 * Decimal("0.44") - 3 / Decimal("0.9") * Decimal("0.11"))
    assert abs(difference(found, "Night", before) - expected) < expected / 200
    assert difference(found, "Flat", before) == 0
    night, flat = found.offers
    assert (found.what_if, night.name, flat.is_current) == ("with a battery of 3 kWh", "Night", True)
    assert found.staying is not None
    assert night.saving == found.staying.yearly - night.yearly
    assert any("costs to buy is not counted" in each for each in found.assumptions)


def test_a_battery_gives_no_more_than_its_power_and_than_is_used(store: Store) -> None:
    keep_used(store, all_year("0.1"))
    known(store, ZONE, NIGHT)
    before = supposed(store, WhatIf())
    gain = Decimal("0.44") - Decimal("0.11") / Decimal("0.9")
    weak = difference(supposed(store, WhatIf(Decimal(100), Decimal("0.1"))), "Night", before)
    nights = 28 * Decimal("0.025") * Decimal("0.9")  # quarter-hours before 07:00, in which it charges
    assert abs(weak - DAYS * nights * gain) < weak / 50
    huge = difference(supposed(store, WhatIf(Decimal(100))), "Night", before)
    assert abs(huge - DAYS * 60 * Decimal("0.1") * gain) < huge / 100


def test_what_would_be_fed_in_is_kept_first_and_earns_no_more(store: Store) -> None:
    keep_used(store, all_year("0.1"))
    sun = {at: Decimal("0.4") if at % 96 in range(40, 56) else Decimal(0) for at in all_year("0")}
    keep_used(store, sun, "electricity.export")
    known(store, ZONE, FLAT)
    little = [{"kind": "rates", "rates": [{"band": "all day", "price": "0.05"}]}]
    known(store, ZONE, {"name": "Fed in", "charges": little}, direction="export")
    before = supposed(store, WhatIf())
    unpaid = difference(supposed(store, WhatIf(Decimal(2))), "Flat", before)
    assert abs(unpaid - DAYS * 2 * Decimal("0.30")) < 1
    agreed(store, "Fed in", direction="export")
    found = supposed(store, WhatIf(Decimal(2)))
    expected = DAYS * (2 * Decimal("0.30") - 2 / Decimal("0.9") * Decimal("0.05"))
    assert abs(difference(found, "Flat", before) - expected) < 1
    [flat] = found.offers
    assert flat.yearly == sum(line.amount for line in flat.lines)


def test_the_washing_at_night_saves_the_difference_of_the_prices(store: Store) -> None:
    keep_used(store, all_year("0.1"))
    known(store, ZONE, FLAT, NIGHT)
    before = supposed(store, WhatIf())
    found = supposed(store, WhatIf(moved_kwh=Decimal("1.2")))
    expected = DAYS * Decimal("1.2") * Decimal("0.33")
    assert abs(difference(found, "Night", before) - expected) < expected / 100
    assert abs(difference(found, "Flat", before)) < Decimal("0.5")
    most = difference(supposed(store, WhatIf(moved_kwh=Decimal(500))), "Night", before)
    assert abs(most - DAYS * 3 * Decimal("0.33")) < most / 100  # half of what is used from 07:00 to 22:00
    assert abs(found.used - total(all_year("0.1"))) == 0


def test_with_prices_that_change_by_the_hour_a_battery_pays_also_on_days_of_23_and_25_hours(store: Store) -> None:
    keep_used(store, all_year("0.1"))
    known(store, ZONE, DYNAMIC)
    keep_prices(store, midnight(FIRST), midnight(LAST) + 96)
    before = supposed(store, WhatIf())
    both = difference(supposed(store, WhatIf(Decimal(5), moved_kwh=Decimal(1))), "Dynamic", before)
    one = difference(supposed(store, WhatIf(Decimal(5))), "Dynamic", before)
    assert both > one > 50


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"battery_kwh": Decimal(-1)}, "a battery of -1"),
        ({"moved_kwh": Decimal("NaN")}, "what is moved of NaN"),
        ({"battery_kwh": Decimal(1), "battery_kw": Decimal(2000)}, "its power of 2000"),
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, Decimal], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        WhatIf(**said)


def test_a_battery_for_gas_is_refused(store: Store) -> None:
    keep_used(store, all_year("0.1"), "gas")
    known(store, ZONE, FLAT, supply="gas")
    with pytest.raises(UserError, match="a battery serves electricity"):
        compare(store, supplies.named(store, "gas", BRUSSELS), BRUSSELS, date(2026, 1, 1), WhatIf(Decimal(1)))


SHAPE = (3, 12)
kwh = arrays(np.float64, SHAPE, elements=st.floats(0, 2))
prices = arrays(np.float64, SHAPE, elements=st.floats(0, 1))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(load=kwh, price=prices, spare=kwh, earned=prices, size=st.floats(0, 8), step=st.floats(0, 1.5))
def test_a_battery_obeys_physics_and_charges_only_where_that_pays(
    load: np.ndarray[Any, Any],
    price: np.ndarray[Any, Any],
    spare: np.ndarray[Any, Any],
    earned: np.ndarray[Any, Any],
    size: float,
    step: float,
) -> None:
    drawn, taken = Battery(size, step).run(load, price, spare, earned)
    slack = 1e-9
    assert (load + drawn >= -slack).all()
    assert (np.abs(drawn) <= step + slack).all()
    assert ((taken >= 0) & (taken <= np.minimum(spare, step) + slack)).all()
    kept = (KEPT * (np.maximum(drawn, 0) + taken) + np.minimum(drawn, 0)).cumsum(1)
    assert kept.min() >= -slack
    assert kept.max() <= size + slack
    alone, _ = Battery(size, step).run(load, price, np.zeros(SHAPE), earned)
    assert (alone * price).sum() <= slack
