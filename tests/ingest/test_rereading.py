"""A file that is here and read in another way: the last word stands, nothing counts twice, and it holds on."""

import dataclasses
from decimal import Decimal
from pathlib import Path

import pytest

from appliance.content import InMemory
from appliance.errors import UserError
from appliance.ingest import importing, rereading
from appliance.store import imports, timeline
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.query import Query

SAMPLES = Path(__file__).parents[1] / "samples"
HALF_HOURS = (SAMPLES / "octopus/half-hours.csv").read_bytes()
BANK = b"Date,Payee,Amount\n03/01/2026,Hazel Books,-12.50\n04/01/2026,Elm Foods,-3.00\n13/01/2026,Elm Foods,-4.00\n"


def bring(store: Store, data: bytes, name: str = "half-hours.csv") -> Report:
    return importing.import_bytes(store, data, name, zone="Europe/London")


def as_guessed(store: Store, report: Report, **mended: str) -> Report:
    """Reads an import's file as the table that it looks like, but for what is mended."""
    guess = rereading.guess_of(store, report)
    assert guess is not None
    said = {"unit": "kWh", "role": "electricity.import"} if guess.layout.is_readings else {"unit": "GBP"}
    layout = dataclasses.replace(guess.layout, **said | mended)  # type: ignore[arg-type]
    return rereading.as_table(store, report.id, "Ada", layout, "mine", "Europe/London")


def stand(store: Store, report: Report) -> bool:
    with store.read() as connection:
        return not imports.needed(connection, report.id).undone


def payments(store: Store) -> list[tuple[str, Decimal | None]]:
    with store.read() as connection:
        return sorted((str(each.at), each.amount) for each in timeline.matching(connection, Query()))


def test_a_known_format_read_as_a_table_stands_in_place_of_it_and_so_does_the_next_file(store: Store) -> None:
    known = bring(store, HALF_HOURS)
    assert known.format == "octopus"
    table = as_guessed(store, known)
    assert (table.format, table.stored, stand(store, known)) == ("table", table.read, False)
    heading, _, rest = HALF_HOURS.partition(b"\n")
    assert bring(store, heading + b"\n" + rest.replace(b"2026", b"2027"), "next.csv").format == "table"


def test_a_table_is_read_as_the_format_that_it_is_in_again(store: Store) -> None:
    known = bring(store, HALF_HOURS)
    table = as_guessed(store, known)
    again = rereading.as_known(store, table.id, "Ada")
    assert (again.format, again.source, again.stored + again.duplicate) == ("octopus", known.source, known.read)
    assert (stand(store, table), stand(store, again)) == (False, True)
    assert bring(store, HALF_HOURS).format == "octopus"


def test_what_is_in_no_known_format_stays_a_table(store: Store) -> None:
    table = as_guessed(store, importing.keep_refused(store, InMemory("bank.csv", BANK), "a table"))
    with pytest.raises(UserError, match="stays a table"):
        rereading.as_known(store, table.id, "Ada")


def test_columns_that_are_mended_count_each_row_once(store: Store) -> None:
    wrong = as_guessed(store, importing.keep_refused(store, InMemory("bank.csv", BANK), "a table"), sign="turned round")
    mended = as_guessed(store, wrong)
    assert (mended.stored, stand(store, wrong)) == (3, False)
    assert payments(store) == [
        ("2026-01-03", Decimal("-12.5")),
        ("2026-01-04", Decimal(-3)),
        ("2026-01-13", Decimal(-4)),
    ]


def test_rows_that_were_rejected_are_read_once_the_columns_are_mended(store: Store) -> None:
    wrong = as_guessed(store, importing.keep_refused(store, InMemory("bank.csv", BANK), "a table"), order="month first")
    assert (wrong.stored, wrong.rejected) == (2, 1)
    mended = as_guessed(store, wrong)
    with store.read() as connection:
        [rejected] = imports.needed(connection, wrong.id).rejects
    assert rejected.resolved_by == mended.id
    assert [at for at, _ in payments(store)] == ["2026-01-03", "2026-01-04", "2026-01-13"]
