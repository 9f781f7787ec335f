"""Deleting for good: nothing of it is anywhere, what others need stays, and no file brings a deleted fact back."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select

from appliance import archiving, checking, deleting, marts
from appliance.archiving import summaries
from appliance.config import Config
from appliance.deleting import traces as traces_module
from appliance.derive import events, rollups, tally
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.marts.selection import Selection
from appliance.store import archives, originals, records, sources, timeline
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import (
    Attribute,
    Change,
    Deletion,
    ImportRow,
    Link,
    RecordRow,
    Reject,
    Rollup,
    Series,
    Table,
)
from appliance.store.timeline import Query
from tests.green_button import hours
from tests.statements import Row, ofx

KIND = "money.transaction"
SECRET = "Weatherstone Clinic"
DAY = date(2026, 3, 1)
ROWS = [Row(DAY + timedelta(number), f"-{number}.50", f"Shop {number}", fitid=f"F{number}") for number in range(6)]
WITH_SECRET = [*ROWS[:3], Row(DAY, "-99.99", SECRET, memo="a private matter", fitid="S"), *ROWS[3:]]


@pytest.fixture
def folder(config: Config) -> Path:
    """The store's folder."""
    return config.stores / "home"


@pytest.fixture
def filled(store: Store) -> Store:
    """Two overlapping statements with a fact that is corrected, noted, tagged, linked and seen twice."""
    importing.import_bytes(store, ofx(WITH_SECRET), "march.ofx")
    importing.import_bytes(store, ofx(WITH_SECRET[2:], said="again"), "again.ofx")
    secret, other = number_of(store, SECRET), number_of(store, "Shop 1")
    stating.correct(store, secret, {"memo": "the Medlar treatment"}, "Ann", "Weatherstone wrote it wrong")
    stating.annotate(store, secret, "ask Dr Weatherstone", "Ann")
    with store.write() as connection:
        link = {"joined": True, "rule": "person", "reason": "Weatherstone too", "who": "Ann", "at_us": 1}
        connection.execute(insert(Link).values(one=min(secret, other), other=max(secret, other), **link))
        attribute = {"name": "tag", "value": "Medlar", "rule": "tags", "record_id": secret, "inputs": {"a": "private"}}
        connection.execute(insert(Attribute).values(fact=secret, **attribute))
    return store


SECRETS = ("Weatherstone", "weatherstone", "Medlar", "medlar", "private matter", "99.99", "99990000")


def number_of(store: Store, title: str) -> int:
    with store.read() as connection:
        found = select(RecordRow.fact).where(RecordRow.title == title, RecordRow.until_us.is_(None))
        return int(connection.execute(found).scalar_one())


def titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query(kind=KIND)))


def _cells(connection: Connection) -> Iterator[tuple[str, str]]:
    names = list(Table.metadata.tables)
    for name in names:
        columns = "rowid" if name == "search_words" and connection.dialect.name == "sqlite" else "*"
        for row in connection.exec_driver_sql(f"SELECT {columns} FROM {name}"):
            yield from ((name, str(each)) for each in row)


def traces(store: Store) -> set[tuple[str, str]]:
    """Where words of the secret are: in rows and originals, and on SQLite anywhere in the file's pages."""
    with store.read() as connection:
        found = {(word, place) for place, cell in _cells(connection) for word in SECRETS if word in cell}
        for sha256, _ in originals.all_of(connection):
            content = originals.read(connection, store.key, sha256).decode()
            found |= {(word, "original") for word in SECRETS if word in content}
    return found | (_in_pages(store) if store.is_sqlite else set())


def _in_pages(store: Store, *, checkpoint: bool = False) -> set[tuple[str, str]]:
    """In the decrypted pages, free ones included, and in the log: whoever has the key reads these."""
    if checkpoint:
        with store.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # type: ignore[union-attr]
    path = Path(str(store.engine.url.database))
    pages = b"".join(decrypted(path, store.key.derived("database")))
    wal = path.with_name("store.db-wal")
    logged = b"".join(_logged(wal, store.key.derived("database"))) if wal.exists() else b""
    return {(word, "pages") for word in SECRETS if word.encode() in pages + logged}


