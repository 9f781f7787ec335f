"""Undoing an import takes away what only it brought, and redoing it brings that back as it stood."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from appliance.derive import rollups
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.ingest.undoing import TakenBack
from appliance.store import series as series_store
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.timeline import Query
from tests.green_button import hours
from tests.statements import Row, ofx

DAY = date(2026, 3, 1)


def _days(*numbers: int) -> list[Row]:
    return [Row(DAY + timedelta(number), f"-{number}.50", f"Shop {number}", fitid=f"F{number}") for number in numbers]


def _import(store: Store, rows: list[Row]) -> Report:
    return importing.import_bytes(store, ofx(rows, "1"), "statement.ofx")


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query()))


def _energy(store: Store) -> tuple[int, int]:
    """How many readings stand, and their sum."""
    rollups.refresh(store)
    with store.read() as connection:
        found = [series_store.read(connection, each) for each in series_store.every(connection)]
        return sum(map(len, found)), sum(int(each.values.sum()) for each in found)


def test_what_only_an_import_brought_goes_and_what_others_confirmed_stays(store: Store) -> None:
    first, second = _import(store, _days(1, 2)), _import(store, _days(2, 3))
    assert undoing.undo(store, first.id, "Ann", "wrong account") == TakenBack(facts=1, readings=0, left=1)
    assert _titles(store) == ["Shop 2", "Shop 3"]
    assert undoing.undo(store, second.id, "Ann").facts == 2
    assert _titles(store) == []
    assert undoing.redo(store, second.id, "Ann").facts == 2
    assert undoing.redo(store, first.id, "Ann") == TakenBack(facts=1, readings=0, left=1)
    assert _titles(store) == ["Shop 1", "Shop 2", "Shop 3"]


def test_a_fact_comes_back_under_its_number_and_as_it_was_corrected(store: Store) -> None:
    report = _import(store, _days(1))
    with store.read() as connection:
        [fact] = timeline.matching(connection, Query())
    stating.correct(store, fact.id, {"title": "Baker", "amount": "-7"}, "Ann", "the bank abbreviates")
    undoing.undo(store, report.id, "Ann")
    undoing.redo(store, report.id, "Ann")
    with store.read() as connection:
        [back] = timeline.matching(connection, Query())
    assert (back.id, back.title, back.amount) == (fact.id, "Baker", Decimal("-7.00"))


def test_what_a_person_withdrew_stays_withdrawn(store: Store) -> None:
    report = _import(store, _days(1, 2))
    with store.read() as connection:
        fact, *_ = timeline.matching(connection, Query())
    stating.withdraw(store, fact.id, "Ann", "not mine")
    undoing.undo(store, report.id, "Ann")
    assert undoing.redo(store, report.id, "Ann") == TakenBack(facts=1, readings=0, left=1)
    assert _titles(store) == ["Shop 1"]
    assert _import(store, _days(1, 2)).duplicate == 2
    assert _titles(store) == ["Shop 1"]


def test_the_file_imported_again_after_its_undo_is_stored_and_nothing_is_twice_after_a_redo(store: Store) -> None:
    first = _import(store, _days(1, 2))
    undoing.undo(store, first.id, "Ann")
    again = _import(store, _days(1, 2))
    assert (again.stored, again.duplicate) == (2, 0)
    assert undoing.redo(store, first.id, "Ann").facts == 0
    assert _titles(store) == ["Shop 1", "Shop 2"]
    undoing.undo(store, again.id, "Ann")
    assert _titles(store) == ["Shop 1", "Shop 2"]


def test_readings_go_and_come_back_with_their_totals(store: Store) -> None:
    report = importing.import_bytes(store, hours([100] * 48), "use.xml")
    before = _energy(store)
    assert undoing.undo(store, report.id, "Ann").readings == 48
    assert _energy(store) == (0, 0)
    assert undoing.redo(store, report.id, "Ann").readings == 48
    assert _energy(store) == before


def test_readings_that_another_file_has_too_stay(store: Store) -> None:
    first = importing.import_bytes(store, hours([100] * 48), "use.xml")
    second = importing.import_bytes(store, hours([100] * 48, first_hour=24), "more.xml")
    assert (second.stored, second.duplicate) == (24, 24)
    assert undoing.undo(store, first.id, "Ann").readings == 24
    assert _energy(store)[0] == 48
    undoing.redo(store, first.id, "Ann")
    assert _energy(store)[0] == 72


@pytest.mark.parametrize("asked", ["none", "twice", "standing"])
def test_what_cannot_be_undone_is_said(store: Store, asked: str) -> None:
    report = _import(store, _days(1))
    if asked == "none":
        with pytest.raises(UserError, match="there is no import 99"):
            undoing.undo(store, 99, "Ann")
    if asked == "twice":
        undoing.undo(store, report.id, "Ann")
        with pytest.raises(UserError, match=f"imports redo {report.id}"):
            undoing.undo(store, report.id, "Ann")
    if asked == "standing":
        with pytest.raises(UserError, match="nothing to redo"):
            undoing.redo(store, report.id, "Ann")
