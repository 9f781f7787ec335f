"""Series as a store keeps them: chunks of packed readings, written and read as arrays.

A chunk is one row. Its timestamps, intervals and values are each one pcodec stream of int64, so that ten years of
10-second readings are about a byte a reading and decode in a third of a second. Where imports overlap, the newest one's
readings of an interval are the series' readings; what it replaced stays in its chunk.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, or_, select, update

from appliance.records import Source
from appliance.store import sources
from appliance.store.models import Chunk, ImportRow, Series, SourceRow, Stale
from appliance.store.packing import Array as Array
from appliance.store.packing import pack, unpack

CHUNK_READINGS = 65_536
CUMULATIVE_UNITS = frozenset({"kWh", "m3", "GJ", "MJ", "therm", "kvarh", "kVAh", "L"})
FINEST_EXPONENT = -6
_NONE: Array = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class SeriesId:
    """A series of this store. `kind` is register, delta or gauge; a value is an integer * 10**exponent in `unit`."""

    id: int
    source: str
    role: str
    unit: str
    exponent: int
    kind: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings as arrays of equal length: milliseconds since 1970 UTC, interval lengths in seconds, scaled values."""

    at_ms: Array
    seconds: Array
    values: Array

    def __len__(self) -> int:
        return len(self.at_ms)

    def where(self, chosen: NDArray[Any] | slice) -> "Columns":
        return Columns(self.at_ms[chosen], self.seconds[chosen], self.values[chosen])

    def followed_by(self, other: "Columns") -> "Columns":
        return joined([self, other])


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a chunk's readings come from: an import and its span, or a link, meter, device and boot."""

    import_id: int | None = None
    first: int | None = None
    length: int | None = None
    link: str = ""
    meter: str = ""
    device: str = ""
    boot: str = ""
    quality: str = ""


NO_READINGS = Columns(_NONE, _NONE, _NONE)


