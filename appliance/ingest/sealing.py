"""Sealing: the spool's readings into the home store, each exactly once.

A segment's mark (how many of its frames are sealed) is written in the transaction that stores their readings. A segment
is deleted only once its writer has let go of it and all of it is sealed.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from appliance.ingest import dedupe, frames, spool
from appliance.ingest.frames import SpooledFrame
from appliance.ingest.spool import SegmentReader
from appliance.records import MeterReading, Source
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import SpoolMark
from appliance.store.series import Columns, Lineage, SeriesId

log = logging.getLogger(__name__)

_Key = tuple[str, str, str, Lineage]  # source, role, unit, lineage


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many readings were in the spool, new in the store, and in the store already."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0

    def __add__(self, other: "Sealed") -> "Sealed":
        return Sealed(self.read + other.read, self.stored + other.stored, self.duplicate + other.duplicate)


def seal(store: Store, folder: Path) -> Sealed:
    """Seals everything that the spool holds, a segment a transaction, and deletes the segments that are done."""
    total = Sealed()
    for path in spool.segments(folder):
        try:
            reader = SegmentReader(path, *store.key.privates)
        except FileNotFoundError:
            continue  # another process has just sealed it
        except ValueError as error:
            _discard_unborn(path, error)
            continue
        with closing(reader):
            try:
                total += _seal_segment(store, reader)
            except ValueError as error:
                log.error("%s: %s; it is left where it is", path, error)
    return total


def seal_leftovers(store: Store, folder: Path) -> None:
    """Seals what an `inglenook collect` that was killed left behind; one that runs seals for itself."""
    for leftover in (path for path in folder.glob("*") if path.is_dir()):
        if all(_is_finished(path) for path in spool.segments(leftover)):
            seal(store, leftover)
            with suppress(OSError):  # not empty, or gone already
                leftover.rmdir()


def _is_finished(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return spool.is_free(file)
    except OSError:
        return False


def _discard_unborn(path: Path, error: ValueError) -> None:
    """A power cut before a segment's header was synced leaves a file without frames; any other is kept, and said."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # another process has just discarded it
    with file:
        if not spool.is_free(file):
            return  # its writer is about to write the header
        if not any(file.read(60)):
            path.unlink(missing_ok=True)
            return
    log.error("%s: %s; it is left where it is", path, error)


def _seal_segment(store: Store, reader: SegmentReader) -> Sealed:
    finished = reader.is_finished()  # asked before reading: what is written in between is read next time
    segment = reader.id.hex()
    with store.read() as connection:
        begun = _mark(connection, segment)
    payloads = list(reader.new())
    sealed = Sealed()
    if reader.frames > begun:
        with store.write() as connection:
            begun = _mark(connection, segment)
            sealed = _store(connection, map(frames.from_bytes, payloads[begun:]))
            _set_mark(connection, segment, max(begun, reader.frames))  # another process may have read on
    if finished:
        if reader.is_damaged():
            kept = reader.path.rename(reader.path.with_suffix(".damaged"))
            log.error("%s: a frame is damaged, and none after it can be read; the file is kept", kept)
        else:
            reader.path.unlink(missing_ok=True)
        with store.write() as connection:
            connection.execute(delete(SpoolMark).where(SpoolMark.segment == segment))
    return sealed


def _mark(connection: Connection, segment: str) -> int:
    return connection.execute(select(SpoolMark.frames).where(SpoolMark.segment == segment)).scalar_one_or_none() or 0


def _set_mark(connection: Connection, segment: str, count: int) -> None:
    changed = connection.execute(update(SpoolMark).where(SpoolMark.segment == segment).values(frames=count))
    if not changed.rowcount:
        connection.execute(insert(SpoolMark).values(segment=segment, frames=count))


def _store(connection: Connection, spooled: Iterable[SpooledFrame]) -> Sealed:
    groups: dict[_Key, list[MeterReading]] = defaultdict(list)
    for frame in spooled:
        origin = frame.origin
        lineage = Lineage(link=origin.link, meter=origin.meter, device=frame.device, boot=origin.boot)
        for reading in frame.readings:
            groups[origin.source, reading.role, reading.unit, lineage].append(reading)
    return sum((_store_group(connection, key, readings) for key, readings in groups.items()), Sealed())


def _store_group(connection: Connection, key: _Key, readings: list[MeterReading]) -> Sealed:
    source, role, unit, lineage = key
    exponent = min(int(reading.value.as_tuple().exponent) for reading in readings)
    series = _series(connection, source, role, unit, exponent)
    columns = _distinct(_columns(readings, series.exponent))
    there = series_store.read_all(connection, series, int(columns.at_ms[0]), int(columns.at_ms[-1]))
    fresh = columns.where(dedupe.new_readings(columns, there))
    series_store.append(connection, series, fresh, lineage)
    return Sealed(len(readings), len(fresh), len(readings) - len(fresh))


def _series(connection: Connection, source: str, role: str, unit: str, exponent: int) -> SeriesId:
    """The readings' series. Those that do not fit the one there (another unit, finer) get one beside it."""
    try:
        return series_store.found_or_made(connection, Source(source), role, unit, exponent, 0)
    except ValueError as error:
        log.warning("%s", error)
        beside = Source(f"{source} in 10^{exponent} {unit}")
        return series_store.found_or_made(connection, beside, role, unit, exponent, 0)


def _columns(readings: list[MeterReading], exponent: int) -> Columns:
    at_ms = np.array([reading.at_ms for reading in readings], np.int64)
    values = np.array([int(reading.value.scaleb(-exponent)) for reading in readings], np.int64)
    return Columns(at_ms, np.zeros(len(readings), np.int64), values)


def _distinct(columns: Columns) -> Columns:
    """By time, each once: a meter states its gas reading of the hour in every telegram until the next."""
    order = np.lexsort((columns.values, columns.at_ms))
    ordered = columns.where(order)
    first = np.ones(len(ordered), bool)
    first[1:] = (np.diff(ordered.at_ms) != 0) | (np.diff(ordered.values) != 0)
    return ordered.where(first)
