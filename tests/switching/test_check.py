"""Every tariff applied to the own year: exact where all of it was read, honest where not."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from appliance.errors import UserError
from appliance.store.database import Store
from tests.costs.tariffs import DYNAMIC, FLAT, NIGHT, QUARTER_S, STANDING, keep_prices, known
from tests.meter_series import keep
from tests.switching.household import (
    BRUSSELS,
    FIRST,
    LAST,
    ON,
    a_year,
    agreed,
    compared,
    half_hours,
    keep_used,
    midnight,
    plainly,
    total,
)

ZONE = str(BRUSSELS)


def flat(name: str, price: str, **dates: str) -> dict[str, Any]:
    """A tariff of one price a kWh."""
    rates = {"kind": "rates", "rates": [{"band": "all day", "price": price}], **dates}
    return {"name": name, "charges": [rates]}


def test_a_year_that_was_read_whole_costs_what_a_plain_count_says_cheapest_first(store: Store) -> None:
    used = a_year(store)
    known(store, ZONE, FLAT, NIGHT, DYNAMIC)
    keep_prices(store, midnight(FIRST), midnight(LAST) + 96)
    agreed(store, "Flat")
    found = compared(store)
    plain = {name: plainly(used, name) for name in ("Flat", "Night", "Dynamic")}
    assert {each.name: each.yearly for each in found.offers} == plain
    assert [each.name for each in found.offers] == sorted(plain, key=lambda name: plain[name])
    assert (found.first_day, found.last_day, found.days, found.days_read) == (FIRST, LAST, 365, 365)
    assert found.used == total(used)
    for each in found.offers:
        assert each.saving == each.saving_low == each.saving_high == plain["Flat"] - plain[each.name]
        assert each.low == each.high == each.yearly == sum(line.amount for line in each.lines)
    assert found.staying is not None
    assert found.staying.name == "Flat"
    assert found.best is not None
    assert found.best.name == next(name for name in sorted(plain, key=lambda name: plain[name]) if name != "Flat")


@pytest.mark.parametrize(
    ("agreement", "fee"),
    [
        ({"amount": "75", "unit": "EUR", "fixed_until": "2026-06-30"}, 75),
        ({"amount": "75", "unit": "EUR", "fixed_until": "2025-12-31"}, 0),
        ({"amount": "75", "unit": "EUR"}, 75),
        ({}, 0),
    ],
)
def test_what_leaving_costs_counts_once_and_only_while_the_agreement_binds(
    store: Store, agreement: dict[str, str], fee: int
) -> None:
    a_year(store)
    known(store, ZONE, FLAT, flat("Cheap", "0.05"))
    agreed(store, "Flat", **agreement)
    found = compared(store)
    cheap, staying = found.offers
    assert [each.exit_fee for each in (cheap, staying)] == [fee, 0]
    assert cheap.saving == staying.yearly - cheap.yearly - fee
    assert cheap.saving_later == staying.yearly - cheap.yearly
    assert any("costs 75 EUR once" in each for each in found.assumptions) == bool(fee)


def test_an_exit_fee_decides_the_ranking(store: Store) -> None:
    a_year(store)
    known(store, ZONE, flat("Mine", "0.20"), flat("A bit cheaper", "0.199"))
    agreed(store, "Mine", amount="100", unit="EUR")
    assert [each.name for each in compared(store).offers] == ["Mine", "A bit cheaper"]


def test_the_prices_are_those_that_hold_on_the_day_or_are_to_come(store: Store) -> None:
    used = a_year(store)
    rose = flat("Rose", "0.10", until="2025-12-01")
    rose["charges"] += flat("", "0.30", **{"from": "2025-12-01"})["charges"]
    soon = flat("Soon", "0.25", **{"from": "2026-02-01"})
    over = flat("Over", "0.01", until="2025-12-31")
    fees_go_on = flat("Fees go on", "0.01", until="2025-12-31")
    fees_go_on["charges"].append(STANDING)
    known(store, ZONE, FLAT, rose, soon, over, fees_go_on)
    found = compared(store)
    kwh = total(used)
    assert {each.name: each.yearly for each in found.offers if each.name != "Flat"} == {
        "Rose": kwh * Decimal("0.30"),
        "Soon": kwh * Decimal("0.25"),
    }
    assert {each.name: each.why for each in found.left_out} == {
        "Over": "it has no prices on 2026-01-01: its last day is 2025-12-30",
        "Fees go on": "it has no prices on 2026-01-01: its last day is 2025-12-30",
    }


def test_who_stays_on_a_tariff_that_ended_is_compared_with_its_last_prices(store: Store) -> None:
    used = a_year(store)
    known(store, ZONE, flat("Old", "0.40", until="2025-09-01"), flat("New", "0.30"))
    agreed(store, "Old")
    found = compared(store)
    assert found.staying is not None
    assert found.staying.yearly == total(used) * Decimal("0.40")
    assert any("ended on 2025-08-31" in each for each in found.assumptions)


def test_a_bonus_counts_where_it_is_still_to_come(store: Store) -> None:
    a_year(store)

    def bonus(name: str, day: str) -> dict[str, Any]:
        found = flat(name, "0.25")
        found["charges"] += [{"kind": "discount", "name": "Welcome", "amount": "50", "from": day}]
        return found

    known(store, ZONE, bonus("New", "2026-01-15"), bonus("Had", "2025-03-01"))
    new, had = compared(store).offers
    assert (new.name, had.name) == ("New", "Had")
    assert had.yearly - new.yearly == 50


def test_where_half_was_not_read_the_rest_is_taken_to_be_alike_and_the_range_says_how_far_it_may_be_off(
    store: Store,
) -> None:
    busy = {at: kwh * 2 for at, kwh in half_hours(date(2025, 7, 1), 28).items()}
    used = busy | half_hours(date(2025, 7, 29), 156)
    keep_used(store, used)
    known(store, ZONE, flat("Mine", "0.30"), flat("Cheap", "0.20"))
    agreed(store, "Mine")
    found = compared(store)
    cheap, mine = found.offers
    assert (found.days, found.days_read, found.is_rough) == (365, 184, False)
    whole = total(used) * 365 / 184
    assert abs(found.used - whole) < whole / 100
    assert cheap.yearly == found.used * Decimal("0.20")
    assert cheap.low < cheap.yearly < cheap.high
    read = total(used) * Decimal("0.20")
    assert abs((cheap.low - read) / (cheap.yearly - read) - Decimal("0.87")) < Decimal("0.02")
    assert abs((cheap.high - read) / (cheap.yearly - read) - Decimal("1.74")) < Decimal("0.02")
    assert (cheap.saving_low, cheap.saving_high) == (mine.low - cheap.low, mine.high - cheap.high)
    told = " ".join(found.assumptions)
    assert "of 365 days 184 were read whole" in told
    assert "week of least use" in told


def test_gas_without_a_winter_is_said_to_be_rough(store: Store) -> None:
    values = [500] * (200 * 48)
    keep(store, "gas", values, first_ms=midnight(date(2025, 3, 15)) * QUARTER_S * 1000, exponent=-3)
    known(store, ZONE, flat("Gas", "0.09"), supply="gas")
    found = compared(store, date(2025, 10, 1))
    assert found.is_rough
    assert any("heating follows the season" in each for each in found.assumptions)


def test_a_dynamic_tariff_without_its_prices_is_left_out_and_few_missing_ones_are_taken_at_the_mean(
    store: Store,
) -> None:
    a_year(store)
    known(store, ZONE, FLAT, DYNAMIC)
    [left] = compared(store).left_out
    assert "there are no prices of entsoe 10YBE----------2" in left.why
    keep_prices(store, midnight(FIRST), midnight(LAST + timedelta(days=1)) - 96 * 40)
    [left] = compared(store).left_out
    assert "no price for 11.0 % of the use" in left.why
    keep_prices(store, midnight(LAST + timedelta(days=1)) - 96 * 40, midnight(LAST + timedelta(days=1)) - 96)
    found = compared(store)
    [dynamic] = [each for each in found.offers if each.name == "Dynamic"]
    assert dynamic.remarks[-1].startswith("0.3 % of the use has no price")
    priced = sum(line.amount for line in dynamic.lines if line.name == "Energy")
    assert abs((dynamic.yearly - sum(line.amount for line in dynamic.lines)) / priced - Decimal(1) / 364) < Decimal(
        "0.0002"
    )


def test_another_currency_is_left_out_and_what_is_agreed_decides_which(store: Store) -> None:
    a_year(store)
    known(store, ZONE, FLAT, NIGHT)
    known(store, ZONE, flat("Pounds", "0.05"), currency="GBP")
    found = compared(store)
    assert (found.currency, [each.name for each in found.left_out]) == ("EUR", ["Pounds"])
    agreed(store, "Pounds")
    found = compared(store)
    assert (found.currency, {each.name for each in found.left_out}) == ("GBP", {"Flat", "Night"})


def test_without_an_agreement_tariffs_are_ranked_and_no_saving_is_claimed(store: Store) -> None:
    a_year(store)
    known(store, ZONE, FLAT, NIGHT)
    found = compared(store)
    assert found.staying is None
    assert [each.saving for each in found.offers] == [None, None]
    assert any("inglenook add energy.agreement" in each for each in found.assumptions)


def test_what_is_fed_in_is_compared_by_what_it_earns(store: Store) -> None:
    used = half_hours(FIRST, 365)
    keep_used(store, used, "electricity.export")
    known(store, ZONE, flat("Little", "0.03"), flat("Much", "0.15"), direction="export")
    agreed(store, "Little", direction="export")
    found = compared(store)
    assert [each.name for each in found.offers] == ["Much", "Little"]
    assert found.offers[0].saving == total(used) * Decimal("0.12")


def test_what_was_read_after_the_day_does_not_count(store: Store) -> None:
    used = half_hours(FIRST, 500)
    keep_used(store, used)
    known(store, ZONE, flat("Mine", "0.30"))
    found = compared(store, ON)
    assert (found.last_day, found.used) == (LAST, total(half_hours(FIRST, 365)))
    with pytest.raises(UserError, match="not read for a whole day yet"):
        compared(store, FIRST)
