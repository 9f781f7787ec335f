"""The UCI household power layout: a household's minutes, of power, voltage, current and three parts of its energy.

    Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3
    16/12/2006;17:24:00;4.216;0.418;234.840;18.400;0.000;1.000;17.000
    1                   2     3     4       5      6
    28/4/2007;00:21:00;?;?;?;?;?;?;                                      7

1 the day first, in a copy with two figures of the year; 2 kW and 3 kvar, averages of the minute; 4 V; 5 A; 6 Wh in the
minute, of three parts of the house; 7 a minute of which there is no reading. The delimiter may be a comma, and a first
column number the rows.

The layout names no zone, and where nobody states one its times are taken as UTC. The household that UCI published
lived by the clocks of Europe/Paris: its file has the hour that spring leaves out as a copy of the next, which is
refused when that zone is stated, and lacks one of the two hours that autumn doubles.

Source: G. Hebrail and A. Berard, Individual Household Electric Power Consumption, UCI Machine Learning Repository.
"""

from collections.abc import Iterator

from appliance import delimited
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, number
from appliance.records import Item, Source
from appliance.wall_times import LocalClock, Walk, ZoneOptions, clock, day

TITLE = "Household power, in UCI's layout"

Options = ZoneOptions

_MINUTE_S = 60
_COLUMNS = {
    "global_active_power": Column("electricity.power", "kW"),
    "global_reactive_power": Column("electricity.reactive.power", "kvar"),
    "voltage": Column("electricity.voltage", "V"),
    "global_intensity": Column("electricity.current", "A"),
    **{f"sub_metering_{part}": Column(f"submetering{part}.electricity.import", "kWh", -3) for part in (1, 2, 3)},
}
_SOURCE = Source("uci", "Household power (UCI)")


def identify(head: bytes, name: str) -> bool:
    """Whether the heading has a date, a time and global power. Names say nothing."""
    return delimited.heading(head).has("date", "time", "global_active_power")


def extract_forward(pieces: Iterator[bytes], options: ZoneOptions) -> Iterator[Item]:
    """`Readings` of each column, and a `Rejected` for rows that state no value or no time."""
    heading, below = delimited.table(pieces)
    yield from _Reader(heading, options).items(below)


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: ZoneOptions) -> None:
        super().__init__(heading)
        names = [delimited.plain(each) for each in (heading.cells if heading else [])]
        self._date, self._time = (names.index(each) if each in names else -1 for each in ("date", "time"))
        self._values = [names.index(each) for each in _COLUMNS if each in names]
        self._width = max([self._date, self._time, *self._values], default=0) + 1
        self._table = Table(_SOURCE, [_COLUMNS[names[place]] for place in self._values])
        self._clock = LocalClock(options.zone, "UTC")
        self._walk = Walk(self._clock)

    def read(self, row: delimited.Row) -> None:
        if min(self._date, self._time) < 0 or not self._values:
            raise ValueError("the file's heading names no date, time and power")
        cells = row.cells
        if len(cells) < self._width:
            raise ValueError(FEWER_CELLS)
        at_ms = self._walk.instant(day(cells[self._date]) + clock(cells[self._time]))
        numbers = [number(cells[place]) for place in self._values]
        if numbers.count(None) == len(numbers):
            raise NoValueError
        self.out.add(self._table, at_ms, _MINUTE_S, numbers, row.first, row.first + row.length)

    def warnings(self) -> Iterator[str]:
        if self._clock.assumed and not self.out.is_empty:
            yield self._clock.warning()
