"""Octopus Energy: the half-hours that the account page gives, of electricity or gas.

    Consumption (kwh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, End
    0.028000, 0.71, 0.99, 2024-10-27T01:30:00+01:00, 2024-10-27T01:00:00+00:00
    1                     2                          3

1 of which gas meters of the second generation have m³, and older files nothing but 1, 2 and 3, with a blank before
each; a zero may be written as 0E-20; 2 and 3 with the offset of the day, so that no hour is doubled. Since August 2024
half-hours in which nothing was used are left out. The costs are the supplier's own working out, and not kept.

The file says neither whose it is nor, in kWh, of what: `quantity` says so, and where nobody does it is electricity.

Source: Octopus publishes no description; as its account page writes them, and as programs of others read them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance import delimited
from appliance.errors import UserError
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, interval_name, number
from appliance.records import Item, Source
from appliance.wall_times import LocalClock, Walk, ZoneOptions, stamp, zone_problem

TITLE = "Octopus Energy half-hours"

QUANTITIES = ("", "electricity.import", "electricity.export", "gas")
_VALUE = re.compile(r"(consumption|export) \((kwh|m[^a-z]{1,2})\)")
_COUNTRY = "Europe/London"


@dataclass(frozen=True)
class Options(ZoneOptions):
    """`quantity`: what the file is of; `zone`: of its times, where they have no offset."""

    quantity: str = field(default="", metadata={"title": "What the file is of", "choices": QUANTITIES})

    def __post_init__(self) -> None:
        problems = [zone_problem(self.zone)]
        if self.quantity not in QUANTITIES:
            problems.append(f"quantity={self.quantity!r} is not known; write one of {', '.join(QUANTITIES[1:])}")
        if any(problems):
            raise UserError(filter(None, problems))


def identify(head: bytes, name: str) -> bool:
    """Whether the heading names a consumption with its unit, a start and an end. Names say nothing."""
    return _Places(delimited.heading(head).names).are_all


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of half-hours of one quantity, and a `Rejected` for rows that state no such thing."""
    heading, below = delimited.table(pieces)
    yield from _Reader(heading, options).items(below)


class _Places:
    """Where the columns stand."""

    def __init__(self, names: list[str]) -> None:
        plain = [delimited.plain(each) for each in names]
        found = [(place, match) for place, each in enumerate(plain) if (match := _VALUE.fullmatch(each))]
        self.value, self.word, self.unit = (found[0][0], found[0][1][1], found[0][1][2]) if found else (-1, "", "")
        self.start = plain.index("start") if "start" in plain else -1
        self.end = plain.index("end") if "end" in plain else -1

    @property
    def are_all(self) -> bool:
        return min(self.value, self.start, self.end) >= 0


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: Options) -> None:
        super().__init__(heading)
        self._places = _Places(heading.cells if heading else [])
        self._unit = "kWh" if self._places.unit == "kwh" else "m3"
        self._stated = options.quantity
        self._quantity = options.quantity or self._assumed()
        self._clock = LocalClock(options.zone, _COUNTRY)
        self._walk, self._is_local = Walk(self._clock), False
        self._tables: dict[str, Table] = {}

    def _assumed(self) -> str:
        if self._unit == "m3":
            return "gas"
        return "electricity.export" if self._places.word == "export" else "electricity.import"

    def read(self, row: delimited.Row) -> None:
        places, cells = self._places, row.cells
        if not places.are_all:
            raise ValueError("the file's heading names no consumption, start and end")
        if self._unit == "m3" and self._quantity != "gas":
            raise ValueError("electricity is not measured in m³: state quantity=gas")
        if len(cells) <= max(places.value, places.start, places.end):
            raise ValueError(FEWER_CELLS)
        at_ms, seconds = self._interval(cells[places.start], cells[places.end])
        value = number(cells[places.value])
        if value is None:
            raise NoValueError
        self.out.add(self._table(seconds), at_ms, seconds, (value,), row.first, row.first + row.length)

    def _interval(self, start: str, end: str) -> tuple[int, int]:
        (start_ms, ahead_ms), (end_ms, ahead_then_ms) = stamp(start), stamp(end)
        if ahead_ms is not None and ahead_then_ms is not None:
            at_ms, until_ms = start_ms - ahead_ms, end_ms - ahead_then_ms
            if until_ms <= at_ms:
                raise ValueError("it ends before it begins")
            return at_ms, (until_ms - at_ms) // 1000
        if ahead_ms is not None or ahead_then_ms is not None:
            raise ValueError("one of its times states an offset of UTC, and the other none")
        self._is_local = True
        return self._walk.interval(start_ms, end_ms)

    def _table(self, seconds: int) -> Table:
        length = interval_name(seconds)
        if length not in self._tables:
            of = self._quantity.partition(".")[0]
            name = f"{of}{' kWh' if (of, self._unit) == ('gas', 'kWh') else ''} {length}"
            source = Source(f"octopus {name}", f"Octopus Energy {name}")
            self._tables[length] = Table(source, [Column(self._quantity, self._unit)])
        return self._tables[length]

    def warnings(self) -> Iterator[str]:
        if not (self._places.are_all and self._tables):
            return
        if self._is_local and self._clock.assumed:
            yield self._clock.warning()
        if not self._stated and self._unit == "kWh":
            yield (
                f"The file does not say what it is of: it was read as {self._quantity}. Where it is another "
                f"({', '.join(each for each in QUANTITIES[1:] if each != self._quantity)}), undo the import, and "
                "import the file again with --set quantity=gas, say."
            )
        yield from self.unread({self._places.value, self._places.start, self._places.end})
