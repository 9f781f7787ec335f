"""Rows of a meter's file, gathered: readings in blocks of columns, and rows that cannot be read in runs.

A block holds consecutive rows of one table and one quality. Before a row that is rejected every block ends, so that
what is rejected lies in no block's span.

A row that states no value at all (a blank, a `?`) is a reading that the file says there is not: it is read and
rejected, as a row and not once a column. Rejected rows that follow one another for the same reason are one `Rejected`
with their count, so that a week without a meter is one line of the report. A value that is missing beside others is no
reading; how many are is said at the end.
"""

import re
from abc import ABC, abstractmethod
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from appliance import delimited
from appliance.records import Item, Readings, Record, Rejected, Source, Span, Warned

BLOCK = 8192  # rows
WHOLE_DIGITS, DECIMALS = 9, 9  # so that every value of a block fits into 64 bits, whatever the others' decimals

Number = tuple[int, int]
"""`whole * 10**-decimals`, exactly."""

_NUMBER = {
    mark: re.compile(rf"([+-]?)([0-9]{{0,30}})(?:\{mark}([0-9]{{0,40}}))?(?:[eE]([+-]?[0-9]{{1,2}}))?") for mark in ".,"
}
_MISSING = frozenset({"", "?", "-", "null", "nan", "none", "n/a", "invalid value"})
_DAY_S = 86_400
_INTERVALS = {60: "by minutes", 300: "5-minute", 900: "quarter-hourly", 1800: "half-hourly", 3600: "hourly"}
_TENS = [10**power for power in range(DECIMALS + 1)]

NO_VALUE = "it states no value, so there is no reading of that time; where there should be, ask for the file again"
FEWER_CELLS = "it has fewer cells than the heading, so its end may be missing"
_NEXT = "ask for the file again, or correct the row and import the file again"


# ---- values ----


@lru_cache(maxsize=1 << 14)
def number(text: str, mark: str = ".") -> Number | None:
    """The number that a cell states, None where it states none; ValueError where it is no number or too large.

    `mark` is what stands before the decimals. What is finer than a billionth is noise of the supplier's own floating
    point, and rounded off.
    """
    text = text.strip()
    parts = _NUMBER[mark].fullmatch(text)
    if parts is None or not (parts[2] or parts[3]):
        if text.lower() in _MISSING:
            return None
        raise ValueError(f"its value {text[:40]!r} is not a number")
    whole, decimals = parts[2].lstrip("0"), (parts[3] or "").rstrip("0")
    if parts[4] or len(decimals) > DECIMALS:
        return _rounded(Decimal(f"{parts[1]}{whole or 0}.{decimals or 0}e{parts[4] or 0}"), text)
    if len(whole) > WHOLE_DIGITS:
        raise ValueError(f"its value {text[:40]} is too large to be true")
    return int(f"{parts[1]}{whole or 0}{decimals}"), len(decimals)


def _rounded(value: Decimal, text: str) -> Number:
    if abs(value) >= 10**WHOLE_DIGITS:
        raise ValueError(f"its value {text[:40]} is too large to be true")
    whole, _, decimals = f"{round(value, DECIMALS):f}".partition(".")
    decimals = decimals.rstrip("0")
    return int(whole + decimals), len(decimals)


@lru_cache(maxsize=1 << 10)
def interval_name(seconds: int) -> str:
    """What intervals of a length are called, in the name of a source: series of other intervals are others'."""
    days = round(seconds / _DAY_S)
    if days >= 20:
        return "monthly" if days < 300 else "yearly"
    if abs(seconds - _DAY_S) <= 3600:  # the days on which clocks are changed
        return "daily"
    return _INTERVALS.get(seconds, f"{seconds}-second")


# ---- tables ----


@dataclass(frozen=True, slots=True)
class Column:
    """One series of a table: a stated value times 10**exponent is in `unit`. `title` is its name in the file."""

    role: str
    unit: str
    exponent: int = 0
    title: str = ""


