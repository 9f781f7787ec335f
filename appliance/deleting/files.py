"""Originals that held what is deleted: removed where nothing needs them any more, else overwritten in these places."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, select, update

from appliance.deleting.report import Report
from appliance.store import archives, attached, originals, sources
from appliance.store.database import Store
from appliance.store.models import (
    ArchivedFact,
    Chunk,
    ImportRow,
    RecordRow,
    ReferenceSet,
    Reject,
    Series,
    Sighting,
    SourceRow,
)
from appliance.store.originals import Span, merged, without

_HOLDING = (RecordRow, Sighting, Chunk, Reject)


class Files:
    """The bytes of originals from which something is deleted."""

    def __init__(self, connection: Connection, store: Store, folder: Path) -> None:
        self._connection, self._store, self._folder = connection, store, folder
        self._spans: dict[str, list[Span]] = defaultdict(list)

    def note(self, table: Any, which: Any) -> None:
        """Remembers where the rows of a table (records, sightings, chunks) for which a condition holds were read."""
        found = select(ImportRow.sha256, table.first, table.length).join(ImportRow, ImportRow.id == table.import_id)
        for sha256, first, length in self._connection.execute(found.where(which)):
            if sha256 is not None:
                self._spans[sha256].append((first or 0, length or 0))

    def note_original(self, sha256: str | None) -> None:
        """Remembers an original that an import read which is deleted, or that a fact names."""
        if sha256 is not None:
            self._spans[sha256] += []

    def note_attached(self, which: ColumnElement[bool]) -> None:
        """Remembers the files that people attached to the facts for whose versions a condition holds."""
        for _, _, sha256 in attached.every(self._connection, which):
            if originals.size(self._connection, sha256) is not None:
                self.note_original(sha256)

    def settle(self, report: Report) -> None:
        """Removes or overwrites, once the rows are gone."""
        for sha256, spans in self._spans.items():
            imports = select(ImportRow.id).where(ImportRow.sha256 == sha256)
            self._drop_resolved(imports, spans)
            if self._is_needed(sha256, imports):
                self._blank(sha256, imports, spans, report)
            else:
                self._discard(sha256, report)

    def _drop_resolved(self, imports: Any, spans: Iterable[Span]) -> None:
        """A row that was rejected first and read later says in its reason what stood there."""
        resolved = Reject.import_id.in_(imports) & Reject.resolved_by.is_not(None)
        for first, length in merged(spans):
            inside = (Reject.first < first + length) & (Reject.first + Reject.length > first)
            self._connection.execute(delete(Reject).where(resolved, inside))

    def _is_needed(self, sha256: str, imports: Any) -> bool:
        """Whether anything that remains was read from it, or it is kept for its own sake."""
        rows: list[Select[Any]] = [select(table.import_id).where(table.import_id.in_(imports)) for table in _HOLDING]
        rows += [
            select(ArchivedFact.fact).where(ArchivedFact.import_id.in_(imports)),
            select(ReferenceSet.name).where(ReferenceSet.sha256 == sha256),
            select(ImportRow.id).where(ImportRow.sha256 == sha256, ImportRow.error != ""),
        ]
        read = any(self._connection.execute(each.limit(1)).first() for each in rows) or self._confirms(sha256)
        return read or sha256 in self._attached

    @cached_property
    def _attached(self) -> set[str]:
        """What the facts that remain name."""
        return attached.needed(self._connection, self._folder, self._store.key)

    def _confirms(self, sha256: str) -> bool:
        """Whether an import of it met readings again: it is what brings them back when the other import is undone."""
        met = select(ImportRow.source).where(ImportRow.sha256 == sha256, ImportRow.duplicate > 0)
        known = sources.names(self._connection)
        own = {name for said in self._connection.execute(met).scalars() for name in sources.named_in(said, known)}
        series = select(Series.id).join(SourceRow, SourceRow.id == Series.source_id)
        return self._connection.execute(series.where(SourceRow.name.in_(own)).limit(1)).first() is not None

    def _blank(self, sha256: str, imports: Any, spans: list[Span], report: Report) -> None:
        kept = self._kept(sha256, imports)
        report.bytes += originals.blank(self._connection, self._store.key, sha256, without(spans, kept))
        shared = sum(length for _, length in merged(spans)) - sum(length for _, length in without(spans, kept))
        if shared:
            report.left.append(
                f"{shared} bytes of the original {sha256[:12]} stay, since other facts or readings that you keep were "
                "read from the same bytes; they go when those are deleted"
            )

    def _kept(self, sha256: str, imports: Any) -> list[Span]:
        connection = self._connection
        is_table = connection.execute(select(ReferenceSet.name).where(ReferenceSet.sha256 == sha256)).first()
        if is_table or sha256 in self._attached:
            return [(0, originals.size(connection, sha256) or 0)]
        spans: list[Span] = []
        for table in _HOLDING:
            found = select(table.first, table.length).where(table.import_id.in_(imports))
            spans += [(first or 0, length or 0) for first, length in connection.execute(found)]
        return spans + self._archived(set(connection.execute(imports).scalars()))

    def _archived(self, imports: set[int]) -> list[Span]:
        known = select(ArchivedFact.archive_id).where(ArchivedFact.import_id.in_(imports)).distinct()
        return [
            (line["first"], line["length"])
            for number in self._connection.execute(known).scalars()
            for line in archives.read(self._folder, number, self._store.key)
            if line.get("import_id") in imports
        ]

    def _discard(self, sha256: str, report: Report) -> None:
        report.originals += 1
        report.bytes += originals.size(self._connection, sha256) or 0
        nowhere = update(ImportRow).where(ImportRow.sha256 == sha256).values(sha256=None)
        self._connection.execute(nowhere)
        originals.discard(self._connection, sha256)
