"""Taking an import back, and bringing it back.

A fact stands as long as an import that stands brought it or met it again, and no person withdrew it. Undoing an import
takes away what only it brought: its facts end, its readings are passed over. Nothing is deleted, so that it can be
redone: facts stand again as they stood, corrections included.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from appliance.errors import UserError
from appliance.ingest import importing
from appliance.ingest.run import Run
from appliance.store import imports, records, versions
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.models import ArchivedFact, Chunk, ImportRow, RecordRow, Sighting
from appliance.store.versions import Action


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What an undo (or a redo) did: the facts and readings that it took away (or brought back).

    `left` counts the facts of the import that are as they were: another import has them too, or a person withdrew them.
    """

    facts: int
    readings: int
    left: int


def undo(store: Store, import_id: int, who: str, why: str = "") -> TakenBack:
    """Takes an import back. UserError where there is none such, where it is taken back already, or in an archive."""
    with store.read() as connection:
        report = _needed(connection, store, import_id, undone=False)
        others = [(each, importing.read_again(connection, store.key, each)) for each in _confirming(connection, report)]
    with store.write() as connection:
        _needed(connection, store, import_id, undone=False)
        _need_no_archive(connection, import_id)
        change = versions.begin(connection, Action.UNDO, who, why, import_id)
        facts, readings = _count(connection, import_id), _readings(connection, import_id)
        connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(undone_us=change.at_us))
        ended = versions.end(connection, records.of_facts(_facts_of(import_id)) & ~_has_another_import(), change)
        _make_stale(connection, import_id)
        kept = sum(_confirm(connection, each, run) for each, run in others)
    return TakenBack(ended, readings - kept, facts - ended)


def redo(store: Store, import_id: int, who: str, why: str = "") -> TakenBack:
    """Brings back an import that was taken back. UserError where there is none such, or where it stands."""
    with store.write() as connection:
        _needed(connection, store, import_id, undone=True)
        _need_no_rival(connection, import_id)
        change = versions.begin(connection, Action.REDO, who, why, import_id)
        connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(undone_us=None))
        again = versions.reinstate(connection, _facts_of(import_id), change)
        _make_stale(connection, import_id)
        return TakenBack(again, _readings(connection, import_id), _count(connection, import_id) - again)


def _needed(connection: Connection, store: Store, import_id: int, *, undone: bool) -> Report:
    found = imports.report(connection, import_id, limit=0)
    if found is None:
        raise UserError(f"there is no import {import_id} in the store {store.name!r}; see: inglenook imports")
    if found.undone and not undone:
        raise UserError(f"import {import_id} is undone already; inglenook imports redo {import_id} brings it back")
    if undone and not found.undone:
        raise UserError(f"import {import_id} stands: there is nothing to redo")
    return found


def _facts_of(import_id: int) -> Select[tuple[int]]:
    """The facts that an import brought or met again."""
    brought = select(RecordRow.fact).where(RecordRow.import_id == import_id, RecordRow.fact == RecordRow.id)
    met = select(Sighting.fact).where(Sighting.import_id == import_id)
    both = brought.union(met).subquery()
    return select(both.c.fact)


def _has_another_import() -> ColumnElement[bool]:
    """Whether an import that stands brought a version's fact, or met it again."""
    first = RecordRow.__table__.alias("first")
    stands = ImportRow.undone_us.is_(None)
    brought = select(first.c.id).join(ImportRow, ImportRow.id == first.c.import_id).where(stands)
    met = select(Sighting.fact).join(ImportRow, ImportRow.id == Sighting.import_id).where(stands)
    return brought.where(first.c.id == RecordRow.fact).exists() | met.where(Sighting.fact == RecordRow.fact).exists()


def _count(connection: Connection, import_id: int) -> int:
    return connection.execute(select(func.count()).select_from(_facts_of(import_id).subquery())).scalar_one()


def _readings(connection: Connection, import_id: int) -> int:
    found = select(func.coalesce(func.sum(Chunk.readings), 0)).where(Chunk.import_id == import_id)
    return int(connection.execute(found).scalar_one())


def _make_stale(connection: Connection, import_id: int) -> None:
    for series_id, first_ms, last_ms in series_store.brought_by(connection, import_id):
        series_store.make_stale(connection, series_id, first_ms, last_ms)


def _confirming(connection: Connection, report: Report) -> list[Report]:
    """Imports that stand and met readings again that this one brought: they are read again from their originals."""
    if not series_store.brought_by(connection, report.id):
        return []
    names = set(report.source.split(", "))
    met = select(ImportRow.id).where(ImportRow.id != report.id, ImportRow.undone_us.is_(None), ImportRow.duplicate > 0)
    others = (imports.needed(connection, each) for each in connection.execute(met.order_by(ImportRow.id)).scalars())
    return [each for each in others if each.original and names & set(each.source.split(", "))]


def _confirm(connection: Connection, report: Report, run: Run) -> int:
    """Stores the readings of another import that are nowhere else now; how many."""
    done = [each.store(connection, report.id, seen_before=True) for each in run.intervals.values()]
    return sum(each.stored for each in done)


def _need_no_archive(connection: Connection, import_id: int) -> None:
    archived = select(ArchivedFact.archive_id).where(ArchivedFact.import_id == import_id).distinct()
    if found := connection.execute(archived).scalars().all():
        raise UserError(
            f"facts of import {import_id} lie in archive {', '.join(map(str, found))}; bring them back first: "
            f"inglenook archive attach {found[0]}"
        )


def _need_no_rival(connection: Connection, import_id: int) -> None:
    """Two series of one role of a source would be added up: readings in another unit came meanwhile."""
    standing = {(each.source, each.role): each for each in series_store.every(connection)}
    every = {each.id: each for each in series_store.every(connection, taken_back=True)}
    for series_id, _, _ in series_store.brought_by(connection, import_id):
        own = every[series_id]
        rival = standing.get((own.source, own.role), own)
        if rival.id != own.id:
            raise UserError(
                f"{own.source} has {own.role} in {rival.unit} by a later import, and import {import_id} brought it in "
                f"{own.unit}; undo the later one first (see: inglenook imports)"
            )