@dataclass(eq=False, slots=True)
class Table:
    """The series of one source whose values stand in the same rows."""

    source: Source
    columns: Sequence[Column]
    missing: Counter[Column] = field(default_factory=Counter)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row lies, and what a person calls it."""

    where: str
    line: int
    first: int
    length: int


class _Block:
    __slots__ = ("at_ms", "end", "first", "numbers", "quality", "seconds", "table")

    def __init__(self, table: Table, quality: str, first: int) -> None:
        self.table, self.quality, self.first, self.end = table, quality, first, first
        self.at_ms, self.seconds = array("q"), array("q")
        self.numbers: list[Sequence[Number | None]] = []

    def readings(self) -> list[Readings]:
        """Those of each column that has any."""
        self.table.rows += len(self.numbers)
        span = Span(self.first, self.end - self.first)
        found = []
        for place, column in enumerate(self.table.columns):
            stated = [numbers[place] for numbers in self.numbers]
            at_ms, seconds = self.at_ms, self.seconds
            if None in stated:
                there = [at for at, each in enumerate(stated) if each is not None]
                self.table.missing[column] += len(stated) - len(there)
                at_ms, seconds = (array("q", [every[at] for at in there]) for every in (at_ms, seconds))
            values = [each for each in stated if each is not None]
            if values:
                finest = max([decimals for _, decimals in values])
                scaled = array("q", [whole * _TENS[finest - decimals] for whole, decimals in values])
                exponent = column.exponent - finest
                found.append(Readings(column.role, column.unit, exponent, at_ms, seconds, scaled, span, self.quality))
        return found


class Gathering:
    """What a file's rows come to. After each, `taken` gives what is ready."""

    def __init__(self) -> None:
        self._open: dict[Table, _Block] = {}
        self._tables: dict[Table, None] = {}
        self._ready: list[Item] = []
        self._source: Source | None = None
        self._run: tuple[Place, Place, int, str] | None = None  # first and last row, count, reason
        self.is_empty = True

    def add(
        self,
        table: Table,
        at_ms: int,
        seconds: int,
        numbers: Sequence[Number | None],
        first: int,
        end: int,
        quality: str = "",
    ) -> None:
        """A row's values, one a column, of which one is there at least."""
        if self._run is not None:
            self._end_run()
        block = self._open.get(table)
        if block is None or block.quality != quality or len(block.numbers) >= BLOCK:
            if block is not None:
                self._emit(block)
            block = self._open[table] = _Block(table, quality, first)
            self._tables[table] = None
            self.is_empty = False
        block.at_ms.append(at_ms)
        block.seconds.append(seconds)
        block.numbers.append(numbers)
        block.end = end

    def add_fact(self, source: Source, fact: Record) -> None:
        """A row that is a fact, between those that are readings."""
        self._end_blocks()
        self._end_run()
        self._say(source)
        self._ready.append(fact)
        self.is_empty = False

    @property
    def is_ready(self) -> bool:
        """Whether there is something to take."""
        return bool(self._ready)

    def reject(self, place: Place, reason: str, count: int = 1) -> None:
        """A row that cannot be read, or what stands for `count` of them."""
        self.is_empty = False
        if self._run is not None and self._run[3] == reason:
            begun, _, counted, _ = self._run
            self._run = (begun, place, counted + count, reason)
            return
        self._end_blocks()
        self._end_run()
        self._run = (place, place, count, reason)

    def taken(self) -> list[Item]:
        """What is ready, which is forgotten here."""
        ready, self._ready = self._ready, []
        return ready

    def closed(self) -> list[Item]:
        """The rest of what was gathered so far."""
        self._end_blocks()
        self._end_run()
        return self.taken()

    def ended(self) -> list[Item]:
        """The rest, and what a person should know of the whole."""
        self._end_blocks()
        self._end_run()
        for table in self._tables:
            for column, count in table.missing.items():
                if count < table.rows:
                    rows = "row has" if count == 1 else "rows have"
                    self._ready.append(Warned(f"{count:,} {rows} no value of {column.title or column.role}."))
        if self.is_empty:
            self._ready.append(Warned("The file holds no readings."))
        return self.taken()

    def _end_blocks(self) -> None:
        for block in sorted(self._open.values(), key=lambda each: (each.first, each.end)):
            self._emit(block)
        self._open.clear()

    def _emit(self, block: _Block) -> None:
        self._say(block.table.source)
        self._ready += block.readings()

    def _say(self, source: Source) -> None:
        if source != self._source:
            self._source = source
            self._ready.append(source)

    def _end_run(self) -> None:
        if self._run is None:
            return
        begun, last, count, reason = self._run
        self._run = None
        where = begun.where if last is begun else f"{begun.where} to {last.where}"
        span = Span(begun.first, last.first + last.length - begun.first)
        self._ready.append(Rejected(span, begun.line, where, reason, count))


# ---- a file's rows ----


class NoValueError(Exception):
    """A row states no value."""


class RowReader(ABC):
    """Reads the rows below a heading one by one; what it finds it adds to `out`."""

    def __init__(self, heading: delimited.Row | None) -> None:
        self.heading = heading
        self.out = Gathering()

    @abstractmethod
    def read(self, row: delimited.Row) -> None:
        """Adds what a row states; ValueError with the reason where it cannot be read, NoValueError for no value."""

    def warnings(self) -> Iterator[str]:
        """What a person should know of the file, once it is read."""
        return iter(())

    def items(self, below: Iterator[delimited.Row]) -> Iterator[Item]:
        """What the rows come to."""
        for number_, row in enumerate(below, 1):
            cells = row.cells
            if not (cells and cells[0]) and row.is_blank and not row.problem:
                continue
            try:
                if row.problem:
                    raise ValueError(row.problem)
                self.read(row)
            except NoValueError:
                self.out.reject(_place(row, number_), NO_VALUE)
            except ValueError as error:
                self.out.reject(_place(row, number_), f"{error}; {_NEXT}")
            if self.out.is_ready:
                yield from self.out.taken()
        yield from self.out.ended()
        yield from map(Warned, self.warnings())

    def unread(self, places: set[int]) -> Iterator[str]:
        """Names the columns of which nothing is kept; `places` are those that are read."""
        cells = self.heading.cells if self.heading else []
        names = [cell.strip() for place, cell in enumerate(cells) if place not in places and cell.strip()]
        if names:
            yield f"Not kept of this file: {', '.join(names)}."[:1000]


def _place(row: delimited.Row, number_: int) -> Place:
    return Place(f"row {number_:,}", row.line, row.first, row.length)
