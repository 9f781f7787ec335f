"""Subsidiary stores that were carved off one: each has a copy of its own, of which a deletion says where it lies."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from sqlalchemy import Connection, select

from appliance.config import Config
from appliance.store.database import HOME, store_file
from appliance.store.models import Mart


def said(connection: Connection, store: str) -> list[str]:
    """Of each mart of a store that is open: what it still has, and what to do."""
    return [_said(row, _command(store)) for row in _every(connection)]


def folders(connection: Connection) -> list[str]:
    """Of each mart of a store that is to go itself: where it lies."""
    return [
        f"the mart {row.name!r} is a store of its own, with its own key; delete its folder: {row.folder}"
        for row in _every(connection)
    ]


def _every(connection: Connection) -> Sequence[Any]:
    found = select(Mart.name, Mart.folder, Mart.frozen, Mart.refreshed_us)
    return connection.execute(found.order_by(Mart.name)).all()


def _said(row: Any, command: str) -> str:
    name, folder, frozen, refreshed_us = row
    gone = f"to delete it: {command} mart remove {quote(name)} --delete"
    refreshed = f"{command} mart refresh {quote(name)}"
    if refreshed_us and not store_file(Config(Path(folder)), HOME).exists():
        way = "" if frozen else f"run: {refreshed}; or, "
        return f"the mart {name!r} is away and keeps its copy: plug in what it lies on at {folder}, and {way}{gone}"
    if frozen:
        return f"the mart {name!r} in {folder} is frozen and keeps its copy; {gone}"
    return (
        f"the mart {name!r} in {folder} has a copy of its own until it is refreshed, as the box does every hour; "
        f"at once: {refreshed}; {gone}"
    )


def _command(store: str) -> str:
    return "inglenook" if store == HOME else f"inglenook --store {store}"
