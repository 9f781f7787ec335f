"""Sealing: the spool's readings into the home store, each exactly once.

A segment's mark (how many of its frames are sealed) is written in the transaction that stores their readings. A segment
is deleted only once its writer has let go of it and all of it is sealed. What was stamped by a clock that may yet be
set waits (see `restamping`), and all that was spooled after it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update

from appliance.errors import UserError
from appliance.ingest import dedupe, frames, missing, restamping, spool
from appliance.ingest.clock import Clock, Instant, boot_id
from appliance.ingest.frames import SpooledFrame
from appliance.ingest.restamping import Runs
from appliance.ingest.spool import SegmentReader
from appliance.records import MeterReading, Source
from appliance.store import neighbours
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import SpoolMark
from appliance.store.series import Columns, Lineage, SeriesId

log = logging.getLogger(__name__)

SET_BACK_MS = 3_600_000
LIVE_S = 60

_Key = tuple[str, str, str, bool, Lineage]  # source, role, unit, whether of intervals, lineage


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many readings were in the spool, new in the store, and in the store already."""

    read: int = 0
    stored: int = 0
    duplicate: int = 0

    def __add__(self, other: "Sealed") -> "Sealed":
        return Sealed(self.read + other.read, self.stored + other.stored, self.duplicate + other.duplicate)


def seal(
    store: Store, folder: Path, *, patience_ms: int = restamping.PATIENCE_MS, now: Instant | None = None
) -> Sealed:
    """Seals what the spool holds, a segment a transaction, and deletes the segments that are done.

    `patience_ms`: for how long after the machine's start a clock is waited for that nobody set yet.

    UserError where the store takes nothing at the moment, as on a full disk: what is not sealed stays in the spool.
    """
    total = Sealed()
    runs = Runs(boot_id(), now or Clock().now(), patience_ms)
    for reader in _readers(store, folder):
        try:
            _note_clocks(reader, store, folder, runs)
            total += _seal_segment(store, reader, runs)
        except (ValueError, ArithmeticError) as error:
            log.error("%s: %s; it is left where it is", reader.path, error)
        except UserError as error:
            kept = f"{folder}: what is not sealed yet waits here and is not lost; it is sealed when the store takes it"
            raise UserError([*error.problems, kept]) from None
    return total


def _readers(store: Store, folder: Path) -> Iterator[SegmentReader]:
    """Each segment of the spool, open, oldest first."""
    for path in spool.segments(folder):
        try:
            reader = SegmentReader(path, *store.key.privates)
        except FileNotFoundError:
            continue  # another process has just sealed it
        except ValueError as error:
            _discard_unborn(path, error)
            continue
        with closing(reader):
            yield reader


def _note_clocks(reader: SegmentReader, store: Store, folder: Path, runs: Runs) -> None:
    """Looks through the whole spool, once, where a segment holds what an unset clock stamped."""
    if runs.is_known:
        return
    with closing(SegmentReader(reader.path, *store.key.privates)) as first:
        unset = any(each.clock and not each.clock.synced for each in map(frames.from_bytes, first.new()))
    if unset:
        runs.is_known = True
        for each in _readers(store, folder):
            with suppress(ValueError):  # said where it is sealed
                runs.note(map(frames.from_bytes, each.new()))
        runs.settle()


def seal_all(store: Store, folder: Path) -> None:
    """Seals what the collector holds, and what an `inglenook collect` left behind."""
    seal(store, folder)
    seal_leftovers(store, folder)


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


def _seal_segment(store: Store, reader: SegmentReader, runs: Runs) -> Sealed:
    finished = reader.is_finished()  # asked before reading: what is written in between is read next time
    segment = reader.id.hex()
    with store.read() as connection:
        begun = _mark(connection, segment)
    spooled = list(map(frames.from_bytes, reader.new()))
    ready = next((number for number, each in enumerate(spooled) if runs.waits(each)), len(spooled))
    sealed = Sealed()
    if ready > begun:
        with store.write() as connection:
            begun = _mark(connection, segment)
            sealed = _store(connection, [runs.right(each) for each in spooled[begun:ready]])
            _set_mark(connection, segment, max(begun, ready))  # another process may have read on
    if finished and ready == len(spooled):
        _done(store, reader)
    return sealed


