"""The carbon intensity of Great Britain's grid by half-hours, as the Carbon Intensity API gives it (JSON).

    {"data": [{"from": "2018-01-20T12:00Z"1, "to": "2018-01-20T12:30Z",
               "intensity": {"forecast": 266,2 "actual": 263,3 "index": "moderate"}}]}     of the whole grid

    {"data": {"regionid": 13, "dnoregion": "UKPN London", "shortname": "London",4 "data": [
        {"from": ..., "to": ..., "intensity": {"forecast": 109, "index": "moderate"}, "generationmix": [...]}]}}

1 in UTC; 2 g of CO2 a kWh, as was expected; 3 as it was, null until the half-hour is over, and never said of a region;
4 of which part of the country. What is only a forecast says so as its quality.

Source: Carbon Intensity API, definitions 2.0.0, "National" and "Regional" (National Energy System Operator).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance import gathering, parsing
from appliance.content import Data
from appliance.gathering import NO_VALUE, Column, Gathering, NoValueError, Number, Place, Table, interval_name
from appliance.json_cursor import BrokenError, Cursor, text, to_its_end
from appliance.records import Item, Source
from appliance.wall_times import stamp

TITLE = "Carbon intensity of Great Britain’s grid (JSON)"

FORECAST = "forecast"
_MEND = "fetch it again"
_COUNTRY = "Great Britain"
_NATIONAL = re.compile(
    rb'\s*\{\s*"data"\s*:\s*\[\s*\{[^{}]{0,200}"intensity"\s*:\s*\{[^{}]{0,200}"(?:forecast|actual)"'
)
_REGIONAL = re.compile(rb'\s*\{\s*"data"\s*:\s*[\[{][^\[\]]{0,400}"(?:data|regions)"\s*:\s*\[[^\[\]]{0,400}"intensity"')
_LONGEST_S = 3600


@dataclass(frozen=True)
class Options:
    """Nothing has to be stated."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is data with intensities, of the grid or of a region. Names say nothing."""
    begun = head.removeprefix(b"\xef\xbb\xbf")
    return bool(_NATIONAL.match(begun) or _REGIONAL.match(begun))


def extract(data: Data, options: Options) -> Iterator[Item]:
    """`Readings` of the intensity, and a `Rejected` for a half-hour that has none."""
    reader = _Reader(data)
    yield from to_its_end(reader.cursor, reader.items(), _MEND)


class _Reader:
    """One pass over a file."""

    def __init__(self, data: Data) -> None:
        self.cursor, self._lines = Cursor(data), parsing.Lines(data)
        self._out = Gathering()
        self._tables: dict[tuple[str, int], Table] = {}
        self._region = _COUNTRY
        self._count = 0

    def items(self) -> Iterator[Item]:
        try:
            for name, _ in self.cursor.members():
                if name == "data":
                    yield from self._data()
        except BrokenError:
            yield from self._out.closed()
            raise
        yield from self._out.ended()

    def _data(self) -> Iterator[Item]:
        """The half-hours, or the region that holds them."""
        if self.cursor.begins() == "[":
            yield from self._half_hours()
            return
        if self.cursor.begins() != "{":
            return
        for name, _ in self.cursor.members():
            if name == "shortname":
                self._region = text(self.cursor.value())[:40] or _COUNTRY
            elif name == "data" and self.cursor.begins() == "[":
                yield from self._half_hours()

    def _half_hours(self) -> Iterator[Item]:
        for first in self.cursor.elements():
            self._count += 1
            line = self._lines.at(first)
            try:
                self._half_hour(self.cursor.value(), first)
            except (BrokenError, NoValueError, ValueError) as error:
                if isinstance(error, BrokenError):
                    self.cursor.recover()
                place = Place(f"half-hour {self._count:,}", line, first, self.cursor.at - first)
                self._out.reject(place, _reason(error))
            if self._out.is_ready:
                yield from self._out.taken()

    def _half_hour(self, said: Any, first: int) -> None:
        if not isinstance(said, dict):
            raise ValueError("it says nothing by name")
        if "regions" in said:
            raise ValueError("it is of all regions at once, and only the grid's or one region's can be read")
        at_ms, until_ms = (_instant(said, name) for name in ("from", "to"))
        seconds = (until_ms - at_ms) // 1000
        if not 0 < seconds <= _LONGEST_S:
            raise ValueError(f"it is of {seconds} seconds, and should be of half an hour")
        value, quality = _intensity(said)
        self._out.add(self._table(seconds), at_ms, seconds, (value,), first, self.cursor.at, quality)

    def _table(self, seconds: int) -> Table:
        """A region's series."""
        key = self._region, seconds
        if key not in self._tables:
            name = f"carbon intensity {self._region} {interval_name(seconds)}"
            source = Source(name, f"Carbon intensity, {self._region}")
            self._tables[key] = Table(source, [Column("electricity.carbon", "g/kWh")])
        return self._tables[key]


def _instant(said: Mapping[str, Any], name: str) -> int:
    """A time in UTC, as milliseconds."""
    local_ms, ahead_ms = stamp(text(said.get(name)))
    return local_ms - (ahead_ms or 0)


def _intensity(said: Mapping[str, Any]) -> tuple[Number, str]:
    """What it was, else what was expected; and its quality."""
    stated = said.get("intensity")
    if not isinstance(stated, dict):
        raise NoValueError
    for name, quality in (("actual", ""), ("forecast", FORECAST)):
        if (value := gathering.number(text(stated.get(name)))) is not None:
            return value, quality
    raise NoValueError


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenError):
        return f"it cannot be read: {error.reason}; {_MEND}"
    return NO_VALUE if isinstance(error, NoValueError) else f"{error}; {_MEND}"