def decrypted(path: Path, secret: bytes) -> Iterator[bytes]:
    """SQLCipher 4: each page is AES-256-CBC, its IV in its last 80 bytes; the first begins with the salt."""
    content = path.read_bytes()
    for begin in range(0, len(content), 4096):
        yield _page(content[begin + 16 if begin == 0 else begin : begin + 4096], secret)


def _logged(wal: Path, secret: bytes) -> Iterator[bytes]:
    """The pages of a write-ahead log: behind its header of 32 bytes each has one of 24 before it."""
    content = wal.read_bytes()
    for begin in range(32, len(content), 24 + 4096):
        yield _page(content[begin + 24 : begin + 24 + 4096], secret)


def _page(page: bytes, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher(algorithms.AES256(secret), modes.CBC(page[-80:-64])).decryptor().update(page[:-80])


def test_the_decrypted_pages_are_read_rightly(filled: Store) -> None:
    assert {place for _, place in traces_before_checkpoint(filled)} >= {"records", "original"}


def traces_before_checkpoint(store: Store) -> set[tuple[str, str]]:
    if store.is_sqlite:
        assert ("Weatherstone", "pages") in _in_pages(store, checkpoint=True)
    return traces(store)


def test_nothing_of_a_deleted_fact_is_left_anywhere(filled: Store, folder: Path) -> None:
    report = deleting.fact(filled, folder, number_of(filled, SECRET), "Ann", "wrong person")
    assert (report.facts, report.versions, report.originals, report.cleared) == (2, 3, 0, True)
    assert report.bytes > 2 * len(SECRET)
    assert traces(filled) == set()
    assert titles(filled) == sorted(row.name for row in ROWS)
    assert list(checking.problems(filled)) == []


def test_the_old_places_of_what_was_moved_between_pages_are_cleared(store: Store) -> None:
    """SQLite leaves the old place of a row as it is when it parts a page: these rows come in no order, and grow."""
    if not store.is_sqlite:
        assert traces_module.clear(store) == [traces_module.ON_THE_HOST]
        return
    chosen = random.Random(1)
    numbers = chosen.sample(range(3000), 3000)
    with store.write() as connection:
        connection.exec_driver_sql("CREATE TABLE churned (id INTEGER PRIMARY KEY, said TEXT)")
        connection.exec_driver_sql("CREATE INDEX churned_said ON churned (said)")
        for number in numbers:
            said = f"{chosen.random()} {SECRET if number % 2 else 'kept'} "
            row = (number, said + "x" * chosen.randint(0, 300))
            connection.exec_driver_sql("INSERT INTO churned VALUES (?, ?)", row)
            if chosen.random() < 0.2:
                longer = (said + "y" * chosen.randint(0, 900), number)
                connection.exec_driver_sql("UPDATE churned SET said = ? WHERE id = ?", longer)
        for number in numbers:
            if number % 2:
                connection.exec_driver_sql("DELETE FROM churned WHERE id = ?", (number,))
    assert _in_pages(store, checkpoint=True)
    traces_module.clear(store)
    assert not _in_pages(store)


def test_a_deleted_fact_is_not_brought_back_and_an_equal_one_is_its_own(filled: Store, folder: Path) -> None:
    deleting.fact(filled, folder, number_of(filled, SECRET), "Ann")
    for said in ("", "again", "third"):
        report = importing.import_bytes(filled, ofx(WITH_SECRET, said=said), "march.ofx")
        assert (report.stored, report.duplicate) == (0, 7)
    twice = [*WITH_SECRET, Row(DAY, "-99.99", SECRET, memo="a private matter", fitid="T")]
    assert importing.import_bytes(filled, ofx(twice), "twice.ofx").stored == 1
    assert titles(filled).count(SECRET) == 1


def test_the_bytes_of_a_deleted_fact_go_from_a_later_original_too(filled: Store, folder: Path) -> None:
    deleting.fact(filled, folder, number_of(filled, SECRET), "Ann")
    importing.import_bytes(filled, ofx(WITH_SECRET, said="third"), "march.ofx")
    importing.import_bytes(filled, ofx(WITH_SECRET), "march.ofx")
    with filled.read() as connection:
        kept = [originals.read(connection, filled.key, sha256) for sha256, _ in originals.all_of(connection)]
    assert len(kept) == 3
    assert not any(SECRET.encode() in content for content in kept)
    assert list(checking.problems(filled)) == []


def test_an_import_made_again_after_its_deletion_is_whole(filled: Store, folder: Path) -> None:
    deleting.kind(filled, folder, KIND, "Ann")
    report = importing.import_bytes(filled, ofx(WITH_SECRET), "march.ofx")
    assert report.stored == 7
    with filled.read() as connection:
        found = records.one(connection, number_of(filled, SECRET))
        assert found
        said = originals.excerpt(connection, filled.key, found.original, found.first, found.length)
    assert SECRET.encode() in said


def test_numbers_of_deleted_facts_are_not_given_again(filled: Store, folder: Path) -> None:
    with filled.read() as connection:
        highest = records.next_id(connection) - 1
    deleting.kind(filled, folder, "note", "Ann")
    deleting.kind(filled, folder, KIND, "Ann")
    assert stating.add(filled, "note", {"memo": "new"}, "Ann").id == highest + 1


def test_a_deletion_is_written_down_without_content(filled: Store, folder: Path) -> None:
    number = number_of(filled, SECRET)
    deleting.fact(filled, folder, number, "Ann", "wrong person")
    [row] = deleting.every(filled)
    assert (row["who"], row["deleted"], row["why"], row["facts"]) == ("Ann", f"fact {number}", "wrong person", 2)


def test_an_import_goes_and_what_another_met_again_stays_with_it(filled: Store, folder: Path) -> None:
    report = deleting.import_(filled, folder, 1, "Ann")
    assert (report.facts, report.imports, report.originals) == (2, 1, 1)
    assert titles(filled) == sorted(row.name for row in WITH_SECRET[2:])
    with filled.read() as connection:
        for each in timeline.matching(connection, Query(kind=KIND)):
            said = originals.excerpt(connection, filled.key, each.original, each.first, each.length)
            assert (each.import_id, each.title.encode() in said) == (2, True)
        assert connection.execute(select(func.count()).select_from(ImportRow)).scalar_one() == 1
    assert importing.import_bytes(filled, ofx(WITH_SECRET), "march.ofx").stored == 2
    undoing.undo(filled, 2, "Ann")
    assert deleting.import_(filled, folder, 2, "Ann").imports == 1
    assert len(titles(filled)) == 7


def test_nothing_of_a_deleted_import_is_left(store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx(ROWS, account="1"), "others.ofx")
    broken = ofx(WITH_SECRET, account="2").replace(b"-99.99", b"-99.99 private matter")
    report = importing.import_bytes(store, broken, "Weatherstone.ofx")
    undoing.undo(store, report.id, "Ann", "Weatherstone")
    undoing.redo(store, report.id, "Ann", "Medlar")
    done = deleting.import_(store, folder, report.id, "Ann")
    assert done.facts == 6
    assert traces(store) == set()
    assert len(titles(store)) == 6
    with store.read() as connection:
        assert connection.execute(select(Reject.id)).first() is None
        assert connection.execute(select(Change.id)).first() is None


def test_facts_given_to_an_import_that_is_undone_come_back_with_it(filled: Store, folder: Path) -> None:
    undoing.undo(filled, 2, "Ann")
    deleting.import_(filled, folder, 1, "Ann")
    assert titles(filled) == []
    undoing.redo(filled, 2, "Ann")
    assert titles(filled) == sorted(row.name for row in WITH_SECRET[2:])


def test_an_import_of_the_same_file_keeps_what_it_confirmed(filled: Store, folder: Path) -> None:
    importing.import_bytes(filled, ofx(WITH_SECRET), "march again.ofx")
    report = deleting.import_(filled, folder, 1, "Ann")
    assert (report.facts, report.originals) == (0, 0)
    assert len(titles(filled)) == 7
    assert list(checking.problems(filled)) == []
    deleting.import_(filled, folder, 3, "Ann")
    assert titles(filled) == sorted(row.name for row in WITH_SECRET[2:])


def _readings(store: Store) -> tuple[int, int]:
    rollups.refresh(store)
    with store.read() as connection:
        every = series_store.every(connection)
        found = [series_store.read(connection, each) for each in every]
        totals = [rollups.read(connection, each, 0, 1 << 22).totals for each in every]
        return sum(map(len, found)), sum(int(each.sum()) for each in totals)


def test_readings_of_a_deleted_import_go_and_others_have_theirs(store: Store, folder: Path) -> None:
    importing.import_bytes(store, hours([100] * 48), "use.xml")
    alone = _readings(store)
    importing.import_bytes(store, hours([100] * 48, first_hour=24), "more.xml")
    report = deleting.import_(store, folder, 1, "Ann")
    assert (report.readings, report.originals) == (48, 1)
    assert _readings(store) == alone
    report = deleting.import_(store, folder, 2, "Ann")
    with store.read() as connection:
        assert connection.execute(select(Series.id)).first() is None
        assert connection.execute(select(Rollup.month)).first() is None
        assert originals.all_of(connection) == []


def test_a_source_goes_with_its_imports_and_readings(filled: Store, folder: Path) -> None:
    importing.import_bytes(filled, hours([100] * 48), "use.xml", source="meter")
    importing.import_bytes(filled, ofx(ROWS[:2], account="other"), "other.ofx", source="other bank")
    with filled.read() as connection:
        banks = connection.execute(select(ImportRow.source).where(ImportRow.id == 1)).scalar_one()
    assert deleting.source(filled, folder, "meter", "Ann").readings == 48
    report = deleting.source(filled, folder, banks, "Ann")
    assert (report.imports, report.originals) == (2, 2)
    assert titles(filled) == ["Shop 0", "Shop 1"]
    assert traces(filled) == set()
    with pytest.raises(UserError, match="inglenook sources"):
        deleting.source(filled, folder, banks, "Ann")


def test_a_kind_goes_from_archives_too_and_the_rest_of_them_stays(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, date(2027, 1, 1))
    note = stating.add(filled, "note", {"memo": "keep this", "at": "2020-01-01"}, "Ann")
    archiving.make(filled, folder, "note", date(2027, 1, 1))
    deleting.kind(filled, folder, KIND, "Ann")
    assert traces(filled) == set()
    [left] = archives.files(folder)
    number = int(left.stem)
    archiving.attach(filled, folder, number)
    with filled.read() as connection:
        assert [each.id for each in timeline.matching(connection, Query())] == [note.id]


def test_a_fact_goes_from_its_archive_and_its_month(filled: Store, folder: Path) -> None:
    secret = number_of(filled, SECRET)
    archiving.make(filled, folder, KIND, date(2027, 1, 1))
    deleting.fact(filled, folder, secret, "Ann")
    assert traces(filled) == set()
    with filled.read() as connection:
        [month] = summaries.every(connection)
    assert (month.facts, month.month) == (6, "2026-03")
    [path] = archives.files(folder)
    assert SECRET not in str(list(archives.read(folder, int(path.stem), filled.key)))
    archiving.attach(filled, folder, int(path.stem))
    assert titles(filled) == sorted(row.name for row in ROWS)
    assert importing.import_bytes(filled, ofx(WITH_SECRET), "march.ofx").stored == 0


def test_an_import_goes_from_archives(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, date(2027, 1, 1))
    report = deleting.import_(filled, folder, 1, "Ann")
    assert report.facts == 2
    [path] = archives.files(folder)
    archiving.attach(filled, folder, int(path.stem))
    assert titles(filled) == sorted(row.name for row in WITH_SECRET[2:])
    undoing.undo(filled, 2, "Ann")
    assert titles(filled) == []


def test_old_facts_go_from_archives_and_tables_alike(filled: Store, folder: Path) -> None:
    importing.import_bytes(filled, ofx([Row(date(2027, 5, 1), name="Late")]), "late.ofx")
    archiving.make(filled, folder, KIND, date(2026, 4, 1))
    report = deleting.older(filled, folder, KIND, date(2027, 1, 1))
    assert report
    assert report.facts == 8
    assert titles(filled) == ["Late"]
    assert archives.files(folder) == []
    assert deleting.older(filled, folder, KIND, date(2027, 1, 1)) is None


def test_bytes_that_another_fact_was_read_from_stay_and_are_said(filled: Store, folder: Path) -> None:
    secret, other = number_of(filled, SECRET), number_of(filled, "Shop 2")
    with filled.write() as connection:
        span = connection.execute(select(RecordRow.first, RecordRow.length).where(RecordRow.id == secret)).one()
        shared: Any = {"first": span.first, "length": span.length}
        connection.execute(RecordRow.__table__.update().where(RecordRow.id == other).values(shared))  # type: ignore[attr-defined]
    report = deleting.fact(filled, folder, secret, "Ann")
    assert any("read from the same bytes" in said for said in report.left)


@pytest.mark.parametrize("what", ["fact", "import_", "kind"])
def test_what_is_not_there_is_said(store: Store, folder: Path, what: str) -> None:
    with pytest.raises(UserError, match="there is no"):
        getattr(deleting, what)(store, folder, "art.work" if what == "kind" else 99, "Ann")
    assert deleting.every(store) == []


def test_a_damaged_archive_stops_a_deletion_and_changes_nothing(filled: Store, folder: Path) -> None:
    archiving.make(filled, folder, KIND, date(2027, 1, 1))
    path = archives.path_of(folder, 1)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UserError, match="put this file back"):
        deleting.kind(filled, folder, KIND, "Ann")
    with filled.read() as connection:
        assert connection.execute(select(Deletion.id)).first() is None


