"""Feeds as a store keeps them: what is fetched from where, how often, and how each fetch went.

What a feed holds sealed (see `sealed`) is JSON of {"secrets": {...}, "kept": {...}}, bound to the feed's name. It is
sealed by us on SQLCipher too: PostgreSQL never sees a password, and no export holds one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from appliance.errors import UserError
from appliance.store.keys import StoreKey
from appliance.store.models import FeedRow, FetchRow
from appliance.store.sealed import opened, resealed
from appliance.store.sealed import seal as seal_

PURPOSE = "feeds"
RUNNING, DONE, WAITING, STOPPED, CANCELLED = "running", "done", "waiting", "stopped", "cancelled"
BY_PERSON = "A person stopped it."
KEPT_FETCHES = 200  # of a feed; the oldest go
NEVER_US = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed; its secrets are asked for apart. `is_sealed`: there are some, or something that it keeps."""

    id: int
    name: str
    connector: str
    options: dict[str, Any]
    rhythm_s: int
    next_us: int
    stopped: str
    failures: int
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Fetch:
    """One fetch, with the sums of its imports."""

    id: int
    feed_id: int
    begun_us: int
    ended_us: int | None
    state: str
    message: str = ""
    files: int = 0
    read: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    imports: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What nobody but the connector sees: the secrets that a person gave, and what it keeps between two fetches."""

    secrets: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)


def add(
    connection: Connection,
    key: StoreKey,
    name: str,
    connector: str,
    options: Mapping[str, Any],
    secret: Mapping[str, Any],
    rhythm_s: int,
    next_us: int,
) -> int:
    """A new feed, due at `next_us`; its number. UserError where the name is taken."""
    if connection.execute(select(FeedRow.id).where(FeedRow.name == name)).first():
        raise UserError(f"there is a feed {name!r} already; give this one another name")
    row = {
        "name": name,
        "connector": connector,
        "options": dict(options),
        "sealed": _sealed(key, name, Sealed(dict(secret))),
        "rhythm_s": rhythm_s,
        "next_us": next_us,
        "stopped": "",
        "failures": 0,
    }
    return connection.execute(insert(FeedRow).values(row).returning(FeedRow.id)).scalar_one()


def change(connection: Connection, feed_id: int, **columns: Any) -> None:
    """Changes some of a feed's columns."""
    connection.execute(update(FeedRow).where(FeedRow.id == feed_id).values(**columns))


def remove(connection: Connection, feed_id: int) -> None:
    """Takes a feed away, with its secrets and its fetches; what it brought stays."""
    connection.execute(delete(FetchRow).where(FetchRow.feed_id == feed_id))
    connection.execute(delete(FeedRow).where(FeedRow.id == feed_id))


def every(connection: Connection) -> list[Feed]:
    """All feeds, by name."""
    return [_feed(row) for row in connection.execute(select(FeedRow.__table__).order_by(FeedRow.name))]


def one(connection: Connection, feed_id: int) -> Feed | None:
    row = connection.execute(select(FeedRow.__table__).where(FeedRow.id == feed_id)).one_or_none()
    return _feed(row) if row else None


def named(connection: Connection, name: str) -> Feed:
    """The feed of that name; UserError, with those that there are, where there is none."""
    found = {each.name: each for each in every(connection)}
    if name not in found:
        known = f"there are: {', '.join(found)}" if found else "there is none yet; see: inglenook feeds add --help"
        raise UserError(f"there is no feed {name!r}; {known}")
    return found[name]


def sealed(connection: Connection, key: StoreKey, feed: Feed) -> Sealed:
    """What a feed holds sealed; nothing where it came from an export, which holds no secrets."""
    blob = connection.execute(select(FeedRow.sealed).where(FeedRow.id == feed.id)).scalar_one_or_none()
    if blob is None:
        return Sealed()
    return Sealed(**opened(key, PURPOSE, feed.name, blob))


def seal(connection: Connection, key: StoreKey, feed: Feed, content: Sealed) -> int:
    """Keeps what a feed holds sealed, in place of what it held; how many bytes that takes."""
    blob = _sealed(key, feed.name, content)
    change(connection, feed.id, sealed=blob)
    return len(blob)


def reseal(engine: Engine, before: StoreKey, after: StoreKey) -> None:
    """Seals all of it with another key; what is done already is left alone."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        for row in connection.execute(select(FeedRow.id, FeedRow.name, FeedRow.sealed)).all():
            if row.sealed is not None:
                change(connection, row.id, sealed=resealed(before, after, PURPOSE, row.name, row.sealed))


def begin_fetch(connection: Connection, feed_id: int, begun_us: int) -> int:
    """A fetch that begins; its number. One that was cut off before counts as tried again."""
    cut = (FetchRow.feed_id == feed_id) & (FetchRow.state == RUNNING)
    connection.execute(
        update(FetchRow).where(cut).values(state=WAITING, ended_us=begun_us, message="It was cut off, and begun again.")
    )
    row = {"feed_id": feed_id, "begun_us": begun_us, "state": RUNNING, "message": "", "imports": []}
    counts = dict.fromkeys(("files", "read", "stored", "duplicate", "rejected"), 0)
    return connection.execute(insert(FetchRow).values({**row, **counts}).returning(FetchRow.id)).scalar_one()


def end_fetch(connection: Connection, fetch_id: int, **columns: Any) -> None:
    """How a fetch went, and lets the oldest ones of its feed go."""
    connection.execute(update(FetchRow).where(FetchRow.id == fetch_id).values(**columns))
    feed = select(FetchRow.feed_id).where(FetchRow.id == fetch_id).scalar_subquery()
    newest = select(FetchRow.id).where(FetchRow.feed_id == feed).order_by(FetchRow.id.desc()).limit(KEPT_FETCHES)
    lowest = connection.execute(select(func.min(newest.subquery().c.id))).scalar_one()
    connection.execute(delete(FetchRow).where(FetchRow.feed_id == feed, FetchRow.id < lowest))


def fetches(connection: Connection, feed_id: int, limit: int = 20) -> list[Fetch]:
    """The newest fetches of a feed, newest first."""
    found = select(FetchRow.__table__).where(FetchRow.feed_id == feed_id).order_by(FetchRow.id.desc()).limit(limit)
    return [Fetch(**row._mapping) for row in connection.execute(found)]


def last_end_us(connection: Connection, feed_id: int) -> int | None:
    """When the last fetch of a feed ended; None where none did."""
    return connection.execute(select(func.max(FetchRow.ended_us)).where(FetchRow.feed_id == feed_id)).scalar_one()


def _feed(row: Row[Any]) -> Feed:
    said = {name: value for name, value in row._mapping.items() if name != "sealed"}
    return Feed(**said, is_sealed=row.sealed is not None)


def _sealed(key: StoreKey, name: str, content: Sealed) -> bytes:
    return seal_(key, PURPOSE, name, {"secrets": content.secrets, "kept": content.kept})
