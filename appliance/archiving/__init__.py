"""Archiving: facts of a kind that are older than so many months, moved out of a store into an encrypted file.

All versions of a fact move, with the notes about it and what was made of it. What remains in the store: enough to know
a fact again when a file brings it once more, where it was seen, and what each month came to.

    1. in one transaction: the file is written, synced and read again; the archive's rows are added, the facts' removed
    2. the transaction is committed

Killed before the commit, the file has no row and is removed at the next archiving; bringing facts back is the same the
other way round. `folder` is the store's folder throughout.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, literal, or_, select, update

from appliance.archiving import contents
from appliance.archiving.contents import VERSIONS, batches, with_notes
from appliance.archiving.summaries import Sums
from appliance.derive import events
from appliance.errors import UserError
from appliance.store import archives, records, versions
from appliance.store.archives import Line, Written
from appliance.store.database import Store
from appliance.store.models import Archive, ArchivedFact, Change, RecordRow, Setting, Summary
from appliance.store.records import DATE_ONLY, at_text, moment
from appliance.store.versions import Action


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive: facts of a kind from its oldest one until before `before`, both days; `attached` is "" or a time."""

    archive: int
    kind: str
    first: str
    before: str
    facts: int
    bytes: int
    at: str
    attached: str

    def row(self) -> dict[str, Any]:
        return asdict(self)


def every(connection: Connection) -> list[Archived]:
    """Every archive, those whose facts were brought back too."""
    return [_archived(each) for each in connection.execute(select(Archive.__table__).order_by(Archive.id))]


def day_of(said: str) -> date:
    """The day of an archive's `before`."""
    return date.fromisoformat(said)


def _archived(each: Row[Any]) -> Archived:
    return Archived(
        archive=each.id,
        kind=each.kind,
        first=at_text(each.first_us, DATE_ONLY),
        before=at_text(each.end_us, DATE_ONLY),
        facts=each.facts,
        bytes=each.size,
        at=at_text(each.at_us),
        attached="" if each.attached_us is None else at_text(each.attached_us),
    )


# ---- out ----


@dataclass(frozen=True, slots=True)
class Part:
    """What goes into an archive: facts of a kind with the notes about them, from before a day as `zone` has it."""

    kind: str
    facts: list[int]
    before: date
    zone: tzinfo


def make(store: Store, folder: Path, kind: str, before: date, zone: tzinfo = UTC) -> Archived | None:
    """Moves the facts of a kind from before a month into an archive; None where there are none.

    Months are whole: `before` counts from the first of its month, as `zone` has it. UserError where the disk is full.
    """
    before = before.replace(day=1)
    tidy(store, folder)
    events.refresh(store)  # so that the months' sums count an event once
    with store.write() as connection:
        part = Part(kind, with_notes(connection, older(connection, kind, before, zone)), before, zone)
        return put_away(connection, store, folder, part) if part.facts else None


def older(connection: Connection, kind: str, before: date, zone: tzinfo) -> list[int]:
    """Facts of a kind from before a day, by their newest version. Without: those that have no time, what an undo took
    away (a file may bring it again), and notes, which go where what they are about goes."""
    day, local = moment(before)[0], moment(datetime(before.year, before.month, before.day, tzinfo=zone))[0]
    touched = select(RecordRow.fact).where(RecordRow.kind == kind, RecordRow.at_us < max(local, day))
    newest = select(func.max(RecordRow.id)).where(records.of_facts(touched)).group_by(RecordRow.fact)
    undone = select(Change.id).where(Change.action == Action.UNDO.value)
    found = select(RecordRow.fact).where(
        RecordRow.id.in_(newest),
        RecordRow.kind == kind,
        RecordRow.about.is_(None),
        RecordRow.zone != "",
        RecordRow.at_us < case((RecordRow.zone == DATE_ONLY, day), else_=local),
        or_(RecordRow.ended_by.is_(None), RecordRow.ended_by.not_in(undone)),
    )
    return list(connection.execute(found.order_by(RecordRow.fact)).scalars())