def _done(store: Store, reader: SegmentReader) -> None:
    """Deletes a segment of which everything is sealed, and its mark."""
    if reader.is_damaged():
        kept = reader.path.rename(reader.path.with_suffix(".damaged"))
        log.error("%s: a frame is damaged, and none after it can be read; the file is kept", kept)
    else:
        reader.path.unlink(missing_ok=True)
    with store.write() as connection:
        connection.execute(delete(SpoolMark).where(SpoolMark.segment == reader.id.hex()))


def _mark(connection: Connection, segment: str) -> int:
    return connection.execute(select(SpoolMark.frames).where(SpoolMark.segment == segment)).scalar_one_or_none() or 0


def _set_mark(connection: Connection, segment: str, count: int) -> None:
    changed = connection.execute(update(SpoolMark).where(SpoolMark.segment == segment).values(frames=count))
    if not changed.rowcount:
        connection.execute(insert(SpoolMark).values(segment=segment, frames=count))


def _store(connection: Connection, spooled: list[SpooledFrame]) -> Sealed:
    missing.note(connection, spooled)
    groups: dict[_Key, list[MeterReading]] = defaultdict(list)
    for frame in spooled:
        origin = frame.origin
        for reading in frame.readings:
            lineage = Lineage(
                link=origin.link, meter=origin.meter, device=frame.device, boot=origin.boot, quality=reading.quality
            )
            groups[origin.source, reading.role, reading.unit, bool(reading.seconds), lineage].append(reading)
    return sum((_store_group(connection, key, readings) for key, readings in groups.items()), Sealed())


def _store_group(connection: Connection, key: _Key, readings: list[MeterReading]) -> Sealed:
    source, role, unit, _, lineage = key
    exponent = min(int(reading.value.as_tuple().exponent) for reading in readings)
    seconds = max(reading.seconds for reading in readings)
    series = _series(connection, source, role, unit, exponent, seconds)
    columns = _distinct(_columns(_in_order(connection, series, lineage.boot, readings), series.exponent))
    there = series_store.read_all(connection, series, int(columns.at_ms[0]), int(columns.at_ms[-1]))
    fresh = columns.where(dedupe.new_readings(columns, there))
    series_store.append(connection, series, fresh, lineage)
    return Sealed(len(readings), len(fresh), len(readings) - len(fresh))


def _in_order(
    connection: Connection, series: SeriesId, boot: str, readings: list[MeterReading]
) -> Iterator[MeterReading]:
    """The readings, those that the box stamped each after the one before it in the same run: where its clock was set
    back by less than an hour, they stand close together rather than among, or upon, those from before.
    """
    last_ms: int | None = None
    for reading in readings:
        if not reading.stated and reading.seconds <= LIVE_S:  # what a display tells of its past is told again
            if last_ms is None:
                last_ms = neighbours.last_of_run(connection, series, boot)
            if reading.at_ms <= last_ms < reading.at_ms + SET_BACK_MS:
                reading = replace(reading, at_ms=last_ms + 1)
            last_ms = reading.at_ms
        yield reading


def _series(connection: Connection, source: str, role: str, unit: str, exponent: int, seconds: int) -> SeriesId:
    """The readings' series. Those that do not fit the one there (another unit, finer) get one beside it."""
    try:
        return series_store.found_or_made(connection, Source(source), role, unit, exponent, seconds)
    except ValueError as error:
        log.warning("%s", error)
        beside = Source(f"{source} in 10^{exponent} {unit}{' by intervals' if seconds else ''}")
        return series_store.found_or_made(connection, beside, role, unit, exponent, seconds)


def _columns(readings: Iterable[MeterReading], exponent: int) -> Columns:
    rows = [(each.at_ms, each.seconds, int(each.value.scaleb(-exponent))) for each in readings]
    at_ms, seconds, values = np.array(rows, np.int64).T
    return Columns(at_ms, seconds, values)


def _distinct(columns: Columns) -> Columns:
    """By time, each once: a meter states its gas reading of the hour in every telegram until the next."""
    order = np.lexsort((columns.values, columns.seconds, columns.at_ms))
    ordered = columns.where(order)
    first = np.ones(len(ordered), bool)
    parts = (ordered.at_ms, ordered.seconds, ordered.values)
    first[1:] = np.any([np.diff(each) != 0 for each in parts], axis=0)
    return ordered.where(first)
