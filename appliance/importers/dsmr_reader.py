"""DSMR-reader: the days, hours and temperatures that its archive exports as CSV.

    Hour Start,Electricity 1 (Dutch Users: Low Tariff),Electricity 2 (...),Electricity 1 Returned (...),...,Gas
    2024-01-01T00:00:00+01:00,0.196,0,0,0,0.032
    1                         2                2

    Date,Electricity Tariff 1 Diff,...,Gas Diff,Electricity Tariff 1 Cost,...,Electricity Reading Timestamp,
    2024-01-01,4.1,...,1.2,0.9,...,2024-01-01T00:00:04+01:00,        Electricity Tariff 1 Reading,...,Gas Reading
    3          2       2   4       5                                 6                                6

1 with its offset since 2020, in UTC until 2021; 2 what was used, kWh and m³; 3 a day of the house's own clock, written
with the day first in Dutch; 4 amounts, which are not kept; 5 when the meter showed 6, which files of before 2023 leave
out: then it is the beginning of the day. The names of the columns are those of its settings' language, English or
Dutch, and changed over the years; both registers of what was returned are called as those of what was taken, and stand
behind them.

Source: DSMR-reader 2 to 5, dsmr_frontend/views/export.py, dsmr_stats/models/statistics.py and its Dutch locale.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from appliance import delimited
from appliance.gathering import FEWER_CELLS, Column, NoValueError, Number, RowReader, Table, number
from appliance.records import Item, Source
from appliance.wall_times import DAY_MS, LocalClock, Walk, ZoneOptions, day, stamp

TITLE = "DSMR-reader export"

Options = ZoneOptions

_HOUR_S = 3600
_TIMES = {
    "hour start": "hour",
    "begintijd uur": "hour",
    "date": "day",
    "datum": "day",
    "day": "day",
    "dag": "day",
    "read at": "moment",
    "electricity reading timestamp": "electricity",
    "tijdstip elektriciteitsmeterstand": "electricity",
    "gas reading timestamp": "gas",
    "tijdstip gasmeterstand": "gas",
}
"""A column's name -> of which values it is the time: an hour's, a day's, a temperature's or a register's."""

_ELECTRICITY = re.compile(r"ele[ck]tri(?:city|citeit)(?: tarie?f{1,2})? ([12])\b(.*)")
_GAS = re.compile(r"gas(?: diff| verbruikt)?")
_GAS_REGISTER = re.compile(r"gas reading|gasmeting|gas gemeten")
_TEMPERATURE = re.compile(r"temperatu(?:re|ur) \(.*\)")
_MONEY, _RETURNED = re.compile(r"cost|price|kosten|prijs"), re.compile(r"return|terug")
_REGISTER = re.compile(r"reading|gemeten|meterstand")


def identify(head: bytes, name: str) -> bool:
    """Whether the heading begins with an hour or a day and has both tariffs, or with a temperature's time."""
    names = delimited.heading(head).names
    layout = _Layout(names)
    first = _TIMES.get(delimited.plain(names[0])) if names else None
    if first == "moment":
        return bool(layout.places["moment"])
    roles = {column.role for column in layout.columns["used"]}
    return first in ("hour", "day") and {"electricity.import.t1", "electricity.import.t2"} <= roles


def extract_forward(pieces: Iterator[bytes], options: ZoneOptions) -> Iterator[Item]:
    """`Readings` of what was used, of registers and temperatures, and a `Rejected` for rows that state none."""
    heading, below = delimited.table(pieces)
    yield from _Reader(heading, options).items(below)


class _Layout:
    """Which columns hold times and values, the values by the time that is theirs: `used`, a register's, a moment's."""

    def __init__(self, names: list[str]) -> None:
        self.times: dict[str, int] = {}
        self.places: dict[str, list[int]] = {"used": [], "electricity": [], "gas": [], "moment": []}
        self.columns: dict[str, list[Column]] = {"used": [], "electricity": [], "gas": [], "moment": []}
        met = Counter[str]()
        for place, title in enumerate(names):
            name = delimited.plain(title)
            if time := _TIMES.get(name):
                self.times.setdefault(time, place)
            elif found := _value(name, title.strip(), is_second=met[name] > 0):
                part, column = found
                if column.role not in {each.role for each in self.columns[part]}:
                    self.places[part].append(place)
                    self.columns[part].append(column)
            met[name] += 1


