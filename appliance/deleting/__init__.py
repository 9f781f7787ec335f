"""Deleting for good: a fact, an import, a source, a kind. (A person and the box: see `whole`.)

Not withdrawing, which keeps the history: nothing remains but a report that says how much there was. What is deleted
goes from the tables, the search index, the archives and the originals, in one transaction, and then from the free pages
of the database. `folder` is the store's folder, `zone` the one in which months are archived.
"""

from collections.abc import Callable
from datetime import UTC, date, tzinfo
from pathlib import Path

from sqlalchemy import Connection, delete, insert, or_, select, update

from appliance import archiving
from appliance.deleting import marts, traces
from appliance.deleting.report import NO_COPIES
from appliance.deleting.report import Report as Report
from appliance.deleting.work import Work
from appliance.derive import rollups, tally
from appliance.errors import UserError
from appliance.ingest import undoing
from appliance.store import imports, records, sources, versions
from appliance.store.database import Store
from appliance.store.models import (
    Archive,
    ArchivedFact,
    Chunk,
    Deletion,
    Gap,
    ImportRow,
    RecordRow,
    Series,
    Sighting,
    SourceRow,
)
from appliance.store.records import at_text, moment

METERS = (
    "meters: readings that the collector holds and did not seal yet come back, and a meter that is configured goes on "
    "being read; take it out of inglenook.toml first, and delete its source once more"
)


def fact(store: Store, folder: Path, number: int, who: str, why: str = "", zone: tzinfo = UTC) -> Report:
    """Deletes a fact; no file brings it back. UserError where there is none such."""

    def work(doing: Work) -> None:
        if archive := versions.archive_of(doing.connection, number):
            doing.open_archives([archive])
        if not records.versions(doing.connection, number):
            raise UserError(f"there is no fact {number} in the store {store.name!r}; see: inglenook records")
        doing.delete_facts([number], forget=True)

    return _done(store, folder, Report(f"fact {number}", why), who, zone, work)


def import_(store: Store, folder: Path, number: int, who: str, why: str = "", zone: tzinfo = UTC) -> Report:
    """Deletes an import, and what no other import has met again; the same file may be imported once more.

    UserError where there is none such.
    """
    with store.read() as connection:
        found = imports.report(connection, number, limit=0)
    if found is None:
        raise UserError(f"there is no import {number} in the store {store.name!r}; see: inglenook imports")
    others = [] if found.undone else undoing.confirming(store, number)

    def work(doing: Work) -> None:
        met = select(Sighting.fact).where(Sighting.import_id == number)
        archived = or_(ArchivedFact.import_id == number, ArchivedFact.fact.in_(met))
        doing.open_archives(
            doing.connection.execute(select(ArchivedFact.archive_id).where(archived).distinct()).scalars().all()
        )
        if not found.undone:
            undoing.take_back(doing.connection, number, others, who, why)
        doing.delete_import(number)
        doing.delete_unused_sources()

    return _done(store, folder, Report(f"import {number}", why), who, zone, work)


def source(store: Store, folder: Path, name: str, who: str, why: str = "", zone: tzinfo = UTC) -> Report:
    """Deletes all that came from a source, and the imports that had nothing else. UserError of an unknown one."""
    with store.read() as connection:
        source_id = connection.execute(select(SourceRow.id).where(SourceRow.name == name)).scalar_one_or_none()
    if source_id is None:
        raise UserError(f"there is no source {name!r} in the store {store.name!r}; see: inglenook sources")

    def work(doing: Work) -> None:
        connection = doing.connection
        own, others = _imports_of(doing, name)
        doing.open_archives(
            doing.archives_with(lambda line: line.get("source_id") == source_id or line.get("import_id") in own)
        )
        doing.delete_facts(connection.execute(select(RecordRow.fact).where(RecordRow.source_id == source_id)).scalars())
        series = select(Series.id).where(Series.source_id == source_id)
        if connection.execute(select(Chunk.id).where(Chunk.series_id.in_(series), Chunk.link != "").limit(1)).first():
            doing.report.left.append(METERS)
        doing.delete_readings(Chunk.series_id.in_(series))
        doing.delete_series(Series.source_id == source_id)
        connection.execute(delete(Gap).where(Gap.source_id == source_id))
        for import_id, undone in own.items():
            if not undone:
                undoing.take_back(connection, import_id, [], who, why)
            doing.delete_import(import_id)
        for import_id, rest in others.items():
            connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(source=rest))
        connection.execute(delete(SourceRow).where(SourceRow.id == source_id))
        doing.report.sources += 1

    return _done(store, folder, Report("a source", why), who, zone, work)


