"""The originals that come along with a mart's facts, where that was asked for: whole files."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, delete, insert, select, update

from appliance.archiving import contents
from appliance.marts.wanted import FACT, keyed, number_of
from appliance.store import attached, originals, records
from appliance.store.keys import StoreKey
from appliance.store.models import Chunk, ImportRow, Original, RecordRow, ReferenceSet, Reject, Sighting


class _Place(NamedTuple):
    """Where a fact was read: the mart's number of the import, and the span in its original."""

    import_id: int | None = None
    first: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The originals of two stores; an import is found again by its instant and its original."""

    main: Connection
    main_key: StoreKey
    mart: Connection
    mart_key: StoreKey

    def import_of(self, number: int) -> int:
        """The mart's number of an import of the main store, which is copied with its original where it is new."""
        row = self.main.execute(select(ImportRow.__table__).where(ImportRow.id == number)).one()
        found = _same(self.mart, row)
        if found is not None:
            return found
        if row.sha256 and originals.size(self.mart, row.sha256) is None:
            self._copy(row.sha256)
        names = ("at_us", "file", "format", "sha256", "source", "named_source", "options", "stored", "duplicate")
        columns = {name: getattr(row, name) for name in names}
        counts = {"read": row.stored + row.duplicate, "rejected": 0, "warnings": [], "error": row.error}
        made = insert(ImportRow).values(**columns, **counts).returning(ImportRow.id)
        return self.mart.execute(made).scalar_one()

    def _copy(self, sha256: str) -> None:
        found = self.main.execute(select(Original.__table__).where(Original.sha256 == sha256)).one()
        row = {name: value for name, value in found._mapping.items() if value is not None}
        originals.put(self.mart, self.mart_key, row, originals.parts(self.main, self.main_key, sha256))

    def follow(self) -> None:
        """Blanks what was blanked in the main store, removes what was removed there, and brings what facts name."""
        every = self.mart.execute(
            select(ImportRow.__table__).where(ImportRow.format != "", ImportRow.sha256.is_not(None))
        ).all()
        numbers = {row.id: _same(self.main, row) for row in every}
        gone = [row for row in every if numbers[row.id] is None]
        for row in gone:
            self._give_to_others(row.id)
        for row in gone:
            if not any(self.mart.execute(each).first() for each in _naming(row.id)):
                self._remove(row)
        for row in every:
            if numbers[row.id] is not None:
                self._blank(row, numbers[row.id])
        self._attach()

    def _attach(self) -> None:
        """Brings the files that people attached to the mart's facts; those that none names any more go."""
        named = {sha256 for _, _, sha256 in attached.every(self.mart)}
        there, elsewhere = (dict(originals.all_of(each)).keys() for each in (self.mart, self.main))
        for sha256 in named & elsewhere - there:
            self._copy(sha256)
        for sha256 in there - named:
            if not any(self.mart.execute(each).first() for each in _needing(sha256)):
                originals.discard(self.mart, sha256)

    def _blank(self, row: Row[Any], number: int | None) -> None:
        originals.blank(self.mart, self.mart_key, row.sha256, originals.blanked(self.main, row.sha256))
        source = self.main.execute(select(ImportRow.source).where(ImportRow.id == number)).scalar_one()
        if source != row.source:  # one that it had too was deleted
            self.mart.execute(update(ImportRow).where(ImportRow.id == row.id).values(source=source))

    def _give_to_others(self, import_id: int) -> None:
        """What a deleted import brought and another one met again is that one's now, as in the main store.

        A fact that lies in an archive there leads back to no file, until it is brought back.
        """
        versions = select(RecordRow.fact).where(RecordRow.import_id == import_id).distinct()
        first = select(RecordRow.fact, RecordRow.fingerprint).where(RecordRow.id.in_(versions), keyed(FACT))
        numbers = {number_of(bytes(row.fingerprint)): row.fact for row in self.mart.execute(first)}
        for some in contents.batches(sorted(numbers)):
            lineage = {fact: _Place() for fact in some}
            brought = select(RecordRow.fact, RecordRow.import_id, RecordRow.first, RecordRow.length)
            for row in self.main.execute(brought.where(RecordRow.id.in_(some))).all():
                lineage[row.fact] = self._place_of(row)
            for fact, place in lineage.items():
                which = records.of_facts([numbers[fact]]) & (RecordRow.import_id == import_id)
                self.mart.execute(update(RecordRow).where(which).values(**place._asdict()))

    def _place_of(self, row: Any) -> "_Place":
        return _Place() if row.import_id is None else _Place(self.import_of(row.import_id), row.first, row.length)

    def _remove(self, row: Row[tuple[object, ...]]) -> None:
        self.mart.execute(delete(ImportRow).where(ImportRow.id == row.id))


def _naming(import_id: int) -> Iterator[Select[Any]]:
    """What may name an import: one that somebody made in the mart itself has brought something."""
    for table in (RecordRow, Sighting, Reject, Chunk):
        yield select(table.import_id).where(table.import_id == import_id).limit(1)


def _needing(sha256: str) -> Iterator[Select[Any]]:
    """What may need an original, beside the facts that name it."""
    for table in (ImportRow, ReferenceSet):
        yield select(table.sha256).where(table.sha256 == sha256).limit(1)


def _same(connection: Connection, row: Row[tuple[object, ...]]) -> int | None:
    same = (ImportRow.at_us == row.at_us) & (ImportRow.sha256 == row.sha256)
    return connection.execute(select(ImportRow.id).where(same).limit(1)).scalar_one_or_none()
