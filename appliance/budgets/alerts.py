"""What somebody should look at, as notices: each said once while it is the same, and closed once it is over."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection

from appliance.budgets.found import Finding, Watched, watched
from appliance.store import notices
from appliance.store.database import Store
from appliance.store.notices import Notice

KINDS = {
    "limit": "energy.limit",
    "forecast": "energy.forecast",
    "silent": "energy.silent",
    "away": "energy.away",
    "leak": "energy.leak",
}
"""Kind of a finding -> that of its notice, whose `about` is the finding's key."""


def look(store: Store, zone: tzinfo, now: datetime | None = None) -> list[int]:
    """Makes the notices that are due and closes those that are over; the numbers of the new ones.

    What was said once, and is over or was dismissed, is not said again. Nothing is written where nothing changed.
    """
    now = now or datetime.now(UTC)
    seen, at_us = watched(store, zone, now), round(now.timestamp() * 1_000_000)
    with store.read() as connection:
        new, over = list(_new(connection, seen.findings)), list(_over(connection, seen))
    if not new and not over:
        return []
    with store.write() as connection:
        for each in over:
            notices.end_all(connection, each.kind, each.about, at_us)
        return [_add(connection, each, at_us) for each in new]


def _new(connection: Connection, findings: Sequence[Finding]) -> Iterator[Finding]:
    for each in findings:
        if not notices.said(connection, KINDS[each.kind], each.key):
            yield each


def _over(connection: Connection, seen: Watched) -> Iterator[Notice]:
    """The open ones that are found no more; of a supply that could not be looked at, nobody knows."""
    found = {(KINDS[each.kind], each.key) for each in seen.findings}
    for each in notices.every(connection):
        is_ours = each.kind in KINDS.values() and each.details["supply"] not in seen.unseen
        if is_ours and (each.kind, each.about) not in found:
            yield each


def _add(connection: Connection, found: Finding, at_us: int) -> int:
    details = {"supply": found.supply, **({"since": found.since.isoformat()} if found.since else {})}
    return notices.add(connection, KINDS[found.kind], found.key, at_us, found.title, found.text, details)
