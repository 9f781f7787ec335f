"""Open-Meteo: the outside temperature of a place by hours or days, as its website and its service give it (CSV).

    latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation
    51.5,-0.12,23.0,3600,Europe/London,GMT+1
                    1
    time,temperature_2m (°C),precipitation (mm)          by the hour
    2025-03-30T00:00,8.1,0.0
    2                3

    time,temperature_2m_mean (°C)                        and by the day, in the same file or in one of its own
    2025-03-30,7.9

1 how far all its times are ahead of UTC, in summer and in winter alike; 2 by that clock; 3 of 2 m above the ground, at
the hour, and taken for the hour that begins then. Other columns are not kept.

Source: Open-Meteo, Historical Weather API; how it writes CSV: its repository, ForecastapiResult+CSV; that the offset is
that of the day on which the file was made: its issue 1255.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from appliance import delimited
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, interval_name, number
from appliance.records import Item, Source
from appliance.wall_times import HOUR_MS, stamp

TITLE = "Open-Meteo weather (CSV)"

HOUR_S, DAY_S = 3600, 86_400
_TEMPERATURE = re.compile(r"temperature_2m(?:_mean)? \(°c\)")
_OFFSET = re.compile(r"[+-]?[0-9]{1,5}")
_PLACE = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,20})?")
_FARTHEST_S = 18 * HOUR_S


@dataclass(frozen=True)
class Options:
    """Nothing has to be stated: the file says which clock its times are by."""


def identify(head: bytes, name: str) -> bool:
    """Whether the heading is of a place and its clock. Names say nothing."""
    return delimited.heading(head).has("latitude", "longitude", "elevation", "utc_offset_seconds")


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of the temperature by hours and by days, and a `Rejected` for a row that has none or no time."""
    heading, below = delimited.table(pieces)
    place = next((row for row in islice(below, 1)), None)
    yield from _Reader(heading, place).items(below)


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, place: delimited.Row | None) -> None:
        super().__init__(heading)
        header = delimited.Header(heading.cells if heading else [])
        said = [header.cell(place, name) if place else "" for name in ("latitude", "longitude")]
        self._where = ", ".join(each for each in said if _PLACE.fullmatch(each))
        offset = header.cell(place, "utc_offset_seconds") if place else ""
        self._ahead_s = int(offset) if _OFFSET.fullmatch(offset) else _FARTHEST_S + 1
        self._tables: dict[int, Table] = {}
        self._value = -1
        self._unread: dict[str, None] = {}

    def read(self, row: delimited.Row) -> None:
        cells = row.cells
        if delimited.plain(cells[0]) in ("time", "location_id"):
            self._begin([delimited.plain(cell) for cell in cells])
            return
        if abs(self._ahead_s) > _FARTHEST_S:
            raise ValueError("the file does not say how far its times are ahead of UTC")
        if self._value < 0:
            raise ValueError("no column above it is a temperature (2 m) of one place in °C")
        if len(cells) <= self._value:
            raise ValueError(FEWER_CELLS)
        local_ms, ahead_ms = stamp(cells[0])
        seconds = HOUR_S if ":" in cells[0] else DAY_S
        if ahead_ms is not None or local_ms % HOUR_MS:
            raise ValueError("its time is no full hour by the file's clock, and only hours and days can be read")
        value = number(cells[self._value])
        if value is None:
            raise NoValueError
        at_ms = local_ms - self._ahead_s * 1000
        self.out.add(self._table(seconds), at_ms, seconds, (value,), row.first, row.first + row.length)

    def _begin(self, names: list[str]) -> None:
        """A heading within the file: what stands below it."""
        found = [place for place, name in enumerate(names) if _TEMPERATURE.fullmatch(name)]
        self._value = found[0] if found and names[0] == "time" else -1
        others = (name for place, name in enumerate(names) if place not in (0, self._value))
        self._unread |= dict.fromkeys(filter(None, others))

    def _table(self, seconds: int) -> Table:
        if seconds not in self._tables:
            every = interval_name(seconds)
            name = f"open-meteo {every} {self._where}".strip()
            source = Source(name, f"Weather at {self._where}, {every} (Open-Meteo)" if self._where else "Weather")
            self._tables[seconds] = Table(source, [Column("temperature.outside", "°C")])
        return self._tables[seconds]

    def warnings(self) -> Iterator[str]:
        if self._tables and self._unread:
            yield f"Not kept of this file: {', '.join(self._unread)}."[:1000]
