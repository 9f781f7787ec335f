"""Marts: carved off by a selection, used on their own, exactly up to date, without a word of what was not selected."""

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from appliance import archiving, checking, deleting, energy, marts
from appliance.archiving import contents
from appliance.cli import main
from appliance.config import Config
from appliance.derive import events
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.marts import Brought, Refreshed
from appliance.marts.selection import DAY, MONTH, Selection
from appliance.records import Source
from appliance.store import archives, chunks, imports, links, originals, records, timeline, versions
from appliance.store import series as series_store
from appliance.store.database import HOME, Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.links import PERSON, Said
from appliance.store.models import Deletion
from appliance.store.records import Stored
from appliance.store.series import Columns, Lineage
from appliance.store.timeline import Query
from services import job
from tests.green_button import FIRST_S, hours
from tests.statements import Row, ofx
from tests.test_deleting import decrypted

MONEY = Selection(kinds=("money",))
NOTHING = Brought()
PAYMENTS = [
    Row(date(2026, 3, day), f"-{day}.00", f"Shop {day}", memo=f"secret {day}", fitid=f"F{day}") for day in range(1, 6)
]


def _fill(store: Store) -> None:
    importing.import_bytes(store, ofx(PAYMENTS), "march.ofx")
    stating.add(store, "me.plan", {"title": "Moving to the Hague", "at": "2026-05-01"}, "Ann")


def _make(config: Config, store: Store, folder: Path, selection: Selection, *, frozen: bool = False) -> Refreshed:
    return marts.make(config, store, "tax", folder, selection, frozen=frozen)


def _refresh(config: Config, store: Store) -> Brought:
    return marts.refresh(config, store, "tax").facts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stick" / "tax"


def _facts(folder: Path) -> dict[str, Stored]:
    """The facts of a mart, by their numbers in the main store."""
    with open_store(Config(folder)) as own, own.read() as connection:
        return {each.fields["main_fact"]: each for each in timeline.matching(connection, Query())}


