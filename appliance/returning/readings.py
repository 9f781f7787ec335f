"""Readings of an export, put back into series: each with its lineage, whether it stands or was replaced."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from appliance.errors import UserError
from appliance.exporting import rows
from appliance.exporting.readings import COLUMNS, LINEAGES
from appliance.exporting.readings import FOLDER as READINGS
from appliance.returning import lines
from appliance.returning.verified import ANOTHER_COPY, Verified
from appliance.store import series as series_store
from appliance.store.models import Series
from appliance.store.series import CHUNK_READINGS, Columns, Lineage, SeriesId

MANY = 16 * CHUNK_READINGS  # held in memory at most, of all lineages together

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Reading = tuple[int, int, int]  # milliseconds since 1970, seconds, scaled value


def give_back(connection: Connection, export: Verified, sources: dict[str, int]) -> None:
    """Every series with its readings. UserError where a file has no series, or is no such file."""
    lineages = dict(_lineages(export))
    used: set[str] = set()
    if rows.SERIES.file in export.files:
        path = export.folder / rows.SERIES.file
        names = {number: name for name, number in sources.items()}
        for row, files in list(lines.read(path, lambda said: (rows.decoded(Series, said, sources), _files(said)))):
            with lines.fitting(path):
                connection.execute(insert(Series).values(row))
            used.update(files)
            source = names[row.pop("source_id")]
            _give_back_series(connection, export, SeriesId(source=source, **row), files, lineages)
    if unused := set(export.matching(READINGS)) - used:
        raise UserError(f"{export.folder / name}: no series has it; {ANOTHER_COPY}" for name in sorted(unused))


def _files(said: dict[str, Any]) -> list[str]:
    files = [said.get("file"), said.get("earlier")]
    if not all(isinstance(each, str) for each in files):
        raise ValueError('it has no "file" and "earlier"')
    return [str(each) for each in files if each]


def _lineages(export: Verified) -> Iterator[tuple[int, Lineage]]:
    if LINEAGES in export.files:
        yield from lines.read(export.folder / LINEAGES, _lineage)


def _lineage(said: Any) -> tuple[int, Lineage]:
    try:
        number, import_id, span = said["lineage"], said["import"], said["span"] or [None, None]
        texts = {name: said[name] for name in ("link", "meter", "device", "boot", "quality")}
        first, length = span
    except (TypeError, KeyError) as error:
        raise ValueError(f"this is not a lineage ({error})") from None
    if not all(isinstance(each, int | None) for each in (number, import_id, first, length)):
        raise ValueError("a number of it is none")
    if not all(isinstance(each, str) for each in texts.values()):
        raise ValueError("a text of it is none")
    return number, Lineage(import_id, first, length, **texts)


def _give_back_series(
    connection: Connection, export: Verified, series: SeriesId, files: list[str], lineages: dict[int, Lineage]
) -> None:
    for file in files:
        if file not in export.files:
            raise UserError(f"{export.folder / rows.SERIES.file}: it names {file}, which is not there; {ANOTHER_COPY}")
        waiting: dict[int, list[Reading]] = defaultdict(list)
        found = _rows(export.folder / file, series.exponent, lineages)
        for count, (lineage, reading) in enumerate(found, 1):
            waiting[lineage].append(reading)
            if len(waiting[lineage]) == CHUNK_READINGS:
                _store(connection, series, lineages[lineage], waiting.pop(lineage))
            elif count % MANY == 0:
                _store_all(connection, series, lineages, waiting)
        with lines.fitting(export.folder / file):
            _store_all(connection, series, lineages, waiting)


def _store_all(
    connection: Connection, series: SeriesId, lineages: dict[int, Lineage], waiting: dict[int, list[Reading]]
) -> None:
    for lineage in list(waiting):
        _store(connection, series, lineages[lineage], waiting.pop(lineage))


def _store(connection: Connection, series: SeriesId, lineage: Lineage, readings: list[Reading]) -> None:
    at_ms, seconds, values = np.array(readings, np.int64).T
    series_store.append(connection, series, Columns(at_ms, seconds, values), lineage)


def _rows(path: Path, exponent: int, lineages: dict[int, Lineage]) -> Iterator[tuple[int, Reading]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        try:
            if next(reader, None) != list(COLUMNS):
                raise ValueError(f"its first line is not {','.join(COLUMNS)}")
            for row in reader:
                yield _reading(row, exponent, lineages)
        except (ValueError, csv.Error) as error:
            raise lines.problem(path, reader.line_num, error) from None


def _reading(row: list[str], exponent: int, lineages: dict[int, Lineage]) -> tuple[int, Reading]:
    if len(row) != len(COLUMNS):
        raise ValueError(f"it has {len(row)} columns and not {len(COLUMNS)}")
    at, seconds, value, _, _, lineage = row
    if int(lineage) not in lineages:
        raise ValueError(f"its lineage {lineage} is not in {LINEAGES}")
    instant = datetime.fromisoformat(at)
    if instant.tzinfo is None:
        raise ValueError(f"{at!r} is not a time in UTC")
    return int(lineage), ((instant - _EPOCH) // _MILLISECOND, int(seconds), _scaled(value, exponent))


def _scaled(text: str, exponent: int) -> int:
    try:
        exact = Decimal(text).scaleb(-exponent)
        whole = int(exact)
    except (InvalidOperation, OverflowError):
        raise ValueError(f"{text!r} is not a value") from None
    if whole != exact or abs(whole) >= 1 << 63:
        raise ValueError(f"{text} is finer or larger than its series")
    return whole
