"""Sources as a store knows them: found or made by name, with the options that a person stated for each."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.records import Source
from appliance.store.models import SourceRow

BETWEEN = ", "  # between the names of an import's sources


def names(connection: Connection) -> set[str]:
    """The names of all sources."""
    return set(connection.execute(select(SourceRow.name)).scalars())


def named_in(said: str, known: Collection[str]) -> list[str]:
    """The sources of an import, as its row lists them: a known name may hold what stands between two of them."""
    found, rest = list[str](), said.split(BETWEEN) if said else []
    while rest:
        lengths = range(len(rest), 0, -1)
        taken = next((count for count in lengths if BETWEEN.join(rest[:count]) in known), 1)
        found.append(BETWEEN.join(rest[:taken]))
        rest = rest[taken:]
    return found


def id_of(connection: Connection, source: Source) -> int:
    """The source's number in this store, made where it is new."""
    found = connection.execute(select(SourceRow.id).where(SourceRow.name == source.name)).scalar_one_or_none()
    if found is not None:
        return found
    row = (
        insert(SourceRow)
        .values(name=source.name, title=source.title or source.name, options={})
        .returning(SourceRow.id)
    )
    return connection.execute(row).scalar_one()


def options(connection: Connection, name: str) -> dict[str, Any]:
    """What a person stated for a source; empty where nothing was, or where there is no such source."""
    found = connection.execute(select(SourceRow.options).where(SourceRow.name == name)).scalar_one_or_none()
    return dict(found or {})


def state(connection: Connection, name: str, said: Mapping[str, Any]) -> None:
    """Keeps what a person states for a source, over what was stated before."""
    merged = {**options(connection, name), **said}
    connection.execute(update(SourceRow).where(SourceRow.name == name).values(options=merged))


def every(connection: Connection) -> list[tuple[str, str, dict[str, Any]]]:
    """Each source's name, title and options, by name."""
    rows = connection.execute(select(SourceRow.name, SourceRow.title, SourceRow.options).order_by(SourceRow.name))
    return [(name, title, stated) for name, title, stated in rows]