def joined(parts: list[Columns]) -> Columns:
    """Columns one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return NO_READINGS
    return Columns(
        np.concatenate([each.at_ms for each in parts]),
        np.concatenate([each.seconds for each in parts]),
        np.concatenate([each.values for each in parts]),
    )


def kind_of(unit: str, seconds: int) -> str:
    """What numbers in a unit over an interval are: a register (a counter's state), a delta (use in it) or a gauge."""
    if unit in CUMULATIVE_UNITS:
        return "delta" if seconds else "register"
    return "gauge"


def every(connection: Connection, role: str = "", source: str = "", *, taken_back: bool = False) -> list[SeriesId]:
    """The store's series, by source and role, of one role or source where that is named.

    One whose every reading was taken back is none of them, unless asked for.
    """
    found = _every(taken_back)
    if role:
        found = found.where(Series.__table__.c.role == role)
    if source:
        found = found.where(SourceRow.__table__.c.name == source)
    return [_series(each) for each in connection.execute(found)]


@cache  # to put it together takes longer than to ask it
def _every(taken_back: bool) -> Select[Any]:
    each_series, each_source = Series.__table__.c, SourceRow.__table__.c
    found = select(*each_series, each_source.name.label("source")).where(each_source.id == each_series.source_id)
    if not taken_back:
        any_chunk = select(Chunk.id).where(Chunk.series_id == each_series.id)
        found = found.where(or_(any_chunk.where(stands()).exists(), ~any_chunk.exists()))
    return found.order_by(each_source.name, each_series.role)


def stands() -> ColumnElement[bool]:
    """The condition of a chunk whose import was not taken back."""
    undone = select(ImportRow.id).where(ImportRow.undone_us.is_not(None))
    return or_(Chunk.import_id.is_(None), Chunk.import_id.not_in(undone))


def found_or_made(
    connection: Connection, source: Source, role: str, unit: str, exponent: int, seconds: int
) -> SeriesId:
    """The series of a source and role, made where it is new.

    A new series is fine enough for a millionth of its unit, or for its source where that is finer. ValueError where the
    series that is there has another unit, or is too coarse for these values: its exponent is fixed when it is made.
    """
    there = every(connection, role, source.name) or _emptied(connection, source, role, unit, exponent, seconds)
    if not there:
        return _made(connection, source, role, unit, min(exponent, FINEST_EXPONENT), seconds)
    series = there[0]
    if series.unit != unit or series.kind != kind_of(unit, seconds):
        raise ValueError(
            f"{source.name} has {role} as {series.kind} in {series.unit} already, and these are "
            f"{kind_of(unit, seconds)} in {unit}; import them as another source with --source NAME"
        )
    if exponent < series.exponent:
        raise ValueError(
            f"{role} of {source.name} is kept in 10^{series.exponent} {unit}, and these are finer; "
            "state another unit, or import them as another source with --source NAME"
        )
    if seconds > series.seconds:
        connection.execute(update(Series).where(Series.id == series.id).values(seconds=seconds))
        return replace(series, seconds=seconds)
    return series


def _emptied(
    connection: Connection, source: Source, role: str, unit: str, exponent: int, seconds: int
) -> list[SeriesId]:
    """Series whose readings were all taken back, and which these readings fit."""
    kind, empty = kind_of(unit, seconds), every(connection, role, source.name, taken_back=True)
    return [each for each in empty if each.unit == unit and each.kind == kind and each.exponent <= exponent]


def _made(connection: Connection, source: Source, role: str, unit: str, exponent: int, seconds: int) -> SeriesId:
    columns = {"role": role, "unit": unit, "exponent": exponent, "kind": kind_of(unit, seconds), "seconds": seconds}
    statement = insert(Series).values(source_id=sources.id_of(connection, source), **columns).returning(Series.id)
    return SeriesId(id=connection.execute(statement).scalar_one(), source=source.name, **columns)  # type: ignore[arg-type]


def append(connection: Connection, series: SeriesId, columns: Columns, lineage: Lineage) -> None:
    """Stores readings of one lineage, in chunks.

    What the collector brings comes in small parts; a part is joined with the chunk before it, while that is of the same
    lineage and not much larger, so that chunks grow as powers of two and each reading is rewritten a few times only.
    """
    if not len(columns):
        return
    make_stale(connection, series.id, int(columns.at_ms.min()), int(columns.at_ms.max()))
    if lineage.import_id is None:
        columns = _with_small_neighbours(connection, series, columns, lineage)
    for begin in range(0, len(columns), CHUNK_READINGS):
        part = columns.where(slice(begin, begin + CHUNK_READINGS))
        connection.execute(insert(Chunk).values(series_id=series.id, **packed(part), **_lineage_columns(lineage)))


def stale(connection: Connection) -> list[tuple[int, int, int]]:
    """Each series whose rollups are older than its readings, and the span in which they are: id, first and last ms."""
    rows = connection.execute(select(Stale.series_id, Stale.first_ms, Stale.last_ms).order_by(Stale.series_id))
    return [(series_id, first, last) for series_id, first, last in rows]


def freshened(connection: Connection, series_id: int) -> None:
    """Its rollups are as new as its readings again."""
    connection.execute(delete(Stale).where(Stale.series_id == series_id))


def brought_by(connection: Connection, import_id: int) -> list[tuple[int, int, int]]:
    """What an import stored readings of: each series' id, and the span in milliseconds."""
    found = select(Chunk.series_id, func.min(Chunk.first_ms), func.max(Chunk.last_ms))
    rows = connection.execute(found.where(Chunk.import_id == import_id).group_by(Chunk.series_id))
    return [(series_id, first_ms, last_ms) for series_id, first_ms, last_ms in rows]


def make_stale(connection: Connection, series_id: int, first_ms: int, last_ms: int) -> None:
    """Has a series' rollups made anew for a span."""
    there = connection.execute(select(Stale.first_ms, Stale.last_ms).where(Stale.series_id == series_id)).one_or_none()
    if there is None:
        connection.execute(insert(Stale).values(series_id=series_id, first_ms=first_ms, last_ms=last_ms))
    elif first_ms < there.first_ms or last_ms > there.last_ms:
        span = {"first_ms": min(first_ms, there.first_ms), "last_ms": max(last_ms, there.last_ms)}
        connection.execute(update(Stale).where(Stale.series_id == series_id).values(**span))


def _with_small_neighbours(connection: Connection, series: SeriesId, columns: Columns, lineage: Lineage) -> Columns:
    while len(columns):
        last = connection.execute(
            select(Chunk.__table__)
            .where(Chunk.series_id == series.id, Chunk.last_ms < int(columns.at_ms[0]))
            .order_by(Chunk.last_ms.desc())
            .limit(1)
        ).one_or_none()
        if last is None or not _joins(last, columns, lineage):
            break
        columns = unpacked(last).followed_by(columns)
        connection.execute(delete(Chunk).where(Chunk.id == last.id))
    return columns


def _joins(chunk: Row[Any], columns: Columns, lineage: Lineage) -> bool:
    same = all(getattr(chunk, name) == value for name, value in _lineage_columns(lineage).items())
    small = chunk.readings <= 2 * len(columns) and chunk.readings + len(columns) <= CHUNK_READINGS
    return same and small and chunk.last_ms < int(columns.at_ms[0])


def read(connection: Connection, series: SeriesId, from_ms: int | None = None, to_ms: int | None = None) -> Columns:
    """The series' readings in [from_ms, to_ms), ordered by time; where imports overlap, the newest one's."""
    chunks, parts = _chunks(connection, series, from_ms, to_ms)
    columns = joined(parts)
    if not _rises(columns):
        columns = columns.where(newest(columns, _spread([each.import_id or 0 for each in chunks], parts)))
    return _cut(columns, from_ms, to_ms)


def read_with_quality(
    connection: Connection, series: SeriesId, from_ms: int | None = None, to_ms: int | None = None
) -> tuple[Columns, list[str]]:
    """The same, and for each reading the source's own word for its quality ("" where it says none)."""
    columns, owners, chunks = _owned(connection, series, from_ms, to_ms)
    words = [each.quality for each in chunks]
    return columns, [words[owner] for owner in owners.tolist()]


def read_with_device(
    connection: Connection, series: SeriesId, from_ms: int | None = None, to_ms: int | None = None
) -> tuple[Columns, list[str] | None]:
    """The same, and for each reading the number of the meter that it is of; None where one has them all."""
    columns, owners, chunks = _owned(connection, series, from_ms, to_ms)
    if len({each.device for each in chunks}) < 2:
        return columns, None
    return columns, [chunks[owner].device for owner in owners]


def _owned(
    connection: Connection, series: SeriesId, from_ms: int | None, to_ms: int | None
) -> tuple[Columns, Array, Any]:
    """The readings, for each the place of the chunk that it is in, and the chunks."""
    chunks, parts = _chunks(connection, series, from_ms, to_ms)
    columns, owners = joined(parts), _spread(list(range(len(parts))), parts)
    if not _rises(columns):
        chosen = newest(columns, _spread([each.import_id or 0 for each in chunks], parts))
        columns, owners = columns.where(chosen), owners[chosen]
    inside = _inside(columns, from_ms, to_ms)
    return columns.where(inside), owners[inside], chunks


def _chunks(
    connection: Connection, series: SeriesId, from_ms: int | None, to_ms: int | None
) -> tuple[Any, list[Columns]]:
    rows = connection.execute(_overlapping(series, from_ms, to_ms).order_by(Chunk.first_ms, Chunk.id)).all()
    return rows, [unpacked(each) for each in rows]


def _spread(numbers: list[int], parts: list[Columns]) -> Array:
    """Each part's number, once a reading."""
    return np.repeat(np.array(numbers, np.int64), [len(part) for part in parts])


def _rises(columns: Columns) -> bool:
    return bool((columns.at_ms[1:] > columns.at_ms[:-1]).all())


def read_all(connection: Connection, series: SeriesId, from_ms: int, to_ms: int) -> Columns:
    """Every reading ever stored in [from_ms, to_ms], what later imports replaced included, in no order."""
    found = _overlapping(series, from_ms, to_ms + 1)
    return _cut(joined([unpacked(each) for each in connection.execute(found)]), from_ms, to_ms + 1)


def last_before(connection: Connection, series: SeriesId, at_ms: int) -> int | None:
    """The value of the newest reading before an instant."""
    first = connection.execute(
        select(func.max(Chunk.first_ms)).where(Chunk.series_id == series.id, Chunk.first_ms < at_ms, stands())
    ).scalar_one()
    columns = NO_READINGS if first is None else read(connection, series, first, at_ms)
    return int(columns.values[-1]) if len(columns) else None


def first_value(connection: Connection, series: SeriesId) -> int | None:
    """The value of the oldest reading."""
    ends = extent(connection, series)
    columns = read(connection, series, ends[0], ends[0] + 1) if ends else NO_READINGS
    return int(columns.values[0]) if len(columns) else None


def first_after(connection: Connection, series: SeriesId, at_ms: int) -> int | None:
    """When the next reading after an instant is."""
    last = connection.execute(
        select(func.min(Chunk.last_ms)).where(Chunk.series_id == series.id, Chunk.last_ms > at_ms, stands())
    ).scalar_one()
    columns = NO_READINGS if last is None else read(connection, series, at_ms + 1, last + 1)
    return int(columns.at_ms[0]) if len(columns) else None


def extent(connection: Connection, series: SeriesId) -> tuple[int, int, int] | None:
    """The first and the last instant of a series, and how many readings it has; None where it has none."""
    found = select(func.min(Chunk.first_ms), func.max(Chunk.last_ms), func.sum(Chunk.readings))
    first, last, count = connection.execute(found.where(Chunk.series_id == series.id, stands())).one()
    return None if first is None else (first, last, int(count))


def _overlapping(series: SeriesId, from_ms: int | None, to_ms: int | None) -> Any:
    found = select(Chunk.__table__).where(Chunk.series_id == series.id, stands())
    if from_ms is not None:
        found = found.where(Chunk.last_ms >= from_ms)
    if to_ms is not None:
        found = found.where(Chunk.first_ms < to_ms)
    return found


def _inside(columns: Columns, from_ms: int | None, to_ms: int | None) -> NDArray[np.bool_]:
    inside = np.ones(len(columns), bool)
    if from_ms is not None:
        inside &= columns.at_ms >= from_ms
    if to_ms is not None:
        inside &= columns.at_ms < to_ms
    return inside


def _cut(columns: Columns, from_ms: int | None, to_ms: int | None) -> Columns:
    inside = _inside(columns, from_ms, to_ms)
    return columns if inside.all() else columns.where(inside)


def newest(columns: Columns, ages: Array) -> Array:
    """Which readings stand, in order of time: of those of one interval, the newest import's (its number is the age)."""
    order = np.lexsort((ages, columns.seconds, columns.at_ms))
    columns, ages = columns.where(order), ages[order]
    starts = np.empty(len(columns), bool)
    starts[:1] = True
    starts[1:] = (np.diff(columns.at_ms) != 0) | (np.diff(columns.seconds) != 0)
    is_last = np.append(starts[1:], True)[: len(columns)]
    ends = np.flatnonzero(is_last)  # ages rise in a group, so its last is its newest
    highest = np.repeat(ages[ends], np.diff(np.append(np.flatnonzero(starts), len(columns))))
    standing: Array = order[ages == highest]
    return standing


def packed(columns: Columns) -> dict[str, Any]:
    """A chunk's columns that hold these readings."""
    interval = int(columns.seconds[0])
    alike = bool((columns.seconds == interval).all())
    return {
        "first_ms": int(columns.at_ms.min()),
        "last_ms": int(columns.at_ms.max()),
        "readings": len(columns),
        "low": int(columns.values.min()),
        "high": int(columns.values.max()),
        "times": pack(columns.at_ms),
        "seconds": None if alike else pack(columns.seconds),
        "interval": interval,
        "figures": pack(columns.values),
    }


def unpacked(chunk: Row[Any]) -> Columns:
    """A chunk's readings."""
    at_ms = unpack(chunk.times)
    seconds = unpack(chunk.seconds) if chunk.seconds else np.full(len(at_ms), chunk.interval, np.int64)
    return Columns(at_ms, seconds, unpack(chunk.figures))


def _lineage_columns(lineage: Lineage) -> dict[str, Any]:
    return {name: getattr(lineage, name) for name in Lineage.__slots__}


def _series(each: Any) -> SeriesId:
    return SeriesId(each.id, each.source, each.role, each.unit, each.exponent, each.kind, each.seconds)