def _imports_of(doing: Work, name: str) -> tuple[dict[int, bool], dict[int, str]]:
    """The imports of this source alone, with whether they are undone; and what the others' sources are without it."""
    own, others = dict[int, bool](), dict[int, str]()
    known = sources.names(doing.connection)
    for row in doing.connection.execute(select(ImportRow.id, ImportRow.source, ImportRow.undone_us)):
        names = sources.named_in(row.source, known)
        if name in names:
            rest = [each for each in names if each != name]
            if rest:
                others[row.id] = sources.BETWEEN.join(rest)
            else:
                own[row.id] = row.undone_us is not None
    return own, others


def kind(store: Store, folder: Path, name: str, who: str, why: str = "", zone: tzinfo = UTC) -> Report:
    """Deletes every fact of a kind; its declaration stays. UserError where there is none."""

    def work(doing: Work) -> None:
        doing.open_archives(doing.archives_with(lambda line: line.get("kind") == name))
        facts = doing.connection.execute(select(RecordRow.fact).where(RecordRow.kind == name)).scalars().all()
        if not facts:
            raise UserError(_no_such_kind(doing.connection, store, name))
        doing.delete_facts(facts)

    return _done(store, folder, Report(f"kind {name}", why), who, zone, work)


def _no_such_kind(connection: Connection, store: Store, name: str) -> str:
    """What to say where a kind has no fact; a name that several kinds begin with is none of them."""
    below = {
        kind
        for table in (RecordRow, Archive)
        for kind in connection.execute(select(table.kind).distinct()).scalars()
        if kind.startswith(f"{name}.")
    }
    said = f"there is no fact of the kind {name!r} in the store {store.name!r}"
    if below:
        return f"{said}, but of {', '.join(sorted(below))}; delete each by its own name: delete kind {min(below)}"
    return f"{said}; see: inglenook records"


def older(store: Store, folder: Path, name: str, before: date, zone: tzinfo = UTC) -> Report | None:
    """Deletes the facts of a kind from before a day, archived ones too; None where there are none."""

    def work(doing: Work) -> None:
        archived = select(Archive.id).where(
            Archive.kind == name, Archive.attached_us.is_(None), Archive.first_us < moment(before)[0]
        )
        doing.open_archives(doing.connection.execute(archived).scalars().all())
        facts = archiving.older(doing.connection, name, before, zone)
        if not facts:
            raise _NothingToDoError
        doing.delete_facts(facts)

    why = f"older than {before}, by the policy of its kind"
    try:
        return _done(store, folder, Report(f"kind {name}", why), "", zone, work)
    except _NothingToDoError:
        return None


class _NothingToDoError(Exception):
    """Nothing is deleted, and nothing is written down."""


def _done(store: Store, folder: Path, report: Report, who: str, zone: tzinfo, work: Callable[[Work], None]) -> Report:
    with store.write() as connection:
        traces.overwrite(connection)
        doing = Work(connection, store, folder, zone, report)
        work(doing)
        doing.close()
        tally.forget(connection)
        report.left += [*marts.said(connection, store.name), *NO_COPIES]
        row = {
            "at_us": versions.now_us(connection),
            "who": who,
            "report": report.row() | {"cleared": False},  # until it is, whatever happens in between
            "highest_record": doing.highest,
        }
        number = connection.execute(insert(Deletion).values(row).returning(Deletion.id)).scalar_one()
    archiving.tidy(store, folder)
    if report.readings:
        rollups.refresh(store)
    try:
        left = traces.clear(store)
    except UserError as error:
        report.cleared, left = False, list(error.problems)
    report.left += left
    with store.write() as connection:
        connection.execute(update(Deletion).where(Deletion.id == number).values(report=report.row()))
    return report


def clear_again(store: Store) -> None:
    """Clears the database's free pages where an earlier deletion could not. UserError where it cannot be done now."""
    with store.read() as connection:
        rows = connection.execute(select(Deletion.id, Deletion.report)).all()
    if waiting := {row.id: row.report for row in rows if not row.report.get("cleared", True)}:
        traces.clear(store)
        with store.write() as connection:
            for number, report in waiting.items():
                done = update(Deletion).where(Deletion.id == number)
                connection.execute(done.values(report={**report, "cleared": True}))


def every(store: Store) -> list[dict[str, object]]:
    """What was deleted, newest first: when, by whom, and the report."""
    with store.read() as connection:
        rows = connection.execute(select(Deletion.__table__).order_by(Deletion.id.desc()))
        return [{"deletion": row.id, "at": at_text(row.at_us), "who": row.who, **row.report} for row in rows]
