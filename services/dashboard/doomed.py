"""What a person is about to delete for good, in words, so that they see that the number is the right one."""

from appliance.errors import UserError
from appliance.store import imports, versions
from appliance.store.database import Store
from appliance.store.records import Stored
from services.dashboard.wording import amount, day, kind_title, when


def named(store: Store, what: str, which: str) -> str:
    """A fact by its title, day and amount, an import by its file and time, "" for the rest.

    UserError where nothing has that number.
    """
    if what == "fact":
        return _fact(store, int(which))
    return _import(store, int(which)) if what == "import" else ""


def _fact(store: Store, number: int) -> str:
    with store.read() as connection:
        history, archive = versions.history(connection, number), versions.archive_of(connection, number)
    if history:
        return _said(history[-1].record)
    if archive is None:
        raise UserError(f"There is no record {number} in this store. Its number stands on its own page.")
    return f"It lies in archive {archive}."


def _said(record: Stored) -> str:
    title = record.title or record.party or kind_title(record.kind)
    return " · ".join(filter(None, (title, day(record.at) if record.at else "", amount(record))))


def _import(store: Store, number: int) -> str:
    with store.read() as connection:
        found = imports.report(connection, number, limit=0)
    if found is None:
        raise UserError(f"There is no import {number} in this store. Its number stands on its own page.")
    return f"{found.file} · {when(found.at)}"
