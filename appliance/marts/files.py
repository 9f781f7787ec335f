"""The originals that come along with a mart's facts, where that was asked for: whole files."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select

from appliance.store import originals
from appliance.store.keys import StoreKey
from appliance.store.models import ImportRow, Original, RecordRow


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
        """Blanks what was blanked in the main store, and removes what was removed there."""
        every = select(ImportRow.__table__).where(ImportRow.format != "", ImportRow.sha256.is_not(None))
        for row in self.mart.execute(every).all():
            if _same(self.main, row) is not None:
                blanked = originals.blanked(self.main, row.sha256)
                originals.blank(self.mart, self.mart_key, row.sha256, blanked)
            elif not self.mart.execute(select(RecordRow.id).where(RecordRow.import_id == row.id).limit(1)).first():
                self._remove(row)

    def _remove(self, row: Row[tuple[object, ...]]) -> None:
        self.mart.execute(delete(ImportRow).where(ImportRow.id == row.id))
        if not self.mart.execute(select(ImportRow.id).where(ImportRow.sha256 == row.sha256).limit(1)).first():
            originals.discard(self.mart, row.sha256)


def _same(connection: Connection, row: Row[tuple[object, ...]]) -> int | None:
    same = (ImportRow.at_us == row.at_us) & (ImportRow.sha256 == row.sha256)
    return connection.execute(select(ImportRow.id).where(same).limit(1)).scalar_one_or_none()
