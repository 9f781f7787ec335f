"""Files that come while a store is locked: sealed at once, imported once, at the next unlock."""

import logging
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Config
from appliance.content import Content
from appliance.errors import UserError
from appliance.ingest import importing, taking
from appliance.ingest.inbox import READ_IN_PART, Inbox
from appliance.store import imports, passphrases, timeline, waiting
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.timeline import Query
from appliance.store.waiting import Waiting
from tests import disks
from tests.ingest.test_archives import packed
from tests.statements import Row, ofx

PASSPHRASE = "five words that fit badly"
MARCH, APRIL = (ofx([Row(date(2026, month, 1), f"-{month}.00", f"Bakery {month}")]) for month in (3, 4))


@pytest.fixture
def ada(config: Config, store: Store, monkeypatch: pytest.MonkeyPatch) -> KeyRing:
    """The keys of a box on which Ada's store is locked."""
    monkeypatch.setattr(passphrases, "COST", {"passes": 1, "memory_kib": 8, "lanes": 1})
    open_store(config, "ada", make=True).close()
    ring = KeyRing(config.data)
    ring.prove_kit("ada", ring.make_kit("ada"))
    ring.lock("ada", ring.open("ada"), PASSPHRASE)
    return ring


def _drop(config: Config, name: str, content: bytes) -> Path:
    path = config.inbox / "ada" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    inbox = Inbox(config)
    for _ in range(2):
        inbox.look(partial(taking.take, config))
    return path


def _titles(store: Store) -> list[str]:
    with store.read() as connection:
        return sorted(each.title or each.party for each in timeline.matching(connection, Query()))


def test_what_comes_meanwhile_waits_unreadable_and_is_imported_at_the_next_unlock(config: Config, ada: KeyRing) -> None:
    paths = [_drop(config, name, data) for name, data in (("march.ofx", MARCH), ("april.ofx", APRIL))]
    assert not any(path.exists() for path in paths)
    files = waiting.files(ada.folder("ada"))
    assert len(files) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    kept = b"".join(path.read_bytes() for path in ada.data.rglob("*") if path.is_file())
    assert b"Bakery" not in kept
    assert b"march.ofx" not in kept
    with open_store(config, "ada", passphrase=PASSPHRASE) as store:
        reports = taking.take_waiting(config, store)
        assert [(each.file, each.stored) for each in reports] == [("march.ofx", 1), ("april.ofx", 1)]
        assert _titles(store) == ["Bakery 3", "Bakery 4"]
        assert taking.take_waiting(config, store) == []
    assert not waiting.files(ada.folder("ada"))


