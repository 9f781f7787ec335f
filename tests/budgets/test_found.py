"""What is found at home: budgets, meters that are silent, use while away, and water that never stops."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance.budgets import Finding, Watched, watched
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.store.database import Store
from tests.costs.tariffs import known
from tests.meter_series import keep

LONDON = ZoneInfo("Europe/London")
RATE = {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]}


def ms(*at: int) -> int:
    return int(datetime(*at, tzinfo=UTC).timestamp()) * 1000  # type: ignore[arg-type, misc]


def look(store: Store, *at: int) -> Watched:
    return watched(store, LONDON, datetime(*at, tzinfo=UTC))  # type: ignore[arg-type, misc]


def found(store: Store, *at: int) -> list[Finding]:
    return list(look(store, *at).findings)


@pytest.fixture
def home(store: Store) -> Store:
    """From December 2024 to 15 January 2025 12 kWh a day at 0.25: 3.00 a day."""
    keep(store, "electricity.import", [250] * 48 * 46, first_ms=ms(2024, 12, 1), exponent=-3)
    known(store, "Europe/London", {"name": "Home", "charges": [RATE]}, currency="GBP")
    add(store, "energy.agreement", party="Ember", supply="electricity", tariff="Home", at="2024-11-01")
    return store


def add(store: Store, kind: str, **said: str) -> int:
    return stating.add(store, kind, said, "Ada", zone=LONDON).id


def test_a_month_that_will_cost_more_is_told_with_the_day_on_which_the_budget_is_spent(home: Store) -> None:
    fact = add(home, "energy.budget", at="2025-01-01", amount="60", unit="GBP", supply="electricity")
    add(home, "energy.budget", at="2025-02-01", amount="1", unit="GBP")
    add(home, "energy.budget", at="2025-01-01", amount="93", unit="GBP")
    seen = look(home, 2025, 1, 15, 12)
    [(_, month)] = seen.month.forecasts
    assert month.amount is not None
    assert (month.amount.so_far, month.amount.expected) == (Decimal(42), Decimal(93))
    assert [each.limit for each in seen.month.budgets] == [Decimal(60), Decimal(93)]
    [finding] = seen.findings
    assert (finding.kind, finding.key) == ("forecast", f"forecast:{fact}:60:2025-01")
    assert finding.text == (
        "Electricity is likely to cost 93.00 GBP this month (93.00 GBP to 93.00 GBP); the budget is 60 GBP, "
        "and is likely to be spent on day 21 of the month."
    )


def test_a_budget_may_be_in_what_is_used(home: Store) -> None:
    fact = add(home, "energy.budget", at="2025-01-01", amount="300", unit="kWh", supply="electricity")
    [budget] = look(home, 2025, 1, 15, 12).month.budgets
    assert budget.projection is not None
    assert (budget.projection.so_far, budget.projection.expected) == (Decimal(168), Decimal(372))
    [finding] = found(home, 2025, 1, 15, 12)
    assert finding.text == (
        "Electricity is likely to come to 372 kWh this month (372 kWh to 372 kWh); the budget is 300 kWh, and is "
        "likely to be spent on day 26 of the month."
    )
    stating.correct(home, fact, {"amount": "100"}, "Ada")
    assert found(home, 2025, 1, 15, 12)[0].text == (
        "Electricity has come to 168 kWh this month; the budget is 100 kWh."
    )


def test_what_holds_is_the_budget_that_began_last(home: Store) -> None:
    for at, amount in (("2024-01-01", "40"), ("2025-01-01", "80"), ("2025-02-01", "20")):
        add(home, "energy.budget", at=at, amount=amount, unit="GBP", supply="electricity")
    assert [each.limit for each in look(home, 2025, 1, 15, 12).month.budgets] == [Decimal(80)]


def test_a_supplier_s_file_counts_not_twice(home: Store) -> None:
    keep(home, "electricity.import", [250] * 48 * 46, first_ms=ms(2024, 12, 1), exponent=-3, source="file")
    add(home, "energy.budget", at="2025-01-01", amount="1000", unit="kWh", supply="electricity")
    add(home, "energy.budget", at="2025-01-01", amount="10", unit="GBP")
    unclear = look(home, 2025, 1, 15, 12).month.budgets
    assert [(each.projection, each.is_unclear) for each in unclear] == [(None, True), (None, True)]
    add(home, "energy.supply", title="Ours", supply="electricity", source="house", at="2020-01-01")
    [budget, _] = look(home, 2025, 1, 15, 12).month.budgets
    assert budget.projection is not None
    assert budget.projection.so_far == 168
    assert not budget.is_unclear


def test_of_all_together_it_is_said_what_has_no_known_cost(home: Store) -> None:
    keep(home, "water", [0, 10] * 48 * 46, first_ms=ms(2024, 12, 1), seconds=1800, unit="m3", exponent=-3)
    add(home, "energy.budget", at="2025-01-01", amount="90", unit="GBP")
    [budget] = look(home, 2025, 1, 15, 12).month.budgets
    assert (budget.projection, budget.lacking) == (None, ("Water, The house",))


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"amount": "60", "unit": "kWh"}, "name one supply"),
        ({"amount": "60", "unit": "m3", "supply": "gas"}, "counted in kWh"),
        ({"amount": "60", "unit": "euros"}, "three letters"),
        ({"amount": "-60", "unit": "EUR"}, "above nought"),
    ],
)
def test_a_budget_that_nobody_can_keep_is_refused(store: Store, said: dict[str, str], wrong: str) -> None:
    with pytest.raises(UserError, match=wrong):
        add(store, "energy.budget", at="2025-01-01", **said)
    fact = add(store, "energy.budget", at="2025-01-01", amount="60", unit="EUR", supply="water")
    with pytest.raises(UserError, match=wrong):
        stating.correct(store, fact, {"supply": "", **said}, "Ada")


def test_a_budget_that_is_spent_is_told_once_by_its_key(home: Store) -> None:
    fact = add(home, "energy.budget", at="2024-06-01", amount="40", unit="GBP")
    [finding] = found(home, 2025, 1, 15, 12)
    assert (finding.kind, finding.key) == ("limit", f"limit:{fact}:40:2025-01")
    assert finding.text == "Energy has cost 42.00 GBP this month; the budget is 40 GBP."
    assert [each.key for each in found(home, 2025, 1, 16)] == [finding.key]


def test_a_meter_is_silent_after_ten_times_its_usual_gap(store: Store) -> None:
    keep(store, "electricity.import", list(range(96)), first_ms=ms(2025, 1, 1), seconds=0, every_s=900, exponent=0)
    assert found(store, 2025, 1, 2, 2) == []  # 2 h 15 after the last, and 2 h 30 is the patience
    [finding] = found(store, 2025, 1, 2, 3)
    assert (finding.kind, finding.key) == ("silent", "silent:house/electricity.import:2025-01-01T23:45")
    assert "was last heard of on 2025-01-01 at 23:45" in finding.text
    assert found(store, 2025, 3, 1) == []


def test_use_that_comes_in_files_is_missed_after_days(home: Store) -> None:
    assert found(home, 2025, 1, 18, 12) == []
    assert [each.kind for each in found(home, 2025, 1, 19, 12)] == ["silent"]


def test_use_while_away_is_told_beside_what_the_house_uses_alone(store: Store) -> None:
    """0.2 kWh an hour alone, 0.6 in the evening; away from Saturday to Tuesday, and 1.5 kWh in two hours of Sunday."""
    day = [50] * 18 * 4 + [150] * 6 * 4
    alone, guests = [50] * 96, [50] * 40 + [375] * 8 + [50] * 48
    keep(
        store, "electricity.import", day * 14 + alone + guests + alone, first_ms=ms(2025, 1, 4), seconds=900,
        exponent=-3,
    )  # fmt: skip
    assert found(store, 2025, 1, 21) == []
    fact = add(store, "energy.away", at="2025-01-17", until="2025-01-21")
    [finding] = found(store, 2025, 1, 21)
    assert (finding.kind, finding.key) == ("away", f"away:{fact}:house/electricity.import")
    assert "In 2 hours from 2025-01-19 at 10:00 on more was used" in finding.text
    assert "17 kWh in all while you were away, where 14.4 kWh are usual" in finding.text  # 72 x 0.2, and 2 x 1.3 more


def test_nobody_is_told_of_an_absence_in_which_the_house_was_alone(store: Store) -> None:
    keep(store, "electricity.import", [50] * 96 * 20, first_ms=ms(2025, 1, 1), seconds=900, exponent=-3)
    add(store, "energy.away", at="2025-01-15T10:20:00+00:00")
    assert found(store, 2025, 1, 20, 20) == []


def test_water_that_never_stops_is_told_and_water_that_does_is_not(store: Store) -> None:
    begin = ms(2025, 1, 1)
    keep(store, "water", [0, 0, 0, 12] * 48, first_ms=begin, seconds=900, unit="m3", exponent=-3)
    stopped = begin + 48 * 3_600_000
    keep(store, "water", [0] * 4 + [0, 2, 0, 1] * 30, first_ms=stopped, seconds=900, unit="m3", exponent=-3)
    assert found(store, 2025, 1, 3, 20) == [], "it has not run for a day yet"
    [finding] = found(store, 2025, 1, 4, 7)
    assert (finding.kind, finding.key) == ("leak", "leak:house/water:2025-01-03T01:00")
    assert "has not stopped since 2025-01-03 at 01:00, 30 hours ago: 3 litres ran in the quietest hour" in finding.text


def test_a_leak_of_weeks_is_still_the_one_that_it_was(store: Store) -> None:
    keep(store, "water", [0] * 4 + [0, 2, 0, 1] * 24 * 40, first_ms=ms(2025, 1, 1), seconds=900, unit="m3", exponent=-3)
    keys = {found(store, 2025, 1, day, 12)[0].key for day in (3, 9, 30)}
    assert keys == {"leak:house/water:2025-01-01T01:00"}


def test_a_leak_that_began_before_anybody_looks_is_one_too(store: Store) -> None:
    keep(store, "water", [1] * 24 * 600, first_ms=ms(2024, 1, 1), seconds=3600, unit="m3", exponent=-3)
    keys = {found(store, 2025, 8, day, 12)[0].key for day in (1, 2, 20)}
    assert keys == {"leak:house/water:long"}


def test_what_cannot_be_looked_at_is_told_and_keeps_nothing_from_the_others(home: Store) -> None:
    add(home, "energy.supply", title="Cabin", supply="electricity", source="cabin", at="2025-01-01")
    seen = look(home, 2025, 1, 15, 12)
    assert len(seen.month.forecasts) == 1
    assert [each.split(":")[0] for each in seen.told] == ["Cabin"]


def test_days_of_today_count_from_their_local_midnight(home: Store) -> None:
    [(_, month)] = look(home, 2025, 1, 15, 23, 59).month.forecasts
    assert (month.month, month.days_known) == (date(2025, 1, 1), 14)
    assert timedelta(days=month.days) == date(2025, 2, 1) - month.month
