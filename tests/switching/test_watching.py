"""The nightly check over a simulated year: a word once for a real saving, and not again for the same."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from appliance.errors import UserError
from appliance.store import notices
from appliance.store.database import Store
from appliance.store.notices import Notice
from appliance.switching import watching
from tests.costs.tariffs import known
from tests.switching.household import BRUSSELS, agreed, half_hours, keep_used, total
from tests.switching.test_check import flat

ZONE = str(BRUSSELS)
FIRST_NIGHT = datetime(2026, 1, 1, 3, tzinfo=UTC)
KWH = total(half_hours(date(2025, 1, 1), 365))


def a_house(store: Store, days: int = 2 * 365 + 30) -> None:
    """Two years of use, on a tariff of 0.30 a kWh; a word is wanted from 200 EUR a year on."""
    keep_used(store, half_hours(date(2025, 1, 1), days))
    known(store, ZONE, flat("Mine", "0.30"))
    agreed(store, "Mine")
    watching.set_saving_from(store, "200", "EUR")


def nights(store: Store, first: datetime, count: int) -> list[Notice]:
    """What is said in so many nights, one after the other."""
    made = [each for night in range(count) for each in watching.look(store, BRUSSELS, first + timedelta(days=night))]
    with store.read() as connection:
        return [each for each in reversed(notices.every(connection, only_open=False)) if each.id in made]


def shown(store: Store) -> list[Notice]:
    with store.read() as connection:
        return notices.every(connection)


@pytest.mark.parametrize("database_url", ["sqlcipher"], indirect=True)  # a year of nights takes a while
def test_in_a_year_of_nights_a_real_saving_is_said_once_and_again_only_when_it_is_materially_better(
    store: Store,
) -> None:
    a_house(store)
    near = Decimal("0.30") - 199 / KWH
    known(store, ZONE, flat("Not enough", f"{near:.6f}"))
    assert nights(store, FIRST_NIGHT, 60) == []
    known(store, ZONE, flat("Cheap", "0.23"))
    [cheap] = nights(store, FIRST_NIGHT + timedelta(days=60), 100)
    assert "on Cheap of Ember" in cheap.title
    assert Decimal(cheap.details["saving"]) == pytest.approx(KWH * Decimal("0.07"), rel=Decimal("0.01"))
    assert datetime.fromtimestamp(cheap.at_us / 1e6, UTC) == FIRST_NIGHT + timedelta(days=60)
    assert "compare house/electricity.import" in cheap.text
    known(store, ZONE, flat("A bit cheaper", "0.22"))
    assert nights(store, FIRST_NIGHT + timedelta(days=160), 100) == []
    assert [each.id for each in shown(store)] == [cheap.id]
    known(store, ZONE, flat("Much cheaper", "0.19"))
    [much] = nights(store, FIRST_NIGHT + timedelta(days=260), 105)
    assert "on Much cheaper of Ember" in much.title
    assert "On 2026-03-02 it was" in much.text
    assert [each.id for each in shown(store)] == [much.id]


def test_what_was_dismissed_is_not_said_again(store: Store) -> None:
    a_house(store)
    known(store, ZONE, flat("Cheap", "0.23"))
    [said] = nights(store, FIRST_NIGHT, 1)
    with store.write() as connection:
        notices.dismiss(connection, said.id, 1)
    assert nights(store, FIRST_NIGHT, 10) == []
    assert shown(store) == []
    with store.write() as connection, pytest.raises(UserError, match="there is none"):
        notices.dismiss(connection, said.id, 1)


def test_once_another_tariff_is_agreed_what_was_said_is_past_and_a_new_saving_counts(store: Store) -> None:
    a_house(store)
    known(store, ZONE, flat("Cheap", "0.23"))
    [first] = nights(store, FIRST_NIGHT, 1)
    agreed(store, "Cheap", "2026-02-01")
    assert nights(store, FIRST_NIGHT + timedelta(days=40), 5) == []
    assert shown(store) == []
    known(store, ZONE, flat("Cheaper still", "0.16"))
    [second] = nights(store, FIRST_NIGHT + timedelta(days=50), 5)
    assert Decimal(second.details["saving"]) < Decimal(first.details["saving"]) * watching.BETTER
    assert "better by more than" not in second.text


def test_what_leaving_costs_and_what_is_not_known_count_against_it(store: Store) -> None:
    keep_used(store, half_hours(date(2025, 1, 1), 365))
    known(store, ZONE, flat("Mine", "0.30"), flat("Cheap", "0.23"))
    agreed(store, "Mine", amount="100", unit="EUR")
    watching.set_saving_from(store, "200", "EUR")
    saving = KWH * Decimal("0.07")
    assert saving > 200 > saving - 100
    assert nights(store, FIRST_NIGHT, 1) == []
    watching.set_saving_from(store, "100", "EUR")
    [said] = nights(store, FIRST_NIGHT, 1)
    assert "100 EUR for leaving" in said.text


@pytest.mark.parametrize(
    ("days", "night", "currency"),
    [
        (60, FIRST_NIGHT - timedelta(days=300), "EUR"),  # too little was read
        (365, FIRST_NIGHT + timedelta(days=90), "EUR"),  # and not for long
        (365, FIRST_NIGHT, "GBP"),
    ],
)
def test_nobody_is_advised_on_too_little_on_the_past_or_in_another_currency(
    store: Store, days: int, night: datetime, currency: str
) -> None:
    a_house(store, days)
    known(store, ZONE, flat("Cheap", "0.05"))
    watching.set_saving_from(store, "200", currency)
    assert nights(store, night, 1) == []


def test_nothing_is_said_unless_a_person_set_from_when_on(store: Store) -> None:
    a_house(store)
    known(store, ZONE, flat("Cheap", "0.05"))
    watching.unset_saving_from(store)
    assert nights(store, FIRST_NIGHT, 2) == []


@pytest.mark.parametrize(
    ("amount", "currency"), [("much", "EUR"), ("-5", "EUR"), ("NaN", "EUR"), ("5", "euros"), ("5", "")]
)
def test_what_is_no_amount_of_money_is_refused(store: Store, amount: str, currency: str) -> None:
    with pytest.raises(UserError, match="write"):
        watching.set_saving_from(store, amount, currency)
    with store.read() as connection:
        assert watching.saving_from(connection) is None
