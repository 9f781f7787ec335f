"""Electricity Maps: how clean a country's electricity was, by hours, as its yearly files give it (CSV).

    Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),
                                             Carbon intensity gCO₂eq/kWh (Life cycle),...,Data estimated,...
    2021-01-01 00:00:00,Sweden,Sweden,SE,2.54,30.02,...,true,...      (each in one line)
    1                                 2  3    4

1 the hour's beginning; 2 the grid; 3 what its power stations give off; 4 the same with what building and fuelling them
gives off, LCA in older files. The column "Data estimated" says of an hour whether it is an estimate. The files of days,
months and years look the same.

Source: Electricity Maps, data portal, "Carbon intensity and electricity mix" (CSV).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from appliance import delimited
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, interval_name, number
from appliance.records import Item, Source
from appliance.wall_times import HOUR_MS, stamp

TITLE = "Electricity Maps (CSV)"

ESTIMATED = "estimated"
_COLUMN = re.compile(r"carbon intensity gco(?:₂|2) ?eq/kwh \((direct|life cycle|lca)\)")
_HOUR_S, _DAY_S = 3600, 86_400
_SHOWN = 2  # rows that tell how far apart they are
_LONGEST = 40


@dataclass(frozen=True)
class Options:
    """Nothing has to be stated: its times are in UTC."""


def identify(head: bytes, name: str) -> bool:
    """Whether the heading has a time in UTC and an intensity. Names say nothing."""
    names = [delimited.plain(each) for each in delimited.heading(head).names]
    return "datetime (utc)" in names and any(map(_COLUMN.fullmatch, names))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of the intensity, whole and direct, and a `Rejected` for a row that states none."""
    heading, below = delimited.table(pieces)
    begun = list(islice(below, _SHOWN))
    yield from _Reader(heading, begun).items(chain(begun, below))


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, begun: list[delimited.Row]) -> None:
        super().__init__(heading)
        self._header = delimited.Header(heading.cells if heading else [])
        names = [delimited.plain(each) for each in self._header.names]
        self._time = names.index("datetime (utc)") if "datetime (utc)" in names else -1
        found = {match[1]: place for place, name in enumerate(names) if (match := _COLUMN.fullmatch(name))}
        whole, direct = found.get("life cycle", found.get("lca", -1)), found.get("direct", -1)
        roles = (("electricity.carbon", whole), ("electricity.carbon.direct", direct))
        self._columns = [(Column(role, "g/kWh"), place) for role, place in roles if place >= 0]
        self._seconds = self._apart(begun)
        self._tables: dict[str, Table] = {}

    def _apart(self, begun: list[delimited.Row]) -> int:
        """How far the first rows lie apart; an hour where they do not say."""
        try:
            first, second = (stamp(row.cells[self._time])[0] for row in begun)
        except (ValueError, IndexError):
            return _HOUR_S
        return (second - first) // 1000

    def read(self, row: delimited.Row) -> None:
        if self._time < 0 or not self._columns:
            raise ValueError("the file's heading names no time in UTC and no carbon intensity")
        if self._seconds not in (_HOUR_S, _DAY_S):
            raise ValueError("the file is not by hours or days")
        if len(row.cells) <= max(self._time, *(place for _, place in self._columns)):
            raise ValueError(FEWER_CELLS)
        at_ms, ahead_ms = stamp(row.cells[self._time])
        at_ms -= ahead_ms or 0
        if at_ms % HOUR_MS:
            raise ValueError("its time is no full hour")
        numbers = [number(row.cells[place]) for _, place in self._columns]
        if numbers.count(None) == len(numbers):
            raise NoValueError
        quality = ESTIMATED if self._header.cell(row, "data estimated").lower() == "true" else ""
        self.out.add(self._table(row), at_ms, self._seconds, numbers, row.first, row.first + row.length, quality)

    def _table(self, row: delimited.Row) -> Table:
        zone = self._header.cell(row, "zone id")[:_LONGEST]
        if zone not in self._tables:
            every = interval_name(self._seconds)
            where = self._header.cell(row, "zone name")[:_LONGEST] or zone
            source = Source(
                f"electricity maps {zone} {every}".replace("  ", " "), f"Carbon intensity, {where}, {every}"
            )
            self._tables[zone] = Table(source, [column for column, _ in self._columns])
        return self._tables[zone]
