"""Versions of facts: what was done to a fact, by whom, when and why. None changes: one ends, another begins."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.orm import aliased

from appliance.store import records, search
from appliance.store.models import ArchivedFact, Change, ImportRow, RecordRow, Sighting
from appliance.store.records import Stored, at_text


class Action(StrEnum):
    """What can be done to facts."""

    ADD = "add"  # a person said it
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    UNDO = "undo"  # of an import
    REDO = "redo"
    AGAIN = "again"  # an import brought again what was undone
    RESTORE = "restore"  # of what was withdrawn
    REVISE = "revise"  # an import says it otherwise


@dataclass(frozen=True, slots=True)
class Done:
    """A change: who did what, when and why; of an import where one was undone or redone."""

    id: int
    at_us: int
    who: str
    action: str
    why: str
    import_id: int | None

    @property
    def at(self) -> str:
        """As an ISO instant in UTC."""
        return at_text(self.at_us)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a fact, what began it (None where its import did) and what ended it (None while it stands)."""

    record: Stored
    begun: Done | None
    ended: Done | None


def now_us(connection: Connection) -> int:
    """Now, in microseconds since 1970, and after all that was done before: a box's clock may have been set back."""
    done = connection.execute(select(func.max(Change.at_us))).scalar_one() or 0
    newest = select(ImportRow.at_us).order_by(ImportRow.id.desc()).limit(1)
    return max(time.time_ns() // 1000, int(done) + 1, (connection.execute(newest).scalar_one_or_none() or 0) + 1)


def begin(connection: Connection, action: Action, who: str, why: str = "", import_id: int | None = None) -> Done:
    """Writes down that something is done now."""
    at_us = now_us(connection)
    why = why.encode("utf-8", "backslashreplace").decode()  # an argument of a command may be no UTF-8
    row = {"at_us": at_us, "who": who, "action": action.value, "why": why, "import_id": import_id}
    number = connection.execute(insert(Change).values(**row).returning(Change.id)).scalar_one()
    return Done(number, at_us, who, action.value, why, import_id)


def end(connection: Connection, which: ColumnElement[bool], change: Done) -> int:
    """Ends the standing versions for which a condition holds; how many."""
    ended = update(RecordRow).where(RecordRow.until_us.is_(None), which)
    ended = ended.values(until_us=change.at_us, ended_by=change.id)
    rows = connection.execute(ended.returning(*search.ENDED)).all()
    search.end(connection, [dict(row._mapping) for row in rows])
    return len(rows)


def end_notes(connection: Connection, change: Done) -> None:
    """Ends the notes about the facts that a change ended."""
    ended = select(RecordRow.fact).where(RecordRow.ended_by == change.id)
    end(connection, RecordRow.about.in_(ended), change)


def supersede(connection: Connection, fact: int, values: dict[str, Any], change: Done) -> None:
    """Ends what stands of a fact, and begins a version with other values in its place."""
    standing = select(RecordRow.__table__).where(records.of_facts([fact]), RecordRow.until_us.is_(None))
    row = dict(connection.execute(standing).one()._mapping)
    end(connection, records.of_facts([fact]), change)
    del row["id"], row["until_us"], row["ended_by"]
    begun = {"since_us": change.at_us, "begun_by": change.id, "fingerprint": b""}
    records.add(connection, [row | begun | values])


def take_revisions_back(connection: Connection, import_id: int, change: Done) -> None:
    """Lets the facts that an import said otherwise stand as they did before, but for those changed again since."""
    begun = select(Change.id).where(Change.action == Action.REVISE.value, Change.import_id == import_id)
    for before in _replaced(connection, begun, RecordRow.until_us.is_(None)):
        supersede(connection, before["fact"], _said(before), change)


def revise_again(connection: Connection, import_id: int) -> None:
    """Lets an import's words of facts stand again, where nothing was said of them since they were taken back."""
    of_import = Change.import_id == import_id
    begun = select(Change.id).where(Change.action == Action.REVISE.value, of_import)
    taken_back = select(Change.id).where(Change.action == Action.UNDO.value, of_import)
    newest = select(func.max(RecordRow.id)).where(RecordRow.begun_by.in_(begun)).group_by(RecordRow.fact)
    stands = select(RecordRow.fact).where(RecordRow.until_us.is_(None), RecordRow.begun_by.in_(taken_back))
    said = select(RecordRow.__table__).where(RecordRow.id.in_(newest), RecordRow.fact.in_(stands))
    rows = [dict(row._mapping) for row in connection.execute(said)]
    if rows:
        change = begin(connection, Action.REVISE, "", rows[0]["decision"], import_id)
        for row in rows:
            supersede(connection, row["fact"], _said(row), change)


def _replaced(connection: Connection, changes: Any, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    """The versions that stood before those that such changes began and for which a condition holds."""
    newer = select(RecordRow.fact, RecordRow.begun_by).where(RecordRow.begun_by.in_(changes), which).subquery()
    before = select(RecordRow.__table__).join(
        newer, (newer.c.fact == RecordRow.fact) & (newer.c.begun_by == RecordRow.ended_by)
    )
    return [dict(row._mapping) for row in connection.execute(before.order_by(RecordRow.id))]


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """What a version says and where it was read, for another one that says the same."""
    own = ("id", "fact", "since_us", "until_us", "begun_by", "ended_by", "fingerprint", "about")
    return {name: value for name, value in row.items() if name not in own}


def reinstate(connection: Connection, facts: Any, change: Done, *, ended_by: Action = Action.UNDO) -> int:
    """Lets facts that such a change ended stand again as they stood then, and the notes that went with them; how many
    facts."""
    newest = select(func.max(RecordRow.id)).where(records.of_facts(facts)).group_by(RecordRow.fact)
    ended = select(RecordRow.__table__).join(Change, Change.id == RecordRow.ended_by)
    ended = ended.where(RecordRow.id.in_(newest), Change.action == ended_by.value).order_by(RecordRow.id)
    rows = [dict(each._mapping) for each in connection.execute(ended)]
    facts_alone = len(rows)
    rows += _notes(connection, rows)
    for row in rows:
        del row["id"], row["until_us"], row["ended_by"]
        row |= {"since_us": change.at_us, "begun_by": change.id, "fingerprint": b""}
    records.add(connection, rows)
    return facts_alone


def _notes(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notes about facts that went with them, by the same change."""
    changes = {row["ended_by"] for row in rows}
    facts = {row["fact"] for row in rows}
    found = select(RecordRow.__table__).where(RecordRow.ended_by.in_(changes), RecordRow.about.is_not(None))
    return [dict(each._mapping) for each in connection.execute(found) if each.about in facts and each.fact not in facts]


def has_import() -> ColumnElement[bool]:
    """The condition that an import that stands brought a version's fact, or met it again."""
    first = RecordRow.__table__.alias("first")
    stands = ImportRow.undone_us.is_(None)
    brought = select(first.c.id).join(ImportRow, ImportRow.id == first.c.import_id).where(stands)
    met = select(Sighting.fact).join(ImportRow, ImportRow.id == Sighting.import_id).where(stands)
    return brought.where(first.c.id == RecordRow.fact).exists() | met.where(Sighting.fact == RecordRow.fact).exists()


def archive_of(connection: Connection, fact: int) -> int | None:
    """The archive in which a fact lies."""
    return connection.execute(select(ArchivedFact.archive_id).where(ArchivedFact.fact == fact)).scalar_one_or_none()


def history(connection: Connection, fact: int) -> list[Version]:
    """Every version of a fact, oldest first, with what began and ended each."""
    begun, ended = aliased(Change), aliased(Change)
    found = (
        select(RecordRow.id, begun, ended)
        .outerjoin(begun, begun.id == RecordRow.begun_by)
        .outerjoin(ended, ended.id == RecordRow.ended_by)
        .where(records.of_facts([fact]))
        .order_by(RecordRow.id)
    )
    columns = len(Change.__table__.c)
    by_id = {each.version: each for each in records.versions(connection, fact)}
    return [
        Version(by_id[each[0]], _done(each[1 : 1 + columns]), _done(each[1 + columns :]))
        for each in connection.execute(found)
    ]


def _done(columns: Any) -> Done | None:
    return None if columns[0] is None else Done(*columns)
