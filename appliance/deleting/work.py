"""One deletion under way, in one transaction: rows, what was made of them, the files they came from, the archives."""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, select, update

from appliance import archiving
from appliance.archiving import Archived, Part, contents
from appliance.archiving.contents import batches, with_notes
from appliance.deleting import unnamed
from appliance.deleting.files import Files
from appliance.deleting.report import Report
from appliance.errors import UserError
from appliance.ingest import known, undoing
from appliance.store import archives, links, records
from appliance.store import series as series_store
from appliance.store.archives import Line
from appliance.store.database import Store
from appliance.store.models import (
    Archive,
    Change,
    Chunk,
    ImportRow,
    RecordRow,
    RegisterStep,
    Reject,
    Rollup,
    Series,
    Sighting,
    Stale,
    Thinning,
)
from appliance.store.versions import Action


class Work:
    """What is deleted, and what must be put right after: archives are opened for it and written anew without it."""

    def __init__(self, connection: Connection, store: Store, folder: Path, zone: tzinfo, report: Report) -> None:
        self.connection, self.store, self.folder, self.zone, self.report = connection, store, folder, zone, report
        self.files = Files(connection, store, folder)
        self.highest = records.next_id(connection) - 1  # number that was given until now
        self._opened: list[tuple[Archived, list[int]]] = []

    # ---- archives ----

    def open_archives(self, numbers: Iterable[int]) -> None:
        """Brings the facts of these archives into the tables, for as long as this lasts."""
        for number in sorted(set(numbers)):
            found = archiving.needed(self.connection, number)
            facts = archiving.bring_back(self.connection, self.store, self.folder, number)
            self._opened.append((found, facts))

    def archives_with(self, is_it: Callable[[Line], bool]) -> list[int]:
        """The archives that hold such a line."""
        detached = select(Archive.id).where(Archive.attached_us.is_(None)).order_by(Archive.id)
        return [
            number
            for number in self.connection.execute(detached).scalars().all()
            if any(map(is_it, archives.read(self.folder, number, self.store.key)))
        ]

    def close(self) -> None:
        """Sees to the files, and writes what remains of the archives under new numbers: their own files are as they
        were until all of this is committed.
        """
        self.files.settle(self.report)
        for found, facts in self._opened:
            rest = [fact for some in batches(facts) for fact in self._archivable(some)]
            if rest:
                part = Part(found.kind, sorted(rest), archiving.day_of(found.before), self.zone)
                archiving.put_away(self.connection, self.store, self.folder, part)
        own = [found.archive for found, _ in self._opened]
        self.connection.execute(delete(Archive).where(Archive.id.in_(own)))

    def _archivable(self, facts: Sequence[int]) -> set[int]:
        """Those of these facts that are there still; what an undo has taken away now a redo brings back, so it stays in
        the tables."""
        there = set(self.connection.execute(select(RecordRow.fact).where(RecordRow.id.in_(facts))).scalars())
        newest = select(func.max(RecordRow.id)).where(records.of_facts(facts)).group_by(RecordRow.fact)
        undone = select(Change.id).where(Change.action == Action.UNDO.value)
        gone = select(RecordRow.fact).where(RecordRow.id.in_(newest), RecordRow.ended_by.in_(undone))
        return there - set(self.connection.execute(gone).scalars())

    # ---- facts ----

    def delete_facts(self, facts: Iterable[int], *, forget: bool = False) -> None:
        """Deletes facts with all versions, the notes about them, and what was made of them.

        `forget`: a digest of each stays, so that no file brings it back.
        """
        gone = with_notes(self.connection, facts)
        changes: set[int] = set()
        for some in batches(gone):
            which = records.of_facts(some)
            self.files.note(RecordRow, which)
            self.files.note_attached(which)
            self.files.note(Sighting, Sighting.fact.in_(some))
            changes |= self._changes(which)
            if forget:
                brought = select(RecordRow.fingerprint).where(which)
                prints = self.connection.execute(brought).scalars().all()
                known.forget(self.connection, self.store.key, [each for each in prints if each])
            self.connection.execute(delete(Sighting).where(Sighting.fact.in_(some)))
        self.report.facts += len(gone)
        self.report.versions += contents.remove(self.connection, gone, for_good=True)
        links.forget(self.connection, gone)
        self.drop_changes(changes)

    def _changes(self, which: ColumnElement[bool]) -> set[int]:
        rows = self.connection.execute(select(RecordRow.begun_by, RecordRow.ended_by).where(which))
        return {change for row in rows for change in row if change is not None}

    def drop_changes(self, changes: Iterable[int]) -> None:
        """Deletes what was said of changes to facts, where no fact that remains was changed by them."""
        for some in batches(sorted(changes)):
            used = self._changes(RecordRow.begun_by.in_(some) | RecordRow.ended_by.in_(some))
            unused = set(some) - used
            unused -= self._archived_changes(unused)
            self.connection.execute(delete(Change).where(Change.id.in_(unused)))

    def _archived_changes(self, changes: set[int]) -> set[int]:
        """Those that facts in archives name: only what was done before an archive was made can be in it."""
        first = self.connection.execute(select(func.min(Change.at_us)).where(Change.id.in_(changes))).scalar_one()
        own = [found.archive for found, _ in self._opened]
        later = select(Archive.id).where(Archive.attached_us.is_(None), Archive.at_us > (first or 0))
        numbers = self.connection.execute(later.where(Archive.id.not_in(own))).scalars().all() if changes else ()
        try:
            return {
                line[name]
                for number in numbers
                for line in archives.read(self.folder, number, self.store.key)
                for name in ("begun_by", "ended_by")
                if line.get(name) in changes
            }
        except UserError:  # one is damaged or missing, and nobody knows what it names: they stay, without a word
            self.connection.execute(update(Change).where(Change.id.in_(changes)).values(why=""))
            return changes

    # ---- readings and imports ----

    def delete_readings(self, which: ColumnElement[bool]) -> None:
        """Deletes the chunks for which a condition holds, and series of which nothing remains."""
        self.files.note(Chunk, which)
        found = select(Chunk.series_id, func.min(Chunk.first_ms), func.max(Chunk.last_ms), func.sum(Chunk.readings))
        spans = self.connection.execute(found.where(which).group_by(Chunk.series_id)).all()
        self.connection.execute(delete(Chunk).where(which))
        for series_id, first_ms, last_ms, readings in spans:
            self.report.readings += int(readings)
            if self.connection.execute(select(Chunk.id).where(Chunk.series_id == series_id).limit(1)).first():
                series_store.make_stale(self.connection, series_id, first_ms, last_ms)
            else:
                self.delete_series(Series.id == series_id)

    def delete_series(self, which: ColumnElement[bool]) -> None:
        """Deletes series that have no readings, and what was derived from those that they had."""
        own = select(Series.id).where(which)
        for table in (Rollup, RegisterStep, Stale, Thinning):
            self.connection.execute(delete(table).where(table.series_id.in_(own)))
        self.connection.execute(delete(Series).where(which))

    def delete_import(self, import_id: int) -> None:
        """Deletes an import that is undone: what only it brought, its rejects, its readings. What another import met
        again is that one's from now on."""
        connection = self.connection
        self.files.note_original(connection.execute(select(ImportRow.sha256).where(ImportRow.id == import_id)).scalar())
        undoing.hand_on(connection, import_id, undone=True)
        undoing.hand_on(connection, import_id, undone=True)
        self._give_to_others(import_id)
        own = select(RecordRow.fact).where(RecordRow.import_id == import_id, RecordRow.fact == RecordRow.id)
        self.delete_facts(connection.execute(own).scalars().all())
        self.delete_readings(Chunk.import_id == import_id)
        for table in (Sighting, Reject):
            connection.execute(delete(table).where(table.import_id == import_id))
        connection.execute(update(Reject).where(Reject.resolved_by == import_id).values(resolved_by=None))
        connection.execute(update(ImportRow).where(ImportRow.retry_of == import_id).values(retry_of=None))
        self.drop_changes(connection.execute(select(Change.id).where(Change.import_id == import_id)).scalars())
        connection.execute(update(Change).where(Change.import_id == import_id).values(import_id=None))
        connection.execute(delete(ImportRow).where(ImportRow.id == import_id))
        self.report.imports += 1

    def delete_unused_sources(self) -> None:
        """Deletes the names of sources of which nothing is left, here or in an archive."""

        def is_archived(number: int) -> bool:
            return bool(self.archives_with(lambda line: line.get("source_id") == number))

        self.report.sources += unnamed.drop(self.connection, is_archived)

    def _give_to_others(self, import_id: int) -> None:
        """Of facts that another import met again: that one has brought them; one that stands, where there is any."""
        own = select(RecordRow.fact).where(RecordRow.import_id == import_id, RecordRow.fact == RecordRow.id)
        met = (
            select(Sighting.__table__)
            .join(ImportRow, ImportRow.id == Sighting.import_id)
            .where(Sighting.fact.in_(own), Sighting.import_id != import_id)
            .order_by(ImportRow.undone_us.is_not(None), Sighting.import_id, Sighting.first)
        )
        given = {each.fact: each for each in reversed(self.connection.execute(met).all())}
        brought = RecordRow.import_id == import_id
        for some in batches(list(given)):
            later = select(RecordRow.id, RecordRow.fact).where(RecordRow.fact.in_(some), RecordRow.fact != RecordRow.id)
            versions = {fact: fact for fact in some} | {row.id: row.fact for row in self.connection.execute(later)}
            self._set_lineage(brought, [(version, given[fact]) for version, fact in versions.items()])
        places = [{"met_by": each.import_id, "met_at": each.first, "met": each.fact} for each in given.values()]
        if places:
            place = (Sighting.import_id == bindparam("met_by")) & (Sighting.first == bindparam("met_at"))
            place &= Sighting.fact == bindparam("met")
            self.connection.execute(delete(Sighting.__table__).where(place), places)  # type: ignore[arg-type]

    def _set_lineage(self, which: ColumnElement[bool], versions: list[tuple[int, Row[Any]]]) -> None:
        now: dict[str, Any] = {
            "import_id": bindparam("met_by"),
            "first": bindparam("met_at"),
            "length": bindparam("met_bytes"),
        }
        own = update(RecordRow.__table__).where(RecordRow.id == bindparam("version"), which)  # type: ignore[arg-type]
        rows = [
            {"version": version, "met_by": each.import_id, "met_at": each.first, "met_bytes": each.length}
            for version, each in versions
        ]
        self.connection.execute(own.values(now), rows)
