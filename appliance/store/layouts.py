"""Layouts of tables that a person confirmed, by the shape of the heading: the next file of that shape needs nobody."""

import json

from sqlalchemy import Connection, delete, insert, select

from appliance.store.models import Setting

_PREFIX = "table "


def keep(connection: Connection, shape: str, layout: str, source: str) -> None:
    """Keeps a layout, and what the person calls where such tables come from."""
    forget(connection, shape)
    connection.execute(
        insert(Setting).values(name=f"{_PREFIX}{shape}", value=json.dumps({"layout": layout, "source": source}))
    )


def forget(connection: Connection, shape: str) -> None:
    """Tables of that shape are read by what the box knows of them again, where it knows anything."""
    connection.execute(delete(Setting).where(Setting.name == f"{_PREFIX}{shape}"))


def has_any(connection: Connection) -> bool:
    """Whether a layout was ever confirmed in this store."""
    return connection.execute(select(Setting.name).where(Setting.name.startswith(_PREFIX)).limit(1)).first() is not None


def kept(connection: Connection, shape: str) -> tuple[str, str] | None:
    """The layout and the source of tables of that shape; None where none was confirmed."""
    found = connection.execute(select(Setting.value).where(Setting.name == f"{_PREFIX}{shape}")).scalar_one_or_none()
    if found is None:
        return None
    said = json.loads(found)
    return said["layout"], said["source"]
