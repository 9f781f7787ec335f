"""Meters' files from end to end: what a report counts, in which zone times are, and what many small blocks come to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from appliance import energy
from appliance.config import Config
from appliance.ingest import importing, taking
from appliance.store import imports
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Chunk

FLUVIUS = "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Register;Volume;Eenheid;Validatiestatus\n"
LOCAL = b"time,Total gas used\n2025-06-01 12:00,5\n2025-06-01 13:00,6\n"
BEGIN = datetime(2024, 3, 1)


def quarters(count: int, *volumes: str, states: tuple[str, ...] = ("Uitgelezen",), register: str = "Afname Dag") -> str:
    """Rows of a register, a quarter of an hour each, with these volumes and states by turns."""
    rows = []
    for number in range(count):
        begin = BEGIN + timedelta(minutes=15 * number)
        span = f"{begin:%d-%m-%Y;%H:%M:%S};{begin + timedelta(minutes=15):%d-%m-%Y;%H:%M:%S}"
        volume, state = volumes[number % len(volumes)], states[number % len(states)]
        rows.append(f"{span};541448860000000001;{register};{volume};kWh;{state}\n")
    return "".join(rows)


def test_a_run_of_rejected_rows_counts_as_its_rows_and_is_one_line(store: Store) -> None:
    data = FLUVIUS + quarters(4, "0,1") + quarters(8, "").replace("01-03", "02-03")
    report = importing.import_bytes(store, data.encode(), "quarters.csv")
    assert (report.read, report.stored, report.rejected) == (12, 4, 8)
    assert [(reject.place, reject.line) for reject in report.rejects] == [("row 5 to row 12", 6)]


def test_rows_that_are_read_after_all_are_so_as_a_run_too(store: Store) -> None:
    gas = "Consumption (m³),Start,End\n1,2024-01-01T00:00Z,2024-01-01T00:30Z\n2,2024-01-01T00:30Z,2024-01-01T01:00Z\n"
    first = importing.import_bytes(store, gas.encode(), "gas.csv", options={"quantity": "electricity.import"})
    assert (first.rejected, len(first.rejects)) == (2, 1)
    assert importing.retry(store, first.id, {"quantity": "gas"}).stored == 2
    with store.read() as connection:
        assert [reject.resolved_by for reject in imports.needed(connection, first.id).rejects] == [first.id + 1]


@pytest.mark.parametrize(
    ("household", "stated", "hour"),
    [(None, None, 10), ("Europe/London", None, 11), ("Europe/London", "UTC", 12), (None, "UTC", 12)],
)
def test_a_zone_is_the_stated_one_else_the_household_s_else_that_of_the_format(
    store: Store, household: str | None, stated: str | None, hour: int
) -> None:
    importing.import_bytes(store, LOCAL, "gas.csv", zone=household, stated_zone=stated)
    [info] = energy.series(store)
    assert datetime.fromtimestamp(info.first_ms / 1000, UTC) == datetime(2025, 6, 1, hour, tzinfo=UTC)


def test_a_zone_that_was_stated_for_a_source_stands_over_the_household_s(store: Store) -> None:
    report = importing.import_bytes(store, LOCAL, "gas.csv", zone="Europe/London")
    importing.retry(store, report.id, {"zone": "UTC"})
    later = importing.import_bytes(store, LOCAL.replace(b"-01 ", b"-02 "), "more.csv", zone="Europe/London")
    assert later.options["zone"] == "UTC"


def test_a_quality_that_changes_with_every_row_makes_no_chunk_a_row(store: Store) -> None:
    data = FLUVIUS + quarters(2000, "0,1", "0,2", states=("Uitgelezen", "Geschat"))
    assert importing.import_bytes(store, data.encode(), "quarters.csv").stored == 2000
    [part] = energy.resolved(store, "", "electricity.import.t1")
    with store.read() as connection:
        columns, qualities = series_store.read_with_quality(connection, part)
        assert connection.execute(select(func.count()).select_from(Chunk)).scalar_one() < 10
    assert qualities == ["Uitgelezen", "Geschat"] * 1000
    assert columns.values.tolist() == [100_000, 200_000] * 1000
    assert importing.import_bytes(store, (data + "\n").encode(), "again.csv").duplicate == 2000


def test_tariffs_that_take_turns_add_up_in_every_interval(store: Store) -> None:
    nights = quarters(8, "0,5", register="Afname Nacht").splitlines(keepends=True)
    data = FLUVIUS + quarters(6, "0,1") + "".join(nights[4:])
    importing.import_bytes(store, data.encode(), "quarters.csv")
    parts = energy.resolved(store, "", "electricity.import")
    columns, exponent = energy.raw(store, parts, None, None)
    assert [energy.decimal(value, exponent) for value in columns.values.tolist()] == [
        energy.decimal(value, -1) for value in (1, 1, 1, 1, 6, 6, 5, 5)
    ]
    assert columns.seconds.tolist() == [900] * 8


def test_what_lies_in_the_inbox_is_in_the_household_s_zone(config: Config, store: Store) -> None:
    path = config.inbox / store.name / "gas.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(LOCAL)
    taking.take(replace(config, zone="Europe/London"), store.name, [path])
    [info] = energy.series(store)
    assert datetime.fromtimestamp(info.first_ms / 1000, UTC) == datetime(2025, 6, 1, 11, tzinfo=UTC)
