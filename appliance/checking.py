"""Looking for damage in a store: its pages, its rows, its packed readings, its originals and its archives."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from sqlalchemy import Connection, select

from appliance.errors import UserError
from appliance.store import archives, attached, originals, search
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Archive

BACKUP = "restore it from a backup or an export"


def problems(store: Store, folder: Path | None = None) -> Iterator[str]:
    """Every damage that can be found, each with the place and the next step; nothing where the store is whole.

    Its archives lie in `folder`; without one, they are not looked at.

    A search index that is another than the facts' is made anew, where nothing else is wrong.
    """
    found = False
    for problem in _damage(store, folder):
        found = True
        yield problem
    if not found:
        yield from _search_problems(store)


def _search_problems(store: Store) -> Iterator[str]:
    with store.read() as connection:
        if search.is_whole(connection):
            return
    store.need_room()
    with store.write() as connection:
        search.rebuild(connection)
    yield "search: its index was not that of the facts, and was made anew; there is nothing more to do"


def _damage(store: Store, folder: Path | None) -> Iterator[str]:
    if store.is_sqlite:
        _checkpoint(store)
    with store.read() as connection:
        pages = _page_problems(connection) if store.is_sqlite else iter(())
        kept = _archive_problems(connection, store, folder) if folder else iter(())
        rest = (_original_problems(connection, store), _attached_problems(connection), kept)
        for found in (pages, _reading_problems(connection), *rest):
            try:
                yield from found
            except UserError as error:  # a page that cannot be read at all
                yield from error.problems


def _checkpoint(store: Store) -> None:
    """Brings what the WAL holds into the file, where cipher_integrity_check looks at nothing else.

    A cut while SQLite did that leaves a torn page in the file, and the whole one in the WAL: no damage.
    """
    with store.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(FULL)")  # type: ignore[union-attr]


def _page_problems(connection: Connection) -> Iterator[str]:
    for pragma in ("cipher_integrity_check", "quick_check", "foreign_key_check"):
        for row in connection.exec_driver_sql(f"PRAGMA {pragma}"):
            if row[0] != "ok":
                yield f"{pragma}: {row[0]}; {BACKUP}"


def _reading_problems(connection: Connection) -> Iterator[str]:
    for series in series_store.every(connection):
        ends = series_store.extent(connection, series)
        try:
            columns = series_store.read_all(connection, series, *(ends or (0, 0))[:2])
        except Exception as error:  # noqa: BLE001 - whatever the unpacker says of damaged bytes
            yield f"{series.source}/{series.role}: its readings cannot be unpacked ({error}); {BACKUP}"
            continue
        if len(columns) != (ends or (0, 0, 0))[2]:
            yield f"{series.source}/{series.role}: {len(columns)} readings of {ends}; {BACKUP}"


def _original_problems(connection: Connection, store: Store) -> Iterator[str]:
    for sha256, size in originals.all_of(connection):
        try:
            length, digest = 0, hashlib.sha256()
            for part in originals.parts(connection, store.key, sha256):
                length += len(part)
                digest.update(part)
        except InvalidTag:
            yield f"original {sha256}: it was changed since it was kept; {BACKUP}"
            continue
        if length != size or digest.hexdigest() != originals.digest_of(connection, sha256):
            yield f"original {sha256}: its content is another one's; {BACKUP}"


def _attached_problems(connection: Connection) -> Iterator[str]:
    for fact, field, sha256 in attached.missing(connection):
        yield f"fact {fact}: its {field}, original {sha256}, is missing; {BACKUP}"


def _archive_problems(connection: Connection, store: Store, folder: Path) -> Iterator[str]:
    kept = select(Archive.id, Archive.sha256).where(Archive.attached_us.is_(None)).order_by(Archive.id)
    for number, sha256 in connection.execute(kept).all():
        if found := archives.problem(folder, number, store.key, sha256):
            yield found
