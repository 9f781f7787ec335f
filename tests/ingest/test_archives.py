"""ZIP archives: each file in one is an import of its own, and what cannot be read is said."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from appliance import content
from appliance.content import InMemory
from appliance.ingest import archives, importing
from appliance.store import originals
from appliance.store.database import Store
from tests.green_button import hours
from tests.statements import Row, ofx

DAY = date(2026, 3, 1)
MARCH = ofx([Row(DAY, "-1.00", "Mill"), Row(DAY, "-2.00", "Elm")])


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_each_file_of_an_archive_is_imported_and_leads_back_to_its_bytes(store: Store) -> None:
    data = packed({"2026/march.ofx": MARCH, "use.xml": hours([1, 2, 3]), "__MACOSX/._use.xml": b"x", "empty/": b""})
    done = importing.import_every(store, InMemory("bank.zip", data))
    assert not done.problems
    assert [each.file for each in done.reports] == ["bank.zip/2026/march.ofx", "bank.zip/use.xml"]
    assert [each.stored for each in done.reports] == [2, 3]
    with store.read() as connection:
        assert originals.read(connection, store.key, done.reports[0].original) == MARCH
    again = importing.import_every(store, InMemory("bank.zip", data))
    assert [each.stored for each in again.reports] == [0, 0]
    assert importing.import_bytes(store, MARCH, "march.ofx").duplicate == 2


def test_files_of_no_known_format_are_named_together(store: Store) -> None:
    data = packed({"march.ofx": MARCH} | {f"photo{number}.jpg": b"\xff\xd8" for number in range(7)})
    done = importing.import_every(store, InMemory("all.zip", data))
    assert [each.stored for each in done.reports] == [2]
    problem = str(done.problems[0])
    assert "7 files" in problem
    assert "photo0.jpg" in problem
    assert "2 more" in problem


def test_an_archive_in_an_archive_is_opened_once_and_not_for_ever(store: Store) -> None:
    inner = packed({"march.ofx": MARCH})
    done = importing.import_every(store, InMemory("a.zip", packed({"b.zip": inner})))
    assert [each.file for each in done.reports] == ["a.zip/b.zip/march.ofx"]
    deep = importing.import_every(store, InMemory("a.zip", packed({"b.zip": packed({"c.zip": inner})})))
    assert not deep.reports
    assert "c.zip" in str(deep.problems[0])


def test_a_name_that_leads_elsewhere_is_only_a_name(store: Store, tmp_path: Path) -> None:
    done = importing.import_every(store, InMemory("a.zip", packed({"../../etc/march\n.ofx": MARCH})))
    assert done.reports[0].file == "a.zip/../../etc/march\N{REPLACEMENT CHARACTER}.ofx"
    assert not list(tmp_path.glob("**/*.ofx"))


def test_a_bomb_is_refused_before_it_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed({"statement.ofx": MARCH.replace(b"<MEMO>", b"<MEMO>" + b" " * 3_000_000)})
    monkeypatch.setattr(archives, "WHOLE_BYTES", 1 << 20)
    monkeypatch.setattr(content, "WHOLE_BYTES", 1 << 20)
    done = importing.import_every(store, InMemory("a.zip", bomb))
    assert not done.reports
    assert "packed too small" in str(done.problems[0])


@pytest.mark.parametrize("cut", [30, 200, -30])
def test_a_damaged_archive_is_said_and_leaves_nothing_half(store: Store, cut: int) -> None:
    data = packed({"march.ofx": MARCH})
    done = importing.import_every(store, InMemory("a.zip", data[:cut]))
    assert not done.reports
    assert "damaged" in str(done.problems[0])


def test_a_file_whose_checksum_is_wrong_is_said_and_the_others_are_read(store: Store) -> None:
    data = bytearray(packed({"a.ofx": MARCH, "use.xml": hours([1])}, zipfile.ZIP_STORED))
    data[data.index(b"Mill")] ^= 1
    done = importing.import_every(store, InMemory("a.zip", bytes(data)))
    assert [each.file for each in done.reports] == ["a.zip/use.xml"]
    assert "a.ofx" in str(done.problems[0])


def test_one_with_a_password_is_told_what_to_do(store: Store) -> None:
    data = bytearray(packed({"a.ofx": MARCH}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    done = importing.import_every(store, InMemory("a.zip", bytes(data)))
    assert "locked with a password" in str(done.problems[0])


def test_an_empty_archive_is_said(store: Store) -> None:
    assert "no file" in str(importing.import_every(store, InMemory("a.zip", packed({}))).problems[0])
