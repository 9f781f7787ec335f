"""Return: an export into an empty store, which is then equal to the one that was exported.

Every file is proven by the manifest first; then all of it comes into the store in one transaction, or nothing.
Numbers, versions and times are kept. What is derived from facts (totals, events, attributes) is made anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text

from appliance.derive import rollups
from appliance.errors import UserError
from appliance.exporting import ARCHIVES, ORIGINALS, RECORDS, rows
from appliance.exporting.rows import Carried
from appliance.returning import lines, readings
from appliance.returning.verified import ANOTHER_COPY, Verified, verified
from appliance.store import archives, originals, records
from appliance.store.database import Store
from appliance.store.models import Archive, Forgotten, Original, RecordRow, Setting, SourceRow, Table

BATCH = 2_000


def give_back(store: Store, store_folder: Path, folder: Path) -> dict[str, int]:
    """Brings the export in `folder` into an empty store, whose archives come into `store_folder`; what it held.

    UserError where the store holds something, and of an export that is not as it was written: the store stays empty.
    """
    with store.read() as connection:
        _need_empty(connection, store)
    export = verified(folder)
    try:
        with store.write() as connection:
            _need_empty(connection, store)
            _Return(connection, store, store_folder, export).run()
            counts = _counts(connection)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror}; nothing was imported") from None
    rollups.refresh(store)
    return counts


def _need_empty(connection: Connection, store: Store) -> None:
    """What the household said when it claimed the box may be there: the export says it anew."""
    tables = (*rows.BEFORE_FACTS, rows.ARCHIVES, *rows.AFTER_FACTS, rows.SERIES)
    every: list[type[Table]] = [*(each.table for each in tables if each.table is not Setting), RecordRow]
    if any(connection.execute(select(table.__table__).limit(1)).first() for table in every):
        raise UserError(
            f"the store {store.name!r} holds something already, and an export comes back into an empty one; name a new "
            "folder: inglenook --data NEWFOLDER import EXPORT"
        )


def _counts(connection: Connection) -> dict[str, int]:
    tables = {"versions": RecordRow, "originals": Original, "sources": SourceRow, "forgotten": Forgotten}
    counts = {name: _count(connection, table) for name, table in tables.items()}
    standing = select(func.count()).where(RecordRow.until_us.is_(None))
    return {"records": connection.execute(standing).scalar_one(), **counts}


def _count(connection: Connection, table: type[Table]) -> int:
    return connection.execute(select(func.count()).select_from(table.__table__)).scalar_one()


class _Return:
    """One return under way, in one transaction."""

    def __init__(self, connection: Connection, store: Store, store_folder: Path, export: Verified) -> None:
        self.connection, self.store, self.store_folder, self.export = connection, store, store_folder, export

    def run(self) -> None:
        self.connection.execute(delete(Setting))
        for carried in rows.BEFORE_FACTS:
            self._table(carried)
        self._archives()
        for file in self.export.matching(RECORDS):
            self._facts(self.export.folder / file)
        for carried in (*rows.OF_ARCHIVES, *rows.AFTER_FACTS):
            self._table(carried)
        readings.give_back(self.connection, self.export, self._sources())
        for carried in rows.AFTER_SERIES:
            self._table(carried)
        if not self.store.is_sqlite:
            _set_sequences(self.connection)

    def _sources(self) -> dict[str, int]:
        return {name: number for number, name in rows.source_names(self.connection).items()}

    def _rows(self, carried: Carried) -> Iterator[dict[str, Any]]:
        sources = self._sources()
        if carried.file in self.export.files:
            path = self.export.folder / carried.file
            yield from lines.read(path, lambda said: rows.decoded(carried.table, said, sources, carried.without))

    def _table(self, carried: Carried) -> None:
        if carried.table is Original:
            self._originals(carried)
            return
        path = self.export.folder / carried.file
        for batch in _batches(self._rows(carried)):
            with lines.fitting(path):
                self.connection.execute(insert(carried.table), batch)

    def _originals(self, carried: Carried) -> None:
        """Each proven by its row: the manifest's digest of it is the original's, or that of what was left of it."""
        contents = set(self.export.matching(ORIGINALS))
        for row in self._rows(carried):
            name = f"{ORIGINALS}/{row['sha256']}"
            path = self.export.folder / name
            is_whole = self.export.files.get(name) == (row["blanked_sha256"] or row["sha256"])
            if not is_whole or path.stat().st_size != row["size"]:
                raise UserError(f"{path}: it is not the original of that name; {ANOTHER_COPY}")
            contents.discard(name)
            present = {name: value for name, value in row.items() if value is not None}  # JSON's null is none of SQL's
            with lines.fitting(path):
                originals.put(self.connection, self.store.key, present, _parts(path))
        if contents:
            raise UserError(f"{self.export.folder / name}: no original has it; {ANOTHER_COPY}" for name in contents)

    def _facts(self, path: Path) -> None:
        sources = self._sources()
        for batch in _batches(lines.read(path, lambda said: rows.decoded(RecordRow, said, sources))):
            with lines.fitting(path):
                records.put(self.connection, batch)

    def _archives(self) -> None:
        """Encrypted anew with this store's key. A file whose transaction fails is removed at the next archiving."""
        sources, contents = self._sources(), set(self.export.matching(ARCHIVES))
        for row in list(self._rows(rows.ARCHIVES)):
            name = f"{ARCHIVES}/{row['id']}.jsonl"
            found = {"file": archives.path_of(self.store_folder, row["id"]).name, "size": 0, "sha256": ""}
            if row["attached_us"] is None:
                if name not in contents:
                    raise UserError(f"{self.export.folder / name}: it is missing; {ANOTHER_COPY}")
                contents.discard(name)
                said = lines.read(self.export.folder / name, lambda line: rows.unarchived(line, sources))
                written = archives.write(self.store_folder, row["id"], self.store.key, said)
                found |= {"size": written.size, "sha256": written.sha256}
            with lines.fitting(self.export.folder / rows.ARCHIVES.file):
                self.connection.execute(insert(Archive).values(row | found))
        if contents:
            raise UserError(f"{self.export.folder / name}: no archive has it; {ANOTHER_COPY}" for name in contents)


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while part := file.read(originals.PART_BYTES):
            yield part


def _batches(every: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in every:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _set_sequences(connection: Connection) -> None:
    """PostgreSQL counts on from where its sequences are, and not from the highest number."""
    for table in Table.metadata.sorted_tables:
        sequence = "SELECT pg_get_serial_sequence(:table, 'id')" if "id" in table.c else ""
        if sequence and (name := connection.execute(text(sequence), {"table": table.name}).scalar_one_or_none()):
            highest = connection.execute(select(func.max(table.c.id))).scalar_one_or_none()
            if highest:
                connection.execute(text("SELECT setval(:name, :highest)"), {"name": name, "highest": highest})
