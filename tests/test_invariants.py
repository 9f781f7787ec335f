"""Random lives of a store: whatever is imported, corrected, withdrawn, undone, archived and deleted, in whatever order,
what DESIGN.md calls always true holds after every step.
"""

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from appliance import archiving, checking, deleting
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing, stating, undoing
from appliance.store import imports, originals, timeline, versions
from appliance.store.database import open_store
from appliance.store.models import ArchivedFact, Change, RecordRow
from appliance.store.timeline import Query
from tests.blank import Blank
from tests.statements import Row, ofx

FIRST_DAY = date(2020, 1, 1)
ROWS = 12  # of one account: every file is a window of them
CHANGING = ("until_us", "ended_by")  # what the end of a version says


@dataclass
class File:
    """A file as the model remembers it: which rows it has, and which of its imports stand."""

    data: bytes
    rows: frozenset[int]
    imports: dict[int, bool] = field(default_factory=dict)

    @property
    def stands(self) -> bool:
        return any(self.imports.values())


class Life(RuleBasedStateMachine):
    """One store, and beside it what a person would expect to find in it."""

    blank: Blank

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="inglenook-life-"))
        self.blank.lend(self.folder / "box")
        config = Config(self.folder / "box", database_url=self.blank.url)
        self.store, self.own_folder = open_store(config), config.stores / "home"
        self.files: dict[tuple[int, int], File] = {}
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
    def import_file(self, first: int, length: int) -> None:
        rows = frozenset(range(first, min(first + length, ROWS)))
        file = self.files.setdefault((first, len(rows)), File(ofx([_row(each) for each in sorted(rows)], "1"), rows))
        standing = self._standing()
        report = importing.import_bytes(self.store, file.data, f"{first}-{length}.ofx")
        file.imports[report.id] = True
        self._note_facts()
        assert (report.read, report.stored) == (len(rows), len(self._standing() - standing))

    @precondition(lambda self: self._standing())
    @rule(data=st.data(), title=st.sampled_from(["Baker", "Rent", "Ärger"]))
    def correct(self, data: st.DataObject, title: str) -> None:
        row = data.draw(st.sampled_from(sorted(self._standing())))
        if self.titles.get(row) != title:
            stating.correct(self.store, self.facts[row], {"title": title}, "Ann", "so it is")
            self.titles[row] = title

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

    @precondition(lambda self: self._imports(stands=True))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self._imports(stands=True)))
        before = self._standing()
        if self.archived & self._file_of(number).rows:
            with pytest.raises(UserError, match="archive attach"):
                undoing.undo(self.store, number, "Ann")
            return
        done = undoing.undo(self.store, number, "Ann")
        self._file_of(number).imports[number] = False
        assert done.facts == len(before - self._standing())

    @precondition(lambda self: self._imports(stands=False))
    @rule(data=st.data())
    def redo(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self._imports(stands=False)))
        before = self._standing()
        done = undoing.redo(self.store, number, "Ann")
        self._file_of(number).imports[number] = True
        assert done.facts == len(self._standing() - before)

    @rule(row=st.integers(1, ROWS))
    def archive(self, row: int) -> None:
        before = _row(row).day.replace(day=1)
        old = {each for each in self.facts if _row(each).day < before} - self.archived
        moved = {each for each in old if self._has_import(each) or each in self.withdrawn}  # and nothing undone
        done = archiving.make(self.store, self.own_folder, "money.transaction", before)
        assert (done.facts if done else 0) == len(moved)
        self.archived |= moved

    @rule(data=st.data())
    def bring_back_an_archive(self, data: st.DataObject) -> None:
        with self.store.read() as connection:
            there = [each for each in archiving.every(connection) if not each.attached and each.facts]
        if there:
            chosen = data.draw(st.sampled_from([each.archive for each in there]))
            inside = self._in_archives(chosen)
            archiving.attach(self.store, self.own_folder, chosen)
            self.archived -= inside

    @precondition(lambda self: self.facts)
    @rule(data=st.data())
    def delete_a_fact(self, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(sorted(self.facts)))
        deleting.fact(self.store, self.own_folder, self.facts[row], "Ann")
        self._let_go(row)
        self.forgotten.add(row)
        with self.store.read() as connection:
            kept = [originals.read(connection, self.store.key, sha256) for sha256, _ in originals.all_of(connection)]
        assert not any(f"<NAME>Shop {row}<".encode() in data for data in kept)

    @precondition(lambda self: any(file.imports for file in self.files.values()))
    @rule(data=st.data())
    def delete_an_import(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self._imports(stands=True) + self._imports(stands=False)))
        deleting.import_(self.store, self.own_folder, number, "Ann")
        file = self._file_of(number)
        del file.imports[number]
        for row in file.rows & self.facts.keys():
            if not any(row in each.rows and each.imports for each in self.files.values()):
                self._let_go(row)
            elif not self._has_import(row) and row not in self.withdrawn:
                self.archived.discard(row)
        self.seen = {}  # what another import has too leads back to that one now

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
    def no_version_was_changed(self) -> None:
        with self.store.read() as connection:
            rows = [dict(each._mapping) for each in connection.execute(select(RecordRow.__table__))]
        fresh = {row["id"] for row in rows} - self.numbers
        assert not fresh or min(fresh) > max(self.numbers, default=0), "no number is given twice"
        self.numbers |= fresh
        for row in rows:
            before = self.seen.get(row["id"], row)
            kept = CHANGING if before["until_us"] is None else ()
            assert {name: value for name, value in row.items() if name not in kept} == {
                name: value for name, value in before.items() if name not in kept
            }
        self.seen |= {row["id"]: row for row in rows}

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
        assert list(checking.problems(self.store)) == []

    # ---- the model ----

    def _standing(self) -> set[int]:
        brought = {row for file in self.files.values() if file.stands for row in file.rows}
        return brought - self.withdrawn - self.archived - self.forgotten

    def _has_import(self, row: int) -> bool:
        """Whether an import that stands has the row."""
        return any(file.stands and row in file.rows for file in self.files.values())

    def _let_go(self, row: int) -> None:
        """The row's fact is deleted."""
        for of in (self.withdrawn, self.archived):
            of.discard(row)
        for by in (self.facts, self.titles):
            by.pop(row, None)

    def _in_archives(self, number: int | None = None) -> set[int]:
        """The rows whose facts lie in an archive, or in any."""
        found = select(ArchivedFact.fact)
        with self.store.read() as connection:
            facts = connection.execute(
                found if number is None else found.where(ArchivedFact.archive_id == number)
            ).scalars()
            return {self._row_of(fact) for fact in facts}

    def _imports(self, *, stands: bool) -> list[int]:
        every = (each for file in self.files.values() for each in file.imports.items())
        return [number for number, state in every if state == stands]

    def _file_of(self, number: int) -> File:
        return next(file for file in self.files.values() if number in file.imports)

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


@pytest.fixture
def life(
    database_url: str | None, blanks: dict[str | None, Blank], tmp_path_factory: pytest.TempPathFactory
) -> type[Life]:
    """A store's life on each database."""
    if database_url not in blanks:
        blanks[database_url] = Blank(tmp_path_factory.mktemp("blank"), database_url)
    return type("Life", (Life,), {"blank": blanks[database_url]})


def test_what_is_always_true_holds_after_every_step(life: type[Life]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=15,
            stateful_step_count=14,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
