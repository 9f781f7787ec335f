"""Imports from end to end: what a bank's and a grid's files leave in the store, and what they never do to it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from appliance.config import Config
from appliance.content import InFile, InMemory
from appliance.derive import rollups
from appliance.errors import UserError
from appliance.importers import ofx as importer
from appliance.ingest import importing
from appliance.records import Source
from appliance.store import imports, originals, records, sources, timeline
from appliance.store import series as series_store
from appliance.store.database import Store, open_store
from appliance.store.imports import Report
from appliance.store.models import Chunk, ImportRow, Original, RecordRow
from appliance.store.records import Stored
from appliance.store.timeline import Query
from tests import disks
from tests.green_button import HOUR_S, hours
from tests.statements import Row, ofx

DAY = date(2026, 3, 1)
_accounts = count(10)


def _days(*numbers: int) -> list[Row]:
    return [
        Row(DAY + timedelta(days=number), f"-{number}.50", f"Shop {number}", fitid=f"F{number}") for number in numbers
    ]


def _import(store: Store, rows: Sequence[Row], said: str = "", account: str = "1") -> Report:
    return importing.import_bytes(store, ofx(rows, account, said), "statement.ofx")


def _counts(report: Report) -> tuple[int, int, int]:
    assert report.read == report.stored + report.duplicate + report.rejected
    return report.stored, report.duplicate, report.rejected


def _records(store: Store, query: Query = Query()) -> list[Stored]:  # noqa: B008 - frozen
    with store.read() as connection:
        return list(timeline.matching(connection, query))


def _tables(store: Store) -> list[int]:
    with store.read() as connection:
        tables = (ImportRow, RecordRow, Original, Chunk)
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


# ---- statements ----


def test_a_statement_s_rows_are_stored_with_where_they_came_from(store: Store) -> None:
    data = ofx(_days(1, 2))
    report = importing.import_bytes(store, data, "march.ofx")
    assert _counts(report) == (2, 0, 0)
    for row in _records(store):
        with store.read() as connection:
            own = originals.excerpt(connection, store.key, row.original, row.first, row.length)
        assert own.startswith(b"<STMTTRN>")
        assert own.endswith(b"</STMTTRN>")
        assert row.title.encode() in own
    assert [each.amount for each in _records(store)] == [Decimal("-2.50"), Decimal("-1.50")]


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    rows = [*_days(1, 2, 3), Row(DAY), Row(DAY)]
    first = _import(store, rows)
    before = _records(store)
    for _ in range(2):
        assert _counts(_import(store, rows)) == (0, 5, 0)
    assert _counts(first) == (5, 0, 0)
    assert _records(store) == before


# name: files one after the other, and what each then stores and meets again
STATEMENTS: dict[str, list[tuple[list[Row], tuple[int, int]]]] = {
    "equal rows in one file are two facts": [([Row(DAY), Row(DAY)], (2, 0)), ([Row(DAY), Row(DAY)], (0, 2))],
    "twins, then three": [([Row(DAY)] * 2, (2, 0)), ([Row(DAY)] * 3, (1, 2)), ([Row(DAY)] * 3, (0, 3))],
    "windows that overlap": [(_days(1, 2, 3), (3, 0)), (_days(2, 3, 4), (1, 2)), (_days(1, 2, 3, 4), (0, 4))],
    "ids rewritten for every row": [
        (_days(1, 2, 3), (3, 0)),
        ([Row(row.day, row.amount, row.name, fitid=f"X{row.fitid}") for row in _days(1, 2, 3)], (0, 3)),
        (_days(1, 2, 3), (0, 3)),
    ],
    "ids kept, and an equal row with another id": [
        (_days(1, 2, 3), (3, 0)),
        ([*_days(1, 2, 3), Row(DAY + timedelta(3), "-3.50", "Shop 3", fitid="F9")], (1, 3)),
    ],
    "ids rewritten once and kept from then on": [
        (_days(1, 2, 3), (3, 0)),
        ([Row(row.day, row.amount, row.name, fitid=f"X{row.fitid}") for row in _days(1, 2, 3)], (0, 3)),
        ([Row(row.day, row.amount, row.name, fitid=f"X{row.fitid}") for row in _days(1, 2)], (0, 2)),
        (
            [
                *[Row(row.day, row.amount, row.name, fitid=f"X{row.fitid}") for row in _days(1, 2)],
                *[Row(row.day, row.amount, row.name, fitid="Y3") for row in _days(3)],
            ],
            (1, 2),
        ),
    ],
    "an id used again for another payment": [
        ([Row(DAY, "-1.00", "A", fitid="F1")], (1, 0)),
        ([Row(DAY, "-2.00", "B", fitid="F1")], (1, 0)),
    ],
    "ids that are all the same": [
        ([Row(DAY, "-1.00", "A", fitid="0"), Row(DAY, "-2.00", "B", fitid="0")], (2, 0)),
        ([Row(DAY, "-1.00", "A", fitid="0"), Row(DAY, "-2.00", "B", fitid="0")], (0, 2)),
    ],
    "blanks that a bank moves": [
        ([Row(DAY, name="Corner  Shop", memo=" x")], (1, 0)),
        ([Row(DAY, name="Corner Shop", memo="x ")], (0, 1)),
    ],
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_file_stores_what_is_new_in_it(store: Store, name: str) -> None:
    for number, (rows, expected) in enumerate(STATEMENTS[name]):
        assert _counts(_import(store, rows, said=f"{number}")) == (*expected, 0)


def test_equal_rows_of_two_accounts_are_two_facts(store: Store) -> None:
    assert _counts(_import(store, [Row(DAY)], account="1")) == (1, 0, 0)
    assert _counts(_import(store, [Row(DAY)], account="2")) == (1, 0, 0)


def test_a_row_met_again_in_another_file_says_where_and_why(store: Store) -> None:
    _import(store, _days(1), said="a")
    second = _import(store, [Row(DAY + timedelta(1), "-1.50", "Shop 1", fitid="X1")], said="b")
    [row] = _records(store)
    with store.read() as connection:
        [seen] = records.sightings(connection, row.id)
    assert (seen.import_id, seen.supplier_id, seen.original) == (second.id, "X1", second.original)
    assert "another id" in seen.decision


def test_a_row_that_is_new_beside_an_equal_one_says_why(store: Store) -> None:
    _import(store, [Row(DAY)])
    _import(store, [Row(DAY), Row(DAY)])
    assert sorted(each.decision for each in _records(store)) == ["", "same content, once more than before"]


def test_a_stated_currency_makes_no_row_a_second_fact(store: Store) -> None:
    data = ofx(_days(1, 2)).replace(b"<CURDEF>EUR", b"")
    first = importing.import_bytes(store, data, "s.ofx")
    assert _counts(importing.retry(store, first.id, {"currency": "EUR"})) == (0, 2, 0)


SIMPLE = st.sampled_from(["-1.00", "-2.00"])
MONTH = st.lists(st.tuples(st.integers(0, 6), SIMPLE, st.sampled_from("AB")), min_size=1, max_size=12)
WINDOWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(true=MONTH, windows=WINDOWS, ids=st.sampled_from(["none", "kept", "rewritten"]))
def test_windows_of_one_true_list_store_exactly_that_list(
    store: Store, true: list[tuple[int, str, str]], windows: list[tuple[int, int]], ids: str
) -> None:
    ordered, account = sorted(true), f"{next(_accounts)}"
    seen: set[int] = set()
    for number, (one, other) in enumerate(windows):
        days = range(min(one, other), max(one, other) + 1)
        names = {"none": "", "kept": "F{}", "rewritten": f"G{number}-{{}}"}
        rows = [
            Row(DAY + timedelta(day), amount, name, fitid=names[ids].format(place))
            for place, (day, amount, name) in enumerate(ordered)
            if day in days
        ]
        _counts(_import(store, rows, said=f"{number}", account=account))
        seen |= set(days)
    expected = [(f"{DAY + timedelta(day)}", Decimal(amount), name) for day, amount, name in ordered if day in seen]
    found = [(each.at, each.amount, each.title) for each in _records(store, Query(account=account))]
    assert sorted(found) == sorted(expected)


# ---- readings ----


def _values(store: Store) -> list[Decimal]:
    with store.read() as connection:
        [series] = series_store.every(connection)
        values = series_store.read(connection, series).values.tolist()
    return [Decimal(value).scaleb(series.exponent) for value in values]


def test_readings_are_stored_once_however_often_they_come(store: Store) -> None:
    for expected in ((3, 0, 0), (0, 3, 0), (0, 3, 0)):
        assert _counts(importing.import_bytes(store, hours([500, 600, 500]), "m.xml")) == expected
    assert _values(store) == [Decimal("0.5"), Decimal("0.6"), Decimal("0.5")]


def test_a_longer_file_brings_what_is_new_in_it(store: Store) -> None:
    importing.import_bytes(store, hours([1, 2, 3]), "m.xml")
    assert _counts(importing.import_bytes(store, hours([2, 3, 4, 5], first_hour=1), "m.xml")) == (2, 2, 0)
    assert _values(store) == [Decimal(value) / 1000 for value in (1, 2, 3, 4, 5)]


def test_a_revised_value_is_shown_and_the_first_import_again_does_not_bring_the_old_back(store: Store) -> None:
    importing.import_bytes(store, hours([1, 2, 3]), "m.xml")
    assert _counts(importing.import_bytes(store, hours([1, 9, 3]), "m.xml")) == (1, 2, 0)
    assert _counts(importing.import_bytes(store, hours([1, 2, 3]), "m.xml")) == (0, 3, 0)
    assert _values(store) == [Decimal(value) / 1000 for value in (1, 9, 3)]


def test_a_value_too_large_to_keep_is_rejected_and_the_rest_stays(store: Store) -> None:
    report = importing.import_bytes(store, hours([1, 9 * 10**18, 3]), "m.xml")
    stored, _, rejected = _counts(report)
    assert rejected >= 1
    assert stored + rejected == 3


# ---- rejects, retry, options ----


def test_a_bad_row_is_kept_with_its_place_and_stops_nothing(store: Store) -> None:
    report = _import(store, [*_days(1), Row(DAY, amount="lots"), *_days(2)])
    assert _counts(report) == (2, 0, 1)
    [reject] = report.rejects
    assert reject.place == "transaction 2"
    assert "lots" in reject.reason
    with store.read() as connection:
        own = originals.excerpt(connection, store.key, report.original, reject.first, reject.length)
    assert b"lots" in own


def test_rows_that_a_store_cannot_say_are_rejected(store: Store) -> None:
    data = ofx([*_days(1), Row(DAY)]).replace(b"<DTPOSTED>20260301<", b"<DTPOSTED>00010101000000[+5]<")
    assert _counts(importing.import_bytes(store, data, "s.ofx")) == (1, 0, 1)
    assert len(_records(store)) == 1


def test_what_is_stated_on_retry_reads_the_rows_and_is_kept_for_the_source_s_next_file(store: Store) -> None:
    first = importing.import_bytes(store, hours([1, 2], typed=False), "m.xml")
    assert _counts(first) == (0, 0, 2)
    again = importing.retry(store, first.id, {"unit": "Wh", "quantity": "electricity.import"})
    assert _counts(again) == (2, 0, 0)
    assert again.retry_of == first.id
    assert _counts(importing.import_bytes(store, hours([3], 2, typed=False), "n.xml")) == (1, 0, 0)
    with store.read() as connection:
        before = imports.report(connection, first.id)
    assert before
    assert {reject.resolved_by for reject in before.rejects} == {again.id}


def test_what_was_stated_for_a_source_holds_for_another_retry_of_it(store: Store) -> None:
    first, second = (importing.import_bytes(store, hours([1], hour, typed=False), "m.xml") for hour in (0, 1))
    importing.retry(store, first.id, {"unit": "Wh", "quantity": "electricity.import"})
    assert _counts(importing.retry(store, second.id)) == (1, 0, 0)


def test_a_retry_that_mends_nothing_leaves_the_rejects_open(store: Store) -> None:
    first = importing.import_bytes(store, hours([1, 2], typed=False), "m.xml")
    assert _counts(importing.retry(store, first.id)) == (0, 0, 2)
    with store.read() as connection:
        before = imports.report(connection, first.id)
    assert before
    assert {reject.resolved_by for reject in before.rejects} == {None}


def test_a_retry_stores_no_row_twice(store: Store) -> None:
    first = _import(store, [*_days(1, 2), Row(DAY, amount="lots")])
    assert _counts(importing.retry(store, first.id)) == (0, 2, 1)
    assert len(_records(store)) == 2


def test_an_option_that_no_format_has_changes_nothing(store: Store) -> None:
    first = importing.import_bytes(store, hours([1], typed=False), "m.xml")
    before = _tables(store)
    with pytest.raises(UserError, match="'colour' is not an option"):
        importing.retry(store, first.id, {"colour": "red"})
    assert _tables(store) == before


def test_an_import_that_is_not_there_cannot_be_retried(store: Store) -> None:
    with pytest.raises(UserError, match="there is no import 7"):
        importing.retry(store, 7)


def test_a_person_s_name_for_a_source_stands_over_the_file_s(store: Store) -> None:
    report = importing.import_bytes(store, ofx(_days(1)), "s.ofx", source="joint account")
    assert report.source == "joint account"
    with store.read() as connection:
        assert [name for name, _, _ in sources.every(connection)] == ["joint account"]


# ---- files that cannot be imported ----


def test_a_dry_run_says_what_would_be_and_stores_nothing(store: Store) -> None:
    _import(store, _days(1))
    before = _tables(store)
    report = importing.import_bytes(store, ofx(_days(1, 2), "1"), "s.ofx", dry_run=True)
    assert _counts(report) == (1, 1, 0)
    assert _tables(store) == before


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04rest", "unpack it"),
        (b"\x1f\x8brest", "unpack it"),
        (b"II*\x00 a scan", "Ask the supplier"),
        (b"\0" * 70_000, "Ask the supplier"),
    ],
)
def test_a_file_that_no_importer_reads_says_the_next_step(store: Store, data: bytes, said: str) -> None:
    before = _tables(store)
    with pytest.raises(UserError, match=said) as raised:
        importing.import_bytes(store, data, "photo.bin")
    assert "photo.bin" in raised.value.problems[0]
    assert _tables(store) == before


def test_a_gigabyte_of_no_known_format_is_refused_by_its_beginning(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.bin"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(1 << 30)
    monkeypatch.setattr(InFile, "whole", lambda self: pytest.fail("all of it was read"))
    with pytest.raises(UserError, match="no format that this box knows"):
        importing.import_file(store, path)
    with path.open("r+b") as file:
        file.truncate(importing.IMPORT_BYTES + 1)
    with pytest.raises(UserError, match="8 GB is more than one import takes"):
        importing.import_file(store, path)


def test_a_file_that_is_not_there_or_a_folder_is_said(store: Store, tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.ofx", tmp_path):
        with pytest.raises(UserError, match=path.name):
            importing.import_file(store, path)


def test_a_file_s_name_may_be_no_text(store: Store, tmp_path: Path) -> None:
    path = tmp_path / b"caf\xe9.ofx".decode("utf-8", "surrogateescape")
    path.write_bytes(ofx(_days(1)))
    assert importing.import_file(store, path).file == f"{tmp_path}/caf\\xe9.ofx"


def test_every_truncation_of_a_statement_counts_what_it_read(store: Store) -> None:
    data = ofx(_days(1, 2, 3))
    for end in range(data.index(b"<OFX>") + 60, len(data), 29):
        _counts(importing.import_bytes(store, data[:end], f"{end}.ofx"))
    assert {each.title for each in _records(store)} <= {"Shop 1", "Shop 2", "Shop 3"}


def test_a_file_that_was_refused_can_be_kept_with_the_reason(store: Store) -> None:
    report = importing.keep_refused(store, InMemory("bill.pdf", b"%PDF-1.7"), "no format that this box knows")
    assert (report.error, report.read) == ("no format that this box knows", 0)
    with store.read() as connection:
        assert originals.read(connection, store.key, report.original) == b"%PDF-1.7"


def test_an_importer_s_bug_leaves_nothing_half_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes, options: importer.Options) -> Iterator[object]:
        yield from list(original(data, options))[:2]
        raise ZeroDivisionError

    original = importer.extract
    before = _tables(store)
    monkeypatch.setattr(importer, "extract", broken)
    with pytest.raises(ZeroDivisionError):
        _import(store, _days(1, 2, 3))
    assert _tables(store) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    with disks.mounted(tmp_path / "disk", 4 << 20) as folder:
        yield folder


def test_a_full_disk_stops_an_import_whole_and_the_store_goes_on(small_disk: Path) -> None:
    with open_store(Config(small_disk / "box"), make=True) as store:
        _import(store, _days(1))
        before = _tables(store)
        disks.leave_free(small_disk, 512 << 10)
        many = [Row(DAY, f"-{number}.00", f"Shop {number}") for number in range(20_000)]
        with pytest.raises(UserError, match="the disk is full"):
            _import(store, many)
        assert _tables(store) == before
        disks.make_room(small_disk)
        assert _counts(_import(store, _days(2))) == (1, 0, 0)
    with open_store(Config(small_disk / "box")) as store:
        assert len(_records(store)) == 2


# ---- what a review of the code found ----


def test_a_date_beyond_every_page_is_rejected_and_the_rest_is_stored(store: Store) -> None:
    report = _import(store, [Row(DAY), Row(date(9999, 12, 31)), Row(date(1066, 10, 14))])
    assert _counts(report) == (1, 0, 2)
    assert all("not one of 1900 to 2199" in reject.reason and reject.line > 1 for reject in report.rejects)


def test_a_reading_beyond_every_page_is_rejected_and_the_series_goes_on(store: Store) -> None:
    far = hours([100, 200]).replace(b"<start>1772326800", b"<start>253402200000")
    assert _counts(importing.import_bytes(store, far, "m.xml")) == (1, 0, 1)
    assert rollups.refresh(store) == 1
    assert rollups.refresh(store) == 0


def _standing(store: Store) -> list[int]:
    with store.read() as connection:
        [series] = series_store.every(connection)
        return [value // 1000 for value in series_store.read(connection, series).values.tolist()]


def test_a_value_that_its_supplier_takes_back_stands_again(store: Store) -> None:
    for said, value in enumerate((5, 6, 5)):
        data = hours([value]).replace(b"<feed", b"<!-- %d --><feed" % said)
        assert _counts(importing.import_bytes(store, data, "m.xml")) == (1, 0, 0)
    assert _standing(store) == [5]


def test_the_same_value_with_a_better_quality_is_kept_with_it(store: Store) -> None:
    for code in (b"8", b"17"):
        quality = b"<ReadingQuality><quality>" + code + b"</quality></ReadingQuality><value>"
        importing.import_bytes(store, hours([5]).replace(b"<value>", quality), "m.xml")
    with store.read() as connection:
        [series] = series_store.every(connection)
        columns, qualities = series_store.read_with_quality(connection, series)
    assert (len(columns), qualities) == (1, ["validated"])


def test_a_retry_into_a_series_of_another_unit_hides_no_reject(store: Store) -> None:
    first = importing.import_bytes(store, hours([1, 2, 3], typed=False), "m.xml", source="meter")
    with store.write() as connection:
        series_store.found_or_made(connection, Source("meter"), "electricity.import", "m3", 0, HOUR_S)
    importing.retry(store, first.id, {"unit": "kWh", "quantity": "electricity.import"})
    with store.read() as connection:
        after = imports.needed(connection, first.id)
    assert [reject.resolved_by for reject in after.rejects] == [None] * 3


def test_a_retry_that_reads_nothing_leaves_what_was_stated(store: Store) -> None:
    first = importing.import_bytes(store, hours([1, 2], typed=False), "m.xml")
    assert _counts(importing.retry(store, first.id, {"unit": "m3", "quantity": "gas"})) == (2, 0, 0)
    assert _counts(importing.retry(store, first.id, {"unit": "ft3", "quantity": "gas"})) == (0, 0, 2)
    assert _counts(importing.import_bytes(store, hours([1, 2], typed=False), "m.xml")) == (0, 2, 0)


def test_every_import_of_a_file_learns_that_its_rows_were_read(store: Store) -> None:
    data = hours([1, 2, 3], typed=False)
    waiting = [importing.import_bytes(store, data, "m.xml").id for _ in range(2)]
    done = importing.retry(store, waiting[1], {"unit": "kWh", "quantity": "electricity.import"})
    with store.read() as connection:
        resolved = [reject.resolved_by for each in waiting for reject in imports.needed(connection, each).rejects]
    assert resolved == [done.id] * 6
