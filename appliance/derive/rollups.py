"""Rollups: a series by quarter-hours, packed by UTC month, so that every longer span is drawn without its raw readings.

Quarter-hours are the finest step from which the local days of every zone derive exactly. A register's total in a
quarter is what it counted since its reading before (see `registers`), so that totals of any span add up to the
register's own difference; a reading on the boundary closes the quarter before it. What it counted over several quarters
is spread over them evenly, to the last unit; a span that begins or ends within that is an estimate, and known as one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from appliance.derive import counted, happenings, registers
from appliance.derive.counted import QUARTER_MS
from appliance.derive.happenings import Event
from appliance.derive.registers import Happening
from appliance.store import neighbours
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import RegisterStep, Rollup
from appliance.store.packing import pack, unpack
from appliance.store.series import Array, Columns, SeriesId

NEIGHBOURS = 64
"""Readings beside a span that are looked at too: more than a garbled run has, and most that go back a little."""

__all__ = ["QUARTER_MS", "Quarters", "read", "rebuild", "refresh"]


def _none() -> Array:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Quarters:
    """A series by quarter-hours (numbered since 1970 UTC), as scaled integers; a quarter without a reading is absent.

    `totals` are differences of a register, sums of deltas, or sums of a gauge's values, of which `counts` says how many
    there were and `lows` and `highs` the extremes; those three are empty for registers and deltas. `cuts` is 1 for a
    quarter of a register at whose end no reading tells how much was counted by then, else 0; empty for gauges.
    """

    quarters: Array
    totals: Array
    counts: Array = field(default_factory=_none)
    lows: Array = field(default_factory=_none)
    highs: Array = field(default_factory=_none)
    cuts: Array = field(default_factory=_none)

    def where(self, chosen: Any) -> "Quarters":
        return Quarters(*(column[chosen] if len(column) else column for column in self._columns()))

    def _columns(self) -> tuple[Array, Array, Array, Array, Array, Array]:
        return self.quarters, self.totals, self.counts, self.lows, self.highs, self.cuts

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
        if not series_store.stale(connection) and not happenings.have_changed(connection):
            return 0
    with store.write() as connection:
        events = happenings.every(connection)
        happenings.note_changes(connection, events)
        spans = series_store.stale(connection)
        every = {series.id: series for series in series_store.every(connection, taken_back=True)}
        for series_id, first_ms, last_ms in spans:
            rebuild(connection, every[series_id], first_ms, last_ms, events)
            series_store.freshened(connection, series_id)
        return len(spans)


def rebuild(
    connection: Connection, series: SeriesId, first_ms: int, last_ms: int, events: Sequence[Event] = ()
) -> None:
    """Computes a series' rollups anew where readings in [first_ms, last_ms] changed. `events`: what people say
    happened at their meters.
    """
    spans = [(first_ms, last_ms)]
    said: list[Happening] = []
    if series.kind == "register":
        spans = _touched(connection, series, first_ms, last_ms, happenings.spans(events, series))
        said = happenings.of_series(connection, events, series)
    shift = _closing_shift(series)
    for begin_ms, end_ms in spans:
        begin, end = (begin_ms - shift) // QUARTER_MS, (end_ms - shift) // QUARTER_MS + 1
        for month, month_begin, month_end in _months(begin, end):
            edges = max(begin, month_begin), min(end, month_end)
            register = series.kind == "register"
            part = _register(connection, series, *edges, said) if register else _computed(connection, series, *edges)
            _splice(connection, series, month, part, *edges)


def _touched(
    connection: Connection, series: SeriesId, first_ms: int, last_ms: int, days: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The spans in which a register's steps are others now: from the readings before to those after, whose own steps a
    rule may see in another light, and the days of which a person tells. A step of more than a year is its end's alone.
    """
    for begin_ms, end_ms in days:
        if begin_ms <= last_ms and first_ms <= end_ms:
            first_ms, last_ms = min(first_ms, begin_ms), max(last_ms, end_ms)
    before = neighbours.newest_before(connection, series, first_ms, NEIGHBOURS).at_ms.tolist()
    after = neighbours.oldest_from(connection, series, last_ms + 1, NEIGHBOURS).at_ms.tolist()
    begun_ms = next((each for each in before if each >= first_ms - counted.SPREAD_MS), first_ms)
    near = [each for each in after if each <= last_ms + counted.SPREAD_MS]
    far = [each for each in after if each > last_ms + counted.SPREAD_MS]
    spans = [(begun_ms, near[-1] if near else last_ms)]
    return [*spans, *((each, each) for each in far)]


