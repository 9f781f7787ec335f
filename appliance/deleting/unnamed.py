"""Sources of which nothing is left: their names go too, since a name says something by itself."""

from collections.abc import Callable

from sqlalchemy import Connection, delete, select

from appliance.store.models import Archive, ImportRow, RecordRow, SearchGroup, Series, SourceRow
from appliance.store.sources import named_in, names


def unused(connection: Connection) -> list[int]:
    """The sources of which the tables have nothing and of which nothing was stated. Archives may have something."""
    used = [select(table.source_id) for table in (RecordRow, Series, SearchGroup)]
    found = select(SourceRow.id, SourceRow.name, SourceRow.options).where(*(SourceRow.id.not_in(each) for each in used))
    rows = {row.id: row.name for row in connection.execute(found) if not row.options}
    known = names(connection) if rows else set()
    read = {name for said in connection.execute(select(ImportRow.source)).scalars() for name in named_in(said, known)}
    return [number for number, name in rows.items() if name not in read]


def drop(connection: Connection, is_archived: Callable[[int], bool] = lambda _: True) -> int:
    """Removes what is unused; how many. `is_archived` says whether an archive has something of a source."""
    gone = unused(connection)
    if gone and connection.execute(select(Archive.id).where(Archive.attached_us.is_(None)).limit(1)).first():
        gone = [number for number in gone if not is_archived(number)]
    connection.execute(delete(SourceRow).where(SourceRow.id.in_(gone)))
    return len(gone)
