"""The readings of one import for one series: gathered, compared with what the store has, and stored packed."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from appliance.ingest import dedupe
from appliance.ingest.facts import FIRST_YEAR, LAST_YEAR
from appliance.records import Readings, Rejected, Source, Span
from appliance.store import series as series_store
from appliance.store.series import Columns, Lineage, SeriesId

INT64_DIGITS = 18
MOST_GROUPS = 100  # of one series in a portion, each of them a chunk at least
FIRST_MS = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()) * 1000
END_MS = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) * 1000


@dataclass(slots=True)
class Stored:
    """What became of one series of a file: readings, and the reasons of those that were rejected."""

    stored: int = 0
    duplicate: int = 0
    rejects: list[Rejected] = field(default_factory=list)

    def reject(self, block: Readings, count: int, reason: str) -> None:
        self.rejects.append(Rejected(block.span, 0, f"{count} readings", reason, count))


class Intervals:
    """Blocks of readings of one source and role, in a file's order."""

    def __init__(self, source: Source, role: str) -> None:
        self.source, self.role = source, role
        self.blocks: list[Readings] = []

    def add(self, block: Readings) -> None:
        self.blocks.append(block)

    def store(self, connection: Connection, import_id: int, *, seen_before: bool) -> Stored:
        """Stores what is new. A file that was seen before says nothing new, whatever others have said since."""
        done = Stored()
        kept: list[tuple[Columns, Readings]] = []
        series: SeriesId | None = None
        for block in self.blocks:
            try:
                if series is None or not _fits(block, series):
                    series = self._series(connection, block)
                columns = _within_reach(_columns(block, series), block, done)
            except (ValueError, OverflowError) as error:
                done.reject(block, len(block.values), str(error))
            else:
                kept.append((columns, block))
        if series is not None and any(len(columns) for columns, _ in kept):
            done.stored = _store_new(connection, series, kept, import_id, seen_before=seen_before)
        done.duplicate = sum(len(columns) for columns, _ in kept) - done.stored
        return done

    def _series(self, connection: Connection, block: Readings) -> SeriesId:
        seconds = max(block.seconds, default=0)
        return series_store.found_or_made(connection, self.source, self.role, block.unit, block.exponent, seconds)


def _fits(block: Readings, series: SeriesId) -> bool:
    """Whether a block surely belongs to a series as it is, so that it need not be looked for."""
    seconds = max(block.seconds, default=0)
    is_alike = (block.unit, series_store.kind_of(block.unit, seconds)) == (series.unit, series.kind)
    return is_alike and seconds <= series.seconds and block.exponent >= series.exponent


def _within_reach(columns: Columns, block: Readings, done: Stored) -> Columns:
    inside = (columns.at_ms >= FIRST_MS) & (columns.at_ms + columns.seconds * 1000 < END_MS)
    if outside := int(len(columns) - inside.sum()):
        done.reject(
            block, outside, f"a time is not in one of the years {FIRST_YEAR} to {LAST_YEAR}; ask who made the file"
        )
    return columns.where(inside) if outside else columns


def _columns(block: Readings, series: SeriesId) -> Columns:
    shift = block.exponent - series.exponent
    values = np.asarray(block.values, np.int64)
    largest = max(int(values.max(initial=0)), -int(values.min(initial=0)))
    if shift > INT64_DIGITS or largest * 10**shift >= 1 << 63:
        raise ValueError(f"a value is larger than {series.unit} can be kept in 10^{series.exponent}")
    at_ms, seconds = np.asarray(block.at_ms, np.int64), np.asarray(block.seconds, np.int64)
    return Columns(at_ms, seconds, values * np.int64(10**shift))


def _store_new(
    connection: Connection,
    series: SeriesId,
    kept: list[tuple[Columns, Readings]],
    import_id: int,
    *,
    seen_before: bool,
) -> int:
    everything = series_store.joined([columns for columns, _ in kept])
    from_ms, to_ms = int(everything.at_ms.min()), int(everything.at_ms.max())
    if seen_before:
        fresh = dedupe.new_readings(everything, series_store.read_all(connection, series, from_ms, to_ms))
    else:
        standing, qualities = series_store.read_with_quality(connection, series, from_ms, to_ms + 1)
        fresh = dedupe.new_readings(everything, standing)
        fresh |= _better_known(everything, kept, standing, qualities)
    begin = 0
    pending: list[tuple[Columns, Readings]] = []
    for columns, block in kept:
        pending.append((columns.where(fresh[begin : begin + len(columns)]), block))
        begin += len(columns)
    for group in _alike(pending):
        _append(connection, series, group, import_id)
    return int(fresh.sum())


def _better_known(
    everything: Columns, kept: list[tuple[Columns, Readings]], standing: Columns, qualities: list[str]
) -> NDArray[np.bool_]:
    """Readings whose value stands, and whose source now says another quality of it: estimated, then actual."""
    changed = np.zeros(len(everything), bool)
    if not any(block.quality for _, block in kept) or not len(standing):
        return changed
    said = [block.quality for columns, block in kept for _ in range(len(columns))]
    known = dict(zip(zip(standing.at_ms.tolist(), standing.seconds.tolist(), strict=True), qualities, strict=True))
    intervals = zip(everything.at_ms.tolist(), everything.seconds.tolist(), strict=True)
    for place, (interval, quality) in enumerate(zip(intervals, said, strict=True)):
        changed[place] = bool(quality) and known.get(interval, quality) != quality
    return changed


def _alike(blocks: list[tuple[Columns, Readings]]) -> list[list[tuple[Columns, Readings]]]:
    """Consecutive blocks of one quality, so that a file's small blocks become few chunks; where the quality changes
    again and again, all of one quality.
    """
    groups: list[list[tuple[Columns, Readings]]] = []
    for columns, block in blocks:
        if not len(columns):
            continue
        if groups and groups[-1][-1][1].quality == block.quality:
            groups[-1].append((columns, block))
        else:
            groups.append([(columns, block)])
    if len(groups) <= MOST_GROUPS:
        return groups
    by_quality: dict[str, list[tuple[Columns, Readings]]] = defaultdict(list)
    for group in groups:
        by_quality[group[0][1].quality] += group
    return list(by_quality.values())


def _append(connection: Connection, series: SeriesId, group: list[tuple[Columns, Readings]], import_id: int) -> None:
    first = min(block.span.first for _, block in group)
    end = max(block.span.first + block.span.length for _, block in group)
    span = Span(first, end - first)
    lineage = Lineage(import_id, span.first, span.length, quality=group[0][1].quality)
    series_store.append(connection, series, series_store.joined([columns for columns, _ in group]), lineage)
