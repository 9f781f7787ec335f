"""A series as it stood at an instant: without the imports that came later, with those that were taken back later.

What a collector sealed has no such instant, and only adds to what was there: it counts as having always been there.
"""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, or_, select

from appliance.store.models import Chunk, ImportRow
from appliance.store.series import Columns, SeriesId, joined, newest, unpacked


def is_as_it_stood(connection: Connection, series: SeriesId, at_us: int) -> bool:
    """Whether no import of a series was made or taken back since (microseconds since 1970)."""
    later = select(ImportRow.id).where(or_(ImportRow.at_us > at_us, ImportRow.undone_us > at_us))
    found = select(Chunk.id).where(Chunk.series_id == series.id, Chunk.import_id.in_(later)).limit(1)
    return connection.execute(found).first() is None


def read(connection: Connection, series: SeriesId, at_us: int, from_ms: int, to_ms: int) -> tuple[Columns, list[str]]:
    """The readings in [from_ms, to_ms) that stood then, by time, each with the source’s word for its quality."""
    columns, chunks = _owned(connection, series, at_us, from_ms, to_ms)
    return columns, [chunk.quality for chunk in chunks]


def read_with_device(
    connection: Connection, series: SeriesId, at_us: int, from_ms: int, to_ms: int
) -> tuple[Columns, list[str] | None]:
    """The same, each with the number of the meter that it is of; None where one has them all."""
    columns, chunks = _owned(connection, series, at_us, from_ms, to_ms)
    devices = [chunk.device for chunk in chunks]
    return columns, devices if len(set(devices)) > 1 else None


def _owned(
    connection: Connection, series: SeriesId, at_us: int, from_ms: int, to_ms: int
) -> tuple[Columns, list[Row[Any]]]:
    """The readings, and the chunk that each is in."""
    found = select(Chunk.__table__).where(Chunk.series_id == series.id, _stood(at_us))
    rows = connection.execute(found.where(Chunk.last_ms >= from_ms, Chunk.first_ms < to_ms).order_by(Chunk.id)).all()
    parts, chunks, ages = [], list[Row[Any]](), list[int]()
    for row in rows:
        part = unpacked(row)
        part = part.where((part.at_ms >= from_ms) & (part.at_ms < to_ms))
        parts.append(part)
        chunks += [row] * len(part)
        ages += [row.import_id or 0] * len(part)
    columns = joined(parts)
    chosen = newest(columns, np.array(ages, np.int64))
    return columns.where(chosen), [chunks[each] for each in chosen.tolist()]


def _stood(at_us: int) -> ColumnElement[bool]:
    there = select(ImportRow.id).where(
        ImportRow.at_us <= at_us, or_(ImportRow.undone_us.is_(None), ImportRow.undone_us > at_us)
    )
    return or_(Chunk.import_id.is_(None), Chunk.import_id.in_(there))
