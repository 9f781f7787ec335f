"""What happened to facts since a rule last looked: how anything derived follows them without reading them all again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from appliance.store.models import Archive, Change, Deletion, RecordRow, RuleState

BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a rule has come: the newest version and the newest change that it saw, and what was kept elsewhere then.

    `kept` says which archives and deletions there were: those take facts away without a change.
    """

    version: str
    record_id: int = 0
    change_id: int = 0
    kept: str = ""

    @property
    def is_new(self) -> bool:
        """Whether the rule has seen nothing yet."""
        return not (self.record_id or self.change_id or self.kept)


@dataclass(frozen=True, slots=True)
class Step:
    """Part of what happened: the versions that begun and those that ended, and how far that goes.

    `moved`: facts were archived, brought back or deleted. `is_last`: nothing is left after it.
    """

    begun: Sequence[Row[Any]]
    ended: Sequence[Row[Any]]
    moved: bool
    is_last: bool
    mark: Mark


def mark_of(connection: Connection, rule: str, version: str) -> Mark:
    """Where a rule stands; at the beginning where another version of it was there."""
    found = connection.execute(select(RuleState.version, RuleState.record_id).where(RuleState.name == rule))
    row = found.one_or_none()
    if row is None:
        return Mark(version)
    said, change_id, kept = row.version.rsplit("|", 2)
    return Mark(version, row.record_id, int(change_id), kept) if said == version else Mark(version)


def keep(connection: Connection, rule: str, mark: Mark) -> None:
    """Writes down how far a rule has come."""
    connection.execute(delete(RuleState).where(RuleState.name == rule))
    said = f"{mark.version}|{mark.change_id}|{mark.kept}"
    connection.execute(insert(RuleState).values(name=rule, version=said, record_id=mark.record_id))


def is_stale(connection: Connection, rule: str, version: str) -> bool:
    """Whether something happened that a rule has not seen."""
    before, now = mark_of(connection, rule, version), _now(connection, version)
    return now.record_id > before.record_id or (now.change_id, now.kept) != (before.change_id, before.kept)


def step(connection: Connection, before: Mark, columns: Sequence[Any], which: Any = None) -> Step:
    """The next part of what happened since a mark, as these columns of the versions for which a condition holds.

    The versions that begun come in batches by their numbers; those that ended since come with the last one.
    """
    now = _now(connection, before.version)
    end = min(before.record_id + BATCH, now.record_id)
    is_last = end == now.record_id or now.record_id <= before.record_id
    asked = select(*columns) if which is None else select(*columns).where(which)
    within = (RecordRow.id > before.record_id) & (RecordRow.id <= end)
    begun = connection.execute(asked.where(within)).all()
    if not is_last:
        return Step(begun, [], False, False, Mark(before.version, end, before.change_id, before.kept or now.kept))
    ended = connection.execute(asked.where(RecordRow.ended_by > before.change_id)).all()
    return Step(begun, ended, bool(before.kept) and now.kept != before.kept, True, now)


def _now(connection: Connection, version: str) -> Mark:
    archives = select(func.count(), func.max(Archive.id), func.max(Archive.attached_us))
    deletions = select(func.max(Deletion.id))
    kept = [*connection.execute(archives.select_from(Archive)).one(), connection.execute(deletions).scalar_one()]
    return Mark(
        version,
        connection.execute(select(func.max(RecordRow.id))).scalar_one() or 0,
        connection.execute(select(func.max(Change.id))).scalar_one() or 0,
        ".".join(str(each or 0) for each in kept),
    )
