"""The records of a NEM12 or NEM13 file, one after the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from appliance import delimited
from appliance.gathering import Gathering, Number, Place, Table, interval_name, number
from appliance.importers.nem12.streams import stream
from appliance.records import Item, Source, Warned
from appliance.wall_times import clock, day, offset

_DAY_MINUTES = 1440
_LENGTHS = frozenset({"1", "5", "10", "15", "30"})
_QUALITY = re.compile(r"([AEFNSV])([0-9]{2})?")
_WORDS = {"A": "actual", "E": "estimated ahead", "F": "final substituted", "S": "substituted", "V": "variable"}
_DATE, _DATE_TIME = re.compile(r"[0-9]{8}"), re.compile(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})?[0-9]?")
_WEST = "WPN"  # what the names of Western Power's systems begin with
_NEXT = "ask for the file again"

NO_DATA = "the file says that there is no data of it (quality N); where there should be, ask for the file again"
AHEAD = "it is an estimate of what will be used, and no reading (quality E); that comes with a later file"


@dataclass(slots=True)
class _Stream:
    """What a 200 record states: whose values follow; `problem` says why they cannot be read."""

    table: Table | None
    minutes: int = 30
    problem: str = ""

    @property
    def intervals(self) -> int:
        return _DAY_MINUTES // self.minutes


@dataclass(slots=True)
class _Day:
    """A 300 record, until its 400 records were read."""

    row: delimited.Row
    date: str
    at_ms: int
    numbers: list[Number | None]
    qualities: list[str]
    problems: list[tuple[Place, str]]


class Reader:
    """Yields the items of a file. `ahead` is how far its times are ahead of UTC."""

    def __init__(self, ahead: str) -> None:
        self._ahead_ms = offset(ahead)
        self._is_eastern = ahead == "+10:00"
        self._out = Gathering()
        self._stream = _Stream(None, problem="no stream (200) stands before it")
        self._tables: dict[tuple[str, str, str], Table] = {}
        self._day: _Day | None = None
        self._is_ended = self._is_western = False
        self._index_reads = 0

    def items(self, rows: Iterator[delimited.Row]) -> Iterator[Item]:
        for count, row in enumerate(rows, 1):
            if row.is_blank and not row.problem:
                continue
            self._record(row, Place(f"record {count:,}", row.line, row.first, row.length))
            if self._out.is_ready:
                yield from self._out.taken()
        self._end_day()
        yield from self._out.ended()
        yield from self._warnings()

    def _warnings(self) -> Iterator[Warned]:
        if not self._is_ended:
            yield Warned("The file ends without its last record (900), so its end may be missing; ask for it again.")
        if self._index_reads:
            yield Warned(
                f"Not kept of this file: what the meter showed when it was visited (500): {self._index_reads:,}."
            )
        if self._is_western and self._is_eastern:
            yield Warned(
                "The file is of Western Australia, and its times were read as those of eastern Australia. Where they "
                "are Perth's, undo the import, and import the file again with --set offset=+08:00."
            )

    def _record(self, row: delimited.Row, place: Place) -> None:
        kind = row.cells[0].strip() if row.cells else ""
        if kind != "400":
            self._end_day()
        try:
            if row.problem:
                raise ValueError(row.problem)
            if kind in _READS:
                _READS[kind](self, [cell.strip() for cell in row.cells], row, place)
            else:
                raise ValueError(f"{kind[:20]!r} is no record of NEM12 or NEM13")
        except ValueError as error:
            if self._day is not None:  # it is a 400 record, which is told after its day
                self._day.problems.append((place, f"{error}; {_NEXT}"))
                return
            is_values = kind == "300" and self._stream.table is not None
            self._out.reject(place, f"{error}; {_NEXT}", self._stream.intervals if is_values else 1)

    def _header(self, cells: list[str], _: delimited.Row, __: Place) -> None:
        self._is_ended = False
        self._is_western |= _cell(cells, 3).upper().startswith(_WEST)

    def _end(self, _: list[str], __: delimited.Row, ___: Place) -> None:
        self._is_ended = True

    def _visit(self, cells: list[str], _: delimited.Row, __: Place) -> None:
        self._index_reads += bool(_cell(cells, 4))

    # ---- NEM12 ----

    def _begin_stream(self, cells: list[str], row: delimited.Row, _: Place) -> None:
        """What cannot be read of it is told with each of its days."""
        minutes = _cell(cells, 8)
        try:
            column, sort = stream(_cell(cells, 4), _cell(cells, 7))
            if minutes.lstrip("0") not in _LENGTHS:
                raise ValueError(f"its interval of {minutes[:20]!r} minutes is none of 1, 5, 10, 15 and 30")
        except ValueError as error:
            self._stream = _Stream(None, problem=f"of its stream (200, line {row.line:,}): {error}")
            return
        length = interval_name(int(minutes) * 60)
        name = " ".join(filter(None, (_cell(cells, 1)[:20], length, sort)))
        key = (name, column.role, column.unit)
        if key not in self._tables:
            self._tables[key] = Table(Source(f"nmi {name}", f"NMI {name}"), [column])
        self._stream = _Stream(self._tables[key], int(minutes))

    def _begin_day(self, cells: list[str], row: delimited.Row, _: Place) -> None:
        if self._stream.problem:
            raise ValueError(self._stream.problem)
        date, many = _cell(cells, 1), self._stream.intervals
        if not _DATE.fullmatch(date):
            raise ValueError(f"its date {date[:20]!r} is not written as YYYYMMDD")
        at_ms = day(date) - self._ahead_ms
        quality = _cell(cells, 2 + many).upper()
        if len(cells) < 2 + many or (quality and not _QUALITY.fullmatch(quality)):
            there = next((at for at, cell in enumerate(cells[2:]) if cell[:1].isalpha()), len(cells) - 2)
            raise ValueError(
                f"it has {there} values, and a day of intervals of {self._stream.minutes} minutes has {many}"
            )
        numbers = [number(cell) for cell in cells[2 : 2 + many]]
        self._day = _Day(row, date, at_ms, numbers, [quality] * many, [])

    def _qualify(self, cells: list[str], _: delimited.Row, __: Place) -> None:
        """The quality of some of the day's intervals."""
        if self._day is None:
            raise ValueError("no day (300) that could be read stands before it")
        first, last, quality = _cell(cells, 1), _cell(cells, 2), _cell(cells, 3).upper()
        are_numbers = all(each.isascii() and each.isdigit() and len(each) < 5 for each in (first, last))
        if not are_numbers or not 1 <= int(first) <= int(last) <= self._stream.intervals:
            raise ValueError(f"it is of no intervals of the day: {first[:20]!r} to {last[:20]!r}")
        if not _QUALITY.fullmatch(quality):
            raise ValueError(f"its quality {quality[:20]!r} is not known")
        self._day.qualities[int(first) - 1 : int(last)] = [quality] * (int(last) - int(first) + 1)

    def _end_day(self) -> None:
        done, self._day = self._day, None
        if done is None or self._stream.table is None:
            return
        ms = self._stream.minutes * 60_000
        ends = _cell_ends(done.row)[1 : 2 + len(done.numbers)]
        for at, (value, quality) in enumerate(zip(done.numbers, done.qualities, strict=True)):
            end = ends[at + 1]
            first = min(ends[at] + 1, end - 1)  # after the comma, which is all that there is of a blank one
            if value is None or quality.startswith("N"):
                where = f"interval {at + 1} of {done.date}"
                self._out.reject(Place(where, done.row.line, first, end - first), NO_DATA)
            else:
                self._out.add(
                    self._stream.table, done.at_ms + at * ms, ms // 1000, (value,), first, end, _said(quality)
                )
        for place, problem in done.problems:
            self._out.reject(place, problem)

    # ---- NEM13 ----

    def _accumulated(self, cells: list[str], row: delimited.Row, place: Place) -> None:
        column, sort = stream(_cell(cells, 4), _cell(cells, 19), _cell(cells, 7))
        begin_ms, end_ms = self._moment(_cell(cells, 9)), self._moment(_cell(cells, 14))
        quality, value = _cell(cells, 15).upper(), number(_cell(cells, 18))
        if quality.startswith("E"):
            self._out.reject(place, AHEAD)
            return
        if value is None:
            raise ValueError("it states no quantity")
        if end_ms <= begin_ms:
            raise ValueError("nothing lies between its two readings")
        name = " ".join(filter(None, (_cell(cells, 1)[:20], "accumulated", sort)))
        key = (name, column.role, column.unit)
        if key not in self._tables:
            self._tables[key] = Table(Source(f"nmi {name}", f"NMI {name}"), [column])
        seconds = (end_ms - begin_ms) // 1000
        end = row.first + row.length
        self._out.add(self._tables[key], begin_ms, seconds, (value,), row.first, end, _said(quality))

    def _moment(self, text: str) -> int:
        """`YYYYMMDDhhmmss` -> milliseconds UTC."""
        parts = _DATE_TIME.fullmatch(text)
        if parts is None:
            raise ValueError(f"its time {text[:20]!r} is not written as YYYYMMDDhhmmss")
        return day(parts[1]) + clock(f"{parts[2]}:{parts[3]}:{parts[4] or '00'}") - self._ahead_ms


_READS = {
    "100": Reader._header,
    "200": Reader._begin_stream,
    "300": Reader._begin_day,
    "400": Reader._qualify,
    "500": Reader._visit,
    "250": Reader._accumulated,
    "550": lambda *_: None,
    "900": Reader._end,
}
"""Record indicator -> what reads it. 550 says why a meter was read."""


def _cell(cells: list[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def _said(quality: str) -> str:
    """A quality in the standard's words, with the code of its method."""
    parts = _QUALITY.fullmatch(quality)
    if parts is None:
        return quality[:40]
    word = _WORDS.get(parts[1], parts[1])
    return f"{word} ({quality})" if parts[2] else word


def _cell_ends(row: delimited.Row) -> list[int]:
    """Where each cell ends in the file: of a row with quotes, which the format has not, some bytes before."""
    return [row.first + end + at for at, end in enumerate(accumulate(map(len, row.cells)))]
