"""The scheduler's process, and the inbox that it looks into."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Config, load
from appliance.content import Content
from appliance.exporting import export
from appliance.ingest import frames, importing, inbox, spool, taking
from appliance.ingest.frames import Origin
from appliance.ingest.inbox import Inbox
from appliance.ingest.sealing import seal, seal_leftovers
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading
from appliance.store import imports, timeline
from appliance.store import series as series_store
from appliance.store.database import open_store, store_file
from appliance.store.imports import Report
from appliance.store.keys import KeyRing
from services import setup
from tests.p1_cable import COUNTER, until
from tests.services.processes import service
from tests.statements import Row, ofx

SCHEDULER = "services.scheduler"
ADA = "ada"


@pytest.fixture
def box(tmp_path: Path) -> Config:
    """A box with the household's store, and a person's."""
    data = tmp_path / "box"
    setup.make(data)
    (data / "inglenook.toml").write_text("[collector]\nseal_seconds = 0.2\n", encoding="utf-8")
    config = load(data)
    open_store(config, ADA, make=True).close()
    (config.inbox / ADA).mkdir()
    return config


@pytest.fixture
def spooling(box: Config) -> Iterator[Spool]:
    """What a collector beside the scheduler writes to."""
    with closing(Spool(box.spool, KeyRing(box.data).public("home"))) as spooling:
        yield spooling


def _append(spooling: Spool, seconds: range) -> None:
    """A reading a second: at second N the counter shows N kWh."""
    for second in seconds:
        reading = MeterReading(COUNTER, second * 1000, Decimal(second), "kWh", stated=True)
        spooling.append(frames.to_bytes(Origin("house", "serial", "dsmr", "boot"), Frame("E1", (reading,))))
    spooling.flush()


def _sealed(box: Config) -> list[int]:
    """The counter's values in the store."""
    with open_store(box) as home, home.read() as connection:
        found = series_store.every(connection, COUNTER)
        values = [series_store.read_all(connection, each, 0, 1 << 62).values for each in found]
    return sorted(int(value) // 10**6 for each in values for value in each)


def _imports(box: Config, store: str = "home") -> list[Report]:
    """What a store has imported, oldest first."""
    with open_store(box, store) as opened, opened.read() as connection:
        return imports.recent(connection, 100)[::-1]


def _titles(box: Config, store: str = "home") -> list[str]:
    with open_store(box, store) as opened, opened.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, timeline.Query()))


def _statement(*names: str) -> bytes:
    return ofx([Row(date(2026, 1, 2), name=name) for name in names])


def test_seals_what_the_collector_brings_and_starts_again_where_it_was(box: Config, spooling: Spool) -> None:
    _append(spooling, range(1, 50))
    with service(SCHEDULER, box.data) as scheduler:
        until(lambda: len(_sealed(box)) == 49, "the first are sealed")
        _append(spooling, range(50, 100))
        until(lambda: len(_sealed(box)) == 99, "the second are sealed")
        assert scheduler.stopped() == 0
    _append(spooling, range(100, 150))
    with service(SCHEDULER, box.data) as scheduler:
        until(lambda: len(_sealed(box)) == 149, "the third are sealed")
        assert spool.segments(box.spool), "a segment that is being written stays"
        spooling.close()
        until(lambda: not spool.segments(box.spool), "a finished segment is deleted")
        assert scheduler.stopped() == 0
    assert _sealed(box) == list(range(1, 150))


def test_seals_what_a_killed_collect_command_left(box: Config) -> None:
    left = Spool(box.spool / "collect-1", KeyRing(box.data).public("home"))
    _append(left, range(1, 10))
    left.close()
    with service(SCHEDULER, box.data) as scheduler:
        until(lambda: not left.folder.exists(), "the folder is removed")
        assert scheduler.stopped() == 0
    assert _sealed(box) == list(range(1, 10))


def test_a_collect_command_that_has_heard_nothing_yet_keeps_its_way(box: Config) -> None:
    begun = Spool(box.spool / "collect-1", KeyRing(box.data).public("home"))
    with open_store(box) as home:
        seal_leftovers(home, box.spool)
        _append(begun, range(1, 10))
        begun.close()
        assert seal(home, begun.folder).stored == 9


