"""Rows that say several facts: the things of one purchase, a bill and its paper. Each is met again, and each stays."""

from pathlib import Path

import pytest

from appliance.ingest import importing, undoing
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.query import Query

SAMPLES = Path(__file__).parents[1] / "samples"


def standing(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        return sorted((each.kind, each.title) for each in timeline.matching(connection, Query()))


@pytest.mark.parametrize("sample", ["tesco_clubcard/older.txt", "pdf_bill/dutch-year.pdf", "camt/statement-v8.xml"])
def test_each_fact_of_a_row_is_met_again_and_stays_when_the_first_file_is_taken_back(store: Store, sample: str) -> None:
    data = (SAMPLES / sample).read_bytes()
    first = importing.import_bytes(store, data, "first")
    before = standing(store)
    later = importing.import_bytes(store, data + b"\n", "later")
    assert (later.stored, later.duplicate) == (0, first.stored)
    undoing.undo(store, first.id, "Ann")
    assert standing(store) == before
    undoing.undo(store, later.id, "Ann")
    assert standing(store) == []


def test_each_fact_of_a_row_is_handed_on_to_the_same_file_imported_again(store: Store) -> None:
    data = (SAMPLES / "tesco_clubcard/older.txt").read_bytes()
    first = importing.import_bytes(store, data, "first")
    before = standing(store)
    importing.import_bytes(store, data, "again")
    undoing.undo(store, first.id, "Ann")
    assert standing(store) == before
