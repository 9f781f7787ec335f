"""HomeWizard: what the Energy app exports of a P1 meter, a kWh meter, a water meter and a battery.

    time,Import T1 kWh,Import T2 kWh,Export T1 kWh,Export T2 kWh,L1 max W,L2 max W,L3 max W
    2022-09-01 00:15,8350.385,4650.468,3095.078,7450.301,,,
    1                2                                    3

    time,Total gas used                          m³
    time,water usage dl
    time,Import kWh,Export kWh                   of a kWh meter; `State of charge %` beside it is a battery's

1 by the clock of the house, every quarter of an hour or every day; 2 what the register shows then; 3 the highest power
since the row before, in watts, and less than nothing for what is given. Blank where the meter was not heard.

A kWh meter's export does not say what it measures: `role` does, such as solar.

Source: HomeWizard's help centre, "How to export and use CSV files", names the files; the rest as the app writes them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance import delimited
from appliance.errors import UserError
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, number
from appliance.records import Item, Source
from appliance.wall_times import LocalClock, Walk, ZoneOptions, stamp, zone_problem

TITLE = "HomeWizard Energy export"

_ROLE = re.compile(r"[a-z0-9]{1,40}")
_LITRES = {"dl": -4, "l": -3, "m3": 0, "m³": 0}
_ENERGY = re.compile(r"(import|export)(?: t([1-4]))? kwh")
_PEAK = re.compile(r"l([123]) max w")
_GAS = re.compile(r"total gas used(?: \(?m[3³]\)?)?")
_WATER = re.compile(r"(?:total )?water (?:usage|used)(?: \(?(dl|l|m[3³])\)?)?")
_CHARGE = re.compile(r"state of charge ?%?")
_P1, _KWH = Source("homewizard p1", "HomeWizard P1 meter"), Source("homewizard kwh", "HomeWizard kWh meter")
_BATTERY, _TAP = (
    Source("homewizard battery", "HomeWizard battery"),
    Source("homewizard water", "HomeWizard water meter"),
)


@dataclass(frozen=True)
class Options(ZoneOptions):
    """`role`: what is measured, where that is not the whole house; it stands before the roles of the readings."""

    role: str = field(default="", metadata={"title": "What it measures, where not the whole house, such as solar"})

    def __post_init__(self) -> None:
        problems = [zone_problem(self.zone)]
        if self.role and not _ROLE.fullmatch(self.role):
            problems.append(f"role={self.role!r} is no role; write one such as solar, in small letters")
        if any(problems):
            raise UserError(filter(None, problems))


def identify(head: bytes, name: str) -> bool:
    """Whether the heading is a time and columns that only these files have. Names say nothing."""
    names = delimited.heading(head).names
    return bool(names) and delimited.plain(names[0]) == "time" and bool(_columns(names))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of each column, and a `Rejected` for rows without a value or a time."""
    heading, below = delimited.table(pieces)
    yield from _Reader(heading, options).items(below)


def _columns(names: list[str]) -> dict[int, Column]:
    """What is read, by its place; of columns of one name the first."""
    found: dict[str, tuple[int, Column]] = {}
    for place, name in enumerate(names):
        if column := _column(delimited.plain(name), name.strip()):
            found.setdefault(column.role, (place, column))
    return dict(found.values())


def _column(name: str, title: str) -> Column | None:
    """What a column holds, by its name; None for what is not known."""
    if energy := _ENERGY.fullmatch(name):
        tariff = f".t{energy[2]}" if energy[2] else ""
        return Column(f"electricity.{energy[1]}{tariff}", "kWh", title=title)
    if peak := _PEAK.fullmatch(name):
        return Column(f"electricity.power.l{peak[1]}.max", "kW", -3, title)
    if _GAS.fullmatch(name):
        return Column("gas", "m3", title=title)
    if water := _WATER.fullmatch(name):
        return Column("water", "m3", _LITRES[water[1] or "m3"], title)
    return Column("battery.charge", "%", title=title) if _CHARGE.fullmatch(name) else None


def _source(columns: list[Column]) -> Source:
    roles = {column.role for column in columns}
    if "battery.charge" in roles:
        return _BATTERY
    if "water" in roles:
        return _TAP
    return _KWH if roles & {"electricity.import", "electricity.export"} else _P1


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: Options) -> None:
        super().__init__(heading)
        names = [delimited.plain(each) for each in (heading.cells if heading else [])]
        self._time = names.index("time") if "time" in names else -1
        found = _columns(heading.cells if heading else [])
        self._values = list(found)
        source = _source(list(found.values()))
        part = options.role or ("battery" if source is _BATTERY else "")
        self._table = Table(source, [_of(part, column) for column in found.values()])
        self._clock = LocalClock(options.zone, "Europe/Amsterdam")
        self._walk = Walk(self._clock)

    def read(self, row: delimited.Row) -> None:
        if self._time < 0 or not self._values:
            raise ValueError("the file's heading names no time and nothing that is measured")
        cells = row.cells
        if len(cells) <= max(self._time, *self._values):
            raise ValueError(FEWER_CELLS)
        local_ms, ahead_ms = stamp(cells[self._time])
        at_ms = self._walk.instant(local_ms) if ahead_ms is None else local_ms - ahead_ms
        numbers = [number(cells[place]) for place in self._values]
        if numbers.count(None) == len(numbers):
            raise NoValueError
        self.out.add(self._table, at_ms, 0, numbers, row.first, row.first + row.length)

    def warnings(self) -> Iterator[str]:
        if not self._values or self.out.is_empty:
            return
        if self._clock.assumed:
            yield self._clock.warning()
        yield from self.unread({self._time, *self._values})


def _of(part: str, column: Column) -> Column:
    """The same of a part of the house."""
    if not part or column.role.startswith(f"{part}."):
        return column
    return Column(f"{part}.{column.role}", column.unit, column.exponent, column.title)
