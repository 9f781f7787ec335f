"""The fields of an MT940 file: where each lies, and how days and amounts are written in them.

    :61:0709040904CR300,NTRFREF    a colon at a line's beginning, the tag, a colon, and all lines until the next

`:NS:` is a field that some German and Hungarian programs write in place of `:86:`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from appliance import parsing
from appliance.content import Data
from appliance.records import Span

_FIELD = re.compile(rb"(?:\r|\n|\{4:)(:(\d\d[A-Z]?|NS):)")
_FIRST = re.compile(rb"(?:\xef\xbb\xbf|[\x00-\x20])*(:(\d\d[A-Z]?):)")
_END = re.compile(rb"[\r\n]-(?:\}|XXX|\x03|[ \t]*(?:[\r\n]|\Z))")
_BLANK = b"\r\n \t\x00\x03"
_PLAIN = re.compile(r"\d{1,12}(?:,\d{0,6})?")
_ASCII = bytes(range(0x80))
_DOS_UMLAUT = re.compile(rb"[A-Za-z][\x81\x84\x8e\x94\x99\x9a\xe1][A-Za-z]")
_DOS_LETTERS = frozenset(
    b"\x80\x81\x82\x83\x84\x85\x87\x88\x89\x8a\x8b\x8c\x8e\x90\x93\x94\x96\x97\x99\x9a\xa0\xa1\xa2\xa3\xa4\xe1"
)
_AT_ONCE = 1 << 20
_LIKE_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3})+")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its tag, its bytes without line ends at their end, and where it lies, the tag included."""

    tag: str
    raw: bytes
    first: int
    end: int


def fields(data: Data) -> Iterator[Field | None]:
    """The fields of a file in order; None where a statement ends."""
    found = _FIRST.match(data[:4096]) or _FIELD.search(data)
    while found:
        first, begin = found.span(1)
        tag = found[2].decode()
        found = _FIELD.search(data, begin)
        raw = data[begin : found.start() if found else len(data)]
        ended = _END.search(raw) if b"\n-" in raw or b"\r-" in raw else None
        raw = (raw[: ended.start()] if ended else raw).rstrip(_BLANK)
        yield Field(tag, raw, first, begin + len(raw))
        if ended:
            yield None


def span(first: Field, last: Field) -> Span:
    """From the beginning of one field to the end of another."""
    return Span(first.first, last.end - first.first)


def is_in_dos_letters(data: Data) -> bool:
    """Whether letters are surely those of DOS's code pages, as some banks' old programs write them: there are umlauts
    of theirs within words, and no letter of Windows' or of UTF-8."""
    used, found = set[int](), False
    for at in range(0, len(data), _AT_ONCE):
        piece = data[at : at + _AT_ONCE]
        if not piece.isascii():
            used |= set(piece.translate(None, _ASCII))
            found = found or bool(_DOS_UMLAUT.search(piece))
            if not used <= _DOS_LETTERS:
                return False
    return found


@lru_cache(maxsize=4_096)
def day(text: str) -> date:
    """YYMMDD: of this century until 2079, as SWIFT counts. ValueError where there is no such day."""
    year = int(text[:2])
    try:
        return date(year + (2000 if year < 80 else 1900), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise ValueError(f"the date {text!r} is not a day of the calendar") from None


@lru_cache(maxsize=4_096)
def booked(value_day: date, text: str) -> date:
    """MMDD, in the year that lies nearest to the value day: entries of January have values of December."""
    days = []
    for year in (value_day.year - 1, value_day.year, value_day.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise ValueError(f"the day booked, {text!r}, is not a day of the calendar")
    return min(days, key=lambda each: abs((each - value_day).days))


def amount(text: str) -> Decimal:
    """A comma marks the decimals; ValueError where it is not certain, such as a point that may set off thousands."""
    if _PLAIN.fullmatch(text):
        return Decimal(text.replace(",", ".")) or Decimal(0)
    if _LIKE_THOUSANDS.fullmatch(text):
        raise ValueError(f"the amount {text!r} could mean thousands or decimals")
    return parsing.amount(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