def read(connection: Connection, series: SeriesId, from_quarter: int, to_quarter: int) -> Quarters:
    """A series' quarter-hours in [from_quarter, to_quarter), as they were last refreshed."""
    table = Rollup.__table__.c
    rows = connection.execute(
        select(table.quarters, table.totals, table.counts, table.lows, table.highs, table.cuts)
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
    columns = series_store.read(connection, series, begin * QUARTER_MS, end * QUARTER_MS)
    if not len(columns):
        return Quarters(_none(), _none())
    quarter = columns.at_ms // QUARTER_MS
    starts = np.flatnonzero(np.concatenate([[True], np.diff(quarter) != 0]))
    if series.kind == "gauge":
        return _gauge(columns, quarter, starts)
    totals = np.add.reduceat(columns.values, starts)
    return Quarters(quarter[starts], totals, cuts=np.zeros(len(totals), np.int64))


def _register(connection: Connection, series: SeriesId, begin: int, end: int, said: Sequence[Happening]) -> Quarters:
    """A register's quarters in [begin, end); what rules found in them is kept beside."""
    from_ms, to_ms = begin * QUARTER_MS + 1, end * QUARTER_MS + 1
    columns, devices = _with_neighbours(connection, series, from_ms, to_ms)
    if not len(columns):
        return Quarters(_none(), _none())
    found = registers.used(columns, series.unit, series.exponent, devices, said)
    _keep_findings(connection, series, from_ms, to_ms, found.findings)
    spread = counted.by_quarters(columns, found.amounts, begin, end)
    return Quarters(spread.quarters, spread.totals, cuts=spread.cuts)


def _with_neighbours(
    connection: Connection, series: SeriesId, from_ms: int, to_ms: int
) -> tuple[Columns, list[str] | None]:
    """The readings in [from, to), some before and some after: what a rule makes of a step, it sees in those beside it.

    Nothing where none of the readings, and no step between two, is in it.
    """
    before = neighbours.newest_before(connection, series, from_ms, NEIGHBOURS)
    after = neighbours.oldest_from(connection, series, to_ms, NEIGHBOURS)
    first_ms = int(before.at_ms[0]) if len(before) else from_ms
    last_ms = int(after.at_ms[-1]) + 1 if len(after) else to_ms
    columns, devices = series_store.read_with_device(connection, series, first_ms, last_ms)
    inside = bool(((columns.at_ms >= from_ms) & (columns.at_ms < to_ms)).any())
    return (columns, devices) if inside or (len(before) and len(after)) else (series_store.NO_READINGS, None)


def _keep_findings(
    connection: Connection, series: SeriesId, from_ms: int, to_ms: int, found: list[registers.Finding]
) -> None:
    table = RegisterStep.__table__.c
    there = (table.series_id == series.id) & (table.at_ms >= from_ms) & (table.at_ms < to_ms)
    connection.execute(delete(RegisterStep).where(there))
    inside = {each.at_ms: each for each in found if from_ms <= each.at_ms < to_ms}  # of two at one instant, the last
    if inside:
        connection.execute(insert(RegisterStep), [{"series_id": series.id, **asdict(each)} for each in inside.values()])


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
    columns = {name: getattr(part, name) for name in Quarters.__slots__}
    if not columns["cuts"].any():
        columns["cuts"] = _none()
    return {name: pack(column) if len(column) else None for name, column in columns.items()}


def _unpacked(row: Any) -> Quarters:
    columns = {
        name: _none() if (packed := getattr(row, name)) is None else unpack(packed) for name in Quarters.__slots__
    }
    if not len(columns["counts"]) and not len(columns["cuts"]):
        columns["cuts"] = np.zeros(len(columns["quarters"]), np.int64)
    return Quarters(**columns)


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
