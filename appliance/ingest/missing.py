"""The ledger of what is missing: from when to when nothing was heard of a source, and why.

It is written with the readings, from what the spool's frames say: each frame that ends a gap tells of it. A meter's own
log of power failures is kept there too.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update

from appliance.ingest.frames import START, SpooledFrame
from appliance.records import Outage, Source
from appliance.store import neighbours, sources
from appliance.store.models import Gap

LINK, METER, STOPPED, OFF, POWER = "link", "meter", "stopped", "off", "power"
"""Why: the way to it was down; it was silent; the collector was not running; the box was off; it had no power."""

SHORT_MS = 10_000
"""A collector that starts again within this, as after each change of its configuration, leaves no gap worth a line."""

TOGETHER_MS = 60_000
"""Interruptions with less between them are one gap, with their number: a loose plug fills no ledger."""


def note(connection: Connection, spooled: Iterable[SpooledFrame]) -> None:
    """Keeps the gaps that these frames end. Called before their readings are stored."""
    heard: dict[str, tuple[int, str]] = {}
    told = set[tuple[str, Outage]]()
    for frame in spooled:
        source = frame.origin.source
        fresh = [each for each in frame.outages if (source, each) not in told]
        told |= {(source, each) for each in fresh}
        if frame.gap or fresh:
            source_id = sources.id_of(connection, Source(source))
            before = heard.get(source) or neighbours.newest_heard(connection, source_id)
            _keep_gap(connection, source_id, frame, before)
            _keep_outages(connection, source_id, fresh)
        if frame.readings:
            heard[source] = (frame.at_ms, frame.origin.boot)


def of_source(connection: Connection, source_id: int) -> list[Gap]:
    """A source's gaps, oldest first."""
    table = Gap.__table__.c
    rows = connection.execute(select(*table).where(table.source_id == source_id).order_by(table.first_ms, table.id))
    return [Gap(**row._mapping) for row in rows]


def _keep_gap(connection: Connection, source_id: int, frame: SpooledFrame, before: tuple[int, str] | None) -> None:
    if frame.gap is None:
        return
    since_ms, why = frame.gap.since_ms, frame.gap.why
    if since_ms is None:
        if before is None:
            return  # nothing was ever heard of it
        since_ms = before[0]
    if why == START:
        why = STOPPED if before and before[1] == frame.origin.boot else OFF
        if frame.at_ms - since_ms < SHORT_MS:
            return
    if frame.at_ms > since_ms:
        _add(connection, source_id, since_ms, frame.at_ms, why)


def _add(connection: Connection, source_id: int, first_ms: int, last_ms: int, why: str) -> None:
    """A gap, or the newest one made longer where it is of the same kind and has hardly ended."""
    table = Gap.__table__.c
    newest = connection.execute(
        select(*table).where(table.source_id == source_id, table.why == why).order_by(table.last_ms.desc()).limit(1)
    ).one_or_none()
    if newest and newest.first_ms <= first_ms <= newest.last_ms + TOGETHER_MS:
        longer = {"last_ms": max(last_ms, newest.last_ms), "times": newest.times + 1}
        connection.execute(update(Gap).where(Gap.id == newest.id).values(**longer))
        return
    values = {"source_id": source_id, "first_ms": first_ms, "last_ms": last_ms, "why": why, "times": 1}
    connection.execute(insert(Gap).values(**values))


def _keep_outages(connection: Connection, source_id: int, outages: Iterable[Outage]) -> None:
    """What the meter's own log says, each once: it says it again in every telegram."""
    for outage in outages:
        same = (Gap.source_id == source_id, Gap.first_ms == outage.first_ms, Gap.why == POWER)
        if connection.execute(select(Gap.id).where(*same)).first() is None:
            values = {"first_ms": outage.first_ms, "last_ms": outage.last_ms, "why": POWER, "times": 1}
            connection.execute(insert(Gap).values(source_id=source_id, **values))