def _value(name: str, title: str, *, is_second: bool) -> tuple[str, Column] | None:
    """Of which time a column is, and what it holds; None where nothing of it is kept."""
    if (electricity := _ELECTRICITY.fullmatch(name)) and not _MONEY.search(electricity[2]):
        is_register = bool(_REGISTER.search(electricity[2]))
        is_returned = bool(_RETURNED.search(electricity[2])) or (is_register and is_second)
        role = f"electricity.{'export' if is_returned else 'import'}.t{electricity[1]}"
        return "electricity" if is_register else "used", Column(role, "kWh", title=title)
    if _GAS.fullmatch(name):
        return "used", Column("gas", "m3", title=title)
    if _GAS_REGISTER.fullmatch(name):
        return "gas", Column("gas", "m3", title=title)
    return ("moment", Column("temperature.outdoor", "°C", title=title)) if _TEMPERATURE.fullmatch(name) else None


@dataclass(slots=True)
class _Part:
    """Values of a row that have one time."""

    places: list[int]
    table: Table

    def numbers(self, cells: list[str]) -> list[Number | None]:
        return [number(cells[place]) for place in self.places]


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: ZoneOptions) -> None:
        super().__init__(heading)
        names = heading.cells if heading else []
        self._layout = _Layout(names)
        self._width = len(names)
        self._is_hourly = "hour" in self._layout.times
        sorts = {"used": "hourly" if self._is_hourly else "daily", "moment": "weather"}
        self._parts = {
            part: _Part(
                places,
                Table(
                    Source(f"dsmr-reader {sorts.get(part, 'meter')}", f"DSMR-reader {sorts.get(part, 'meter')}"),
                    self._layout.columns[part],
                ),
            )
            for part, places in self._layout.places.items()
            if places
        }
        self._clock = LocalClock(options.zone, "Europe/Amsterdam")
        self._walk = Walk(self._clock)
        self._is_local = False

    def read(self, row: delimited.Row) -> None:
        if not self._parts or not self._layout.times:
            raise ValueError("the file's heading names no time and nothing that is measured")
        cells = row.cells
        if len(cells) < self._width:
            raise ValueError(FEWER_CELLS)
        stated = {part: each.numbers(cells) for part, each in self._parts.items()}
        stated = {part: numbers for part, numbers in stated.items() if numbers.count(None) < len(numbers)}
        spans = {part: self._span(part, cells) for part in stated}
        if not stated:
            raise NoValueError
        for part, numbers in stated.items():
            self.out.add(self._parts[part].table, *spans[part], numbers, row.first, row.first + row.length)

    def _span(self, part: str, cells: list[str]) -> tuple[int, int]:
        """When values are of, in milliseconds UTC, and for how many seconds."""
        if part == "used":
            if self._is_hourly:
                return self._moment(cells, "hour"), _HOUR_S
            return self._day(cells)
        if part in self._layout.times and cells[self._layout.times[part]].strip():
            return self._moment(cells, part), 0
        return self._day(cells)[0], 0

    def _moment(self, cells: list[str], time: str) -> int:
        local_ms, ahead_ms = stamp(cells[self._layout.times[time]])
        if ahead_ms is not None:
            return local_ms - ahead_ms
        self._is_local = True
        return self._walk.instant(local_ms)

    def _day(self, cells: list[str]) -> tuple[int, int]:
        if "day" not in self._layout.times:
            raise ValueError("it states no day")
        self._is_local = True
        begin_ms = day(cells[self._layout.times["day"]])
        return self._walk.interval(begin_ms, begin_ms + DAY_MS)

    def warnings(self) -> Iterator[str]:
        if self.out.is_empty or not self._parts:
            return
        if self._is_local and self._clock.assumed:
            yield self._clock.warning()
        read = {place for each in self._parts.values() for place in each.places}
        yield from self.unread({*read, *self._layout.times.values()})
