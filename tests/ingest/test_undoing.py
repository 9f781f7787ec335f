"""Undoing an import takes away what only it brought, and redoing it brings that back as it stood."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from appliance.derive import rollups
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.ingest.undoing import TakenBack
from appliance.store import imports, timeline
from appliance.store import series as series_store
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


def test_a_file_imported_twice_stands_until_both_imports_are_undone(store: Store) -> None:
    first, second = _import(store, _days(1, 2)), _import(store, _days(1, 2))
    assert (second.stored, second.duplicate) == (0, 2)
    assert undoing.undo(store, first.id, "Ann") == TakenBack(facts=0, readings=0, left=2)
    assert undoing.undo(store, second.id, "Ann").facts == 2
    assert undoing.redo(store, second.id, "Ann").facts == 2
    undoing.undo(store, second.id, "Ann")
    assert undoing.redo(store, first.id, "Ann").facts == 2


def test_a_file_s_second_import_that_was_undone_first_brings_its_facts_back_too(store: Store) -> None:
    first, second = _import(store, _days(1, 2)), _import(store, _days(1, 2))
    undoing.undo(store, second.id, "Ann")
    undoing.undo(store, first.id, "Ann")
    assert undoing.redo(store, second.id, "Ann").facts == 2


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


def test_readings_that_another_import_took_over_are_not_counted_again(store: Store) -> None:
    """Undone, its readings are the other import's; redone and undone again, what is there stays as it is."""
    first = importing.import_bytes(store, hours([100] * 48), "a.xml")
    importing.import_bytes(store, hours([100] * 24), "half.xml")
    assert undoing.undo(store, first.id, "Ann").readings == 24
    assert _energy(store)[0] == 24
    assert undoing.redo(store, first.id, "Ann").readings == 24
    assert _energy(store)[0] == 48
    assert undoing.undo(store, first.id, "Ann").readings == 24
    assert _energy(store)[0] == 24


def test_readings_in_a_wrong_unit_make_way_for_those_in_the_right_one(store: Store) -> None:
    data = (Path(__file__).parents[1] / "samples" / "green_button" / "gas-no-unit.xml").read_bytes()

    def read(unit: str) -> Report:
        said = {"unit": unit, "quantity": "gas"}
        return importing.import_bytes(store, data, "gas.xml", source="house", options=said)

    wrong = read("kWh")
    undoing.undo(store, wrong.id, "Ann", "it is a volume")
    right = read("m3")
    with store.read() as connection:
        assert [each.unit for each in series_store.every(connection)] == ["m3"]
    with pytest.raises(UserError, match="undo the later one first"):
        undoing.redo(store, wrong.id, "Ann")
    undoing.undo(store, right.id, "Ann")
    undoing.redo(store, wrong.id, "Ann")
    with store.read() as connection:
        assert [each.unit for each in series_store.every(connection)] == ["kWh"]


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


def test_a_file_that_was_met_twice_beside_another_stays_until_all_are_undone(store: Store) -> None:
    other, *same = _import(store, _days(1)), _import(store, _days(1, 2)), _import(store, _days(1, 2))
    for each in (other, same[0]):
        undoing.undo(store, each.id, "Ann")
        assert _titles(store) == ["Shop 1", "Shop 2"]
    undoing.undo(store, same[1].id, "Ann")
    assert _titles(store) == []


def test_what_a_retry_read_is_open_again_when_the_retry_is_undone(store: Store) -> None:
    data = (Path(__file__).parents[1] / "samples" / "green_button" / "gas-no-unit.xml").read_bytes()
    first = importing.import_bytes(store, data, "gas.xml")
    again = importing.retry(store, first.id, {"unit": "m3", "quantity": "gas"})

    def resolved_by() -> set[int | None]:
        with store.read() as connection:
            return {each.resolved_by for each in imports.needed(connection, first.id).rejects}

    assert resolved_by() == {again.id}
    undoing.undo(store, again.id, "Ann")
    assert resolved_by() == {None}
    undoing.redo(store, again.id, "Ann")
    assert resolved_by() == {again.id}


def test_a_row_is_taken_for_the_equal_fact_that_stands_before_one_that_was_taken_back(store: Store) -> None:
    first, second = (Row(DAY, "-5.00", "Twin", fitid=name) for name in ("F1", "F2"))
    both = _import(store, [first, second])
    _import(store, [second])
    undoing.undo(store, both.id, "Ann")
    again = _import(store, [Row(DAY, "-5.00", "Twin", fitid="")])
    assert (again.stored, again.duplicate) == (0, 1)
    assert _titles(store) == ["Twin"]


def test_a_file_of_very_many_rows_comes_again_after_its_undo(store: Store) -> None:
    """PostgreSQL takes 65,535 parameters a statement: their number must not grow with the file."""
    most = [0]

    @event.listens_for(store.engine, "before_cursor_execute")
    def count(*said: Any) -> None:
        _, _, _, parameters, _, many = said
        most[0] = max(most[0], 0 if many else len(parameters or ()))

    rows = [Row(DAY + timedelta(number % 900), f"-{number}.50", "Shop") for number in range(6_001)]
    report = _import(store, rows)
    undoing.undo(store, report.id, "Ann")
    again = _import(store, rows)
    assert (again.stored, again.duplicate) == (6_001, 0)
    assert most[0] < 11_000


def test_a_note_goes_and_comes_back_with_its_fact(store: Store) -> None:
    report = _import(store, _days(1))
    with store.read() as connection:
        [fact] = timeline.page(connection, Query()).records
    stating.annotate(store, fact.id, "Ask Tom", "Ann")
    assert undoing.undo(store, report.id, "Ann").facts == 1
    assert _titles(store) == []
    assert undoing.redo(store, report.id, "Ann").facts == 1
    assert len(_titles(store)) == 2


def test_a_file_read_again_with_more_said_of_it_confirms_what_it_met(store: Store) -> None:
    first = _import(store, _days(1, 2))
    again = importing.retry(store, first.id, {"currency": "EUR"})
    assert (again.stored, again.duplicate) == (0, 2)
    assert undoing.undo(store, first.id, "Ann").facts == 0
    assert len(_titles(store)) == 2