def put_away(connection: Connection, store: Store, folder: Path, part: Part) -> Archived:
    """Moves facts into a new archive, in a transaction of the caller's."""
    number = 1 + (connection.execute(select(func.max(Archive.id))).scalar_one() or 0)
    sums = Sums(connection, part.kind, part.facts, part.zone)
    written = _written(store, folder, number, _noted(contents.rows_of(connection, part.facts), sums))
    row = {
        "id": number,
        "kind": part.kind,
        "first_us": sums.first_us,
        "end_us": moment(part.before)[0],
        "facts": len(part.facts),
        "file": archives.path_of(folder, number).name,
        "size": written.size,
        "sha256": written.sha256,
        "at_us": versions.now_us(connection),
    }
    connection.execute(insert(Archive).values(row))
    for some in batches(part.facts):
        known_by = [literal(number), *(getattr(RecordRow, name) for name in _KNOWN_BY)]
        found = select(RecordRow.fact, *known_by).where(RecordRow.id.in_(some))
        connection.execute(insert(ArchivedFact).from_select(["fact", "archive_id", *_KNOWN_BY], found))
        _know_as_said_last(connection, some)
    sums.keep(connection, number)
    _keep_highest(connection)
    contents.remove(connection, part.facts)
    return needed(connection, number)


def _know_as_said_last(connection: Connection, facts: Sequence[int]) -> None:
    """What an import said otherwise is known again by that, which is what later files hold."""
    otherwise = (RecordRow.fact != RecordRow.id) & (RecordRow.fingerprint != b"")
    found = select(RecordRow.fact, RecordRow.fingerprint, RecordRow.supplier_id).where(
        records.of_facts(facts), otherwise
    )
    for row in connection.execute(found.order_by(RecordRow.id)).all():
        said = {"fingerprint": row.fingerprint, "supplier_id": row.supplier_id}
        connection.execute(update(ArchivedFact).where(ArchivedFact.fact == row.fact).values(said))


_KNOWN_BY = ("fingerprint", "supplier_id", "unit", "import_id")


def _noted(lines: Iterable[Line], sums: Sums) -> Iterator[Line]:
    for line in lines:
        if line["in"] == VERSIONS:
            sums.add(line)
        yield line


def _written(store: Store, folder: Path, number: int, lines: Iterable[Line]) -> Written:
    """The file, read again from its beginning to its end before anything is removed for its sake."""
    try:
        written = archives.write(folder, number, store.key, lines)
    except OSError as error:
        raise UserError(
            f"{archives.path_of(folder, number)}: the archive could not be written ({error.strerror}), and nothing was "
            "archived; free some space and try again"
        ) from None
    if sum(1 for _ in archives.read(folder, number, store.key)) != written.lines:
        raise UserError(f"{archives.path_of(folder, number)}: the disk gives back another archive than was written")
    return written


def _keep_highest(connection: Connection) -> None:
    """No number is given twice, though the facts that have it lie in an archive."""
    highest = records.next_id(connection) - 1
    connection.execute(delete(Setting).where(Setting.name == records.HIGHEST_ARCHIVED))
    connection.execute(insert(Setting).values(name=records.HIGHEST_ARCHIVED, value=str(highest)))


def tidy(store: Store, folder: Path) -> None:
    """Removes files that are no archive's: of one that was not finished, or whose facts are back in the store."""
    with store.write() as connection:
        there = connection.execute(select(Archive.id).where(Archive.attached_us.is_(None))).scalars()
        archives.remove_others(folder, there)


# ---- back ----


def attach(store: Store, folder: Path, number: int) -> Archived:
    """Puts the facts of an archive back exactly as they were; its file goes, since they are in the store again.

    UserError where there is none such, where it is done already, and where the file is missing, cut or altered:
    nothing is changed then.
    """
    with store.write() as connection:
        if needed(connection, number).attached:
            raise UserError(f"archive {number} is in the store again already; see: inglenook archive")
        bring_back(connection, store, folder, number)
        now_us = versions.now_us(connection)
        connection.execute(update(Archive).where(Archive.id == number).values(attached_us=now_us))
        found = needed(connection, number)
    tidy(store, folder)
    return found


def bring_back(connection: Connection, store: Store, folder: Path, number: int) -> list[int]:
    """Puts the facts of an archive into the tables, in a transaction of the caller's; their numbers."""
    facts = contents.put_back(connection, archives.read(folder, number, store.key))
    connection.execute(delete(ArchivedFact).where(ArchivedFact.archive_id == number))
    connection.execute(delete(Summary).where(Summary.archive_id == number))
    return facts


def needed(connection: Connection, number: int) -> Archived:
    """An archive; UserError where there is none such."""
    found = connection.execute(select(Archive.__table__).where(Archive.id == number)).one_or_none()
    if found is None:
        raise UserError(f"there is no archive {number}; see: inglenook archive")
    return _archived(found)
