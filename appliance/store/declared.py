"""The kinds that an owner declared, kept in the store so that they travel with it."""

from sqlalchemy import Connection, delete, insert, select

from appliance import kinds
from appliance.kinds import Kind
from appliance.store.models import DeclaredKind


def every(connection: Connection) -> dict[str, Kind]:
    """Every kind by name: those that Inglenook brings, and the owner's own."""
    rows = connection.execute(select(DeclaredKind.declaration).order_by(DeclaredKind.name)).scalars()
    return {**kinds.every(), **{kind.name: kind for kind in map(kinds.from_declaration, rows)}}


def keep(connection: Connection, kind: Kind) -> None:
    """Keeps a kind that the owner declares, in place of an earlier declaration of it."""
    connection.execute(delete(DeclaredKind).where(DeclaredKind.name == kind.name))
    connection.execute(insert(DeclaredKind).values(name=kind.name, declaration=kind.declaration()))
