"""Export: the whole store as files that need no Inglenook, and prove themselves."""

import csv
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest

from appliance.errors import UserError
from appliance.exporting import export
from appliance.ingest import importing
from appliance.store.database import Store
from tests.green_button import hours
from tests.statements import Row, ofx

STATEMENT = ofx([Row(date(2026, 3, 1), "-12.50", "Müller")])


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a payment, two readings and a file that nobody could read."""
    importing.import_bytes(store, STATEMENT, "march.ofx")
    importing.import_bytes(store, hours([500, 1500]), "m.xml", source="a/../b: meter")
    importing.keep_refused(store, b"%PDF-1.7", "bill.pdf", "no format")
    return store


def test_everything_is_there_and_every_file_proves_itself(filled: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "march"
    manifest = export(filled, folder)
    assert (manifest["records"], manifest["readings"], manifest["originals"], manifest["imports"]) == (1, 2, 3, 3)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {*manifest["files"], "manifest.json"}
    assert json.loads((folder / "manifest.json").read_text()) == manifest
    for name, said in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (said["bytes"], said["sha256"])


def test_a_record_leads_back_to_its_bytes(filled: Store, tmp_path: Path) -> None:
    export(filled, tmp_path / "out")
    [row] = [json.loads(line) for line in (tmp_path / "out/records/money.transaction.jsonl").read_text().splitlines()]
    assert (row["title"], row["amount"], row["at"]) == ("Müller", "-12.50", "2026-03-01")
    first, length = row["span"]
    content = (tmp_path / "out/originals" / row["original"]).read_bytes()
    assert content == STATEMENT
    assert content[first : first + length].startswith(b"<STMTTRN>")


def test_readings_are_exact_and_their_folder_cannot_lead_outside(filled: Store, tmp_path: Path) -> None:
    export(filled, tmp_path / "out")
    [path] = (tmp_path / "out/readings").rglob("*.csv")
    assert path.parent.parent == tmp_path / "out/readings"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["at"], row["seconds"], row["value"], row["unit"]) for row in rows] == [
        ("2026-03-01T00:00:00Z", "3600", "0.500", "kWh"),
        ("2026-03-01T01:00:00Z", "3600", "1.500", "kWh"),
    ]


def test_a_name_too_long_for_a_file_is_cut_and_stays_its_own(store: Store, tmp_path: Path) -> None:
    for number in range(2):
        importing.import_bytes(store, hours([number]), "m.xml", source=f"{'ü' * 300}{number}")
    export(store, tmp_path / "out")
    assert len(list((tmp_path / "out/readings").iterdir())) == 2


def test_an_empty_store_is_exported_too(store: Store, tmp_path: Path) -> None:
    manifest = export(store, tmp_path / "out")
    files = {"README.txt", "imports.jsonl", "sightings.jsonl", "sources.jsonl"}
    assert (manifest["records"], set(manifest["files"])) == (0, files)


def test_a_folder_that_holds_something_is_left_as_it_is(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is not empty"):
        export(filled, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


def test_a_folder_that_cannot_be_made_is_said(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="name another folder"):
        export(filled, tmp_path / "file" / "out")
