"""Alerts as notices: each said once for as long as it is the same, and closed once it is over."""

from datetime import UTC, datetime, timedelta

from appliance.budgets import alerts
from appliance.ingest import stating
from appliance.store import notices
from appliance.store.database import Store
from appliance.store.notices import Notice
from tests.budgets.test_found import LONDON, add, ms
from tests.budgets.test_found import home as home
from tests.meter_series import keep


def look(store: Store, *at: int, hours: int = 1) -> list[Notice]:
    """What is said in so many hourly looks from then on."""
    begin = datetime(*at, tzinfo=UTC)  # type: ignore[arg-type, misc]
    made = [each for hour in range(hours) for each in alerts.look(store, LONDON, begin + timedelta(hours=hour))]
    return [each for each in every(store) if each.id in made]


def every(store: Store, *, only_open: bool = False) -> list[Notice]:
    with store.read() as connection:
        return notices.every(connection, only_open=only_open)


def water(store: Store, litres: list[int], *at: int) -> None:
    keep(store, "water", litres, first_ms=ms(*at), seconds=900, unit="m3", exponent=-3)


def test_a_leak_is_said_once_while_it_runs_and_again_when_it_begins_anew(store: Store) -> None:
    water(store, [0] * 4 + [0, 2, 0, 1] * 24 * 3, 2025, 1, 1)
    [leak] = look(store, 2025, 1, 2, 0, hours=50)
    assert (leak.kind, leak.title, leak.is_open) == ("energy.leak", "Water may leak", True)
    assert "has not stopped since 2025-01-01 at 01:00" in leak.text
    water(store, [0] * 4 * 24, 2025, 1, 4, 1)
    assert look(store, 2025, 1, 4, 12, hours=10) == []
    assert every(store, only_open=True) == [], "it is over"
    water(store, [0, 2, 0, 1] * 30, 2025, 1, 5, 1)
    [again] = look(store, 2025, 1, 6, 2, hours=4)
    assert (again.id != leak.id, again.is_open) == (True, True)


def test_a_meter_that_is_heard_again_is_silent_no_more(store: Store) -> None:
    def heard(hours: int, *at: int) -> None:
        keep(store, "electricity.import", list(range(hours * 4)), first_ms=ms(*at), seconds=0, every_s=900, exponent=0)

    heard(24, 2025, 1, 1)
    [silent] = look(store, 2025, 1, 2, 0, hours=12)
    told = {"supply": "Electricity, The house", "since": "2025-01-01T23:45:00+00:00"}
    assert (silent.kind, silent.details) == ("energy.silent", told)
    heard(24, 2025, 1, 2, 12)
    assert look(store, 2025, 1, 2, 14) == []
    assert every(store, only_open=True) == []
    [later] = look(store, 2025, 1, 3, 16)
    assert later.id != silent.id


def test_what_was_dismissed_is_not_said_again_and_what_a_budget_says_next_is(home: Store) -> None:
    fact = add(home, "energy.budget", at="2025-01-01", amount="60", unit="GBP")
    [likely] = look(home, 2025, 1, 15, 12, hours=3)
    assert likely.kind == "energy.forecast"
    with home.write() as connection:
        notices.dismiss(connection, likely.id, 1)
    assert look(home, 2025, 1, 15, 15, hours=3) == []
    stating.correct(home, fact, {"amount": "40"}, "Ada")
    [spent] = look(home, 2025, 1, 15, 18, hours=3)
    assert (spent.kind, spent.text) == ("energy.limit", "Energy has cost 42.00 GBP this month; the budget is 40 GBP.")
    stating.correct(home, fact, {"amount": "41"}, "Ada")
    [spent_again] = look(home, 2025, 1, 15, 21)
    assert [each.id for each in every(home, only_open=True)] == [spent_again.id]


def test_another_month_is_another_budget(home: Store) -> None:
    add(home, "energy.budget", at="2024-01-01", amount="60", unit="GBP")
    assert len(look(home, 2024, 12, 20, 12, hours=2)) == 1
    assert len(look(home, 2025, 1, 15, 12, hours=2)) == 1
    assert len(every(home, only_open=True)) == 1


def test_of_a_supply_that_cannot_be_looked_at_nothing_is_over(store: Store) -> None:
    keep(store, "water.cold", [0] * 4 + [0, 2, 0, 1] * 48, first_ms=ms(2025, 1, 1), seconds=900, unit="m3", exponent=-3)
    said = {"title": "Cabin", "supply": "water", "source": "house", "role": "water.cold", "at": "2025-01-01"}
    fact = add(store, "energy.supply", **said)
    [leak] = look(store, 2025, 1, 3, 0)
    assert leak.details["supply"] == "Cabin"
    stating.correct(store, fact, {"source": "nowhere"}, "Ada")
    assert look(store, 2025, 1, 3, 1) == []
    assert [each.id for each in every(store, only_open=True)] == [leak.id]
