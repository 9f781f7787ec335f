"""Looking for damage: a whole store has none, and every damaged one is told from it."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, update

from appliance import archiving
from appliance.checking import problems
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.store import archives
from appliance.store.database import Store, open_store, store_file
from appliance.store.models import Chunk, Original, OriginalPart
from tests.green_button import hours
from tests.statements import Row, ofx


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with payments, readings and their originals."""
    importing.import_bytes(store, ofx([Row(date(2026, 3, 1), name="x" * 500)] * 50), "a.ofx")
    importing.import_bytes(store, hours(range(1000)), "m.xml")
    return store


def test_a_whole_store_has_no_problem(filled: Store) -> None:
    assert list(problems(filled)) == []


def test_a_changed_original_is_named(filled: Store) -> None:
    with filled.write() as connection:
        sealed, sha256 = connection.execute(select(OriginalPart.sealed, OriginalPart.sha256).limit(1)).one()
        changed = update(OriginalPart).where(OriginalPart.sha256 == sha256)
        connection.execute(changed.values(sealed=sealed[:-1] + bytes([sealed[-1] ^ 1])))
    [said] = problems(filled)
    assert sha256 in said
    assert "restore it from a backup" in said


def test_an_original_of_another_length_is_named(filled: Store) -> None:
    with filled.write() as connection:
        connection.execute(update(Original).values(size=Original.size - 1))
    assert len(list(problems(filled))) == 2


def test_readings_that_cannot_be_unpacked_are_named(filled: Store) -> None:
    with filled.write() as connection:
        connection.execute(update(Chunk).values(figures=b"no numbers"))
    [said] = problems(filled)
    assert "electricity.import" in said


@pytest.fixture
def archived(filled: Store, config: Config) -> Path:
    """The folder of a store with two archives."""
    folder = config.stores / "home"
    importing.import_bytes(filled, ofx([Row(date(2019, 3, 1)), Row(date(2020, 3, 1))], "2"), "old.ofx")
    for year in (2020, 2021):
        archiving.make(filled, folder, "money.transaction", date(year, 1, 1))
    assert list(problems(filled, folder)) == []
    return folder


def test_an_archive_that_is_missing_cut_or_altered_is_named(filled: Store, archived: Path) -> None:
    path = archives.path_of(archived, 2)
    content = path.read_bytes()
    for damaged in (None, content[:-1], content[:-9] + b"altered!!", content + b"\0"):
        path.unlink(missing_ok=True)
        if damaged:
            path.write_bytes(damaged)
        [said] = problems(filled, archived)
        assert str(path) in said
        assert "back from a backup" in said


def test_an_archive_as_it_was_before_a_deletion_is_told_from_the_one_since(filled: Store, archived: Path) -> None:
    path = archives.path_of(archived, 2)
    archives.write(archived, 2, filled.key, list(archives.read(archived, 2, filled.key)))
    [said] = problems(filled, archived)
    assert said.startswith(f"{path}: archive 2 is another one")


def test_a_flipped_byte_anywhere_in_the_file_is_found(tmp_path: Path) -> None:
    config = Config(tmp_path)
    with open_store(config, make=True) as store:
        importing.import_bytes(store, ofx([Row(date(2026, 3, 1), name="x" * 500)] * 50), "a.ofx")
    path = store_file(config, "home")
    whole = path.read_bytes()
    for place in range(100, len(whole), 4096):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert _said(config), f"page {place // 4096}"
    path.write_bytes(whole)
    assert _said(config) == []


def _said(config: Config) -> list[str]:
    """What a person is told, in whichever way."""
    try:
        with open_store(config) as store:
            return list(problems(store))
    except UserError as error:
        return list(error.problems)
