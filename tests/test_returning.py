"""Return: an export in an empty store is an equal store, and one that was altered is none."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, insert

from appliance import archiving, energy
from appliance.cli import main
from appliance.config import Config
from appliance.content import InMemory
from appliance.derive import rollups
from appliance.errors import UserError
from appliance.exporting import MANIFEST, rows
from appliance.ingest import importing, stating, undoing
from appliance.kinds import declared as kinds_declared
from appliance.records import Source
from appliance.returning import give_back
from appliance.store import declared, feeds, links, mailers, models, notices, originals, records, timeline, versions
from appliance.store import series as series_store
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.links import PERSON, Said
from appliance.store.models import Table
from appliance.store.series import Columns, Lineage
from appliance.store.timeline import Query
from tests.blank import drop_stores
from tests.corpus import FOLDER as CORPUS
from tests.corpus import corpus_file
from tests.exports import content, exported, resigned, returned
from tests.green_button import hours
from tests.statements import Row, ofx

PLANT = '[kinds."hobby.plant"]\ntitle = "Plant"\n'
# What is derived from the rest, and what is of the box or of those who sign in, is not carried.
DERIVED = {"attributes", "event_facts", "register_steps", "rollups", "rules", "stale"}
OF_THE_BOX = {"people", "sessions", "invitations", "spool_marks", "fetches"}


@pytest.fixture
def others(config: Config, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[list[Config]]:
    """Two boxes elsewhere: the first with the other database, the second with this one."""
    url = request.getfixturevalue("postgresql_url")
    yield [Config(tmp_path / "first", database_url=None if config.database_url else url), Config(tmp_path / "second")]
    if not config.database_url:
        drop_stores(url)


def _facts(store: Store) -> list[int]:
    with store.read() as connection:
        return [each.id for each in timeline.matching(connection, Query())]


def _fill(store: Store) -> None:
    """Everything that a store can hold, as its owner brings it about."""
    rows = [Row(date(2019, 3, day), f"-{day}.50", f"Müller {day}", memo="=1+1", fitid=f"F{day}") for day in range(1, 9)]
    importing.import_bytes(store, ofx(rows), "march.ofx", source="Bank/../x")
    importing.import_bytes(store, ofx(rows[4:], said="again"), "april.ofx", source="bank/../x")
    importing.import_bytes(store, hours([500, 1500, 700]), "m.xml", source="meter")
    importing.import_bytes(store, hours([501, 1500], 0).replace(b"><Feed", b">\n<Feed"), "later.xml", source="meter")
    undone = importing.import_bytes(store, hours([900] * 5, 40), "wrong.xml", source="meter")
    importing.keep_refused(store, InMemory("bill.pdf", b"%PDF-1.7"), "no format")
    undoing.undo(store, undone.id, "Ann", "the neighbour's")
    facts = _facts(store)
    stating.correct(store, facts[0], {"title": "Baker", "amount": "-7.000001"}, "Ann", "misread")
    stating.withdraw(store, facts[1], "Ann", "not mine")
    stating.annotate(store, facts[2], "for the\nparty", "Ann")
    importing.import_bytes(store, ofx([Row(date(2026, 1, 1), "much")], "3"), "bad.ofx")
    plan, other = (stating.add(store, "me.plan", {"title": title}, "Ann").id for title in ("Moving", "A house"))
    [plant] = kinds_declared(PLANT, "plants.toml")
    with store.write() as connection:
        declared.keep(connection, plant)
        links.say(connection, Said(plan, other, True, PERSON, "one plan", "Ann", versions.now_us(connection)))
        _fill_tables(connection, store, plan)
    stating.add(store, "hobby.plant", {"title": "Fern"}, "Ann")


def _fill_tables(connection: Connection, store: Store, fact: int) -> None:
    """What later parts of Inglenook fill, and what the collector brings."""
    lineage = Lineage(link="serial", meter="dsmr", device="E1", boot="b1")
    made = series_store.found_or_made(connection, Source("house"), "gas", "m3", -3, 0)
    at_ms, none = np.array([-1_000, 1_551_398_400_123, 1_551_398_500_000]), np.zeros(3, np.int64)
    series_store.append(connection, made, Columns(at_ms, none, np.array([1, 2, 3])), lineage)
    gap = {"source_id": 1, "first_ms": -5, "last_ms": 1_551_398_400_123, "why": "link", "times": 2}
    connection.execute(insert(models.Gap).values(gap))
    connection.execute(insert(models.Thinning).values(series_id=made.id, months=24, seconds=900, done_ms=5))
    csv = originals.keep(connection, store.key, b"code,region\n1,north\n")
    connection.execute(insert(models.Policy).values(kind="phone.call", action="keep", months=1))
    sets = {"name": "regions", "title": "Regions", "sha256": csv, "declaration": {"key": "code"}, "at_us": 5}
    connection.execute(insert(models.ReferenceSet).values(sets))
    for key in ("b", "B", "ä"):
        row = {"name": "regions", "key": key, "from_day": -(1 << 62), "row": {"code": key}}
        connection.execute(insert(models.ReferenceRow).values(row))
    claim = {"fact": fact, "at_us": 5, "verifier": "notary", "method": "signed", "claim": {"a": [1, None]}}
    connection.execute(insert(models.Verification).values(claim))
    done = {"at_us": 5, "who": "Ann", "report": {"facts": 1}, "highest_record": 5_000}
    connection.execute(insert(models.Deletion).values(done))
    connection.execute(insert(models.Forgotten).values(digest=b"\x00\xff" * 16, facts=2))
    connection.execute(insert(models.Setting).values(name="currency", value="EUR"))
    feed = {"path": "/media", "pattern": "*"}, {"token": "secret"}
    feeds.add(connection, store.key, "stick", "folder", *feed, rhythm_s=900, next_us=5)
    notices.add(connection, "energy.switch", "house", 5, "You would save", "On Night.", {"saving": "200"})
    mailers.state(connection, store.key, {"host": "smtp.example.org", "user": "ann"}, {"password": "secret"}, 5)


def test_the_store_that_comes_back_is_equal_on_either_database(
    config: Config, store: Store, others: list[Config], tmp_path: Path
) -> None:
    _fill(store)
    archiving.make(store, KeyRing(config.data).folder(store.name), "money.transaction", date(2019, 4, 1))
    first = content(exported(config, store, tmp_path / "1"))
    with returned(tmp_path / "1", others[0], "elsewhere") as there:
        second = content(exported(others[0], there, tmp_path / "2"))
    with returned(tmp_path / "2", others[1]) as back:
        third = content(exported(others[1], back, tmp_path / "3"))
    assert first == second == third
    assert b"stick" in first["feeds.jsonl"]
    assert not [name for name, data in first.items() if name != MANIFEST and b"secret" in data], (
        "no secret leaves the store"
    )
    empty = {each for each in (*_carried(), "records/hobby.plant.jsonl", "archives/1.jsonl") if each not in first}
    assert empty == {"marts.jsonl"}, "this test fills all that a store can hold"


def _carried() -> list[str]:
    tables = (*rows.BEFORE_FACTS, rows.ARCHIVES, *rows.OF_ARCHIVES, *rows.AFTER_FACTS, rows.SERIES, *rows.AFTER_SERIES)
    return [each.file for each in tables]


def test_every_table_is_carried_or_derived_or_of_the_box() -> None:
    otherwise = {"records", "chunks", "original_parts"}
    searching = {name for name in Table.metadata.tables if name.startswith("search_")}
    tables = set(Table.metadata.tables) - searching - {name.removesuffix(".jsonl") for name in _carried()} - otherwise
    assert tables - DERIVED - OF_THE_BOX == set()


def test_the_store_that_comes_back_is_used_as_before(
    config: Config, store: Store, others: list[Config], tmp_path: Path
) -> None:
    _fill(store)
    before, history = _shown(store)
    with returned(exported(config, store, tmp_path / "out"), others[0], "elsewhere") as there:
        assert _shown(there) == (before, history)
        again = importing.import_bytes(there, ofx([Row(date(2019, 3, 1), "-2.50", "Elm", fitid="F1")]), "1.ofx")
        assert (again.stored, again.id) == (1, 8)
        plan = stating.add(there, "me.plan", {"title": "Later"}, "Ann")
        assert plan.version > 5_000, "no number is given twice, though its fact was deleted"
        [wrong] = _undone(there)
        undoing.redo(there, wrong, "Ann")
        rollups.refresh(there)


def _shown(store: Store) -> tuple[list[object], list[object]]:
    rollups.refresh(store)
    totals = [
        (part.role, energy.stepped(store, [part], 0, 1_800_000_000_000, ZoneInfo("UTC"), "day").totals.tolist())
        for part in _series(store)
    ]
    with store.read() as connection:
        history: list[object] = [versions.history(connection, fact) for fact in range(1, 13)]
        seen = [records.sightings(connection, fact) for fact in range(1, 13)]
        return [*totals, *seen, *timeline.matching(connection, Query())], history


def _series(store: Store) -> list[series_store.SeriesId]:
    with store.read() as connection:
        return series_store.every(connection)


def _undone(store: Store) -> list[int]:
    with store.read() as connection:
        found = connection.execute(models.ImportRow.__table__.select().where(models.ImportRow.undone_us.is_not(None)))
        return [each.id for each in found]


def test_the_corpus_makes_the_round_trip(config: Config, store: Store, others: list[Config], tmp_path: Path) -> None:
    corpus_file("README.md")
    reports = []
    for path in sorted(each for each in CORPUS.rglob("*") if each.is_file()):
        try:
            reports.append(importing.import_file(store, path))
        except UserError as error:
            importing.keep_refused(store, InMemory(path.name, path.read_bytes()[: 1 << 20]), str(error))
    facts = _facts(store)
    assert len(facts) > 100
    for number, fact in enumerate(facts[:60]):
        if number % 3 == 0:
            stating.correct(store, fact, {"memo": f"corrected {number}"}, "Ann", "a better word")
        elif number % 3 == 1:
            stating.withdraw(store, fact, "Ann", "not mine")
        else:
            stating.annotate(store, fact, "remember", "Ann")
    stored = [each.id for each in reports if each.stored]
    undoing.undo(store, stored[0], "Ann", "not ours")
    undoing.undo(store, stored[-1], "Ann")
    undoing.redo(store, stored[-1], "Ann")
    with store.write() as connection:
        declared.keep(connection, kinds_declared(PLANT, "plants.toml")[0])
        connection.execute(insert(models.Policy).values(kind="money.transaction", action="summarise", months=24))
    first = content(exported(config, store, tmp_path / "1"))
    with returned(tmp_path / "1", others[0], "elsewhere") as there:
        assert content(exported(others[0], there, tmp_path / "2")) == first
    with returned(tmp_path / "2", others[1]) as back:
        assert content(exported(others[1], back, tmp_path / "3")) == first


# ---- by the command ----


def _run(data: Path, *said: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["--data", str(data), "--json", *said])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def box(tmp_path: Path) -> tuple[Path, Path]:
    """A box's folder, and an export of it: two payments, hourly readings and their originals."""
    data, folder = tmp_path / "here", tmp_path / "export"
    (tmp_path / "s.ofx").write_bytes(ofx([Row(date(2026, 3, 1)), Row(date(2026, 3, 2), "-4.00", "Butcher")]))
    (tmp_path / "m.xml").write_bytes(hours([1, 2, 3]))
    assert _run(data, "import", str(tmp_path / "s.ofx"), str(tmp_path / "m.xml"))[0] == 0
    assert _run(data, "correct", "1", "title=Bakery")[0] == 0
    assert _run(data, "export", str(folder))[0] == 0
    return data, folder


