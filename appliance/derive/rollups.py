"""Rollups: a series by quarter-hours, packed by UTC month, so that every longer span is drawn without its raw readings.

Quarter-hours are the finest step from which the local days of every zone derive exactly. A register's total in a
quarter is the difference of its last values, so that totals of any span add up to the register's own difference; a
reading on the boundary closes the quarter before it. A register that goes back (a swap, a reset) adds nothing then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Rollup
from appliance.store.series import Array, Columns, SeriesId, pack, unpack

QUARTER_MS = 900_000


def _none() -> Array:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Quarters:
    """A series by quarter-hours (numbered since 1970 UTC), as scaled integers; a quarter without a reading is absent.

    `totals` are differences of a register, sums of deltas, or sums of a gauge's values, of which `counts` says how many
    there were and `lows` and `highs` the extremes; those three are empty for registers and deltas.
    """

    quarters: Array
    totals: Array
    counts: Array = field(default_factory=_none)
    lows: Array = field(default_factory=_none)
    highs: Array = field(default_factory=_none)

    def where(self, chosen: Any) -> "Quarters":
        return Quarters(*(column[chosen] if len(column) else column for column in self._columns()))

    def _columns(self) -> tuple[Array, Array, Array, Array, Array]:
        return self.quarters, self.totals, self.counts, self.lows, self.highs

    @staticmethod
    def joined(parts: list["Quarters"]) -> "Quarters":
        if not parts:
            return Quarters(_none(), _none())
        return Quarters(
            *(np.concatenate(columns) for columns in zip(*(part._columns() for part in parts), strict=True))
        )


def refresh(store: Store) -> int:
    """Brings every rollup up to its readings; how many series had any to bring."""
    with store.read() as connection:
        if not series_store.stale(connection):
            return 0
    with store.write() as connection:
        spans = series_store.stale(connection)
        every = {series.id: series for series in series_store.every(connection, taken_back=True)}
        for series_id, first_ms, last_ms in spans:
            rebuild(connection, every[series_id], first_ms, last_ms)
            series_store.freshened(connection, series_id)
        return len(spans)


def rebuild(connection: Connection, series: SeriesId, first_ms: int, last_ms: int) -> None:
    """Computes a series' rollups anew where readings in [first_ms, last_ms] changed."""
    if series.kind == "register":  # the next reading's difference is another now
        after = series_store.first_after(connection, series, last_ms)
        last_ms = last_ms if after is None else after
    shift = _closing_shift(series)
    begin, end = (first_ms - shift) // QUARTER_MS, (last_ms - shift) // QUARTER_MS + 1
    for month, month_begin, month_end in _months(begin, end):
        part = _computed(connection, series, max(begin, month_begin), min(end, month_end))
        _splice(connection, series, month, part, max(begin, month_begin), min(end, month_end))


def read(connection: Connection, series: SeriesId, from_quarter: int, to_quarter: int) -> Quarters:
    """A series' quarter-hours in [from_quarter, to_quarter), as they were last refreshed."""
    table = Rollup.__table__.c
    rows = connection.execute(
        select(table.quarters, table.totals, table.counts, table.lows, table.highs)
        .where(table.series_id == series.id)
        .where(table.month.between(_month(from_quarter), _month(max(from_quarter, to_quarter - 1))))
        .order_by(table.month)
    )
    quarters = Quarters.joined([_unpacked(row) for row in rows])
    begin, end = np.searchsorted(quarters.quarters, [from_quarter, to_quarter])
    return quarters.where(slice(begin, end))


def _closing_shift(series: SeriesId) -> int:
    """A register's reading on a boundary tells what the quarter before it used."""
    return 1 if series.kind == "register" else 0


def _computed(connection: Connection, series: SeriesId, begin: int, end: int) -> Quarters:
    shift = _closing_shift(series)
    from_ms, to_ms = begin * QUARTER_MS + shift, end * QUARTER_MS + shift
    columns = series_store.read(connection, series, from_ms, to_ms)
    if not len(columns):
        return Quarters(_none(), _none())
    quarter = (columns.at_ms - shift) // QUARTER_MS
    starts = np.flatnonzero(np.concatenate([[True], np.diff(quarter) != 0]))
    if series.kind == "gauge":
        return _gauge(columns, quarter, starts)
    values = columns.values
    if series.kind == "register":
        values = _differences(values, series_store.last_before(connection, series, from_ms))
    return Quarters(quarter[starts], np.add.reduceat(values, starts))


def _differences(values: Array, before: int | None) -> Array:
    previous = values[0] if before is None else np.int64(before)
    differences: Array = np.diff(values, prepend=previous)
    return np.maximum(differences, 0)


def _gauge(columns: Columns, quarter: Array, starts: Array) -> Quarters:
    return Quarters(
        quarter[starts],
        np.add.reduceat(columns.values, starts),
        np.diff(np.append(starts, len(columns))),
        np.minimum.reduceat(columns.values, starts),
        np.maximum.reduceat(columns.values, starts),
    )


def _splice(connection: Connection, series: SeriesId, month: int, part: Quarters, begin: int, end: int) -> None:
    here = (Rollup.series_id == series.id) & (Rollup.month == month)
    row = connection.execute(select(Rollup.__table__).where(here)).one_or_none()
    if row is not None:
        old = _unpacked(row)
        before, after = old.where(old.quarters < begin), old.where(old.quarters >= end)
        part = Quarters.joined([each for each in (before, part, after) if len(each.quarters)])
        connection.execute(delete(Rollup).where(here))
    if len(part.quarters):
        connection.execute(insert(Rollup).values(series_id=series.id, month=month, **_packed(part)))


def _packed(part: Quarters) -> dict[str, bytes | None]:
    names = Quarters.__slots__
    return {name: pack(getattr(part, name)) if len(getattr(part, name)) else None for name in names}


def _unpacked(row: Any) -> Quarters:
    return Quarters(
        *(_none() if (packed := getattr(row, name)) is None else unpack(packed) for name in Quarters.__slots__)
    )


def _month(quarter: int) -> int:
    at = datetime.fromtimestamp(quarter * (QUARTER_MS // 1000), UTC)
    return (at.year - 1970) * 12 + at.month - 1


def _months(begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Each month that [begin, end) touches: its number, and its own first and past-the-end quarter."""
    for month in range(_month(begin), _month(end - 1) + 1):
        yield month, _first_quarter(month), _first_quarter(month + 1)


def _first_quarter(month: int) -> int:
    at = datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return int(at.timestamp()) * 1000 // QUARTER_MS
