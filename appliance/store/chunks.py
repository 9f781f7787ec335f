"""A series' chunks as they lie: what stands and what does not, for whoever copies a store."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, select

from appliance.store import series as series_store
from appliance.store.models import Chunk, ImportRow
from appliance.store.series import CHUNK_READINGS, Array, Columns, Lineage, SeriesId

_TAKEN_BACK = -1  # an age below all others


@dataclass(frozen=True, slots=True)
class Part:
    """Readings of one lineage; `standing` says which of them no later import replaced, and no undo took back."""

    chunk: int
    lineage: Lineage
    columns: Columns
    standing: NDArray[np.bool_]


def spans(connection: Connection, series: SeriesId) -> Iterator[tuple[int, int]]:
    """[begin, end) after [begin, end) in milliseconds, each of few enough readings to be held in memory."""
    found = select(Chunk.first_ms, Chunk.last_ms, Chunk.readings).where(Chunk.series_id == series.id)
    chunks = connection.execute(found.order_by(Chunk.first_ms)).all()
    if not chunks:
        return
    begin, count = chunks[0].first_ms, 0
    for chunk in chunks:
        if count >= CHUNK_READINGS and chunk.first_ms > begin:
            yield begin, chunk.first_ms
            begin, count = chunk.first_ms, 0
        count += chunk.readings
    yield begin, max(chunk.last_ms for chunk in chunks) + 1


def parts(connection: Connection, series: SeriesId, from_ms: int, to_ms: int) -> list[Part]:
    """Every reading that was ever stored in [from_ms, to_ms), a chunk at a time."""
    inside = (Chunk.series_id == series.id, Chunk.last_ms >= from_ms, Chunk.first_ms < to_ms)
    chunks = connection.execute(select(Chunk.__table__).where(*inside).order_by(Chunk.first_ms, Chunk.id)).all()
    undone = set(connection.execute(select(ImportRow.id).where(ImportRow.undone_us.is_not(None))).scalars())
    columns = [_cut(series_store.unpacked(each), from_ms, to_ms) for each in chunks]
    ages = [_TAKEN_BACK if each.import_id in undone else each.import_id or 0 for each in chunks]
    standing = _standing(columns, ages)
    lineages = (Lineage(**{name: getattr(each, name) for name in Lineage.__slots__}) for each in chunks)
    return [Part(*each) for each in zip((each.id for each in chunks), lineages, columns, standing, strict=True)]


def _standing(columns: list[Columns], ages: list[int]) -> list[NDArray[np.bool_]]:
    lengths = [len(each) for each in columns]
    every: Array = np.repeat(np.array(ages, np.int64), lengths)
    standing = np.zeros(len(every), bool)
    if len(every):
        standing[series_store.newest(series_store.joined(columns), every)] = True
    return np.split(standing & (every != _TAKEN_BACK), np.cumsum(lengths)[:-1]) if columns else []


def _cut(columns: Columns, from_ms: int, to_ms: int) -> Columns:
    return columns.where((columns.at_ms >= from_ms) & (columns.at_ms < to_ms))


def replace(
    connection: Connection, series: SeriesId, from_ms: int, to_ms: int, fresh: Mapping[Lineage, Columns]
) -> None:
    """Puts other readings in place of all that are in [from_ms, to_ms), for good: for copies of another store's."""
    inside = (Chunk.series_id == series.id, Chunk.last_ms >= from_ms, Chunk.first_ms < to_ms)
    there = connection.execute(select(Chunk.__table__).where(*inside).order_by(Chunk.first_ms, Chunk.id)).all()
    connection.execute(delete(Chunk).where(Chunk.id.in_([each.id for each in there])))
    series_store.make_stale(connection, series.id, from_ms, to_ms - 1)
    kept: list[tuple[Lineage, Columns]] = []
    for each in there:
        lineage, columns = (
            Lineage(**{name: getattr(each, name) for name in Lineage.__slots__}),
            series_store.unpacked(each),
        )
        kept += [
            (lineage, columns.where(columns.at_ms < from_ms)),
            (lineage, columns.where(columns.at_ms >= to_ms)),
        ]
    for lineage, columns in sorted((*kept, *fresh.items()), key=_first):
        series_store.append(connection, series, columns, lineage)


def _first(each: tuple[Lineage, Columns]) -> int:
    return int(each[1].at_ms.min()) if len(each[1]) else 0
