"""A mart's readings: a copy of what stands in the main store, as it is or by steps, a month at a time.

Months that may have changed are made anew and compared; one that differs is put in the place of the mart's. So what was
replaced, taken back or deleted in the main store is in no mart either.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select

from appliance import energy
from appliance.derive import rollups, steps
from appliance.marts.selection import Selection
from appliance.records import Source
from appliance.store import chunks, sources
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Change, Chunk, Deletion, RegisterStep, Rollup, RuleState, Series, Stale
from appliance.store.series import Array, Columns, Lineage, SeriesId
from appliance.store.versions import Action

MARK = "mart: readings"
RAW = "raw"
NEAR_MS = 2 * 86_400_000  # a step reaches no farther than that

Months = list[tuple[int, int]]
Copied = dict[Lineage, Columns]  # by quality, since it is all that a mart says of where a reading comes from


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a mart has come: the newest chunk, undo or redo, and deletion of the main store."""

    chunk: int = 0
    change: int = 0
    deletion: int = 0


def refresh(main: Store, mart: Store, selection: Selection) -> int:
    """Brings a mart's readings up to those of the main store; how many months of series were other ones."""
    if not selection.readings:
        return 0
    with main.read() as connection:
        now = _now(connection)
    with mart.write() as connection:
        before = _mark(connection)
        if now == before:
            return 0
        changed = sum(each.refresh(connection, before) for each in _copies(main, connection, selection))
        _drop_empty(connection)
        _keep(connection, now)
    rollups.refresh(mart)
    return changed


def _drop_empty(mart: Connection) -> None:
    """Series of which nothing is left, and what was derived from what they had."""
    empty = select(Series.id).where(Series.id.not_in(select(Chunk.series_id)))
    for table in (Rollup, RegisterStep, Stale):
        mart.execute(delete(table).where(table.series_id.in_(empty)))
    mart.execute(delete(Series).where(Series.id.in_(empty)))


def _now(main: Connection) -> Mark:
    undone = Change.action.in_((Action.UNDO.value, Action.REDO.value))
    asked = (func.max(Chunk.id), func.max(Change.id).filter(undone), func.max(Deletion.id))
    return Mark(*(int(main.execute(select(each)).scalar_one() or 0) for each in asked))


def _mark(mart: Connection) -> Mark:
    said = mart.execute(select(RuleState.version).where(RuleState.name == MARK)).scalar_one_or_none()
    return Mark(*json.loads(said)) if said else Mark()


def _keep(mart: Connection, mark: Mark) -> None:
    said = json.dumps([mark.chunk, mark.change, mark.deletion])
    mart.execute(delete(RuleState).where(RuleState.name == MARK))
    mart.execute(insert(RuleState).values(name=MARK, version=said, record_id=0))