def _numbers(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return {each.title: each.id for each in timeline.matching(connection, Query())}


def test_what_is_selected_comes_with_its_number_source_and_provenance(
    config: Config, store: Store, folder: Path
) -> None:
    _fill(store)
    days = Selection(kinds=("money",), first_day=date(2026, 3, 2), last_day=date(2026, 3, 3))
    assert _make(config, store, folder, days).facts == Brought(added=2)
    numbers = _numbers(store)
    facts = _facts(folder)
    assert facts.keys() == {str(numbers["Shop 2"]), str(numbers["Shop 3"])}
    with store.read() as connection:
        before = records.one(connection, numbers["Shop 2"])
    assert before is not None
    found = facts[str(before.id)]
    same = ("kind", "at", "title", "party", "account", "amount", "unit", "memo", "provenance", "supplier_id", "source")
    assert [getattr(found, name) for name in same] == [getattr(before, name) for name in same]
    assert (found.import_id, found.original) == (None, "")


def test_corrections_withdrawals_and_undone_imports_arrive_as_such_and_once(
    config: Config, store: Store, folder: Path
) -> None:
    _fill(store)
    _make(config, store, folder, MONEY)
    assert _refresh(config, store) == NOTHING
    numbers = _numbers(store)
    stating.correct(store, numbers["Shop 1"], {"title": "Baker", "amount": "-1.05"}, "Ann", "misread")
    stating.withdraw(store, numbers["Shop 2"], "Ann", "not mine")
    stating.correct(store, numbers["Shop 3"], {"at": "2025-01-01"}, "Ann")
    more = importing.import_bytes(store, ofx([Row(date(2026, 4, 1), "-9.00", "Ninth", fitid="N")], "7"), "april.ofx")
    assert _refresh(config, store) == Brought(added=1, corrected=2, withdrawn=1)
    assert _refresh(config, store) == NOTHING
    facts = _facts(folder)
    assert str(numbers["Shop 2"]) not in facts
    with open_store(Config(folder)) as own, own.read() as connection:
        was, now = versions.history(connection, facts[str(numbers["Shop 1"])].id)
        assert (was.record.title, now.record.title, now.record.amount) == ("Shop 1", "Baker", Decimal("-1.05"))
        assert now.begun is not None
        assert (now.begun.action, now.begun.why) == ("correct", "from the store 'home'")
    undoing.undo(store, more.id, "Ann")
    assert _refresh(config, store) == Brought(withdrawn=1)
    undoing.redo(store, more.id, "Ann")
    stating.restore(store, numbers["Shop 2"], "Ann")
    assert _refresh(config, store) == Brought(added=2)
    assert _facts(folder)[str(numbers["Shop 2"])].id == facts[str(numbers["Shop 1"])].id + 1, "under its own number"


def test_a_fact_that_leaves_the_selection_goes_and_comes_back_with_it(
    config: Config, store: Store, folder: Path
) -> None:
    _fill(store)
    _make(config, store, folder, Selection(kinds=("money",), first_day=date(2026, 3, 1)))
    fact = _numbers(store)["Shop 1"]
    stating.correct(store, fact, {"at": "2025-01-01"}, "Ann")
    assert _refresh(config, store) == Brought(withdrawn=1)
    stating.correct(store, fact, {"at": "2026-03-09"}, "Ann")
    assert _refresh(config, store) == Brought(added=1)
    assert _facts(folder)[str(fact)].at == "2026-03-09"


def test_a_mart_from_the_first_day_of_the_calendar_to_its_last_has_all(
    config: Config, store: Store, folder: Path
) -> None:
    _fill(store)
    whole = {"first_day": date.min, "last_day": date.max, "zone": "Asia/Tokyo"}
    _make(config, store, folder, Selection(kinds=("money",), **whole))  # type: ignore[arg-type]
    assert {str(_numbers(store)[f"Shop {number}"]) for number in (1, 2, 3)} <= _facts(folder).keys()


def test_a_note_comes_with_the_fact_that_it_is_about(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    fact = _numbers(store)["Shop 1"]
    note = stating.annotate(store, fact, "for the party", "Ann")
    _make(config, store, folder, Selection(kinds=("money", "note")))
    facts = _facts(folder)
    assert facts[str(note.id)].about == facts[str(fact)].id


def _everything(folder: Path) -> str:
    """All that a mart holds, in clear: every column of every table."""
    with open_store(Config(folder)) as own, own.read() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        rows = [repr(tuple(row)) for name in tables for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
    return "\n".join(rows)


def test_nothing_that_was_not_selected_is_in_it(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    stating.correct(store, _numbers(store)["Shop 1"], {"memo": "secret no more"}, "Ann", "secret reason")
    _make(config, store, folder, Selection(kinds=("money",), fields=("amount", "title"), last_day=date(2026, 3, 3)))
    importing.import_bytes(store, ofx([Row(date(2026, 3, 1), "-9.00", "Ninth", memo="secret 9")], "87654321"), "s.ofx")
    assert _refresh(config, store).added == 1
    held = _everything(folder)
    assert "Shop 3" in held
    for word in ("secret", "F1", "Shop 4", "Hague", "Ann", "march.ofx", "reason"):
        assert word not in held, word
    assert {each.account for each in _facts(folder).values()} == {""}
    assert not any(path.read_bytes().count(b"Shop") for path in folder.rglob("*") if path.is_file()), "it is encrypted"


def test_sums_say_how_many_and_count_an_event_once(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    twin = stating.add(
        store, "money.transaction", {"title": "Own", "at": "2026-03-05", "amount": "-5", "unit": "EUR"}, "Ann"
    )
    _make(config, store, folder, Selection(kinds=("money.transaction",), granularity=MONTH))
    assert _sums(folder) == {("2026-03-01", "5 facts", "-15.00"), ("2026-03-01", "1 fact", "-5.00")}
    _join(store, _numbers(store)["Shop 5"], twin.id)
    assert _refresh(config, store) == Brought(withdrawn=1)
    assert _sums(folder) == {("2026-03-01", "5 facts", "-15.00")}
    stating.withdraw(store, _numbers(store)["Shop 1"], "Ann", "not mine")
    assert _refresh(config, store) == Brought(corrected=1)
    assert _sums(folder) == {("2026-03-01", "4 facts", "-14.00")}
    assert _refresh(config, store) == NOTHING
    assert "Shop" not in _everything(folder)


def _join(store: Store, one: int, other: int) -> None:
    with store.write() as connection:
        said = Said(*links.pair(one, other), True, PERSON, "one visit", "Ann", versions.now_us(connection))
        links.say(connection, said)
        events.regroup(connection, {one, other})


def _sums(folder: Path) -> set[tuple[str, str, str]]:
    with open_store(Config(folder)) as own, own.read() as connection:
        return {(each.at, each.title, str(each.amount)) for each in timeline.matching(connection, Query())}


def test_days_are_those_of_the_household(config: Config, store: Store, folder: Path) -> None:
    for hour in ("22:30", "23:30"):
        said = {"title": "Call", "at": f"2026-03-28T{hour}:00Z"}
        stating.add(store, "phone.call", said, "Ann")
    days = Selection(kinds=("phone",), granularity=DAY, zone="Europe/Amsterdam")
    _make(config, store, folder, days)
    assert {(at, title) for at, title, _ in _sums(folder)} == {("2026-03-28", "1 fact"), ("2026-03-29", "1 fact")}


def test_what_is_archived_stays_and_what_is_deleted_leaves_no_trace(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, MONEY)
    numbers = _numbers(store)
    with store.write() as connection:
        report = {"at_us": 5, "who": "Ann", "report": {}, "highest_record": 100}
        contents.remove(connection, [numbers["Shop 1"]])
        connection.execute(insert(Deletion).values(report))
    assert _refresh(config, store) == Brought(deleted=1)
    assert "Shop 1" not in _everything(folder)
    home = KeyRing(config.data).folder(HOME)
    archiving.make(store, home, "money.transaction", date(2026, 4, 1))
    assert _refresh(config, store) == NOTHING
    assert len(_facts(folder)) == 4
    archiving.attach(store, home, 1)
    stating.correct(store, numbers["Shop 2"], {"title": "Baker"}, "Ann")
    assert _refresh(config, store) == Brought(corrected=1)


def test_originals_come_only_where_they_are_asked_for(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, Selection(kinds=("money",), with_originals=True))
    found = _facts(folder)[str(_numbers(store)["Shop 1"])]
    with store.read() as connection:
        before = records.one(connection, _numbers(store)["Shop 1"])
    assert before is not None
    assert (found.original, found.first, found.length) == (before.original, before.first, before.length)
    with open_store(Config(folder)) as own, own.read() as connection:
        assert originals.read(connection, own.key, found.original) == ofx(PAYMENTS)


# ---- readings ----


def _readings(folder: Path) -> list[tuple[str, str, int, str]]:
    """Source, role, seconds and value of each reading of a mart."""
    found = []
    with open_store(Config(folder)) as own, own.read() as connection:
        for each in series_store.every(connection):
            columns = series_store.read(connection, each)
            values = zip(columns.seconds.tolist(), columns.values.tolist(), strict=True)
            found += [(each.source, each.role, seconds, f"{value * 10**each.exponent:g}") for seconds, value in values]
    return found


def test_readings_come_by_steps_and_follow_what_is_replaced_and_taken_back(
    config: Config, store: Store, folder: Path
) -> None:
    importing.import_bytes(store, hours([1000] * 48), "use.xml", source="meter")
    _make(config, store, folder, Selection(readings={"electricity.import": "day"}))
    assert _readings(folder) == [("meter", "electricity.import", 86_400, "24")] * 2
    assert marts.refresh(config, store, "tax").months == 0
    later = importing.import_bytes(store, hours([3000] * 24, 24), "later.xml", source="meter")
    assert marts.refresh(config, store, "tax").months == 1
    assert [value for *_, value in _readings(folder)] == ["24", "72"]
    undoing.undo(store, later.id, "Ann")
    marts.refresh(config, store, "tax")
    assert [value for *_, value in _readings(folder)] == ["24", "24"]
    assert "use.xml" not in _everything(folder)


def test_raw_readings_keep_their_quality_and_say_nothing_of_the_device(
    config: Config, store: Store, folder: Path
) -> None:
    at_ms = np.arange(FIRST_S * 1000, (FIRST_S + 90 * 86_400) * 1000, 3_600_000)
    columns = Columns(at_ms, np.zeros(len(at_ms), np.int64), np.arange(len(at_ms)))
    lineage = Lineage(link="serial", meter="dsmr", device="SERIAL42", boot="b", quality="actual")
    with store.write() as connection:
        series = series_store.found_or_made(connection, Source("house"), "gas", "m3", -6, 0)
        series_store.append(connection, series, columns, lineage)
    chosen = Selection(readings={"gas": "raw"}, first_day=date(2026, 4, 1), last_day=date(2026, 4, 30))
    _make(config, store, folder, chosen)
    assert len(_readings(folder)) == 30 * 24
    assert "SERIAL42" not in _everything(folder)
    with open_store(Config(folder)) as own, own.read() as connection:
        [copied] = series_store.every(connection)
        assert set(series_store.read_with_quality(connection, copied)[1]) == {"actual"}


SPANS = st.lists(st.tuples(st.integers(0, 80), st.integers(1, 3), st.integers(0, 5)), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=SPANS, undone=st.booleans())
@pytest.mark.parametrize("step", ["raw", "hour"])
def test_whatever_happens_a_refresh_comes_to_what_the_main_store_says(
    config: Config, store: Store, tmp_path: Path, step: str, spans: list[tuple[int, int, int]], undone: bool
) -> None:
    kept = tmp_path / "kept"
    if not marts.every(store):
        importing.import_bytes(store, hours([7]), "first.xml", source="meter")
        marts.make(config, store, "kept", kept, Selection(readings={"electricity.import": step}), frozen=False)
    for number, (first, days, value) in enumerate(spans):
        brought = hours([value * 100 + number] * 24 * days, first * 24)
        report = importing.import_bytes(store, brought, f"{number}.xml", source="meter")
        if undone and report.stored:
            marts.refresh(config, store, "kept")
            undoing.undo(store, report.id, "Ann")
    marts.refresh(config, store, "kept")
    parts = energy.resolved(store, "meter", "electricity.import")
    if step == "raw":
        expected = energy.raw(store, parts, None, None)[0].values.tolist()
    else:
        expected = energy.stepped(store, parts, 0, 2_000_000_000_000, ZoneInfo("UTC"), step).totals.tolist()
    with open_store(Config(kept)) as own, own.read() as connection:
        [copied] = series_store.every(connection)
        assert series_store.read(connection, copied).values.tolist() == expected


# ---- the folder ----


def test_a_frozen_mart_stays_as_it_was(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, MONEY, frozen=True)
    stating.withdraw(store, _numbers(store)["Shop 1"], "Ann", "not mine")
    with pytest.raises(UserError, match="is frozen as it was at 20"):
        _refresh(config, store)
    assert list(marts.refresh_all(config, store)) == []
    assert len(_facts(folder)) == 5


def test_a_stick_that_is_away_is_said_and_tried_later(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, MONEY)
    folder.rename(folder.with_name("away"))
    stating.withdraw(store, _numbers(store)["Shop 1"], "Ann", "not mine")
    [problem] = marts.refresh_all(config, store)
    assert "the mart 'tax' is away" in str(problem)
    assert not folder.exists()
    assert [each.state for each in marts.every(store)] == ["away"]
    folder.with_name("away").rename(folder)
    assert _refresh(config, store) == Brought(withdrawn=1)


def test_another_stick_in_its_place_is_left_alone(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, MONEY)
    shutil.rmtree(folder)
    with open_store(Config(folder), make=True) as other:
        stating.add(other, "me.plan", {"title": "Theirs"}, "Bob")
    with pytest.raises(UserError, match="holds another store"):
        _refresh(config, store)
    with pytest.raises(UserError, match="holds another store"):
        marts.remove(store, "tax", delete_folder=True)
    with open_store(Config(folder)) as other, other.read() as connection:
        assert [each.title for each in timeline.matching(connection, Query())] == ["Theirs"]


def test_a_refresh_that_was_killed_is_repaired_by_the_next(
    config: Config, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fill(store)
    importing.import_bytes(store, hours([1000] * 48), "use.xml", source="meter")
    chosen = Selection(kinds=("money",), readings={"electricity.import": "day"})
    _make(config, store, folder, chosen)
    stating.withdraw(store, _numbers(store)["Shop 1"], "Ann", "not mine")
    importing.import_bytes(store, hours([1000] * 24, 48), "more.xml", source="meter")
    with monkeypatch.context() as patched:
        patched.setattr(chunks, "replace", _killed)
        with pytest.raises(KeyboardInterrupt):
            _refresh(config, store)
    assert marts.refresh(config, store, "tax") == Refreshed("tax", NOTHING, 1)
    assert len(_facts(folder)) == 4
    assert len(_readings(folder)) == 3


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_mart_that_cannot_be_made_leaves_nothing(config: Config, store: Store, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    wrong = Selection(fields=("colour",), with_originals=True, readings={"gas": "week"})
    with pytest.raises(UserError) as said:
        marts.make(config, store, " ", tmp_path / "full", wrong, frozen=False)
    for problem in ("a mart's name", "it is not empty", "--field colour", "--readings gas=week", "--with-originals"):
        assert problem in str(said.value)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="name another folder"):
        marts.make(config, store, "tax", tmp_path / "file" / "below", MONEY, frozen=False)
    with pytest.raises(UserError, match="in the box's own folder"):
        marts.make(config, store, "tax", config.data / "mart", MONEY, frozen=False)
    assert marts.every(store) == []
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]


# ---- by the command ----


@pytest.fixture
def box(tmp_path: Path) -> Path:
    data = tmp_path / "box"
    (tmp_path / "s.ofx").write_bytes(ofx(PAYMENTS))
    (tmp_path / "m.xml").write_bytes(hours([1000] * 3))
    assert _run(data, "import", str(tmp_path / "s.ofx"), str(tmp_path / "m.xml")).exit_code == 0
    return data


def _run(data: Path, *said: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), "--json", *said])


def _rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_command_makes_reads_refreshes_and_removes_one(box: Path, folder: Path) -> None:
    made = ("mart", "make", "tax", "--to", str(folder), "--kind", "money", "--field", "amount", "--from", "2026-03-04")
    [done] = _rows(_run(box, *made, "--readings", "electricity.import=hour"))
    assert done == {"mart": "tax", "added": 2, "corrected": 0, "withdrawn": 0, "deleted": 0, "months": 0}
    assert [(row["amount"], row["title"]) for row in _rows(_run(folder, "records"))] == [("-5.00", ""), ("-4.00", "")]
    [listed] = _rows(_run(box, "mart", "list"))
    assert (listed["name"], listed["state"], listed["selection"]["fields"]) == ("tax", "kept up to date", ["amount"])
    assert _run(box, "withdraw", "5", "--why", "not mine").exit_code == 0
    assert _rows(_run(box, "mart", "refresh"))[0]["withdrawn"] == 1
    assert len(_rows(_run(folder, "records"))) == 1
    assert _run(box, "mart", "remove", "tax", "--delete").exit_code == 0
    assert not folder.exists()
    assert _rows(_run(box, "mart")) == []


def test_a_mart_that_selects_nothing_is_asked_what_it_holds(box: Path, folder: Path) -> None:
    done = _run(box, "mart", "make", "all", "--to", str(folder))
    assert (done.exit_code, "say what the mart holds" in done.stderr) == (2, True)
    assert not folder.exists()


def test_the_box_keeps_marts_up_to_date(
    box: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(box, "mart", "make", "tax", "--to", str(folder), "--kind", "money").exit_code == 0
    assert _run(box, "withdraw", "5", "--why", "not mine").exit_code == 0
    monkeypatch.setattr("sys.argv", ["job", "marts", "--data", str(box)])
    job.main()
    assert len(_rows(_run(folder, "records"))) == 4
    shutil.rmtree(folder)
    job.main()
    assert "the mart 'tax' is away" in capsys.readouterr().err


@pytest.mark.parametrize(
    "selection", [MONEY, Selection(kinds=("money",), granularity=MONTH, fields=("title", "amount"))]
)
def test_what_is_deleted_for_good_is_in_no_page_of_it_either(
    config: Config, store: Store, folder: Path, selection: Selection
) -> None:
    secret = Row(date(2026, 3, 9), "-99.99", "Weatherstone Clinic", fitid="S")
    importing.import_bytes(store, ofx([*PAYMENTS, secret]), "march.ofx")
    _make(config, store, folder, selection)
    with store.read() as connection:
        [found] = timeline.matching(connection, Query(search="weatherstone"))
    deleting.fact(store, config.stores / HOME, found.id, "Ann")
    assert _refresh(config, store).deleted
    assert b"shop 1" in _pages(folder)
    assert b"weatherstone" not in _pages(folder)


def _pages(folder: Path) -> bytes:
    with open_store(Config(folder)) as mart:
        path, secret_key = Path(str(mart.engine.url.database)), mart.key.derived("database")
    return b"".join(decrypted(path, secret_key)).lower()


SECRET = Row(date(2026, 3, 9), "-99.99", "Weatherstone Clinic", memo="private matter", fitid="S")


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_deleted_import_leaves_no_original_though_another_has_its_rows(
    config: Config, store: Store, folder: Path, withdrawn: bool
) -> None:
    first = importing.import_bytes(store, ofx([*PAYMENTS[:3], SECRET]), "first.ofx")
    importing.import_bytes(store, ofx(PAYMENTS, said="again"), "again.ofx")
    _make(config, store, folder, Selection(kinds=("money",), with_originals=True))
    if withdrawn:
        stating.withdraw(store, _numbers(store)["Shop 2"], "Ann", "not mine")
    deleting.import_(store, config.stores / HOME, first.id, "Ann")
    _refresh(config, store)
    facts = _facts(folder)
    with open_store(Config(folder)) as own, own.read() as connection:
        files = {each.file for each in imports.recent(connection)}
        kept = [originals.read(connection, own.key, sha256) for sha256, _ in originals.all_of(connection)]
        found = facts[str(_numbers(store)["Shop 1"])]
        assert b"Shop 1" in originals.excerpt(connection, own.key, found.original, found.first, found.length)
        assert checking.problems(own) is not None
    assert files == {"again.ofx"}
    assert kept == [ofx(PAYMENTS, said="again")]
    assert b"weatherstone" not in _pages(folder)
    assert _refresh(config, store) == NOTHING


def test_sums_let_go_of_what_is_deleted_in_an_archive(config: Config, store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx([*PAYMENTS, SECRET]), "march.ofx")
    _make(config, store, folder, Selection(kinds=("money",), granularity=MONTH, fields=("title", "amount")))
    secret = _numbers(store)["Weatherstone Clinic"]
    archiving.make(store, config.stores / HOME, "money.transaction", date(2026, 6, 1))
    assert _refresh(config, store) == NOTHING
    deleting.fact(store, config.stores / HOME, secret, "Ann")
    assert _refresh(config, store).deleted
    assert {title for _, title, _ in _sums(folder)} == {each.name for each in PAYMENTS}
    assert b"weatherstone" not in _pages(folder)
    assert _numbers(store) == {}, "the archive is an archive still"
    assert _refresh(config, store) == NOTHING


def test_sums_without_an_archive_that_is_damaged_say_so(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, Selection(kinds=("money", "me"), granularity=MONTH, fields=("title",)))
    archiving.make(store, config.stores / HOME, "money.transaction", date(2026, 6, 1))
    archives.path_of(config.stores / HOME, 1).write_bytes(b"")
    deleting.fact(store, config.stores / HOME, _numbers(store)["Moving to the Hague"], "Ann")
    done = marts.refresh(config, store, "tax")
    assert "archive 1 is missing in its sums" in str(done.left)
    assert _sums(folder) == set()


def test_the_name_of_a_deleted_source_goes(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    importing.import_bytes(store, hours([7]), "use.xml", source="Weatherstone meter")
    _make(config, store, folder, Selection(kinds=("money",), readings={"electricity.import": "hour"}))
    deleting.source(store, config.stores / HOME, "Weatherstone meter", "Ann")
    _refresh(config, store)
    assert b"weatherstone" not in _pages(folder)
    assert len(_facts(folder)) == 5


def test_a_mart_s_key_is_overwritten_and_what_went_is_reported(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    _make(config, store, folder, MONEY)
    (folder / "letter.txt").write_text("dear")
    keys = {path: path.read_bytes() for path in (folder / "keys" / "box.key", folder / "stores" / HOME / "keys.json")}
    others = [folder.with_name(path.name) for path in keys]
    for path, other in zip(keys, others, strict=True):
        other.hardlink_to(path)
    report = marts.remove(store, "tax", delete_folder=True)
    assert report is not None
    assert (report.facts, report.versions, report.files > 3) == (5, 5, True)
    assert f"{folder}/letter.txt is not the mart’s own and stays" in report.left
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert not {other.read_bytes() for other in others} & set(keys.values())


def test_what_matches_nothing_is_said(config: Config, store: Store, folder: Path) -> None:
    _fill(store)
    importing.import_bytes(store, hours([7]), "use.xml", source="meter")
    readings = {"electricity.import": "hour", "gaz": "hour"}
    chosen = Selection(kinds=("money", "shoop"), sources=("metre",), readings=readings)
    assert _make(config, store, folder, chosen).left == (
        "--kind shoop matches nothing that the store has now; it has: me.plan, money.transaction",
        "--source metre matches nothing that the store has now; it has: 999 12345678, me, meter",
        "--readings gaz matches nothing that the store has now; it has: electricity.import",
    )
