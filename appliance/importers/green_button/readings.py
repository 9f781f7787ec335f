"""The second pass over a Green Button file: its readings, in blocks of one series."""

import re
from collections import deque
from collections.abc import Iterator
from mmap import mmap

from appliance import parsing
from appliance.importers.green_button.series import Directory, Series, quality
from appliance.importers.green_button.survey import Survey
from appliance.markup import BrokenError, Document
from appliance.records import Item, Readings, Rejected, Source, Span, Warned

BLOCK = 8192  # readings
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_LONGEST_SECONDS = 10 * 366 * 86_400
_DECIMAL = re.compile(r"([+-]?[0-9]{1,19})(?:\.([0-9]{0,18}))?")
_PARTS = ("value", "start", "duration", "quality")
_MOST_PARTS = 64  # elements in a reading; ESPI has a dozen
_NEXT = "ask your supplier for the file again, or add the reading by hand"


class _ReadingError(ValueError):
    """Why a reading cannot be read, for a person."""


class _Block:
    """Consecutive readings of one series and one quality, growing. `exponent` gets finer when a value needs it."""

    def __init__(self, series: Series, quality_: str, first: int) -> None:
        self.series = series
        self.quality = quality_
        self.first = first
        self.last_tag = first
        self.exponent = series.exponent
        self.at_ms: list[int] = []
        self.seconds: list[int] = []
        self.values: list[int] = []

    def scaled(self, whole: int, decimals: int) -> int:
        """`whole * 10**-decimals` of what the file states -> in units of this block's exponent."""
        needed = self.series.exponent - decimals
        if needed < self.exponent:
            self._refine(needed)
        return int(whole * self.series.factor * 10 ** (needed - self.exponent))

    def _refine(self, exponent: int) -> None:
        by = 10 ** (self.exponent - exponent)
        if self.values and max(map(abs, self.values)) * by > parsing.MAX_INT64:
            raise _ReadingError("its value has too many decimals")
        self.values = [value * by for value in self.values]
        self.exponent = exponent

    def readings(self, end: int) -> Readings:
        series = self.series
        columns = (self.at_ms, self.seconds, self.values)
        span = Span(self.first, end - self.first)
        return Readings(series.role, series.unit, self.exponent, *columns, span, self.quality)


