"""The readings beside an instant, and when a collector last brought any."""

from sqlalchemy import Connection, func, select

from appliance.store.models import Chunk, Series
from appliance.store.series import NO_READINGS, Columns, SeriesId, read, stands


def newest_before(connection: Connection, series: SeriesId, at_ms: int, count: int) -> Columns:
    """The newest readings before an instant, so many of them or all that there are."""
    found, before_ms = NO_READINGS, at_ms
    while len(found) < count:
        first = connection.execute(
            select(func.max(Chunk.first_ms)).where(Chunk.series_id == series.id, Chunk.first_ms < before_ms, stands())
        ).scalar_one()
        if first is None:
            break
        found, before_ms = read(connection, series, first, at_ms), first
    return found.where(slice(max(0, len(found) - count), len(found)))


def oldest_from(connection: Connection, series: SeriesId, at_ms: int, count: int) -> Columns:
    """The oldest readings from an instant on, so many of them or all that there are."""
    found, after_ms = NO_READINGS, at_ms
    while len(found) < count:
        last = connection.execute(
            select(func.min(Chunk.last_ms)).where(Chunk.series_id == series.id, Chunk.last_ms >= after_ms, stands())
        ).scalar_one()
        if last is None:
            break
        found, after_ms = read(connection, series, at_ms, last + 1), last + 1
    return found.where(slice(0, count))


def last_of_run(connection: Connection, series: SeriesId, boot: str) -> int:
    """When the newest reading was that a collector brought in one run of the machine; 0 where it brought none."""
    found = select(func.max(Chunk.last_ms)).where(Chunk.series_id == series.id, Chunk.boot == boot)
    return connection.execute(found).scalar_one() or 0


def newest_heard(connection: Connection, source_id: int) -> tuple[int, str] | None:
    """When a collector last heard of a source, and in which run of the machine; None where none did."""
    found = (
        select(Chunk.last_ms, Chunk.boot)
        .join(Series, Series.id == Chunk.series_id)
        .where(Series.source_id == source_id, Chunk.import_id.is_(None))
        .order_by(Chunk.last_ms.desc())
        .limit(1)
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else (row.last_ms, row.boot)
