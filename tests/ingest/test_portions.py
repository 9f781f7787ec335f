"""Files of more rows than are held in memory: they are stored a portion at a time, and nobody can tell."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from appliance import content
from appliance.content import InFile
from appliance.ingest import importing, known, run, undoing
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.models import RecordRow
from tests.green_button import hours
from tests.statements import Row, ofx

FIRST = date(2026, 1, 1)
_accounts = count(500)
_unique = (HealthCheck.function_scoped_fixture,)


def _rows(days: Sequence[int], ids: bool = True) -> list[Row]:
    return [
        Row(FIRST + timedelta(days=day), "-5.00", "Mill", fitid=f"F{place}" if ids else "")
        for place, day in enumerate(days)
    ]


def _imported(store: Store, portion: int, files: Sequence[Sequence[Row]]) -> list[tuple[int, int, int]]:
    account, before = str(next(_accounts)), run.PORTION
    run.PORTION = portion
    try:
        data = [ofx(rows, account, str(number)) for number, rows in enumerate(files)]
        done = [importing.import_bytes(store, each, "s.ofx") for each in data]
        return [(each.read, each.stored, each.duplicate) for each in done]
    finally:
        run.PORTION = before


@settings(max_examples=25, deadline=None, suppress_health_check=_unique)
@given(st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=2, max_size=4), st.booleans())
def test_portions_give_what_the_whole_gives(store: Store, files: list[list[int]], ids: bool) -> None:
    """Equal rows in different portions are as many facts as in one."""
    rows = [_rows(days, ids) for days in files]
    for portion in (1, 3):
        assert _imported(store, portion, rows) == _imported(store, 1_000, rows)


def test_an_import_of_many_portions_is_one_that_can_be_undone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PORTION", 2)
    rows = [*_rows(range(9)), Row(FIRST, "12-3", "Broken")]
    report = importing.import_bytes(store, ofx(rows), "s.ofx")
    assert (report.read, report.stored, report.rejected) == (10, 9, 1)
    assert [each.line for each in report.rejects] == [17]
    done = undoing.undo(store, report.id, "Ann")
    assert done.facts == 9


def test_readings_come_in_portions_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PORTION", 1)
    report = importing.import_bytes(store, hours(range(200)), "m.xml")
    assert (report.read, report.stored) == (200, 200)
    again = importing.import_bytes(store, hours(range(210)), "m.xml")
    assert (again.stored, again.duplicate) == (10, 200)


def test_a_file_that_is_mapped_reads_like_one_in_memory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "WHOLE_BYTES", 0)
    path = tmp_path / "s.ofx"
    path.write_bytes(ofx(_rows(range(5))))
    with importing.opened(path) as opened:
        assert isinstance(opened, InFile)
    assert importing.import_file(store, path).stored == 5
    assert _retried(store).duplicate == 5


def _retried(store: Store) -> Report:
    content.WHOLE_BYTES = 64 << 20
    return importing.retry(store, 1)


def test_a_row_is_compared_alone_where_very_many_others_lie_in_its_days(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing.import_bytes(store, ofx(_rows(range(40))), "all.ofx")
    monkeypatch.setattr(known, "PART", 2)
    two = [Row(FIRST, "-5.00", "Mill", fitid="F0"), Row(FIRST + timedelta(days=39), "-5.00", "Mill", fitid="F39")]
    report = importing.import_bytes(store, ofx([*two, Row(FIRST, "-1.00", "New")]), "few.ofx")
    assert (report.stored, report.duplicate) == (1, 2)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(RecordRow)).scalar_one() == 41
