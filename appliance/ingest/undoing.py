"""Taking an import back, and bringing it back.

A fact stands as long as an import that stands brought it or met it again, and no person withdrew it. Undoing an import
takes away what only it brought: its facts end, its readings are passed over. Nothing is deleted, so that it can be
redone: facts stand again as they stood, corrections included.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, update

from appliance.errors import UserError
from appliance.ingest import dedupe, importing
from appliance.ingest.run import Run
from appliance.store import imports, records, sources, versions
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.models import ArchivedFact, Chunk, ImportRow, RecordRow, Reject, Sighting
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
    others = confirming(store, import_id)
    with store.write() as connection:
        _needed(connection, store, import_id, undone=False)
        _need_no_archive(connection, import_id)
        return take_back(connection, import_id, others, who, why)


def confirming(store: Store, import_id: int) -> list[tuple[int, Run]]:
    """The imports that stand and have readings too that this one brought, as their originals say them."""
    with store.read() as connection:
        report = _needed(connection, store, import_id, undone=False)
        return [(each.id, importing.read_again(store, each)) for each in _confirming(connection, report)]


def take_back(
    connection: Connection, import_id: int, others: list[tuple[int, Run]], who: str, why: str = ""
) -> TakenBack:
    """The same in a transaction of the caller's, with the others that `confirming` gave."""
    hand_on(connection, import_id)
    change = versions.begin(connection, Action.UNDO, who, why, import_id)
    facts = _count(connection, import_id)
    connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(undone_us=change.at_us))
    connection.execute(update(Reject).where(Reject.resolved_by == import_id).values(resolved_by=None))
    ended = versions.end(connection, records.of_facts(_facts_of(import_id)) & ~versions.has_import(), change)
    versions.end_notes(connection, change)
    versions.take_revisions_back(connection, import_id, change)
    _make_stale(connection, import_id)
    for each, run in others:
        _confirm(connection, each, run)
    return TakenBack(ended, _only_its_own(connection, import_id), facts - ended)


def redo(store: Store, import_id: int, who: str, why: str = "") -> TakenBack:
    """Brings back an import that was taken back. UserError where there is none such, or where it stands."""
    own = _met_readings(store, import_id)
    with store.write() as connection:
        report = _needed(connection, store, import_id, undone=True)
        _need_no_rival(connection, import_id)
        readings = _only_its_own(connection, import_id)
        change = versions.begin(connection, Action.REDO, who, why, import_id)
        connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(undone_us=None))
        for earlier in _of_same_file(connection, import_id, ImportRow.id < import_id):
            _confirm_facts(connection, earlier, import_id)
        again = versions.reinstate(connection, _facts_of(import_id), change)
        versions.revise_again(connection, import_id)
        if report.retry_of is not None:
            imports.resolve(connection, report)
        if own is not None:
            readings += _confirm(connection, import_id, own)
        _make_stale(connection, import_id)
        return TakenBack(again, readings, _count(connection, import_id) - again)


def _met_readings(store: Store, import_id: int) -> Run | None:
    """What an import's original says, where it met readings again that may have gone with another import since."""
    with store.read() as connection:
        report = _needed(connection, store, import_id, undone=True)
        if not (report.original and report.duplicate):
            return None
        run = importing.read_again(store, report)
    return run if run.intervals else None


def hand_on(connection: Connection, import_id: int, *, undone: bool = False) -> None:
    """Writes down what a later import of the same file confirmed: that it met the same rows goes without saying until
    this import goes. `undone`: even where that one was taken back."""
    later = _of_same_file(connection, import_id, ImportRow.id > import_id)
    standing = [each for each in later if undone or not imports.needed(connection, each).undone]
    if standing:
        _confirm_facts(connection, import_id, standing[0])


def _of_same_file(connection: Connection, import_id: int, which: ColumnElement[bool]) -> list[int]:
    """Other imports that read the same file in the same way."""
    own = imports.needed(connection, import_id)
    same = select(ImportRow.id, ImportRow.options).where(
        ImportRow.sha256 == own.original,
        ImportRow.format == own.format,
        ImportRow.named_source == own.named_source,
        ImportRow.error == own.error,
        which,
    )
    return [each.id for each in connection.execute(same.order_by(ImportRow.id)) if each.options == own.options]


def _confirm_facts(connection: Connection, earlier: int, later: int) -> None:
    """Every fact that an import brought or met again was met by another, in the same bytes of the same file."""
    names = ("fact", "first", "length", "supplier_id")
    brought = select(*(getattr(RecordRow, name) for name in names)).where(
        RecordRow.import_id == earlier, RecordRow.fact == RecordRow.id
    )
    met = select(*(getattr(Sighting, name) for name in names)).where(Sighting.import_id == earlier)
    own = select(Sighting.first, Sighting.fact).where(Sighting.import_id == later)
    there = {(each.first, each.fact) for each in connection.execute(own)}
    rows = {(each.first, each.fact): dict(each._mapping) for each in connection.execute(brought.union_all(met))}
    said = {"import_id": later, "decision": dedupe.SAME_FILE}
    records.add_sightings(connection, [row | said for place, row in rows.items() if place not in there])


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


def _count(connection: Connection, import_id: int) -> int:
    return connection.execute(select(func.count()).select_from(_facts_of(import_id).subquery())).scalar_one()


def _only_its_own(connection: Connection, import_id: int) -> int:
    """Of an import that does not stand, how many readings nothing that stands has too."""
    every = {each.id: each for each in series_store.every(connection, taken_back=True)}
    count = 0
    for chunk in connection.execute(select(Chunk.id, Chunk.series_id).where(Chunk.import_id == import_id)).all():
        own = series_store.unpacked(connection.execute(select(Chunk.__table__).where(Chunk.id == chunk.id)).one())
        first_ms, last_ms = int(own.at_ms.min()), int(own.at_ms.max())
        standing = series_store.read_all(connection, every[chunk.series_id], first_ms, last_ms)
        count += int(dedupe.new_readings(own, standing).sum())
    return count


def _make_stale(connection: Connection, import_id: int) -> None:
    for series_id, first_ms, last_ms in series_store.brought_by(connection, import_id):
        series_store.make_stale(connection, series_id, first_ms, last_ms)


def _confirming(connection: Connection, report: Report) -> list[Report]:
    """Imports that stand and met readings again that this one brought: they are read again from their originals."""
    if not series_store.brought_by(connection, report.id):
        return []
    known = sources.names(connection)
    own = set(sources.named_in(report.source, known))
    met = select(ImportRow.id).where(ImportRow.id != report.id, ImportRow.undone_us.is_(None), ImportRow.duplicate > 0)
    others = (imports.needed(connection, each) for each in connection.execute(met.order_by(ImportRow.id)).scalars())
    return [each for each in others if each.original and own & set(sources.named_in(each.source, known))]


def _confirm(connection: Connection, import_id: int, run: Run) -> int:
    """Stores the readings of another import that are nowhere else now; how many."""
    done = [each.store(connection, import_id, seen_before=True) for each in run.intervals.values()]
    return sum(each.stored for each in done)


def _need_no_archive(connection: Connection, import_id: int) -> None:
    met = select(Sighting.fact).where(Sighting.import_id == import_id)
    its_own = or_(ArchivedFact.import_id == import_id, ArchivedFact.fact.in_(met))
    archived = select(ArchivedFact.archive_id).where(its_own).distinct().order_by(ArchivedFact.archive_id)
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