def test_an_unlock_that_is_cut_off_imports_nothing_twice(
    config: Config, ada: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    _drop(config, "march.ofx", MARCH)
    inner = importing.import_content

    def cut(store: Store, content: Content, **said: Any) -> None:
        inner(store, content, **said)
        raise KeyboardInterrupt

    with open_store(config, "ada", passphrase=PASSPHRASE) as store:
        with monkeypatch.context() as patched:
            patched.setattr(importing, "import_content", cut)
            with pytest.raises(KeyboardInterrupt):
                taking.take_waiting(config, store)
        assert len(waiting.files(ada.folder("ada"))) == 1
        assert [each.stored for each in taking.take_waiting(config, store)] == [0]
        assert _titles(store) == ["Bakery 3"]


def test_one_of_two_that_unlock_at_once_takes_a_file(config: Config, ada: KeyRing) -> None:
    _drop(config, "march.ofx", MARCH)
    path = waiting.files(ada.folder("ada"))[0]
    keys = ada.open("ada", PASSPHRASE).privates
    with waiting.taken(path, keys) as first, waiting.taken(path, keys) as second:
        assert first == Waiting("march.ofx", MARCH)
        assert second is None
    with waiting.taken(path, keys) as third:
        assert third is None


def test_what_cannot_be_imported_stays_and_the_others_are_taken(
    config: Config, ada: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    waiting.put(ada.folder("ada"), KeyRing(config.data).public("home"), Waiting("other.ofx", MARCH))
    strange = waiting.folder_of(ada.folder("ada")) / "1.sealed"
    strange.write_bytes(b"no sealed file")
    _drop(config, "april.ofx", APRIL)
    _drop(config, "photo.jpg", b"no format that this box knows")
    with open_store(config, "ada", passphrase=PASSPHRASE) as store, caplog.at_level(logging.WARNING):
        assert [each.stored for each in taking.take_waiting(config, store)] == [1, 0]
        assert _titles(store) == ["Bakery 4"]
    assert caplog.text.count("waits on") == 2
    assert len(waiting.files(ada.folder("ada"))) == 2


def test_a_store_that_is_unattended_again_takes_what_waited_with_the_next_file(config: Config, ada: KeyRing) -> None:
    _drop(config, "march.ofx", MARCH)
    ada.unlock("ada", ada.open("ada", PASSPHRASE))
    _drop(config, "april.ofx", APRIL)
    with open_store(config, "ada") as store:
        assert _titles(store) == ["Bakery 3", "Bakery 4"]


def test_a_full_disk_leaves_the_file_in_the_inbox(
    config: Config, ada: KeyRing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(folder: Path, public_key: bytes, file: Waiting) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(waiting, "put", full)
    with caplog.at_level(logging.WARNING):
        assert _drop(config, "march.ofx", MARCH).exists()
    assert "No space left" in caplog.text


def test_a_file_that_is_larger_than_one_import_stays_in_the_inbox_of_a_locked_store_too(
    config: Config, ada: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    path = config.inbox / "ada" / "huge.ofx"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(importing.IMPORT_BYTES + 1)
    taking.take(config, "ada", [path])
    assert path.exists()
    assert "more than one import takes" in caplog.text


def test_a_sealed_file_that_somebody_changed_is_not_believed(config: Config, ada: KeyRing) -> None:
    _drop(config, "march.ofx", MARCH)
    path = waiting.files(ada.folder("ada"))[0]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with (
        pytest.raises(ValueError, match="changed by somebody"),
        waiting.taken(path, ada.open("ada", PASSPHRASE).privates),
    ):
        raise UserError("it was opened")
    assert path.exists()


def test_an_archive_is_taken_and_set_aside_where_some_of_its_files_are_in_no_known_format(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    folder = config.inbox / "home"
    folder.mkdir(parents=True)
    (folder / "all.zip").write_bytes(packed({"march.ofx": MARCH}))
    taking.take(config, "home", [folder / "all.zip"])
    assert not any(folder.iterdir())
    for _ in range(2):
        (folder / "some.zip").write_bytes(packed({"april.ofx": APRIL, "photo.jpg": b"\xff\xd8"}))
        taking.take(config, "home", [folder / "some.zip"])
    assert sorted(path.name for path in (folder / READ_IN_PART).iterdir()) == ["some 2.zip", "some.zip"]
    looking, looked = Inbox(config), list[Path]()
    for _ in range(2):
        looking.look(lambda _, paths: looked.extend(paths))
    assert not looked
    with store.read() as connection:
        found = [(each.file, each.stored, each.error[:40]) for each in imports.recent(connection)]
    assert ("all.zip/march.ofx", 1, "") in found
    assert ("some.zip/april.ofx", 1, "") in found
    assert found[0][0] == "some.zip"
    assert "photo.jpg" in caplog.text
    assert [each[1] for each in found if each[0] == "some.zip/april.ofx"] == [0, 1]


def test_what_comes_for_a_store_waits_in_the_inbox_while_the_disk_is_nearly_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with disks.mounted(tmp_path / "disk", 32 << 20) as disk:
        config = Config(data=disk / "box")
        open_store(config, "ada", make=True).close()
        disks.leave_free(disk, 1 << 20)
        path = _drop(config, "march.ofx", MARCH)
        assert path.exists()
        assert "march.ofx stays in the inbox: the disk is nearly full" in caplog.text
        disks.make_room(disk)
        taking.take(config, "ada", [path])
        with open_store(config, "ada") as store:
            assert _titles(store) == ["Bakery 3"]
        assert not path.exists()