def test_the_command_brings_an_export_into_a_new_folder(box: tuple[Path, Path], tmp_path: Path) -> None:
    data, folder = box
    code, said, _ = _run(tmp_path / "there", "import", str(folder))
    assert code == 0
    assert json.loads(said)["records"] == 2
    assert _run(tmp_path / "there", "records") == _run(data, "records")
    assert _run(tmp_path / "there", "readings", "electricity.import", "--every", "day", "--zone", "UTC") == _run(
        data, "readings", "electricity.import", "--every", "day", "--zone", "UTC"
    )
    assert _run(tmp_path / "there", "export", str(tmp_path / "again"))[0] == 0
    assert content(tmp_path / "again") == content(folder)


def test_a_store_that_holds_something_takes_no_export(box: tuple[Path, Path]) -> None:
    data, folder = box
    code, _, said = _run(data, "import", str(folder))
    assert (code, "name a new folder" in said) == (2, True)


def _change(name: str, before: bytes, after: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = next(folder.glob(name))
        data = path.read_bytes()
        assert before in data
        path.write_bytes(data.replace(before, after, 1))

    return change


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: next(folder.glob(name)).unlink()


def _add(name: str) -> Callable[[Path], None]:
    def add(folder: Path) -> None:
        (folder / name).write_text("hello")

    return add


def _write(name: str, text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(text)

    return write


def _remove_both(folder: Path) -> None:
    for name in (MANIFEST, "README.txt"):
        (folder / name).unlink()


def _link(folder: Path) -> None:
    (folder / "sources.jsonl").rename(folder.parent / "moved")
    (folder / "sources.jsonl").symlink_to(folder.parent / "moved")


def _lead_out(folder: Path) -> None:
    said = json.loads((folder / MANIFEST).read_text())
    said["files"]["originals/../../here/keys/box.key"] = {"bytes": 65, "sha256": "0" * 64}
    (folder / MANIFEST).write_text(json.dumps(said))


ALTERED = {
    "one altered file": (
        _change("records/*", b"Butcher", b"Butchex"),
        "records/money.transaction.jsonl: it was altered",
    ),
    "a cut file": (_change("imports.jsonl", b"}\n", b"}"), "imports.jsonl: it was altered"),
    "an altered original": (_change("originals/*", b"2", b"3"), ": it was altered"),
    "a missing file": (_remove("readings/*/*.csv"), ".csv: it is missing"),
    "an additional file": (_add("records/extra.jsonl"), "records/extra.jsonl: it is no part of this export"),
    "a link": (_link, "sources.jsonl: it is a link"),
    "a name that leads out": (_lead_out, "which is no file of an export"),
    "a manifest that is none": (_change(MANIFEST, b"{", b"["), "this is not the manifest"),
    "a manifest in which nothing is": (_write(MANIFEST, ""), "manifest.json: this is not the manifest"),
    "a manifest without a word": (_write(MANIFEST, "{}"), "manifest.json: this is not the manifest"),
    "no manifest": (_remove(MANIFEST), "manifest.json: it is missing"),
    "no README": (_remove("README.txt"), "README.txt: it is missing"),
    "an empty README": (_write("README.txt", ""), "README.txt: it was altered"),
    "neither README nor manifest": (_remove_both, "manifest.json: it is missing"),
    "a later format": (_change(MANIFEST, b"inglenook 2", b"inglenook 9"), "a newer Inglenook wrote this export"),
    "an earlier format": (_change(MANIFEST, b"inglenook 2", b"inglenook 1"), "import these: inglenook import"),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_export_is_refused_by_name_and_nothing_of_it_comes(
    box: tuple[Path, Path], tmp_path: Path, how: str
) -> None:
    alter, message = ALTERED[how]
    alter(box[1])
    code, _, said = _run(tmp_path / "there", "import", str(box[1]))
    assert code == 2
    assert message in said
    assert "Traceback" not in said
    assert _run(tmp_path / "there", "imports")[1] == _run(tmp_path / "there", "records")[1] == ""


@pytest.mark.parametrize("name", ["", "README.txt", MANIFEST])
def test_no_file_of_an_export_is_imported_with_the_folder_that_holds_it(
    box: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "papers" / "old" / "export"
    folder.parent.mkdir(parents=True)
    box[1].rename(folder)
    (tmp_path / "papers" / "s.ofx").write_bytes(ofx([Row(date(2026, 3, 1))]))
    if name:
        (folder / name).unlink()
    code, _, said = _run(tmp_path / "there", "import", str(tmp_path / "papers"))
    assert (code, f"{folder}: this is an export; import it alone" in said) == (2, True)
    assert _run(tmp_path / "there", "imports")[1] == ""


FORGED = {
    "no JSON": (_change("records/*", b'{"id"', b"{id"), "money.transaction.jsonl: line 1: "),
    "no object": (_change("changes.jsonl", b"{", b"[{"), "changes.jsonl: line 1: "),
    "no number": (_change("imports.jsonl", b'"read": 2', b'"read": "2"'), 'imports.jsonl: line 1: "read" is'),
    "a number too large": (_change("imports.jsonl", b'"read": 2', b'"read": 99999999999999999999'), '"read" is 999'),
    "not a number": (_change("imports.jsonl", b'"read": 2', b'"read": NaN'), "NaN is not a number"),
    "a time that is none": (_change("imports.jsonl", b'"at": "2', b'"at": "x'), "imports.jsonl: line 1: "),
    "no key": (_change("sources.jsonl", b'"title"', b'"tilte"'), 'sources.jsonl: line 1: it has no "title"'),
    "half a character": (_change("records/*", b'"Butcher"', b'"\\ud800"'), "money.transaction.jsonl: line "),
    "too deep": (_change("sources.jsonl", b"{}", b"[" * 100_000), "it nests too deep"),
    "an unknown source": (_change("records/*", b'"source": "', b'"source": "x'), "is not in sources.jsonl"),
    "one number twice": (_change("imports.jsonl", b'"id": 2', b'"id": 1'), "imports.jsonl: its rows do not fit"),
    "no such import": (_change("records/*", b'"import": 1', b'"import": 77'), "its rows do not fit"),
    "a value finer than its series": (_change("readings/*/*.csv", b",0.001,", b",0.0000000001,"), "line 2: "),
    "a reading of no lineage": (
        _change("lineages.jsonl", b'"lineage": 1', b'"lineage": 8'),
        "is not in lineages.jsonl",
    ),
    "another original": (_change("originals/*", b"2", b"3"), "it is not the original of that name"),
    "a series' file elsewhere": (_change("series.jsonl", b"readings/", b"../here/"), "which is not there"),
}


@pytest.mark.parametrize("how", FORGED)
def test_an_export_that_was_forged_is_refused_with_the_place(box: tuple[Path, Path], tmp_path: Path, how: str) -> None:
    alter, message = FORGED[how]
    alter(box[1])
    resigned(box[1])
    code, _, said = _run(tmp_path / "there", "import", str(box[1]))
    assert code == 2, said
    assert message in said
    assert _run(tmp_path / "there", "imports")[1] == _run(tmp_path / "there", "records")[1] == ""


def test_a_refused_export_leaves_a_store_that_takes_another_copy(
    config: Config, store: Store, others: list[Config], tmp_path: Path
) -> None:
    _fill(store)
    folder = exported(config, store, tmp_path / "1")
    good = (folder / "lineages.jsonl").read_bytes()
    (folder / "lineages.jsonl").write_bytes(good[:-20])
    with open_store(others[0], "elsewhere", make=True) as there:
        for again in range(2):
            resigned(folder)
            with pytest.raises(UserError, match=r"lineages\.jsonl: line"):
                give_back(there, KeyRing(others[0].data).folder("elsewhere"), folder)
            assert _facts(there) == [], again
        (folder / "lineages.jsonl").write_bytes(good)
        resigned(folder)
        give_back(there, KeyRing(others[0].data).folder("elsewhere"), folder)
        assert _facts(there) == _facts(store)
