"""Which store a page speaks of."""

from typing import Any

from flask import abort, g, request

from appliance.kinds import Kind
from appliance.store import declared
from appliance.store.database import HOME, NewerStoreError, Store
from appliance.store.keys import LockedError
from services.dashboard.box import box


def name() -> str:
    """The signed-in person's own store, or the household's where the request says `store=home`; nobody else's."""
    own: str = g.person.store
    said = request.values.get("store", "")
    if said not in ("", own, HOME):
        abort(403, "That store belongs to somebody else.")
    g.store = said or own
    return said or own


def own() -> str:
    """The signed-in person's own store."""
    found: str = g.person.store
    return found


def store() -> Store:
    return box().stores.named(name())


def problems(name: str) -> list[str]:
    """Why a store opens for nobody here; nothing of one that opens, or that only its person's passphrase opens."""
    try:
        box().stores.named(name)
    except LockedError:
        return []
    except NewerStoreError as error:
        return list(error.problems)
    return []


def kinds() -> dict[str, Kind]:
    """Every kind that this store knows, its owner's own too."""
    known: dict[str, dict[str, Kind]] = g.setdefault("kinds", {})
    if name() not in known:
        with store().read() as connection:
            known[name()] = declared.every(connection)
    return known[name()]


def link() -> dict[str, Any]:
    """What keeps a link on the store that this page shows."""
    return {"store": HOME} if name() == HOME else {}
