"""Which spans the readings of series cover, by quarter-hours, for several gaps at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, select

from appliance.derive.counted import QUARTER_MS
from appliance.ingest.meter_places import HISTORY
from appliance.store import series as series_store
from appliance.store.models import Chunk, Rollup
from appliance.store.packing import unpack
from appliance.store.series import NO_READINGS, Array, Columns, SeriesId

LATE_MS = 60_000
"""The first reading after a gap is stamped no later than this after its end."""

EDGES_MS = 60_000
"""What may be missing at the edges of a gap that is covered: it is known to the second, and what covers it is not."""

ESTIMATED = ("estimat", "substituted", "final substituted", "geschat", "estimé")
"""What a source's word for an estimate begins with."""
"""The words for an estimate begin so, in every source that is known: estimated, estimate."""

_LONG_S = 900
_NONE: Array = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class _Brought:
    """A chunk's span, and what it is."""

    first_ms: int
    last_ms: int
    is_import: bool
    quality: str


@dataclass(slots=True)
class Covers:
    """What is covered: by series, the quarter-hours at whose end a reading tells the sum, or intervals themselves."""

    quarters: dict[int, Array] = field(default_factory=dict)
    intervals: dict[int, Columns] = field(default_factory=dict)
    brought: dict[int, list[_Brought]] = field(default_factory=dict)

    def share(self, series: SeriesId, first_ms: int, last_ms: int) -> float:
        """How much of a span its readings tell, 1 for all of it: those of an import, or of the meter's own history.

        What the box reads of another meter tells nothing of this one.
        """
        if not series.role.endswith(HISTORY) and not self._is_brought(series, first_ms, last_ms):
            return 0.0
        begins, ends = self._spans(series, first_ms, last_ms)
        begins, ends = np.maximum(begins, first_ms), np.minimum(ends, last_ms)
        reached = np.maximum.accumulate(np.concatenate([[first_ms], ends]))[:-1]
        covered = int(np.maximum(0, ends - np.maximum(begins, reached)).sum())
        length = last_ms - first_ms
        return 1.0 if covered >= length - min(EDGES_MS, length // 100) else covered / length

    def is_estimated(self, series: SeriesId, first_ms: int, last_ms: int) -> bool:
        """Whether the source itself calls any of these readings an estimate."""
        return any(each.quality.lower().startswith(ESTIMATED) for each in self._around(series, first_ms, last_ms))

    def _is_brought(self, series: SeriesId, first_ms: int, last_ms: int) -> bool:
        return any(each.is_import for each in self._around(series, first_ms, last_ms))

    def _around(self, series: SeriesId, first_ms: int, last_ms: int) -> list[_Brought]:
        """An interval lies before its chunk's end."""
        before_ms = first_ms - 1000 * series.seconds
        brought = self.brought.get(series.id, ())
        return [each for each in brought if each.last_ms >= before_ms and each.first_ms < last_ms]

    def _spans(self, series: SeriesId, first_ms: int, last_ms: int) -> tuple[Array, Array]:
        if series.id in self.intervals:
            columns = self.intervals[series.id]
            ends = columns.at_ms + columns.seconds * 1000
            inside = (ends > first_ms) & (columns.at_ms < last_ms)
            return columns.at_ms[inside], ends[inside]
        begins = self.quarters.get(series.id, _NONE) * QUARTER_MS
        inside = (begins + QUARTER_MS > first_ms) & (begins < last_ms)
        return begins[inside], begins[inside] + QUARTER_MS


def read(connection: Connection, every: Sequence[SeriesId], spans: Sequence[tuple[int, int]]) -> Covers:
    """What these series cover of these spans: from the rollups, and of long intervals from the readings."""
    covers = Covers()
    if not spans or not every:
        return covers
    first_ms, last_ms = min(first for first, _ in spans), max(last for _, last in spans)
    covers.brought = _brought(connection, every, first_ms, last_ms)
    long = [each for each in every if each.kind == "delta" and each.seconds >= _LONG_S]
    for series in long:
        found = series_store.read(connection, series, first_ms - 1000 * series.seconds, last_ms)
        covers.intervals[series.id] = found if len(found) else NO_READINGS
    covers.quarters = _quarters(connection, [each for each in every if each not in long], spans)
    return covers


def _brought(
    connection: Connection, every: Sequence[SeriesId], first_ms: int, last_ms: int
) -> dict[int, list[_Brought]]:
    """The chunks that are an import's, or of a quality."""
    chunk = Chunk.__table__.c
    before_ms = first_ms - 1000 * max(each.seconds for each in every)
    found = (
        select(chunk.series_id, chunk.first_ms, chunk.last_ms, chunk.import_id, chunk.quality)
        .where(chunk.series_id.in_([each.id for each in every]))
        .where(chunk.first_ms < last_ms, chunk.last_ms >= before_ms)
        .where(chunk.import_id.is_not(None) | (chunk.quality != ""))
        .where(series_store.stands())
    )
    brought: dict[int, list[_Brought]] = defaultdict(list)
    for row in connection.execute(found):
        brought[row.series_id].append(_Brought(row.first_ms, row.last_ms, row.import_id is not None, row.quality))
    return brought


def _quarters(connection: Connection, every: Sequence[SeriesId], spans: Iterable[tuple[int, int]]) -> dict[int, Array]:
    """The quarter-hours of the spans' months that have readings of their own."""
    months = {month for first, last in spans for month in range(_month(first), _month(last) + 1)}
    table = Rollup.__table__.c
    found = (
        select(table.series_id, table.quarters, table.cuts)
        .where(table.series_id.in_([each.id for each in every]), table.month.in_(months))
        .order_by(table.series_id, table.month)
    )
    parts: dict[int, list[Array]] = defaultdict(list)
    for series_id, quarters, cuts in connection.execute(found):
        there = unpack(quarters)
        parts[series_id].append(there if cuts is None else _told(there, unpack(cuts)))
    return {series_id: np.concatenate(each) for series_id, each in parts.items()}


def _told(quarters: Array, cuts: Array) -> Array:
    """Those at whose beginning, too, a reading tells what was counted by then."""
    begun = np.ones(len(quarters), bool)
    begun[1:] = (cuts[:-1] == 0) | (np.diff(quarters) > 1)
    told: Array = quarters[(cuts == 0) & begun]
    return told


def _month(at_ms: int) -> int:
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return (at.year - 1970) * 12 + at.month - 1