class Reader(Document):
    """Yields the items of a file whose survey is known."""

    def __init__(self, data: bytes | mmap, survey: Survey, directory: Directory) -> None:
        super().__init__([data])
        self.data = data
        self._survey = survey
        self._directory = directory
        self._lines = parsing.Lines(data)
        self._ready: deque[Item] = deque()
        self._source: Source | None = None
        self._series: Series | None = None
        self._block: _Block | None = None
        self._holder = -1
        self._in_entry = self._entry_holds = False
        self._first = -1  # of the reading that is open
        self._count = 0
        self._parts: dict[str, str] = {}
        self._names = dict.fromkeys(_PARTS, "")
        self._row_name = ""
        self._listen()

    def items(self) -> Iterator[Item]:
        try:
            for _ in self.parsed():
                while self._ready:
                    yield self._ready.popleft()
        except BrokenError as stopped:
            self._stop(stopped)
        self._flush()
        yield from self._ready
        if not self._count:
            yield Warned("The file holds no readings.")

    # ---- the way to a reading ----

    def _listen(self) -> None:
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = None

    def _start(self, name: str, _: object) -> None:
        local = self.local[name]
        if local == "IntervalReading":
            self._open(name)
        elif local == "IntervalBlock":
            if not (self._in_entry and self._entry_holds):
                self._holder += 1
                self._series = self._directory.series(self._survey.key(self._holder))
            self._entry_holds = True
        elif local == "entry":
            self._in_entry, self._entry_holds, self._series = True, False, None

    def _end(self, name: str) -> None:
        if self.local[name] == "entry":
            self._in_entry = False

    def _open(self, name: str) -> None:
        """Within a reading, text is kept by its element's full name, and looked at when the reading ends."""
        self._first = self.offset()
        self._parts = {}
        if name != self._row_name:
            self._row_name = name
            prefix = name.removesuffix("IntervalReading")
            self._names = {part: prefix + part for part in _PARTS}
        self.parser.StartElementHandler = self._start_part
        self.parser.EndElementHandler = self._end_part
        self.parser.CharacterDataHandler = self._characters

    def _start_part(self, _: str, __: object) -> None:
        self.text = ""

    def _end_part(self, name: str) -> None:
        if name == self._row_name:
            self._close()
        else:
            if len(self._parts) < _MOST_PARTS:
                self._parts.setdefault(name, self.text)
            self.text = ""

    # ---- a reading ----

    def _close(self) -> None:
        self._count += 1
        series = self._series or self._directory.series(("", -1))
        self._series = series
        try:
            if series.problem:
                raise _ReadingError(series.problem)
            self._add(series)
        except _ReadingError as problem:
            self._reject(self._first, self._tag_end(self.offset()), f"IntervalReading {self._count}", str(problem))
        self._first = -1
        self._listen()

    def _add(self, series: Series) -> None:
        value, start, duration, code = self._read()
        seconds = _duration(duration, series)
        at_ms = _milliseconds(start)
        whole, decimals = _number(value)
        said = quality(code.strip()[:40]) if code else series.quality
        block = self._block
        if block is None or block.series is not series or block.quality != said or len(block.values) >= BLOCK:
            self._flush()
            block = self._block = _Block(series, said, self._first)
        scaled = block.scaled(whole, decimals)
        if not -parsing.MAX_INT64 <= scaled <= parsing.MAX_INT64:
            raise _ReadingError(f"its value {value.strip()[:40]} is too large to be true; {_NEXT}")
        block.at_ms.append(at_ms + seconds * 1000 if series.register else at_ms)
        block.seconds.append(0 if series.register or series.instant else seconds)
        block.values.append(scaled)
        block.last_tag = self.offset()

    def _read(self) -> list[str]:
        """value, start, duration, quality: texts, "" where one is absent."""
        parts = self._parts
        if self._names["value"] not in parts or self._names["start"] not in parts:
            parts = {self.local[name]: text for name, text in parts.items()}  # children with a prefix of their own
            return [parts.get(part, "") for part in _PARTS]
        return [parts.get(name, "") for name in self._names.values()]

    # ---- what is ready ----

    def _flush(self) -> None:
        block, self._block = self._block, None
        if block is None or not block.values:
            return
        self._say_source(block.series)
        self._ready.append(block.readings(self._tag_end(block.last_tag)))

    def _reject(self, first: int, end: int, where: str, reason: str) -> None:
        self._flush()
        if self._series:
            self._say_source(self._series)
        self._ready.append(Rejected(Span(first, end - first), self._lines.at(first), where, reason))

    def _say_source(self, series: Series) -> None:
        if series.source != self._source:
            self._source = series.source
            self._ready.append(series.source)

    def _stop(self, stopped: BrokenError) -> None:
        """What was read stays; the rest is one rejected row, from the reading that was open where one was."""
        first = self._first if self._first >= 0 else stopped.offset
        line = stopped.line
        if first < len(self.data):
            self._count += 1
            where = f"IntervalReading {self._count}" if self._first >= 0 else "the rest of the file"
            reason = f"the file cannot be read at line {line}: {stopped.reason}; ask your supplier for it again"
            self._reject(first, len(self.data), where, reason)
        self._flush()
        self._ready.append(Warned(f"The file was read up to line {line} only: {stopped.reason}."))

    def _tag_end(self, offset: int) -> int:
        """The end of the tag that begins at `offset`."""
        return self.data.find(b">", offset) + 1 or len(self.data)


# ---- numbers ----


def _number(text: str) -> tuple[int, int]:
    """A value as (whole, decimals): whole * 10**-decimals. ESPI says whole numbers; some write decimals."""
    if text.isdigit() and text.isascii() and len(text) < 19:
        return int(text), 0
    text = text.strip()
    parts = _DECIMAL.fullmatch(text)
    if parts is None:
        raise _ReadingError(
            f"its value {text[:40]!r} is not a number; {_NEXT}" if text else f"it states no value; {_NEXT}"
        )
    decimals = (parts[2] or "").rstrip("0")
    return int(parts[1] + decimals), len(decimals)


def _milliseconds(text: str) -> int:
    """Seconds since 1970, whole or fractional -> milliseconds, rounded down."""
    if text.isdigit() and text.isascii() and len(text) < 12:
        return int(text) * 1000
    text = text.strip()
    parts = _DECIMAL.fullmatch(text)
    if parts is None or text.startswith("-") or int(parts[1]) > _LAST_SECOND:
        raise _ReadingError(f"its start {text[:40]!r} is not a time in seconds since 1970; {_NEXT}")
    return int(parts[1]) * 1000 + int((parts[2] or "").ljust(3, "0")[:3])


def _duration(text: str, series: Series) -> int:
    if text.isdigit() and text.isascii() and len(text) < 9:
        return int(text)
    text = text.strip()
    if not text and (series.seconds >= 0 or series.register or series.instant):
        return max(series.seconds, 0)
    parts = _DECIMAL.fullmatch(text)
    if parts is None or text.startswith("-") or (parts[2] or "").strip("0") or int(parts[1]) > _LONGEST_SECONDS:
        raise _ReadingError(f"its duration {text[:40]!r} is not a whole number of seconds; {_NEXT}")
    return int(parts[1])