def test_a_segment_without_a_header_is_its_writers(box: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the making of its file and its header, a segment looks like one that a power cut left unborn."""
    begin = spool._Segment._preallocate

    def sealed_meanwhile(segment: Any, header: bytes) -> None:
        with open_store(box) as home:
            seal(home, box.spool)
        begin(segment, header)

    monkeypatch.setattr(spool._Segment, "_preallocate", sealed_meanwhile)
    with closing(Spool(box.spool, KeyRing(box.data).public("home"))) as spooling:
        _append(spooling, range(1, 10))
    with open_store(box) as home:
        assert seal(home, box.spool).stored == 9


def test_a_segment_that_was_left_without_a_header_is_discarded(box: Config) -> None:
    box.spool.mkdir()
    (box.spool / "0000000001.spool").touch()
    (box.spool / "0000000002.spool").write_bytes(bytes(spool.SEGMENT_BYTES))
    (box.spool / "0000000003.spool").write_bytes(b"something else".ljust(100))
    with open_store(box) as home:
        seal(home, box.spool)
    assert [path.stem for path in spool.segments(box.spool)] == ["0000000003"]


def test_imports_what_lands_in_the_inbox_of_each_store(box: Config, tmp_path: Path) -> None:
    mine, hers = box.inbox / "home", box.inbox / ADA / "bank"
    hers.mkdir()
    secret = tmp_path / "secret.ofx"
    secret.write_bytes(_statement("Secret"))
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "other.ofx").write_bytes(_statement("Secret"))
    (mine / "link.ofx").symlink_to(secret)
    (mine / "linked").symlink_to(folder)
    (mine / "huge.ofx").touch()
    os.truncate(mine / "huge.ofx", importing.IMPORT_BYTES + 1)
    (mine / "coming.ofx.part").write_bytes(_statement("Unfinished"))
    (mine / "holiday.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (mine / "statement.ofx").write_bytes(_statement("Baker", "Butcher"))
    (hers / "statement.ofx").write_bytes(_statement("Candles"))
    with service(SCHEDULER, box.data) as scheduler:
        scheduler.says("inbox of home: import", times=2)
        scheduler.says("inbox of ada: import")
        scheduler.says("huge.ofx stays in the inbox: ")
        assert scheduler.stopped() == 0
    assert sum("huge.ofx" in line and "split it" in line for line in scheduler.lines) == 1
    assert _titles(box) == ["Baker", "Butcher"]
    assert _titles(box, ADA) == ["Candles"]
    refused = next(each for each in _imports(box) if each.file == "holiday.jpg")
    assert "no format that this box knows" in refused.error
    assert refused.original
    assert {path.name for path in mine.iterdir()} == {"link.ofx", "linked", "huge.ofx", "coming.ofx.part"}
    assert list(hers.iterdir()) == []
    assert secret.exists()
    assert (folder / "other.ofx").exists()


def _size(path: Path) -> int:
    """Its bytes; 0 where it is not there, and a store's log comes and goes with each job."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_sigterm_in_the_midst_of_an_import(box: Config) -> None:
    rows = [
        Row(date(2020, 1, 1) + timedelta(number % 1000), f"{number}.00", f"Payee {number}") for number in range(5000)
    ]
    path = box.inbox / "home" / "large.ofx"
    path.write_bytes(ofx(rows))
    wal = store_file(box, "home").with_name("store.db-wal")
    with service(SCHEDULER, box.data) as scheduler:
        until(lambda: _size(wal) > 0, "the import is written")
        assert scheduler.stopped() == 0
    assert len(_titles(box)) in (0, len(rows))
    with service(SCHEDULER, box.data) as scheduler:
        until(lambda: not path.exists(), "the file is taken")
        assert scheduler.stopped() == 0
    assert len(set(_titles(box))) == len(_titles(box)) == len(rows)


def test_a_file_that_grows_is_left_until_it_is_whole(box: Config) -> None:
    path, looking = box.inbox / "home" / "statement.ofx", Inbox(box)
    content = _statement("Baker", "Butcher")
    for end in (100, 300, len(content)):
        path.write_bytes(content[:end])
        looking.look(partial(taking.take, box))
        assert path.exists()
        assert _titles(box) == []
    looking.look(partial(taking.take, box))
    assert not path.exists()
    assert _titles(box) == ["Baker", "Butcher"]


def test_an_upload_that_pauses_is_not_taken_half(box: Config) -> None:
    path, looking = box.inbox / "home" / "statement.ofx", Inbox(box)
    content = _statement("Baker", "Butcher")
    with path.open("wb", buffering=0) as upload:
        upload.write(content[:300])
        for _ in range(3):
            looking.look(partial(taking.take, box))
        assert path.exists()
        assert _titles(box) == []
        upload.write(content[300:])
    looking.look(partial(taking.take, box))
    looking.look(partial(taking.take, box))
    assert not path.exists()
    assert _titles(box) == ["Baker", "Butcher"]


def test_a_file_that_is_written_while_it_is_imported_is_taken_again(
    box: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, looking, really = box.inbox / "home" / "statement.ofx", Inbox(box), importing.import_content
    path.write_bytes(_statement("Baker"))

    def written_meanwhile(*args: Any, **said: Any) -> Report:
        path.write_bytes(_statement("Baker", "Butcher"))
        return really(*args, **said)

    with monkeypatch.context() as patched:
        patched.setattr(importing, "import_content", written_meanwhile)
        looking.look(partial(taking.take, box))
        looking.look(partial(taking.take, box))
    assert path.exists()
    looking.look(partial(taking.take, box))
    looking.look(partial(taking.take, box))
    assert not path.exists()
    assert _titles(box) == ["Baker", "Butcher"]


@pytest.mark.parametrize("linked", ["statement.ofx", "bank/statement.ofx"])
def test_a_link_that_is_put_in_the_way_is_not_followed(
    box: Config, tmp_path: Path, linked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a file, or a folder, when the inbox was listed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "statement.ofx").write_bytes(_statement("Secret"))
    path = box.inbox / "home" / linked
    if path.parent.name == "bank":
        path.parent.symlink_to(elsewhere)
    else:
        path.symlink_to(elsewhere / "statement.ofx")
    monkeypatch.setattr(inbox, "_files", lambda folder, _: [path] if folder.name == "home" else [])
    looking = Inbox(box)
    looking.look(partial(taking.take, box))
    looking.look(partial(taking.take, box))
    assert _titles(box) == []
    assert (elsewhere / "statement.ofx").exists()


def test_nothing_of_an_export_is_taken_and_it_is_said_once(
    box: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, looking = box.inbox / "home" / "papers" / "export", Inbox(box)
    folder.parent.mkdir()
    with open_store(box, ADA) as store:
        importing.import_bytes(store, _statement("Secret"), "s.ofx")
        export(store, box.stores / ADA, folder)
    (folder / "README.txt").unlink()
    (folder.parent / "statement.ofx").write_bytes(_statement("Baker"))
    for _ in range(4):
        looking.look(partial(taking.take, box))
    assert _titles(box) == ["Baker"]
    assert [each.message.partition(": ")[0] for each in caplog.records] == [f"{folder} stays in the inbox"]
    assert len(list(folder.rglob("*.jsonl"))) > 1


def test_one_bad_file_stops_no_other(box: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    really, tried = importing.import_content, []

    def import_content(store: Any, content: Content, **said: Any) -> Report:
        tried.append(content.name)
        if content.name == "a.ofx":
            raise ZeroDivisionError("a bug of an importer")
        return really(store, content, **said)

    monkeypatch.setattr(importing, "import_content", import_content)
    for name in ("a.ofx", "b.ofx"):
        (box.inbox / "home" / name).write_bytes(_statement(name))
    looking = Inbox(box)
    for _ in range(4):
        looking.look(partial(taking.take, box))
    assert tried == ["a.ofx", "b.ofx"]
    assert _titles(box) == ["b.ofx"]


def test_one_store_that_does_not_open_stops_no_other(box: Config) -> None:
    keys = KeyRing(box.data).store_file(ADA)
    keys.write_text(json.dumps({"version": 1}))
    for name in (ADA, "home"):
        (box.inbox / name / "statement.ofx").write_bytes(_statement("Baker"))
    looking = Inbox(box)
    looking.look(partial(taking.take, box))
    looking.look(partial(taking.take, box))
    assert _titles(box) == ["Baker"]
    assert (box.inbox / ADA / "statement.ofx").exists()
