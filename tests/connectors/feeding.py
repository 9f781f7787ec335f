"""Feeds of real stores, for the tests of connectors: what a fetch brings, and what the store has then."""

from collections.abc import Iterator, Mapping

from appliance.connectors import Fetched, Kept
from appliance.ingest import fetching
from appliance.store import feeds, imports, timeline
from appliance.store.database import Store
from appliance.store.feeds import Feed, Fetch
from appliance.store.timeline import Query


def add(store: Store, connector: str, said: Mapping[str, str]) -> Feed:
    return fetching.add(store, f"my {connector}", connector, said)


def titles(store: Store) -> list[str]:
    """The titles of all facts, sorted."""
    with store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query()))


def done(store: Store, feed: Feed) -> Fetch:
    """A fetch that went well."""
    fetch = fetching.fetch(store, feed.id)
    assert fetch.state == feeds.DONE, fetch.message
    return fetch


def sources(store: Store) -> set[str]:
    """The sources of all imports."""
    with store.read() as connection:
        return {each.source for each in imports.recent(connection)}


def taken(fetched: Iterator[Fetched]) -> tuple[list[tuple[str, bytes]], Kept]:
    """Each file's name and content, read while it is there, and what is kept in the end."""
    found, kept = list[tuple[str, bytes]](), {}
    for each in fetched:
        kept = dict(each.kept)
        if each.content is not None:
            found.append((each.content.name, b"".join(each.content.pieces())))
    return found, kept
