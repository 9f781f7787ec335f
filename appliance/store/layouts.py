"""Layouts of tables that a person confirmed, by the shape of the heading: the next file of that shape needs nobody."""

import json

from sqlalchemy import Connection, delete, insert, select

from appliance.store.models import Setting

_PREFIX = "table "


def keep(connection: Connection, shape: str, layout: str, source: str) -> None:
    """Keeps a layout, and what the person calls where such tables come from."""
    name = f"{_PREFIX}{shape}"
    connection.execute(delete(Setting).where(Setting.name == name))
    connection.execute(insert(Setting).values(name=name, value=json.dumps({"layout": layout, "source": source})))


def kept(connection: Connection, shape: str) -> tuple[str, str] | None:
    """The layout and the source of tables of that shape; None where none was confirmed."""
    found = connection.execute(select(Setting.value).where(Setting.name == f"{_PREFIX}{shape}")).scalar_one_or_none()
    if found is None:
        return None
    said = json.loads(found)
    return said["layout"], said["source"]
