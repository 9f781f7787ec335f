"""Export: the whole store as files that need no Inglenook, and prove themselves."""

import csv
import hashlib
import json
from datetime import date
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import archiving
from appliance.archiving import summaries
from appliance.config import Config
from appliance.content import InMemory
from appliance.energy import decimal
from appliance.errors import UserError
from appliance.exporting import ARCHIVES, ORIGINALS, READ_ME, RECORDS, export, rows
from appliance.exporting.names import Names
from appliance.exporting.readings import exact
from appliance.ingest import importing, stating, undoing
from appliance.records import Source
from appliance.store import archives
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.keys import KeyRing
from appliance.store.series import Columns, Lineage
from tests.exports import content, exported, returned
from tests.green_button import hours
from tests.statements import Row, ofx

STATEMENT = ofx([Row(date(2026, 3, 1), "-12.50", "Müller")])


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a payment, two readings and a file that nobody could read."""
    importing.import_bytes(store, STATEMENT, "march.ofx")
    importing.import_bytes(store, hours([500, 1500]), "m.xml", source="a/../b: meter")
    importing.keep_refused(store, InMemory("bill.pdf", b"%PDF-1.7"), "no format")
    return store


def _export(store: Store, folder: Path) -> dict[str, Any]:
    return export(store, folder.parent / "no archives", folder)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_everything_is_there_and_every_file_proves_itself(filled: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "march"
    manifest = _export(filled, folder)
    counted = ("records", "versions", "readings", "originals", "imports")
    assert [manifest[name] for name in counted] == [1, 1, 2, 3, 3]
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*manifest["files"], "manifest.json"}
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    for name, said in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (said["bytes"], said["sha256"])


def test_a_record_leads_back_to_its_bytes(filled: Store, tmp_path: Path) -> None:
    _export(filled, tmp_path / "out")
    [row] = _lines(tmp_path / "out/records/money.transaction.jsonl")
    assert (row["title"], row["amount"], row["at"], row["zone"]) == ("Müller", "-12.50", "2026-03-01", "date")
    first, length = row["span"]
    data = (tmp_path / "out/originals" / row["original"]).read_bytes()
    assert data == STATEMENT
    assert data[first : first + length].startswith(b"<STMTTRN>")


def test_every_version_is_there_with_who_when_and_why(filled: Store, tmp_path: Path) -> None:
    stating.correct(filled, 1, {"title": "Mueller", "amount": "-12.500001"}, "Ann", "misread")
    stating.withdraw(filled, 1, "Ann", "not mine")
    _export(filled, tmp_path / "out")
    old, new = _lines(tmp_path / "out/records/money.transaction.jsonl")
    corrected, withdrawn = _lines(tmp_path / "out/changes.jsonl")
    assert [(each["who"], each["action"], each["why"]) for each in (corrected, withdrawn)] == [
        ("Ann", "correct", "misread"),
        ("Ann", "withdraw", "not mine"),
    ]
    assert (old["fact"], new["fact"], old["title"], new["title"]) == (1, 1, "Müller", "Mueller")
    assert (old["ended_by"], new["begun_by"], new["ended_by"]) == (corrected["id"], corrected["id"], withdrawn["id"])
    assert (old["until"], new["until"]) == (corrected["at"], withdrawn["at"])


def test_readings_are_exact_and_their_folder_cannot_lead_outside(filled: Store, tmp_path: Path) -> None:
    _export(filled, tmp_path / "out")
    [path] = (tmp_path / "out/readings").rglob("*.csv")
    assert path.parent.parent == tmp_path / "out/readings"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["at"], row["seconds"], row["value"], row["unit"]) for row in rows] == [
        ("2026-03-01T00:00:00Z", "3600", "0.500", "kWh"),
        ("2026-03-01T01:00:00Z", "3600", "1.500", "kWh"),
    ]
    [lineage] = _lines(tmp_path / "out/lineages.jsonl")
    assert {row["lineage"] for row in rows} == {str(lineage["lineage"])}
    assert lineage["import"] == 2


def test_what_was_replaced_or_taken_back_lies_beside_what_stands(store: Store, tmp_path: Path) -> None:
    importing.import_bytes(store, hours([500, 1500]), "m.xml", source="meter")
    importing.import_bytes(store, hours([501]), "later.xml", source="meter")
    wrong = importing.import_bytes(store, hours([900], 5), "wrong.xml", source="meter")
    undoing.undo(store, wrong.id, "Ann")
    assert _export(store, tmp_path / "out")["readings"] == 2
    [series] = _lines(tmp_path / "out/series.jsonl")
    assert _values(tmp_path / "out" / series["file"]) == ["0.501", "1.500"]
    assert _values(tmp_path / "out" / series["earlier"]) == ["0.500", "0.900"]


def _values(path: Path) -> list[str]:
    return [row["value"] for row in csv.DictReader(path.read_text().splitlines())]


@given(value=st.integers(-(1 << 63), (1 << 63) - 1), exponent=st.integers(-9, 3))
def test_a_value_is_written_as_it_is_shown(value: int, exponent: int) -> None:
    assert Decimal(exact(value, exponent)) == Decimal(value).scaleb(exponent, Context(prec=40))
    assert exact(value, exponent) == format(decimal(value, exponent), "f")


def test_a_word_that_a_spreadsheet_would_run_is_text_in_it(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        lineage = Lineage(meter="dsmr", quality="=HYPERLINK()")
        series = series_store.found_or_made(connection, Source("house"), "gas", "m3", -3, 0)
        one = np.array([1], np.int64)
        series_store.append(connection, series, Columns(one, one - 1, one), lineage)
    _export(store, tmp_path / "out")
    assert ",'=HYPERLINK()," in (tmp_path / "out/readings/house/gas.csv").read_text()
    assert _lines(tmp_path / "out/lineages.jsonl")[0]["quality"] == "=HYPERLINK()"


def test_the_same_store_is_exported_to_the_same_bytes(config: Config, filled: Store, tmp_path: Path) -> None:
    twice = [content(exported(config, filled, tmp_path / name)) for name in ("1", "2")]
    assert twice[0] == twice[1]


def test_a_key_is_nowhere_in_it(config: Config, filled: Store, tmp_path: Path) -> None:
    files = content(exported(config, filled, tmp_path / "out"))
    ring = KeyRing(config.data)
    for secret in (ring.box_key(), filled.key.secret):
        assert not any(
            secret in data or secret.hex().encode() in data for data in files.values() if isinstance(data, bytes)
        )


def test_a_name_too_long_for_a_file_is_cut_and_stays_its_own(store: Store, tmp_path: Path) -> None:
    for number in range(2):
        importing.import_bytes(store, hours([number]), "m.xml", source=f"{'ü' * 300}{number}")
    _export(store, tmp_path / "out")
    assert len(list((tmp_path / "out/readings").iterdir())) == 2


def test_names_that_a_file_system_takes_for_one_are_told_apart() -> None:
    names = Names()
    given = [names.give("readings", source, "gas", ending=".csv") for source in ("Home", "home", "..", "a/b", "a%2Fb")]
    assert given[:2] == ["readings/Home/gas.csv", "readings/home/gas (2).csv"]
    assert len({name.casefold() for name in given}) == 5
    assert not any(".." in name.split("/") or name.count("/") != 2 for name in given)


def test_an_empty_store_is_exported_too(store: Store, tmp_path: Path) -> None:
    manifest = _export(store, tmp_path / "out")
    assert (manifest["records"], set(manifest["files"])) == (0, {"README.txt"})


def test_a_folder_that_holds_something_is_left_as_it_is(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is not empty"):
        _export(filled, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_made_is_said(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="name another folder"):
        _export(filled, tmp_path / "file" / "out")


def test_the_readme_names_every_file(tmp_path: Path) -> None:
    every = (*rows.BEFORE_FACTS, rows.ARCHIVES, *rows.OF_ARCHIVES, *rows.AFTER_FACTS, rows.SERIES)
    named = [each.file for each in every] + [f"{each}/" for each in (RECORDS, ORIGINALS, ARCHIVES, "readings")]
    assert [each for each in named if each not in READ_ME] == []
    assert max(map(len, READ_ME.splitlines())) <= 120


# ---- archives ----


@pytest.fixture
def archived(filled: Store, config: Config) -> Path:
    """The folder of a store with two archives, of which the first was cut off."""
    folder = config.stores / "home"
    importing.import_bytes(filled, ofx([Row(date(2019, 3, 1)), Row(date(2020, 3, 1))], "2"), "old.ofx")
    for year in (2020, 2021):
        archiving.make(filled, folder, "money.transaction", date(year, 1, 1))
    path = archives.path_of(folder, 1)
    path.write_bytes(path.read_bytes()[:-5])
    return folder


def test_an_export_that_fails_leaves_nothing_in_clear_and_names_the_archive(
    filled: Store, archived: Path, tmp_path: Path
) -> None:
    for folder, made in ((tmp_path / "new", True), (tmp_path / "there", False)):
        if not made:
            folder.mkdir()
        with pytest.raises(UserError, match=r"1\.archive.*\n.*--without-archive 1$"):
            export(filled, archived, folder)
        assert folder.exists() is not made
        assert made or list(folder.iterdir()) == []


def test_all_but_a_damaged_archive_is_exported_and_comes_back(
    config: Config, filled: Store, archived: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no archive 7"):
        export(filled, archived, tmp_path / "out", [7])
    manifest = export(filled, archived, tmp_path / "out", [1])
    assert (manifest["without_archives"], manifest["archives"], manifest["archived_facts"]) == ([1], 1, 1)
    with returned(tmp_path / "out", Config(tmp_path / "elsewhere")) as there, there.read() as connection:
        assert [each.archive for each in archiving.every(connection)] == [2]
        assert [each.archive for each in summaries.every(connection)] == [2]
