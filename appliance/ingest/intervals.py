"""The readings of one import for one series: gathered, compared with what the store has, and stored packed."""

import numpy as np
from sqlalchemy import Connection

from appliance.ingest import dedupe
from appliance.records import Readings, Rejected, Source, Span
from appliance.store import series as series_store
from appliance.store.series import Columns, Lineage, SeriesId

INT64_DIGITS = 18


class Intervals:
    """Blocks of readings of one source and role, in a file's order."""

    def __init__(self, source: Source, role: str) -> None:
        self.source, self.role = source, role
        self.blocks: list[Readings] = []

    def add(self, block: Readings) -> None:
        self.blocks.append(block)

    def store(self, connection: Connection, import_id: int) -> tuple[int, int, list[Rejected], int]:
        """Stores what is new: how many are new, how many were there, the rejects, and how many readings those hold."""
        stored, rejects, rejected = 0, [], 0
        kept: list[tuple[Columns, Readings]] = []
        series: SeriesId | None = None
        for block in self.blocks:
            try:
                series = self._series(connection, block)
                kept.append((_columns(block, series), block))
            except (ValueError, OverflowError) as error:
                rejects.append(Rejected(block.span, 0, f"{len(block.values)} readings", str(error)))
                rejected += len(block.values)
        if series is None or not kept:
            return 0, 0, rejects, rejected
        stored = _store_new(connection, series, kept, import_id)
        return stored, sum(len(columns) for columns, _ in kept) - stored, rejects, rejected

    def _series(self, connection: Connection, block: Readings) -> SeriesId:
        seconds = max(block.seconds, default=0)
        return series_store.found_or_made(connection, self.source, self.role, block.unit, block.exponent, seconds)


def _columns(block: Readings, series: SeriesId) -> Columns:
    shift = block.exponent - series.exponent
    largest = max((abs(value) for value in block.values), default=0)
    if shift > INT64_DIGITS or largest * 10**shift >= 1 << 63:
        raise ValueError(f"a value is larger than {series.unit} can be kept in 10^{series.exponent}")
    values = np.asarray(block.values, np.int64) * np.int64(10**shift)
    return Columns(np.asarray(block.at_ms, np.int64), np.asarray(block.seconds, np.int64), values)


def _store_new(connection: Connection, series: SeriesId, kept: list[tuple[Columns, Readings]], import_id: int) -> int:
    everything = series_store.joined([columns for columns, _ in kept])
    there = series_store.read_all(connection, series, int(everything.at_ms.min()), int(everything.at_ms.max()))
    fresh = dedupe.new_readings(everything, there)
    begin = 0
    pending: list[tuple[Columns, Readings]] = []
    for columns, block in kept:
        pending.append((columns.where(fresh[begin : begin + len(columns)]), block))
        begin += len(columns)
    for group in _alike(pending):
        _append(connection, series, group, import_id)
    return int(fresh.sum())


def _alike(blocks: list[tuple[Columns, Readings]]) -> list[list[tuple[Columns, Readings]]]:
    """Consecutive blocks of one quality, so that a file's small blocks become few chunks."""
    groups: list[list[tuple[Columns, Readings]]] = []
    for columns, block in blocks:
        if not len(columns):
            continue
        if groups and groups[-1][-1][1].quality == block.quality:
            groups[-1].append((columns, block))
        else:
            groups.append([(columns, block)])
    return groups


def _append(connection: Connection, series: SeriesId, group: list[tuple[Columns, Readings]], import_id: int) -> None:
    first = min(block.span.first for _, block in group)
    end = max(block.span.first + block.span.length for _, block in group)
    span = Span(first, end - first)
    lineage = Lineage(import_id, span.first, span.length, quality=group[0][1].quality)
    series_store.append(connection, series, series_store.joined([columns for columns, _ in group]), lineage)