def _copies(main: Store, mart: Connection, selection: Selection) -> Iterator["_Copy"]:
    """Each role of a source that is selected, and those that the mart has of a main store's that has them no more."""
    found = {(each.source, each.role): each.title for each in energy.series(main)}
    link = Lineage(link=f"the store {main.name}").link
    copied = select(Chunk.series_id).where(Chunk.link == link)
    there = {each.id: (each.source, each.role) for each in series_store.every(mart)}
    gone = {there[number] for number in mart.execute(copied.distinct()).scalars() if number in there} - found.keys()
    for source, role in sorted({*found, *gone}):
        if role in selection.readings and (not selection.sources or source in selection.sources):
            parts = energy.resolved(main, source, role) if (source, role) in found else []
            yield _Copy(main, selection, Source(source, found.get((source, role), "")), role, parts, link)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One role of a source on its way into a mart."""

    main: Store
    selection: Selection
    source: Source
    role: str
    parts: list[SeriesId]
    link: str

    def refresh(self, mart: Connection, before: Mark) -> int:
        """Brings the months that may have changed up to the main store; how many were other ones."""
        changed = 0
        for from_ms, to_ms in self._months(mart, before):
            unit, exponent, should = self._wanted(from_ms, to_ms)
            series = self._series(mart, unit, exponent, should)
            if series is None:
                continue
            scale = 10 ** (exponent - series.exponent) if should else 1
            should = {key: Columns(each.at_ms, each.seconds, each.values * scale) for key, each in should.items()}
            if not _equal(should, self._there(mart, series, from_ms, to_ms)):
                chunks.replace(mart, series, from_ms, to_ms, should)
                changed += 1
        return changed

    def _series(self, mart: Connection, unit: str, exponent: int, should: Copied) -> SeriesId | None:
        """The mart's series, made where it is new; one of another unit gives way to it."""
        if not should:
            return next(iter(series_store.every(mart, self.role, self.source.name)), None)
        seconds = max(int(each.seconds.max()) for each in should.values())
        try:
            return series_store.found_or_made(mart, self.source, self.role, unit, exponent, seconds)
        except ValueError:
            for each in series_store.every(mart, self.role, self.source.name):
                mart.execute(delete(Chunk).where(Chunk.series_id == each.id))
            _drop_empty(mart)
            sources.id_of(mart, self.source)
            return series_store.found_or_made(mart, self.source, self.role, unit, exponent, seconds)

    def _there(self, mart: Connection, series: SeriesId, from_ms: int, to_ms: int) -> Copied:
        there: dict[Lineage, list[Columns]] = {}
        for part in chunks.parts(mart, series, from_ms, to_ms):
            there.setdefault(part.lineage, []).append(part.columns)
        return {lineage: series_store.joined(parts) for lineage, parts in there.items()}

    # ---- which months ----

    def _months(self, mart: Connection, before: Mark) -> Months:
        span = self._span(mart, before)
        return [] if span is None else list(pairwise(_month_starts(*span)))

    def _span(self, mart: Connection, before: Mark) -> tuple[int, int] | None:
        """From the first to the last reading that may be another one, in milliseconds; None where none is."""
        numbers = [part.id for part in self.parts]
        with self.main.read() as connection:
            now = _now(connection)
            if before == Mark() or now.deletion != before.deletion or now.chunk < before.chunk or not self.parts:
                return _reach([*self._extents(connection, self.parts), *self._extents(mart, self._copied(mart))])
            undone = select(Change.import_id).where(Change.id > before.change, Change.import_id.is_not(None))
            touched = (Chunk.id > before.chunk) | Chunk.import_id.in_(undone)
            found = select(func.min(Chunk.first_ms), func.max(Chunk.last_ms))
            first, last = connection.execute(found.where(Chunk.series_id.in_(numbers), touched)).one()
            if first is None:
                return None
            after = [series_store.first_after(connection, part, last) for part in self.parts]
        return first - NEAR_MS, max(last, *(each for each in after if each is not None), last) + NEAR_MS

    def _copied(self, mart: Connection) -> list[SeriesId]:
        return series_store.every(mart, self.role, self.source.name)

    def _extents(self, connection: Connection, every: list[SeriesId]) -> list[tuple[int, int]]:
        found = (series_store.extent(connection, each) for each in every)
        return [(ends[0], ends[1]) for ends in found if ends]

    # ---- what should be there ----

    def _wanted(self, from_ms: int, to_ms: int) -> tuple[str, int, Copied]:
        """What a month should hold: unit, exponent, and the readings by their quality."""
        from_ms, to_ms = self._inside(from_ms, to_ms)
        if not self.parts or from_ms >= to_ms:
            return "", 0, {}
        exponent = min(part.exponent for part in self.parts)
        step = self.selection.readings[self.role]
        if step != RAW:
            should = {Lineage(link=self.link): self._stepped(from_ms, to_ms, step)}
        elif len(self.parts) > 1:
            should = {Lineage(link=self.link): energy.raw(self.main, self.parts, from_ms, to_ms)[0]}
        else:
            should = self._raw(from_ms, to_ms)
        return self.parts[0].unit, exponent, {lineage: each for lineage, each in should.items() if len(each)}

    def _inside(self, from_ms: int, to_ms: int) -> tuple[int, int]:
        """The part of a month that the selection's days leave."""
        zone = ZoneInfo(self.selection.zone)
        if first := self.selection.first_day:
            from_ms = max(from_ms, _ms(datetime(first.year, first.month, first.day, tzinfo=zone)))
        if last := self.selection.last_day:
            after = last + timedelta(days=1)
            to_ms = min(to_ms, _ms(datetime(after.year, after.month, after.day, tzinfo=zone)))
        return from_ms, to_ms

    def _raw(self, from_ms: int, to_ms: int) -> Copied:
        should: dict[Lineage, list[Columns]] = {}
        with self.main.read() as connection:
            for part in chunks.parts(connection, self.parts[0], from_ms, to_ms):
                lineage = Lineage(link=self.link, quality=part.lineage.quality)
                should.setdefault(lineage, []).append(part.columns.where(part.standing))
        return {lineage: series_store.joined(each) for lineage, each in should.items()}

    def _stepped(self, from_ms: int, to_ms: int, step: str) -> Columns:
        """The steps that begin in a span, whole: those at its ends need readings from beside it."""
        zone = ZoneInfo(self.selection.zone)
        values = energy.stepped(self.main, self.parts, from_ms - NEAR_MS, to_ms + NEAR_MS, zone, step)
        if not len(values.starts_s):
            return series_store.NO_READINGS
        totals = values.totals
        if values.is_gauge:
            totals = (2 * totals + values.counts) // (2 * values.counts)  # rounded half up, in integers
        name = next(name for name, seconds in steps.SECONDS.items() if seconds == values.step_s)
        edges = steps.boundaries(int(values.starts_s[0]), int(values.starts_s[-1]) + 1, name, zone)
        lengths = np.diff(edges)[np.searchsorted(edges, values.starts_s)]
        columns = Columns(values.starts_s * 1000, lengths, totals)
        return columns.where((columns.at_ms >= from_ms) & (columns.at_ms < to_ms))


def _equal(one: Copied, other: Copied) -> bool:
    one, other = ({key: each for key, each in side.items() if len(each)} for side in (one, other))
    return one.keys() == other.keys() and all(np.array_equal(_rows(one[key]), _rows(other[key])) for key in one)


def _rows(columns: Columns) -> Array:
    every = np.stack([columns.at_ms, columns.seconds, columns.values])
    ordered: Array = every[:, np.lexsort(every[::-1])]
    return ordered


def _reach(extents: list[tuple[int, int]]) -> tuple[int, int] | None:
    return (min(first for first, _ in extents), max(last for _, last in extents)) if extents else None


def _month_starts(first_ms: int, last_ms: int) -> list[int]:
    """The starts of the UTC months that a span touches, and the end of the last one, in milliseconds."""
    at = datetime.fromtimestamp(first_ms // 1000, UTC).replace(day=1, hour=0, minute=0, second=0)
    starts = [_ms(at)]
    while starts[-1] <= last_ms:
        at = (at + timedelta(days=32)).replace(day=1)
        starts.append(_ms(at))
    return starts


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
