"""Facts that are put right change the days that they are about and no other: a meter's events, gas, agreements."""

from datetime import UTC, date, datetime, timedelta

from appliance import costs, supplies
from appliance.ingest import stating
from appliance.store import versions
from appliance.store.database import Store
from tests.costs.tariffs import FLAT, NIGHT, QUARTER_S, known
from tests.meter_series import keep
from tests.switching.household import BRUSSELS, agreed, half_hours, keep_used, midnight

MARCH = date(2025, 3, 1)


def now(store: Store) -> datetime:
    """An instant after all that was done, before all that will be."""
    with store.read() as connection:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=versions.now_us(connection))


def changed(store: Store, since: datetime, tariff: str = "") -> list[int]:
    """The days of March that are known otherwise since."""
    supply = supplies.named(store, "", BRUSSELS)
    return [each.day.day for each in costs.changed(store, supply, BRUSSELS, since, tariff=tariff)]


def keep_register(store: Store, kwh: list[int], first: date = MARCH, role: str = "electricity.import") -> None:
    """What a register shows at the beginnings of days."""
    for number, value in enumerate(kwh):
        at_ms = midnight(first + timedelta(days=number)) * QUARTER_S * 1000
        keep(store, role, [value * 1_000_000], first_ms=at_ms, seconds=0, unit="m3" if role == "gas" else "kWh")


def say(store: Store, kind: str, **said: str) -> int:
    return stating.add(store, kind, said, "Ada", zone=BRUSSELS).id


def test_a_meter_that_is_said_to_have_counted_too_much_changes_its_days(store: Store) -> None:
    keep_register(store, [0, 10, 20, 30, 40, 50, 60])
    known(store, "Europe/Brussels", FLAT)
    since = now(store)
    said = {"event": "multiplier", "source": "house", "factor": "0.1"}
    event = say(store, "energy.meter_event", at="2025-03-03", until="2025-03-04", **said)
    assert changed(store, since, "Flat") == [3, 4]
    since = now(store)
    stating.correct(store, event, {"until": "2025-03-05"}, "Ada", zone=BRUSSELS)
    assert changed(store, since, "Flat") == [5]
    since = now(store)
    stating.withdraw(store, event, "Ada", "it was right")
    assert changed(store, since, "Flat") == [3, 4, 5]


def test_another_meter_that_was_told_of_before_is_no_revision_of_its_days(store: Store) -> None:
    keep_register(store, [500, 510, 3, 13, 23, 33])
    known(store, "Europe/Brussels", FLAT)
    say(
        store, "energy.meter_event", event="swap", source="house", at="2025-03-02", old_register="516", new_register="0"
    )
    since = now(store)
    keep_register(store, [24], first=date(2025, 3, 5))
    assert changed(store, since, "Flat") == [4, 5]


def test_gas_that_holds_another_energy_from_a_day_on_changes_the_days_from_it(store: Store) -> None:
    keep_register(store, [0, 10, 20, 30, 40], role="gas")
    known(store, "Europe/Brussels", FLAT, supply="gas")
    say(store, "energy.gas_quality", at="2025-01-01", calorific_value="39.5")
    since = now(store)
    later = say(store, "energy.gas_quality", at="2025-03-03", calorific_value="40.1")
    assert changed(store, since, "Flat") == [3, 4]
    since = now(store)
    stating.correct(store, later, {"at": "2025-03-04"}, "Ada", zone=BRUSSELS)
    assert changed(store, since, "Flat") == [3]


def test_an_agreement_that_began_on_another_day_changes_the_days_between(store: Store) -> None:
    keep_used(store, half_hours(MARCH, 10))
    known(store, "Europe/Brussels", FLAT, NIGHT)
    agreed(store, "Flat")
    agreed(store, "Night", at="2025-03-06")
    since = now(store)
    with store.read() as connection:
        later = supplies.agreements(connection, supplies.named(store, "", BRUSSELS), BRUSSELS)[-1]
    stating.correct(store, later.fact, {"at": "2025-03-04"}, "Ada", zone=BRUSSELS)
    assert changed(store, since) == [4, 5]