def test_an_archive_keeps_the_changes_that_its_facts_name(store: Store, folder: Path) -> None:
    old = Row(date(2020, 1, 1), "-1.00", "Old", fitid="O")
    importing.import_bytes(store, ofx([old, *ROWS]), "a.ofx")
    undoing.undo(store, 1, "Ann")
    undoing.redo(store, 1, "Ann")  # one change each, of every fact
    archiving.make(store, folder, KIND, date(2021, 1, 1))
    for row in ROWS:
        deleting.fact(store, folder, number_of(store, row.name), "Ann")
    archiving.attach(store, folder, 1)
    assert titles(store) == ["Old"]


def _cut_off(*_: Any) -> None:
    raise KeyboardInterrupt


def test_a_deletion_that_is_cut_off_leaves_every_archive_as_it_was(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Row(date(year, month, 1), f"-{month}.00", f"{year} {month}") for year in (2020, 2021) for month in (1, 2)]
    importing.import_bytes(store, ofx([*rows, *ROWS]), "a.ofx")
    before = titles(store)
    for year in (2021, 2022):
        archiving.make(store, folder, KIND, date(year, 1, 1))
    with monkeypatch.context() as cut:
        cut.setattr(tally, "forget", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            deleting.older(store, folder, KIND, date(2021, 2, 1))  # all of the first archive, and a part of the second
    for number in (1, 2):
        archiving.attach(store, folder, number)
    assert titles(store) == before


def test_what_was_cut_off_before_free_pages_were_cleared_is_cleared_later(
    filled: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(traces_module, "clear", _cut_off)
        with pytest.raises(KeyboardInterrupt):
            deleting.fact(filled, folder, number_of(filled, SECRET), "Ann")
    assert [each["cleared"] for each in deleting.every(filled)] == [False]
    deleting.clear_again(filled)
    assert [each["cleared"] for each in deleting.every(filled)] == [True]
    assert traces(filled) == set()


def test_tallies_forget_an_account_that_is_deleted(store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx(ROWS, "GB99 SECRET"), "a.ofx")
    events.refresh(store)
    deleting.kind(store, folder, KIND, "Ann")
    with store.read() as connection:
        assert not [cell for place, cell in _cells(connection) if place == "rules" and "GB99" in cell]


def test_a_source_with_a_comma_in_its_name_goes_whole_and_alone(store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx(ROWS[:3]), "a.ofx", source="Smith, Jones Bank")
    importing.import_bytes(store, ofx(ROWS[3:]), "b.ofx", source="Smith")
    deleting.source(store, folder, "Smith", "Ann")
    with store.read() as connection:
        assert connection.execute(select(ImportRow.source)).scalars().all() == ["Smith, Jones Bank"]
    deleting.source(store, folder, "Smith, Jones Bank", "Ann")
    with store.read() as connection:
        assert connection.execute(select(ImportRow.source)).scalars().all() == []


def test_a_redo_brings_back_what_lay_in_an_archive_when_the_other_import_was_deleted(
    store: Store, folder: Path
) -> None:
    first = importing.import_bytes(store, ofx(ROWS), "march.ofx")
    again = importing.import_bytes(store, ofx(ROWS), "march.ofx")
    undoing.undo(store, again.id, "Ann")
    archiving.make(store, folder, KIND, date(2026, 5, 1))
    deleting.import_(store, folder, first.id, "Ann")
    assert titles(store) == []
    undoing.redo(store, again.id, "Ann")
    assert titles(store) == [row.name for row in ROWS]


def test_the_name_of_a_source_goes_with_its_only_import_and_is_counted(store: Store, folder: Path) -> None:
    one = importing.import_bytes(store, hours([7]), "use.xml", source="Ann's, and Bob's")
    importing.import_bytes(store, hours([7], 1), "more.xml", source="kept")
    assert deleting.import_(store, folder, one.id, "Ann").words.startswith("1 reading, 1 source, 1 import")
    with store.read() as connection:
        assert [name for name, *_ in sources.every(connection)] == ["kept"]
    assert "1 source" in deleting.source(store, folder, "kept", "Ann").words


def test_a_source_with_a_comma_confirms_its_own_readings(store: Store, folder: Path) -> None:
    name = "Ann's, and Bob's"
    importing.import_bytes(store, hours([7, 8]), "use.xml", source=name)
    again = importing.import_bytes(store, hours([7]), "again.xml", source=name)
    more = importing.import_bytes(store, hours([7], 9), "more.xml", source=name)
    deleting.import_(store, folder, more.id, "Ann")
    with store.read() as connection:
        assert originals.size(connection, again.original or "") is not None
    deleting.source(store, folder, name, "Ann")
    with store.read() as connection:
        assert originals.all_of(connection) == []


def test_kinds_below_a_name_are_said(store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx(ROWS), "march.ofx")
    with pytest.raises(UserError, match=r"but of money\.transaction; delete each .*: delete kind money\.transaction"):
        deleting.kind(store, folder, "money", "Ann")


def test_a_deletion_says_what_each_mart_still_has(config: Config, store: Store, folder: Path, tmp_path: Path) -> None:
    importing.import_bytes(store, ofx(ROWS), "march.ofx")
    chosen = Selection(kinds=("money",))
    for name in ("now", "as it was", "stick"):
        marts.make(config, store, name, tmp_path / name, chosen, frozen=name == "as it was")
    (tmp_path / "stick").rename(tmp_path / "pulled")
    left = deleting.fact(store, folder, 1, "Ann").left
    assert [each for each in left if "mart" in each] == [
        f"the mart 'as it was' in {tmp_path}/as it was is frozen and keeps its copy; to delete it: inglenook mart "
        "remove 'as it was' --delete",
        f"the mart 'now' in {tmp_path}/now has a copy of its own until it is refreshed, as the box does every hour; at "
        "once: inglenook mart refresh now; to delete it: inglenook mart remove now --delete",
        f"the mart 'stick' is away and keeps its copy: plug in what it lies on at {tmp_path}/stick, and run: inglenook "
        "mart refresh stick; or, to delete it: inglenook mart remove stick --delete",
    ]
