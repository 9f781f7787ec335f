"""What a supply costs as agreed, what is told of what is not known, and which days a revision changed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance import costs, supplies
from appliance.costs import Changed, Cost
from appliance.errors import UserError
from appliance.ingest import stating, undoing
from appliance.store import imports, versions
from appliance.store.database import Store
from tests.costs.tariffs import DYNAMIC, FLAT, INDEX, NIGHT, QUARTER_S, keep_prices, known, slowly
from tests.meter_series import keep

BRUSSELS = ZoneInfo("Europe/Brussels")
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
WEEK = [date(2025, 6, day) for day in range(9, 16)]


def midnight(day: date) -> int:
    """The quarter-hour with which a day begins in Brussels."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BRUSSELS).timestamp()) // QUARTER_S


def half_hours(day: date, days: int, more: int = 0) -> dict[int, Decimal]:
    """What is used in the half-hours of some days, kWh by quarter-hour: each half-hour another amount."""
    begin, end = midnight(day), midnight(date.fromordinal(day.toordinal() + days))
    return {quarter: Decimal(100 + quarter // 2 % 37 + more).scaleb(-3) for quarter in range(begin, end)}


def keep_used(store: Store, used: dict[int, Decimal]) -> None:
    first = min(used)
    values = [int((used[at] + used[at + 1]) * 1000) for at in range(first, max(used), 2)]
    keep(store, "electricity.import", values, first_ms=first * QUARTER_S * 1000, exponent=-3)


def a_year(store: Store) -> dict[int, Decimal]:
    used = half_hours(FIRST, 365)
    keep_used(store, used)
    return used


def agreed(store: Store, tariff: str, at: str, **more: str) -> int:
    said = {"party": "Ember", "supply": "electricity", "tariff": tariff, "at": at, **more}
    return stating.add(store, "energy.agreement", said, "Ada", zone=BRUSSELS).id


def cost(store: Store, **said: Any) -> Cost:
    return costs.cost(store, supplies.named(store, "", BRUSSELS), BRUSSELS, **said)


def changed(store: Store, since: datetime, tariff: str = "") -> list[Changed]:
    return costs.changed(store, supplies.named(store, "", BRUSSELS), BRUSSELS, since, tariff=tariff)


def now(store: Store) -> datetime:
    """An instant after all that was done, before all that will be."""
    with store.read() as connection:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=versions.now_us(connection))


@pytest.mark.parametrize("tariff", ["Flat", "Night", "Dynamic"])
def test_a_year_with_both_clock_changes_costs_what_a_plain_count_says(store: Store, tariff: str) -> None:
    used = a_year(store)
    known(store, "Europe/Brussels", FLAT, NIGHT, DYNAMIC)
    keep_prices(store, midnight(FIRST), midnight(LAST) + 96)
    found = cost(store, tariff=tariff)
    assert {each.day: each.amount for each in found.days} == slowly(used, tariff, "Europe/Brussels", FIRST, LAST)
    assert found.told == ()
    assert sum(each.amount for each in found.bands) == found.totals["EUR"]
    assert [each.day for each in found.months] == [date(2025, month, 1) for month in range(1, 13)]
    assert sum(each.amount or 0 for each in found.months) == found.totals["EUR"]


def test_each_day_is_on_the_tariff_that_was_agreed_then(store: Store) -> None:
    used = a_year(store)
    known(store, "Europe/Brussels", FLAT, NIGHT)
    agreed(store, "flat", "2025-02-01", until="2025-06-30")
    agreed(store, "Night", "2025-06-01")
    found = cost(store, last_day=date(2025, 7, 31))
    flat, night = (slowly(used, name, "Europe/Brussels", FIRST, LAST) for name in ("Flat", "Night"))
    for each in found.days:
        expected = None if each.day.month == 1 else flat[each.day] if each.day.month < 6 else night[each.day]
        assert (each.day, each.amount) == (each.day, expected)
    assert [each.tariff for each in found.months] == ["", "Flat", "Flat", "Flat", "Flat", "Night", "Night"]
    assert found.told == ("no agreement is known from 2025-01-01 to 2025-01-31, so that nothing is costed then",)


def test_what_is_not_known_is_told_and_what_to_do(store: Store) -> None:
    a_year(store)
    agreed(store, "Nowhere", "2025-01-01")
    assert "the tariff 'Nowhere', agreed from 2025-01-01 to 2025-12-31, is not known; import it" in cost(store).told
    with pytest.raises(UserError, match="import one first"):
        cost(store, tariff="Flat")
    known(store, "Europe/Brussels", DYNAMIC)
    keep_prices(store, midnight(FIRST) + 4, midnight(FIRST) + 96)
    short = cost(store, tariff="Dynamic", last_day=FIRST)
    assert short.told == ("without a price under Dynamic: 4 quarter-hours on 2025-01-01; they cost nothing here",)
    assert (short.days[0].unpriced, short.days[0].missing) == (4, 0)
    known(store, "Europe/Brussels", {**DYNAMIC, "name": "Other", "charges": [{"kind": "dynamic", "index": "BE"}]})
    told = cost(store, tariff="Other", last_day=FIRST).told
    assert {"There are no prices of BE: fetch or import them", f"the prices that are here are called {INDEX}"} < set(
        told
    )
    with pytest.raises(UserError, match="name the earlier day first"):
        cost(store, first_day=LAST, last_day=FIRST)


def test_what_is_still_to_come_today_is_not_missing(store: Store) -> None:
    now = int(datetime.now(UTC).timestamp()) // QUARTER_S
    keep(store, "electricity.import", [10] * 200, first_ms=(now - 198) * QUARTER_S * 1000, seconds=900, exponent=-3)
    found = cost(store)
    assert sum(each.missing for each in found.days[1:]) == 0
    keep(store, "electricity.import", [10] * 9, first_ms=(now - 396) * QUARTER_S * 1000, seconds=900, exponent=-3)
    assert sum(each.missing for each in cost(store).days) > 100


def test_a_peak_of_months_before_the_span_counts(store: Store) -> None:
    keep_used(store, half_hours(date(2025, 1, 1), 31, more=900) | half_hours(date(2025, 2, 1), 59))
    capacity = {"kind": "capacity", "price": "12", "period": "year", "months": 2}
    known(store, "Europe/Brussels", {"name": "Peak", "charges": [capacity]})
    found = cost(store, tariff="Peak", first_day=date(2025, 2, 1), last_day=date(2025, 2, 28))
    mean = (4 * Decimal("1.036") + 4 * Decimal("0.136")) / 2
    assert abs(found.totals["EUR"] - 12 * mean * 28 / 365) < Decimal("1e-6")


def test_a_late_revision_of_a_week_s_readings_changes_those_days_and_no_other(store: Store) -> None:
    used = a_year(store)
    known(store, "Europe/Brussels", NIGHT)
    agreed(store, "Night", "2025-01-01")
    before, since = cost(store), now(store)
    assert changed(store, since) == []
    later = half_hours(WEEK[0], 7, more=5)
    keep_used(store, later)
    found = changed(store, since)
    assert [(each.day, each.why) for each in found] == [(day, "readings") for day in WEEK]
    assert all(each.was_known for each in found)
    expected = slowly(used | later, "Night", "Europe/Brussels", FIRST, LAST)
    assert {each.day: each.after for each in found} == {day: expected[day] for day in WEEK}
    was = {each.day: each.amount for each in before.days}
    assert {each.day: each.before for each in found} == {day: was[day] for day in WEEK}
    assert {each.day: each.amount for each in cost(store).days} == expected


def test_since_before_anything_was_read_every_day_only_came_in(store: Store) -> None:
    a_year(store)
    known(store, "Europe/Brussels", NIGHT)
    agreed(store, "Night", "2025-01-01")
    found = changed(store, datetime(2001, 1, 1, tzinfo=UTC))
    assert [each.day for each in found] == [date.fromordinal(FIRST.toordinal() + day) for day in range(365)]
    assert {each.was_known for each in found} == {False}
    assert {each.used_before for each in found} == {Decimal(0)}


def test_a_revision_that_says_the_same_of_some_days_changes_only_the_others(store: Store) -> None:
    a_year(store)
    known(store, "Europe/Brussels", FLAT)
    since = now(store)
    keep_used(store, half_hours(WEEK[0], 7) | half_hours(WEEK[3], 1, more=2))
    assert [each.day for each in changed(store, since, "Flat")] == [WEEK[3]]


def test_an_import_that_is_taken_back_changes_its_days_back(store: Store) -> None:
    a_year(store)
    known(store, "Europe/Brussels", FLAT)
    keep_used(store, half_hours(WEEK[0], 2, more=5))
    since = now(store)
    with store.read() as connection:
        newest = imports.recent(connection, 1)[0].id
    undoing.undo(store, newest, "Ada")
    assert [each.day for each in changed(store, since, "Flat")] == WEEK[:2]


def test_a_price_that_is_corrected_afterwards_changes_the_days_on_which_it_held(store: Store) -> None:
    a_year(store)
    charges: list[Any] = [
        {"kind": "rates", "until": "2025-06-09", "rates": [{"band": "all day", "price": "0.20"}]},
        {"kind": "rates", "from": "2025-06-09", "until": "2025-06-16", "rates": [{"band": "all day", "price": "0.30"}]},
        {"kind": "rates", "from": "2025-06-16", "rates": [{"band": "all day", "price": "0.20"}]},
    ]
    known(store, "Europe/Brussels", {"name": "Dated", "code": "D1", "charges": charges})
    agreed(store, "D1", "2025-01-01")
    since = now(store)
    charges[1]["rates"][0]["price"] = "0.25"
    known(store, "Europe/Brussels", {"name": "Dated", "code": "D1", "charges": charges})
    found = changed(store, since)
    assert [(each.day, each.why) for each in found] == [(day, "prices") for day in WEEK]
    assert all(each.before == each.used * Decimal("0.30") and each.after == each.used / 4 for each in found)


def test_a_dynamic_price_that_is_corrected_changes_the_days_of_its_hours(store: Store) -> None:
    a_year(store)
    known(store, "Europe/Brussels", DYNAMIC)
    keep_prices(store, midnight(FIRST), midnight(LAST) + 96)
    since = now(store)
    keep(
        store, "electricity.price", [9_999, 9_999], first_ms=(midnight(WEEK[2]) - 4) * QUARTER_S * 1000,
        unit="EUR/kWh", seconds=3600, source=f"{INDEX} hourly", exponent=-5,
    )  # fmt: skip
    assert [(each.day, each.why) for each in changed(store, since, "Dynamic")] == [
        (WEEK[1], "prices"),
        (WEEK[2], "prices"),
    ]


def test_a_register_s_late_reading_changes_the_days_between_its_neighbours(store: Store) -> None:
    begin = midnight(date(2025, 3, 1))
    registers = [0, 960, 1920, 4800, 5760]
    for day, value in zip((1, 2, 3, 6, 7), registers, strict=True):
        keep(
            store, "electricity.import", [value * 1000], first_ms=(begin + 96 * (day - 1)) * QUARTER_S * 1000, seconds=0
        )
    known(store, "Europe/Brussels", FLAT)
    since = now(store)
    keep(store, "electricity.import", [2_400_000], first_ms=(begin + 96 * 3) * QUARTER_S * 1000, seconds=0)
    found = changed(store, since, "Flat")
    assert [each.day.day for each in found] == [3, 4, 5]
    assert [(each.used_before, each.used) for each in found] == [
        (Decimal("0.96"), Decimal("0.48")),
        (Decimal("0.96"), Decimal("1.2")),
        (Decimal("0.96"), Decimal("1.2")),
    ]


def test_a_tariff_that_was_learnt_since_is_told_as_new(store: Store) -> None:
    a_year(store)
    since = now(store)
    known(store, "Europe/Brussels", FLAT)
    found = changed(store, since, "Flat")
    assert (len(found), found[0].before) == (365, None)


def test_a_tariff_of_another_zone_is_costed_by_its_own_days_and_marked(store: Store) -> None:
    keep_used(store, half_hours(date(2025, 6, 1), 2))
    known(store, "Europe/London", NIGHT)
    found = cost(store, tariff="Night")
    assert "the days and times of Night are those of Europe/London, not of Europe/Brussels" in found.told
    assert [each.day for each in found.days] == [date(2025, 5, 31), date(2025, 6, 1), date(2025, 6, 2)]
    known(store, "Europe/Paris", {**NIGHT, "name": "Nuit"})
    assert cost(store, tariff="Nuit").told == ()


def test_use_below_nought_is_taken_off_and_marked(store: Store) -> None:
    keep(store, "electricity.import", [500_000, -4_500_000, 500_000], first_ms=midnight(FIRST) * QUARTER_S * 1000)
    known(store, "Europe/Brussels", FLAT)
    found = cost(store, tariff="Flat")
    assert found.days[0].used == Decimal("-3.5")
    [said] = [each for each in found.told if "less than nothing" in each]
    assert said.startswith("less than nothing was used in 2 quarter-hours on 2025-01-01, and is taken off")
