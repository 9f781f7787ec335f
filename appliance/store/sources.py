"""Sources as a store knows them: found or made by name, with the options that a person stated for each."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.records import Source
from appliance.store.models import SourceRow


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
