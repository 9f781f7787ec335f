"""Readings as comma-separated values: what stands in one file a series, what was replaced or taken back in another.

readings/SOURCE/ROLE.csv            at, seconds, value, unit, quality, lineage
readings/SOURCE/ROLE earlier.csv    the same
series.jsonl                        each series, with the names of its files
lineages.jsonl                      import and span, or link, meter, device and boot: what a lineage's number means
"""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from appliance.exporting.names import Names
from appliance.store import chunks
from appliance.store import series as series_store
from appliance.store.chunks import Part
from appliance.store.models import Chunk
from appliance.store.series import Lineage, SeriesId

FOLDER, LINEAGES = "readings", "lineages.jsonl"
COLUMNS = ("at", "seconds", "value", "unit", "quality", "lineage")

Numbers = dict[Lineage, int]


@dataclass(frozen=True, slots=True)
class Written:
    """The files of one series ("" where it needs none), and how many readings stand."""

    file: str
    earlier: str
    standing: int


def numbers(connection: Connection) -> Numbers:
    """Every lineage that readings have, numbered from 1 in an order of their own."""
    names = Lineage.__slots__
    found = connection.execute(select(*(getattr(Chunk, name) for name in names)).distinct())
    ordered = sorted((Lineage(**each._mapping) for each in found), key=_order)
    return {lineage: number for number, lineage in enumerate(ordered, 1)}


def _order(lineage: Lineage) -> tuple[tuple[bool, int | str], ...]:
    values = (getattr(lineage, name) for name in Lineage.__slots__)
    return tuple((value is not None, value if value is not None else 0) for value in values)


def lineage_row(lineage: Lineage, number: int) -> dict[str, Any]:
    """A lineage as lineages.jsonl says it."""
    said = asdict(lineage)
    first, length = said.pop("first"), said.pop("length")
    span = None if first is None else [first, length]
    return {"lineage": number, "import": said.pop("import_id"), "span": span, **said}


def write(connection: Connection, folder: Path, numbered: Numbers) -> Iterator[tuple[int, Written]]:
    """Writes the readings of every series into `folder`; each series' number and what was written."""
    names = Names()
    for series in sorted(series_store.every(connection, taken_back=True), key=lambda each: each.id):
        file = names.give(FOLDER, series.source, series.role, ending=".csv")
        earlier = names.give(FOLDER, series.source, f"{series.role} earlier", ending=".csv")
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        standing, replaced = _write(connection, series, numbered, folder / file, folder / earlier)
        if not replaced:
            (folder / earlier).unlink()
        yield series.id, Written(file, earlier if replaced else "", standing)


def _write(connection: Connection, series: SeriesId, numbered: Numbers, file: Path, earlier: Path) -> tuple[int, int]:
    """How many readings stand, and how many do not."""
    standing = replaced = 0
    with file.open("w", encoding="utf-8", newline="") as now, earlier.open("w", encoding="utf-8", newline="") as before:
        for each in (now, before):
            each.write(",".join(COLUMNS) + "\n")
        for from_ms, to_ms in chunks.spans(connection, series):
            parts = chunks.parts(connection, series, from_ms, to_ms)
            standing += _write_some(now, series, parts, [each.standing for each in parts], numbered)
            replaced += _write_some(before, series, parts, [~each.standing for each in parts], numbered)
    return standing, replaced


def _write_some(
    file: TextIO, series: SeriesId, parts: list[Part], which: list[NDArray[np.bool_]], numbered: Numbers
) -> int:
    """Writes readings by time; of equal ones the lower lineage first, so that equal stores give equal bytes."""
    chosen = [part.columns.where(wanted) for part, wanted in zip(parts, which, strict=True)]
    columns = series_store.joined(chosen)
    lineages = np.repeat(np.array([numbered[each.lineage] for each in parts], np.int64), list(map(len, chosen)))
    endings = {numbered[each.lineage]: _ending(series, each.lineage, numbered) for each in parts}
    order = np.lexsort((lineages, columns.values, columns.seconds, columns.at_ms))
    ordered = (columns.at_ms[order], columns.seconds[order], columns.values[order], lineages[order])
    at = np.datetime_as_string(ordered[0].astype("datetime64[ms]")).tolist()
    for text, seconds, value, lineage in zip(at, *(each.tolist() for each in ordered[1:]), strict=True):
        value_text = exact(value, series.exponent)
        file.write(f"{text.removesuffix('.000')}Z,{seconds},{value_text},{endings[lineage]}")
    return len(columns)


def exact(value: int, exponent: int) -> str:
    """A scaled integer as `energy.decimal` has it, which would take most of an export's time."""
    if exponent >= 0:
        return f"{value * 10**exponent}.000"
    digits = f"{abs(value):0{1 - exponent}}"
    return f"{'-' if value < 0 else ''}{digits[:exponent]}.{digits[exponent:].rstrip('0').ljust(3, '0')}"


def _ending(series: SeriesId, lineage: Lineage, numbered: Numbers) -> str:
    """The end of a line, which all readings of a lineage share."""
    ending = StringIO()
    writer = csv.writer(ending, lineterminator="\n")
    writer.writerow((series.unit, _cell(lineage.quality), numbered[lineage]))
    return ending.getvalue()


def _cell(text: str) -> str:
    """A text that a spreadsheet would run is written as text; lineages.jsonl has it as it came."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
