"""Episodes: for how long a device served the series of a source, over which link, read as which meter."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, func, or_, select

from appliance.store.models import Chunk, Series, SourceRow

_WHOSE = ("device", "link", "meter")


@dataclass(frozen=True, slots=True)
class Episode:
    """A device at work: what it served from its first to its newest reading, in milliseconds since 1970 UTC.

    `device` is its own number, "" where it states none.
    """

    source: str
    device: str
    link: str
    meter: str
    first_ms: int
    last_ms: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A device at one series, with no other in between."""

    source: str
    role: str
    device: str
    link: str
    meter: str
    first_ms: int
    last_ms: int

    @property
    def whose(self) -> tuple[str, str, str, str]:
        return self.source, self.device, self.link, self.meter


def every(connection: Connection) -> list[Episode]:
    """Each source's devices, the newest first. What files brought is of none."""
    runs = _runs(connection)
    by_device: dict[tuple[str, str, str, str], list[_Run]] = defaultdict(list)
    for run in runs:
        by_device[run.whose].append(run)
    episodes = [_episode(part) for own in by_device.values() for part in _apart(own, runs)]
    return sorted(episodes, key=lambda each: (each.source, -each.last_ms, -each.first_ms, each.device))


def _episode(runs: list[_Run]) -> Episode:
    first_ms, last_ms = min(each.first_ms for each in runs), max(each.last_ms for each in runs)
    roles = tuple(sorted({each.role for each in runs}))
    return Episode(runs[0].source, runs[0].device, runs[0].link, runs[0].meter, first_ms, last_ms, roles)


def _apart(own: list[_Run], runs: list[_Run]) -> list[list[_Run]]:
    """A device's runs, parted where another device of its source began in between."""
    begun = sorted(each.first_ms for each in runs if each.source == own[0].source and each.whose != own[0].whose)
    parts: list[list[_Run]] = []
    end_ms = 0
    for run in sorted(own, key=lambda each: (each.first_ms, each.last_ms)):
        if not parts or bisect_right(begun, end_ms) < bisect_left(begun, run.first_ms):
            parts.append([])
        parts[-1].append(run)
        end_ms = max(end_ms, run.last_ms)
    return parts


def _runs(connection: Connection) -> list[_Run]:
    """Of each series, the spans in which one device served it.

    The database looks through the chunks' lineage alone and answers with the few at which it changes.
    """
    seen = _changes()
    found = (
        select(SourceRow.name, Series.role, seen)
        .join(Series, Series.id == seen.c.series_id)
        .join(SourceRow, SourceRow.id == Series.source_id)
        .where(or_(*(seen.c[f"{name}_before"].is_distinct_from(seen.c[name]) for name in _WHOSE)))
        .order_by(seen.c.series_id, seen.c.first_ms, seen.c.last_ms)
    )
    rows = connection.execute(found).all()
    ends = [after.ended_ms if after.series_id == row.series_id else row.newest_ms for row, after in pairwise(rows)]
    ends += [row.newest_ms for row in rows[-1:]]
    return [
        _Run(row.name, row.role, row.device, row.link, row.meter, row.first_ms, last_ms)
        for row, last_ms in zip(rows, ends, strict=True)
    ]


def _changes() -> Subquery:
    """Each chunk that a collector brought, with whose the one before it in its series was, and when that ended."""
    chunk = Chunk.__table__.c
    whose = [chunk[name] for name in _WHOSE]

    def before(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.lag(column).over(partition_by=chunk.series_id, order_by=(chunk.first_ms, chunk.last_ms))

    return (
        select(
            *(chunk.series_id, chunk.first_ms, chunk.last_ms, *whose),
            *(before(each).label(f"{each.name}_before") for each in whose),
            before(chunk.last_ms).label("ended_ms"),
            func.max(chunk.last_ms).over(partition_by=chunk.series_id).label("newest_ms"),
        )
        .where(func.coalesce(chunk.import_id, 0) == 0)  # so written, it is answered from the index of the lineage
        .subquery()
    )
