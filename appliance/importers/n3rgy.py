"""n3rgy: half-hours of smart meters in Great Britain, as its consumer portal (CSV) and its service (JSON) give them.

    timestamp (UTC),energyConsumption (kWh)               a file of electricity; gas has (m3), newer files also the
    2024-07-15 00:30,0.3                                  id of the meter's device in a column before
    1                2

    {"resource": "/2/mpxn/1234567891000/utility/electricity/readingtype/consumption", "granularity": "halfhour",
     "unit": "kWh", "devices": [{"deviceId": "AA-...", "values": [{"primaryValue": 0.3,2 "timestamp": "2024-07-15
     00:30"1}, ...]}]}                                    the service's first edition has "values": [{"value": ...}]

1 the end of the half-hour, in UTC all year long; 2 what was used in it, "invalid value" where the meter gave none.

Source: n3rgy's support pages, "Data, dates, times, consumption and tariffs" (UTC; values stand at the end of their
period) and "Consumer Portal - Output Files Formats" (the device's column); its customer API, editions 1 and 2.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from mmap import mmap

from appliance import delimited, parsing
from appliance.errors import UserError
from appliance.gathering import (
    FEWER_CELLS,
    NO_VALUE,
    Column,
    Gathering,
    NoValueError,
    Place,
    RowReader,
    Table,
    interval_name,
    number,
)
from appliance.records import Item, Source, Warned
from appliance.wall_times import DAY_MS, LocalClock, Walk, ZoneOptions, stamp, zone_problem

TITLE = "n3rgy half-hours"

QUANTITIES = ("", "electricity.import", "electricity.export", "gas")
_HALF_HOUR_S, _DAY_S = 1800, 86_400
_TIME = re.compile(r"timestamp(?: \((.+)\))?")
_VALUE = re.compile(r"energy(consumption|production|export) \((kwh|m[^a-z]{1,2})\)")
_RESOURCE = re.compile(rb'"resource"\s*:\s*"([^"]{0,300})"')
_UNIT = re.compile(rb'"unit"\s*:\s*"([^"]{0,20})"')
_DAILY = re.compile(rb'"granularity"\s*:\s*"day"')
_OBJECT = re.compile(rb"\{[^{}]*+\}")
_SERVICE = re.compile(rb'\s*\{(?=[^\[]*"resource")(?=[^\[]*"(?:granularity|availableCacheRange)")')
_HEAD_BYTES = 65_536
_PIECE = 1 << 20
_SHOWN = 4  # rows that tell how far apart they are
_COUNTRY = "Europe/London"
_MEND = "ask n3rgy for the file again"


@dataclass(frozen=True)
class Options(ZoneOptions):
    """`quantity`: what the file is of, where it does not say; `zone`: of its times, where they are not in UTC."""

    quantity: str = field(default="", metadata={"title": "What the file is of", "choices": QUANTITIES})

    def __post_init__(self) -> None:
        problems = [zone_problem(self.zone)]
        if self.quantity not in QUANTITIES:
            problems.append(f"quantity={self.quantity!r} is not known; write one of {', '.join(QUANTITIES[1:])}")
        if any(problems):
            raise UserError(filter(None, problems))


def identify(head: bytes, name: str) -> bool:
    """Whether the heading names a timestamp and an energy with its unit, or JSON a resource. Names say nothing."""
    if _SERVICE.match(head):
        return True
    plain = [delimited.plain(each) for each in delimited.heading(head).names]
    return any(map(_TIME.fullmatch, plain)) and any(map(_VALUE.fullmatch, plain))


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """`Readings` of half-hours (or days) of one quantity, and a `Rejected` for what states no such thing."""
    if data[:_HEAD_BYTES].lstrip().startswith(b"{"):
        yield from _values(data, options)
    else:
        heading, below = delimited.table(data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
        begun = list(islice(below, _SHOWN))
        yield from _Reader(heading, options, begun).items(chain(begun, below))


def _table(quantity: str, unit: str, seconds: int) -> Table:
    of = quantity.partition(".")[0]
    name = f"{of}{' kWh' if (of, unit) == ('gas', 'kWh') else ''} {interval_name(seconds)}"
    return Table(Source(f"n3rgy {name}", f"n3rgy {name}"), [Column(quantity, unit)])


def _need_fitting(quantity: str, unit: str) -> None:
    if unit == "m3" and quantity != "gas":
        raise ValueError("electricity is not measured in m³: state quantity=gas")


# ---- the portal's CSV ----


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: Options, begun: list[delimited.Row]) -> None:
        super().__init__(heading)
        plain = [delimited.plain(each) for each in (heading.cells if heading else [])]
        times = [(place, match[1]) for place, each in enumerate(plain) if (match := _TIME.fullmatch(each))]
        values = [(place, match) for place, each in enumerate(plain) if (match := _VALUE.fullmatch(each))]
        self._devices = {place for place, each in enumerate(plain) if "device" in each}
        self._time, zone = times[0] if times else (-1, None)
        self._value = values[0][0] if values else -1
        self._unit = "m3" if values and values[0][1][2].startswith("m") else "kWh"
        self._quantity = options.quantity or _of_column(self._unit, values[0][1][1] if values else "")
        self._clock = LocalClock(options.zone, _COUNTRY) if (zone or "utc") != "utc" else None
        self._walk = Walk(self._clock) if self._clock else None
        self._made: Table | None = None
        self._seconds = _DAY_S if self._are_daily(begun) else _HALF_HOUR_S

    def _are_daily(self, begun: list[delimited.Row]) -> bool:
        """Whether the first rows lie a day apart, as the service gives them on demand."""
        stamps = []
        for row in begun:
            with suppress(ValueError, IndexError):
                stamps.append(stamp(row.cells[self._time])[0])
        return len(stamps) > 1 and abs(stamps[1] - stamps[0]) == DAY_MS

    def read(self, row: delimited.Row) -> None:
        if min(self._time, self._value) < 0:
            raise ValueError("the file's heading names no timestamp and no energy")
        _need_fitting(self._quantity, self._unit)
        if len(row.cells) <= max(self._time, self._value):
            raise ValueError(FEWER_CELLS)
        until_ms = self._instant(row.cells[self._time])
        value = number(row.cells[self._value])
        if value is None:
            raise NoValueError
        if self._made is None:
            self._made = _table(self._quantity, self._unit, self._seconds)
        at_ms = until_ms - self._seconds * 1000
        self.out.add(self._made, at_ms, self._seconds, (value,), row.first, row.first + row.length)

    def _instant(self, text: str) -> int:
        local_ms, ahead_ms = stamp(text)
        if ahead_ms is None and self._walk:
            return self._walk.instant(local_ms)
        return local_ms - (ahead_ms or 0)

    def warnings(self) -> Iterator[str]:
        if self._made is None:
            return
        if self._clock and self._clock.assumed:
            yield self._clock.warning()
        yield from self.unread({self._time, self._value} | self._devices)


def _of_column(unit: str, word: str) -> str:
    if unit == "m3":
        return "gas"
    return "electricity.export" if word in ("production", "export") else "electricity.import"


# ---- the service's JSON ----


def _values(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """Each object with a timestamp is one value; what they are of stands outside them."""
    out, lines = Gathering(), parsing.Lines(data)
    resource, unit = _said(_RESOURCE, data).lower(), _said(_UNIT, data).lower()
    quantity = options.quantity or _of_resource(resource)
    seconds = _DAY_S if _DAILY.search(data) else _HALF_HOUR_S
    table = _table(quantity, "m3" if unit.startswith("m") else "kWh", seconds)
    stamped = (found for found in _OBJECT.finditer(data) if b'"timestamp"' in found[0])
    for count, found in enumerate(stamped, 1):
        place = Place(f"value {count:,}", lines.at(found.start()), found.start(), found.end() - found.start())
        try:
            _need_fitting(quantity, table.columns[0].unit)
            until_ms, value = _value(found[0])
        except NoValueError:
            out.reject(place, NO_VALUE)
        except ValueError as error:
            out.reject(place, f"{error}; {_MEND}")
        else:
            out.add(table, until_ms - seconds * 1000, seconds, (value,), found.start(), found.end())
        if out.is_ready:
            yield from out.taken()
    yield from out.ended()
    if not resource:
        yield Warned(f"The file does not say what it is of: it was read as {quantity}.")


def _said(pattern: re.Pattern[bytes], data: bytes | mmap) -> str:
    found = pattern.search(data)
    return parsing.decoded(found[1]) if found else ""


def _of_resource(resource: str) -> str:
    if "gas" in resource:
        return "gas"
    return "electricity.export" if "production" in resource else "electricity.import"


def _value(raw: bytes) -> tuple[int, tuple[int, int]]:
    """The end of a value's period in milliseconds UTC, and the value."""
    try:
        said = json.loads(parsing.decoded(raw), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise ValueError("it is not written as JSON") from None
    local_ms, ahead_ms = stamp(str(said.get("timestamp") or ""))
    stated = said.get("value", said.get("primaryValue"))
    value = number("" if stated is None else str(stated))
    if value is None:
        raise NoValueError
    return local_ms - (ahead_ms or 0), value
