"""Random lives of a store: whatever is imported, corrected, withdrawn, undone, archived and deleted, in whatever order,
what DESIGN.md calls always true holds after every step.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from appliance import archiving, checking, deleting, retention
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.retention import Action
from appliance.store import imports, originals, timeline, versions
from appliance.store import series as series_store
from appliance.store.database import open_store
from appliance.store.models import ArchivedFact, Change, RecordRow
from appliance.store.timeline import Query
from tests.blank import Blank
from tests.green_button import FIRST_S, HOUR_S, hours
from tests.statements import Row, ofx

KIND, METER = "money.transaction", "the meter"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST_DAY = date(2020, 1, 1)
ROWS = 12  # of one account: every statement is a window of them
HOURS = 24  # of one meter: so is every file of its readings
CHANGING = ("until_us", "ended_by")  # what the end of a version says
LINEAGE = ("import_id", "first", "length")  # another import's, once the one that brought a fact is deleted
LIVES, STEPS = 36, 30
LIVES_ON_POSTGRESQL, STEPS_THERE = 16, 25  # which takes four times as long for each


@dataclass
class Import:
    """An import as the model remembers it: what it has of which file, and whether it stands."""

    name: str
    data: bytes
    inside: Sequence[int]  # rows of the file
    hours: Sequence[int]
    rows: set[int]  # those that it brought or met again
    source: str = ""
    stands: bool = True


class Life(RuleBasedStateMachine):
    """One store, and beside it what a person would expect to find in it."""

    blank: Blank

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="inglenook-life-"))
        self.blank.lend(self.folder / "box")
        config = Config(self.folder / "box", database_url=self.blank.url)
        self.store, self.own_folder = open_store(config), config.stores / "home"
        self.imports: dict[int, Import] = {}
        self.titles: dict[int, str] = {}  # of corrected rows
        self.withdrawn: set[int] = set()
        self.archived: set[int] = set()
        self.forgotten: set[int] = set()  # deleted, and never brought again
        self.facts: dict[int, int] = {}  # row -> fact
        self.seen: dict[int, dict[str, Any]] = {}  # every version ever seen
        self.numbers: set[int] = set()  # every number ever given

    def teardown(self) -> None:
        self.store.close()
        self.blank.take_back()
        shutil.rmtree(self.folder)

    # ---- what a person does ----

    @rule(first=st.integers(0, ROWS - 1), length=st.integers(1, 5))
    def import_a_statement(self, first: int, length: int) -> None:
        rows = range(first, min(first + length, ROWS))
        self._import(f"{first}-{length}.ofx", ofx([_row(each) for each in rows], "1"), rows, ())

    @rule(first=st.integers(0, HOURS - 1), length=st.integers(1, 8))
    def import_readings(self, first: int, length: int) -> None:
        some = range(first, min(first + length, HOURS))
        self._import(f"{first}-{length}.xml", hours([_wh(each) for each in some], first), (), some)

    @precondition(lambda self: self._numbers(stands=True))
    @rule(data=st.data(), is_first=st.booleans(), again=st.booleans())
    def import_the_same_again_and_undo_one(self, data: st.DataObject, is_first: bool, again: bool) -> None:
        number = data.draw(st.sampled_from(self._numbers(stands=True)))
        same = self.imports[number]
        later = self._import(same.name, same.data, same.inside, same.hours)
        if self._undo(number if is_first else later) and again:
            self.what_stands_is_what_a_person_expects()
            self.readings_are_those_of_imports_that_stand()
            self._redo(number if is_first else later)

    @precondition(lambda self: self._standing())
    @rule(data=st.data(), titles=st.lists(st.sampled_from(["Baker", "Rent", "Ärger"]), min_size=1, max_size=3))
    def correct(self, data: st.DataObject, titles: list[str]) -> None:
        for row in data.draw(st.sets(st.sampled_from(sorted(self._standing())), min_size=1, max_size=3)):
            self._correct(row, titles)

    @precondition(lambda self: self._standing())
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self._standing())))
        stating.withdraw(self.store, self.facts[row], "Ann", "not mine")
        self.withdrawn.add(row)

    @precondition(lambda self: self.withdrawn)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self.withdrawn)))
        if row in self.archived:
            with pytest.raises(UserError, match="fact"):
                stating.restore(self.store, self.facts[row], "Ann")
        elif self._has_import(row):
            stating.restore(self.store, self.facts[row], "Ann")
            self.withdrawn.remove(row)
        else:
            with pytest.raises(UserError, match="imports redo"):
                stating.restore(self.store, self.facts[row], "Ann")

    @precondition(lambda self: self._numbers(stands=True))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        self._undo(data.draw(st.sampled_from(self._numbers(stands=True))))

    @precondition(lambda self: self._numbers(stands=False))
    @rule(data=st.data())
    def redo(self, data: st.DataObject) -> None:
        self._redo(data.draw(st.sampled_from(self._numbers(stands=False))))

    @precondition(lambda self: self._movable())
    @rule(data=st.data(), at_once=st.booleans())
    def archive(self, data: st.DataObject, at_once: bool) -> None:
        before = data.draw(st.sampled_from(sorted(map(_month_after, self._movable()))))
        moved = self._movable(before)
        for row in sorted(moved & self._standing())[:1] if at_once else ():
            self._correct(row, ["Rent", "Baker"])
        done = archiving.make(self.store, self.own_folder, KIND, before)
        assert done
        assert done.facts == len(moved)
        self.archived |= moved
        if at_once:
            self.archives_hold_what_was_put_there()
            self._attach(done.archive)

    @precondition(lambda self: self.archived)
    @rule(data=st.data())
    def bring_back_an_archive(self, data: st.DataObject) -> None:
        with self.store.read() as connection:
            there = [each.archive for each in archiving.every(connection) if not each.attached and each.facts]
        self._attach(data.draw(st.sampled_from(there)))

    @precondition(lambda self: self._movable())
    @rule(data=st.data(), action=st.sampled_from([Action.SUMMARISE] * 4 + [Action.DELETE]))
    def keep_no_longer(self, data: st.DataObject, action: Action) -> None:
        before = data.draw(st.sampled_from(sorted(map(_month_after, self._movable()))))
        months = (NOW.year - before.year) * 12 + NOW.month - before.month
        retention.state(self.store, KIND, action, months)
        moved = self._movable(before)
        if action is Action.DELETE:
            moved |= {row for row in self.archived if _row(row).day < before and self._is_movable(row)}
        [done] = retention.run(self.store, self.own_folder, now=NOW)
        assert done["facts"] == len(moved)
        retention.state(self.store, KIND, Action.KEEP)
        if action is Action.DELETE:
            self._let_go(moved)
        else:
            self.archived |= moved

    @precondition(lambda self: self.facts)
    @rule(data=st.data())
    def delete_a_fact(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self.facts)))
        deleting.fact(self.store, self.own_folder, self.facts[row], "Ann")
        self._let_go([row])
        self.forgotten.add(row)
        self._need_no_bytes([row])

    @precondition(lambda self: self.imports)
    @rule(data=st.data())
    def delete_an_import(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.imports)))
        gone = self.imports[number].rows & self.facts.keys()
        deleting.import_(self.store, self.own_folder, number, "Ann")
        del self.imports[number]
        gone -= {row for each in self.imports.values() for row in each.rows}
        self.archived = {row for row in self.archived - gone if self._is_movable(row)}  # a redo brings the others back
        self._let_go(gone)
        self._need_no_bytes(gone)
        self.seen = {number: _without(LINEAGE, row) for number, row in self.seen.items()}

    @precondition(lambda self: len(self.imports) > 3 and len(self.facts) > 5)
    @rule(data=st.data())
    def delete_much(self, data: st.DataObject) -> None:
        """A source, or a kind: in one rule, so that more is left of most lives."""
        name = data.draw(st.sampled_from([KIND, *sorted({each.source for each in self.imports.values()})]))
        if name == KIND:
            deleting.kind(self.store, self.own_folder, name, "Ann")
        else:
            deleting.source(self.store, self.own_folder, name, "Ann")
            self.imports = {number: each for number, each in self.imports.items() if each.source != name}
        if name != METER:
            rows = set(self.facts)
            self._let_go(rows)
            self._need_no_bytes(rows)
        with self.store.read() as connection:
            kept = {sha256 for sha256, _ in originals.all_of(connection)}
        assert kept <= {hashlib.sha256(each.data).hexdigest() for each in self.imports.values()}

    @rule(number=st.integers(900, 999))
    def ask_for_what_is_not_there(self, number: int) -> None:
        with pytest.raises(UserError):
            undoing.undo(self.store, number, "Ann")
        with pytest.raises(UserError):
            stating.correct(self.store, number, {"title": "x"}, "Ann")

    # ---- what is always true ----

    @invariant()
    def what_stands_is_what_a_person_expects(self) -> None:
        with self.store.read() as connection:
            found = sorted((each.id, each.title) for each in timeline.matching(connection, Query()))
        assert found == sorted((self.facts[row], self._title(row)) for row in self._standing())

    @invariant()
    def readings_are_those_of_imports_that_stand(self) -> None:
        with self.store.read() as connection:
            every = [series_store.read(connection, series) for series in series_store.every(connection)]
        found = [pair for each in every for pair in zip(each.at_ms.tolist(), each.values.tolist(), strict=True)]
        at_ms = {hour: (FIRST_S + hour * HOUR_S) * 1000 for hour in range(HOURS)}
        assert found == [(at_ms[hour], 1000 * _wh(hour)) for hour in sorted(self._measured())]

    @invariant()
    def no_version_was_changed(self) -> None:
        with self.store.read() as connection:
            rows = [dict(each._mapping) for each in connection.execute(select(RecordRow.__table__))]
        fresh = {row["id"] for row in rows} - self.numbers
        assert not fresh or min(fresh) > max(self.numbers, default=0), "no number is given twice"
        self.numbers |= fresh
        for row in rows:
            before = self.seen.get(row["id"], row)
            may = {*(CHANGING if before["until_us"] is None else ()), *(row.keys() - before.keys())}
            assert _without(may, row) == _without(may, before)
        self.seen |= {row["id"]: row for row in rows}
        there = {row["id"] for row in rows}
        kept = {fact for row, fact in self.facts.items() if row not in self.archived}
        assert not {number for number, row in self.seen.items() if row["fact"] in kept} - there, "a version is gone"

    @invariant()
    def archives_hold_what_was_put_there(self) -> None:
        assert self._in_archives() == self.archived

    @invariant()
    def versions_follow_one_another(self) -> None:
        with self.store.read() as connection:
            for fact in (self.facts[row] for row in self.facts.keys() - self.archived):
                history = versions.history(connection, fact)
                ends = [each.record.until for each in history]
                assert all(ends[:-1]), "only the last version may stand"
                starts = [each.record.since for each in history]
                assert all(start < end for start, end in zip(starts, ends, strict=True) if end)
                assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
                assert all(each.begun or each.record.import_id for each in history)

    @invariant()
    def every_fact_leads_back_to_its_bytes(self) -> None:
        with self.store.read() as connection:
            for each in timeline.matching(connection, Query()):
                own = originals.excerpt(connection, self.store.key, each.original, each.first, each.length)
                assert own.startswith(b"<STMTTRN>")
                assert f"Shop {self._row_of(each.id)}".encode() in own

    @invariant()
    def every_import_adds_up(self) -> None:
        with self.store.read() as connection:
            for each in imports.recent(connection):
                assert each.read == each.stored + each.duplicate + each.rejected

    @invariant()
    def every_change_says_who_and_when(self) -> None:
        with self.store.read() as connection:
            times = list(connection.execute(select(Change.at_us).order_by(Change.id)).scalars())
        assert times == sorted(set(times))

    @invariant()
    def the_store_is_whole(self) -> None:
        assert list(checking.problems(self.store, self.own_folder)) == []

    # ---- what it comes to ----

    def _import(self, name: str, data: bytes, rows: Sequence[int], some_hours: Sequence[int]) -> int:
        standing, measured = self._standing(), self._measured()
        new = Import(name, data, rows, some_hours, set(rows) - self.forgotten)
        report = importing.import_bytes(self.store, data, name, source=METER if new.hours else "")
        self.imports[report.id], new.source = new, report.source
        self._note_facts()
        assert report.stored == len(self._standing() - standing) + len(self._measured() - measured)
        return report.id

    def _undo(self, number: int) -> bool:
        """Undoes an import, unless facts of it lie in an archive."""
        before = self._standing()
        if self.archived & self.imports[number].rows:
            with suppress(UserError):  # it may be that another import of the same file has them, and not this one
                undoing.undo(self.store, number, "Ann")
                self.imports[number].stands = False
            return not self.imports[number].stands
        done = undoing.undo(self.store, number, "Ann")
        self.imports[number].stands = False
        assert done.facts == len(before - self._standing())
        return True

    def _correct(self, row: int, titles: Iterable[str]) -> None:
        for title in titles:
            if self.titles.get(row) != title:
                stating.correct(self.store, self.facts[row], {"title": title}, "Ann", "so it is")
                self.titles[row] = title

    def _attach(self, archive: int) -> None:
        inside = self._in_archives(archive)
        archiving.attach(self.store, self.own_folder, archive)
        self.archived -= inside

    def _redo(self, number: int) -> None:
        before = self._standing()
        done = undoing.redo(self.store, number, "Ann")
        self.imports[number].stands = True
        assert done.facts == len(self._standing() - before)

    def _standing(self) -> set[int]:
        brought = {row for each in self.imports.values() if each.stands for row in each.rows}
        return brought - self.withdrawn - self.archived

    def _measured(self) -> set[int]:
        return {hour for each in self.imports.values() if each.stands for hour in each.hours}

    def _has_import(self, row: int) -> bool:
        """Whether an import that stands has the row."""
        return any(each.stands and row in each.rows for each in self.imports.values())

    def _is_movable(self, row: int) -> bool:
        """Whether no undo took it away: a file may bring that again."""
        return self._has_import(row) or row in self.withdrawn

    def _movable(self, before: date = date.max) -> set[int]:
        """What archiving moves."""
        old = {row for row in self.facts if _row(row).day < before}
        return {row for row in old - self.archived if self._is_movable(row)}

    def _let_go(self, rows: Iterable[int]) -> None:
        """Their facts are deleted."""
        for row in list(rows):
            for of in (self.withdrawn, self.archived, *(each.rows for each in self.imports.values())):
                of.discard(row)
            for by in (self.facts, self.titles):
                by.pop(row, None)

    def _need_no_bytes(self, rows: Iterable[int]) -> None:
        with self.store.read() as connection:
            kept = [originals.read(connection, self.store.key, sha256) for sha256, _ in originals.all_of(connection)]
        assert not [row for row in rows if any(f"<NAME>Shop {row}<".encode() in data for data in kept)]

    def _in_archives(self, number: int | None = None) -> set[int]:
        """The rows whose facts lie in an archive, or in any."""
        found = select(ArchivedFact.fact)
        with self.store.read() as connection:
            facts = connection.execute(
                found if number is None else found.where(ArchivedFact.archive_id == number)
            ).scalars()
            return {self._row_of(fact) for fact in facts}

    def _numbers(self, *, stands: bool) -> list[int]:
        return [number for number, each in self.imports.items() if each.stands == stands]

    def _title(self, row: int) -> str:
        return self.titles.get(row, f"Shop {row}")

    def _row_of(self, fact: int) -> int:
        return next(row for row, each in self.facts.items() if each == fact)

    def _note_facts(self) -> None:
        known = set(self.facts.values())
        with self.store.read() as connection:
            for each in timeline.matching(connection, Query()):
                if each.id not in known:
                    self.facts[int(each.title.removeprefix("Shop "))] = each.id


def _row(number: int) -> Row:
    return Row(FIRST_DAY + timedelta(40 * number), f"-{number}.50", f"Shop {number}", fitid=f"F{number}")


def _month_after(row: int) -> date:
    return (_row(row).day.replace(day=1) + timedelta(32)).replace(day=1)


def _wh(hour: int) -> int:
    return 100 + 7 * hour


def _without(names: Iterable[str], row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


@pytest.fixture
def life(
    database_url: str | None, blanks: dict[str | None, Blank], tmp_path_factory: pytest.TempPathFactory
) -> type[Life]:
    """A store's life on each database."""
    if database_url not in blanks:
        blanks[database_url] = Blank(tmp_path_factory.mktemp("blank"), database_url)
    return type("Life", (Life,), {"blank": blanks[database_url]})


def test_what_is_always_true_holds_after_every_step(life: type[Life]) -> None:
    lives, steps = (LIVES_ON_POSTGRESQL, STEPS_THERE) if life.blank.url else (LIVES, STEPS)
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
