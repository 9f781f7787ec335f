"""Degree Days.net: how cold each day was, as degree days below a base temperature (CSV).

    Description:,"Celsius-based heating degree days for base temperatures at and around 15.5C"1
    Source:,"www.degreedays.net (using temperature data from www.wunderground.com)"
    Station:,"Northolt (0.42W,51.55N)"
    Station ID:,"EGWU"2
    ,(Column titles show the base temperature in Celsius)
    Date,14.5,15,15.5,16,% Estimated
    2011-05-01,1.3,1.5,1.8,2.2,1
    3                  4       5

1 what the file is of, and its base; 2 where; 3 a day of the place; 4 the column of that base, or one that is called
HDD: other bases are not kept; 5 how much of the day was filled in, in per cent: from 50 on it is an estimate.

Source: Degree Days.net, "CSV" downloads; the file above as OpenTRV's DDNExtractor cites it.
"""

import re
from collections.abc import Iterator
from itertools import islice

from appliance import delimited
from appliance.delimited import Row
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, number
from appliance.records import Item, Source
from appliance.wall_times import DAY_MS, LocalClock, ZoneOptions, day

TITLE = "Degree Days.net (CSV)"

Options = ZoneOptions

ESTIMATED, ESTIMATED_FROM = "estimated", 50  # per cent
_HEATING = re.compile(r"celsius-based heating degree days\b.*?\b([0-9]{1,2}(?:\.[0-9]{1,2})?) ?c\b")
_MOST_BEFORE = 30  # rows before the columns' names
_HEAD = 4096
_LONGEST = 100


def identify(head: bytes, name: str) -> bool:
    """Whether it says that it is of degree days before it names its columns. Names say nothing."""
    rows = islice(delimited.head_rows(head[:_HEAD], ","), _MOST_BEFORE)
    return any(_said(row, "description:") and "degree days" in _said(row, "description:").lower() for row in rows)


def extract_forward(pieces: Iterator[bytes], options: ZoneOptions) -> Iterator[Item]:
    """`Readings` of the degree days of each day, and a `Rejected` for a row that is no day or states none."""
    below = delimited.rows(pieces, ",")
    before = list[Row]()
    for row in islice(below, _MOST_BEFORE):
        before.append(row)
        if row.cells and delimited.plain(row.cells[0]) in ("date", "month starting", "week starting"):
            break
    yield from _Reader(before, options).items(below)


def _said(row: Row, name: str) -> str:
    """What a row before the columns says under that name; "" where it says something else."""
    cells = row.cells
    return cells[1].strip()[:_LONGEST] if len(cells) > 1 and delimited.plain(cells[0]) == name else ""


class _Reader(RowReader):
    def __init__(self, before: list[Row], options: ZoneOptions) -> None:
        super().__init__(before[-1] if before else None)
        said = {
            name: next(filter(None, (_said(row, f"{name}:") for row in before)), "")
            for name in ("description", "station", "station id")
        }
        base = _HEATING.search(said["description"].lower())
        self._base = base[1].removesuffix(".0") if base else ""
        names = [delimited.plain(cell) for cell in (self.heading.cells if self.heading else [])]
        self._is_daily = names[:1] == ["date"]
        self._value = next((place for place, name in enumerate(names) if name in (self._base, "hdd")), -1)
        self._estimated = names.index("% estimated") if "% estimated" in names else -1
        where = said["station id"] or said["station"]
        name = f"degree days below {self._base} {where}".strip()
        title = f"Degree days below {self._base} °C, {said['station'] or where}".rstrip(", ")
        role = f"degree_days.heating.{self._base.replace('.', '_')}"
        self._table = Table(Source(name, title), [Column(role, "°C day")])
        self._clock = LocalClock(options.zone, "UTC")

    def read(self, row: Row) -> None:
        if not self._base:
            raise ValueError("the file is not of heating degree days in Celsius")
        if not self._is_daily:
            raise ValueError("it is of no single day, and only daily degree days can be read")
        if self._value < 0:
            raise ValueError(f"no column has the base {self._base} °C, of which the file says that it is")
        cells = row.cells
        if len(cells) <= self._value:
            raise ValueError(FEWER_CELLS)
        local_ms = day(cells[0])
        value = number(cells[self._value])
        if value is None:
            raise NoValueError
        at_ms, until_ms = (self._midnight(each) for each in (local_ms, local_ms + DAY_MS))
        end = row.first + row.length
        seconds = (until_ms - at_ms) // 1000
        self.out.add(self._table, at_ms, seconds, (value,), row.first, end, self._quality(cells))

    def _midnight(self, local_ms: int) -> int:
        """When a day begins; the first instant after, where clocks are put forward over it."""
        found = self._clock.after(local_ms, local_ms - DAY_MS)
        return local_ms if found is None else found

    def _quality(self, cells: list[str]) -> str:
        stated = number(cells[self._estimated]) if 0 <= self._estimated < len(cells) else None
        return ESTIMATED if stated and stated[0] >= ESTIMATED_FROM * 10 ** stated[1] else ""

    def warnings(self) -> Iterator[str]:
        if not self._table.rows:
            return
        if self._clock.assumed:
            yield self._clock.warning()
        yield from self.unread({0, self._value, self._estimated})
