"""Delimited text (CSV, TSV): its rows one after the other, each with its bytes and its line, in bounded memory.

RFC 4180, and what suppliers write instead: lines that end in LF, CR LF or CR alone, any delimiter, UTF-8 and UTF-16
with or without a mark, Windows-1252, and rows of another encoding in one file. A quote opens a cell at its beginning
alone.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from typing import NamedTuple

from appliance import parsing

LONGEST_ROW = 1 << 20  # bytes
MOST_CELLS = 20_000  # of one row
_LONGEST_NAME = 500  # characters of a column's name that are compared
_MOST_LINES = 200  # of one row: a quote that nothing closes would else take the rest of the file
_MOST_BLANK = 100  # rows before a heading
_SHOWN = 1 << 16
_TOO_LONG = f"it is longer than {LONGEST_ROW >> 20} MB, so the file is damaged"
_TOO_MANY = f"it has more than {MOST_CELLS:,} cells, so the file is damaged"
_UNCLOSED = 'a quote (") opens in it and nothing closes it'
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class Row(NamedTuple):
    """One row: its cells as text, where it lies in the file without its line end, and its first line, from 1.

    `problem` says why it could not be taken apart; its cells are what could be read then.
    """

    cells: list[str]
    first: int
    length: int
    line: int
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        return not "".join(self.cells).strip()


class Header:
    """Which column has which name: told without regard to case, blanks and what is in brackets behind it.

    `names` are the columns' own, in order.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        self.names = [cell.strip() for cell in cells]
        self._place: dict[str, int] = {}
        for place, name in enumerate(self.names):
            self._place.setdefault(plain(name), place)

    def __contains__(self, name: str) -> bool:
        return plain(name) in self._place

    def has(self, *names: str) -> bool:
        return all(name in self for name in names)

    def places(self, *names: str) -> list[int]:
        """Where those of these columns stand that there are, in the order in which they are named."""
        found = (self._place.get(plain(name)) for name in names)
        return [place for place in found if place is not None]

    def cell(self, row: Row, *names: str) -> str:
        """The row's value in the first of these columns that there is, without blanks around it; "" for none."""
        for name in names:
            place = self._place.get(plain(name))
            if place is not None:
                return row.cells[place].strip() if place < len(row.cells) else ""
        return ""


def plain(name: str) -> str:
    """A column's name as it is compared."""
    return " ".join(name[:_LONGEST_NAME].replace("\ufeff", "").casefold().split())


def encoding(head: bytes) -> tuple[str, int]:
    """The encoding that a file's beginning shows, and the length of its mark: UTF-8 unless it is surely not."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name, len(mark)
    if head[1:2] == b"\0" and head[3:4] == b"\0" and head[:1] != b"\0":
        return "utf-16-le", 0
    if head[:1] == b"\0" and head[2:3] == b"\0" and head[1:2] != b"\0":
        return "utf-16-be", 0
    return "utf-8", 0


def delimiter(line: str) -> str:
    """What parts the cells of a heading: that of the usual marks which occurs most in it; a comma where none does."""
    return max(",;\t|", key=line.count)


def heading(head: bytes) -> Header:
    """The names of the columns, by a file's first bytes: what to tell a format by."""
    row, _ = table([head])
    return Header(row.cells if row else [])


def head_rows(head: bytes, delimiter_: str = "") -> list[Row]:
    """The rows of a file's first bytes, the last one perhaps cut: what to tell a format by. `delimiter_`: "" for that
    of the first line."""
    return list(rows([head], delimiter_ or _delimiter_of(head)))


def table(pieces: Iterable[bytes]) -> tuple[Row | None, Iterator[Row]]:
    """A file's heading, which is the first row that is not blank, and the rows below it; what parts cells is told by
    its line. None where only blank rows are in sight.
    """
    whole = iter(pieces)
    held = _begun(whole)
    below = rows(chain([held], whole), _delimiter_of(held))
    return next((row for row in islice(below, _MOST_BLANK) if not row.is_blank), None), below


def _delimiter_of(head: bytes) -> str:
    code, _ = encoding(head)
    first = head[:_SHOWN].decode(code, "replace").lstrip("\ufeff\r\n ").splitlines()[:1]
    return delimiter(first[0] if first else "")


def rows(pieces: Iterable[bytes], delimiter: str = ",") -> Iterator[Row]:
    """The rows of a file that comes in pieces of any size; blank ones too."""
    taken: list[_Line] = []
    for line in _lines(pieces):
        if not (taken or line.is_cut):
            text = _text(line.raw, line.encoding)
            if '"' not in text or not _is_open(text, delimiter):
                yield _parted(text, line.first, len(line.raw), line.number, delimiter)
                continue
        taken.append(line)
        if b'"' in line.raw or len(taken) > 1:
            raw = b"".join(each.raw + each.end for each in taken)
            if not line.is_cut and _is_open(_text(raw, line.encoding), delimiter):
                if len(taken) == _MOST_LINES or len(raw) > LONGEST_ROW:
                    yield from _apart(taken, delimiter)
                    taken = []
                continue
        yield _row(taken, delimiter)
        taken = []
    yield from _apart(taken, delimiter)


class _Line(NamedTuple):
    """A line as it lies, its end beside it."""

    raw: bytes
    end: bytes
    first: int
    number: int
    encoding: str
    is_cut: bool = False  # too long to be held: `raw` is only its length in zeros


def _apart(lines: list[_Line], delimiter: str) -> Iterator[Row]:
    """Lines of which the first opens a quote that nothing closes: a row of its own, which says so, and the others."""
    for line in lines:
        text = _text(line.raw, line.encoding)
        if _is_open(text, delimiter):
            cells = text.split(delimiter, MOST_CELLS)
            yield Row(cells, line.first, len(line.raw), line.number, _UNCLOSED)
        else:
            yield _row([line], delimiter)


def _row(lines: list[_Line], delimiter: str) -> Row:
    first, last = lines[0], lines[-1]
    length = last.first + len(last.raw) - first.first
    if last.is_cut:
        return Row([], first.first, length, first.number, _TOO_LONG)
    raw = first.raw if first is last else b"".join(each.raw + each.end for each in lines[:-1]) + last.raw
    return _parted(_text(raw, first.encoding), first.first, length, first.number, delimiter)


def _parted(text: str, first: int, length: int, number: int, delimiter: str) -> Row:
    """A row whose quotes are closed, taken apart."""
    if text.count(delimiter) >= MOST_CELLS:
        return Row(text.split(delimiter, MOST_CELLS), first, length, number, _TOO_MANY)
    if '"' not in text:
        return Row(text.split(delimiter), first, length, number)
    try:
        return Row(next(csv.reader([text], delimiter=delimiter)), first, length, number)
    except (csv.Error, StopIteration) as error:
        return Row(text.split(delimiter), first, length, number, f"its cells cannot be told apart: {error}")


def _text(raw: bytes, encoding: str) -> str:
    """UTF-8, or Windows-1252 where a row is not that; other encodings are the whole file's."""
    if encoding != "utf-8":
        return raw.decode(encoding, "replace")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return parsing.decoded(raw)


def _is_open(text: str, delimiter: str) -> bool:
    """Whether a quoted cell goes on in the next line."""
    return _closed(delimiter).fullmatch(text) is None


@cache
def _closed(delimiter: str) -> re.Pattern[str]:
    """Cells of which each that a quote opens is closed by one; what stands behind that quote is taken as it is."""
    rest = f"[^{re.escape(delimiter)}]*+"
    cell = rf'(?:"[^"]*+(?:""[^"]*+)*+"{rest}|(?!"){rest})'
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+")


def _lines(pieces: Iterable[bytes]) -> Iterator[_Line]:
    """Lines end in LF where the first of them do, else in CR; what is before it in the line end is left out of them."""
    whole = _small(pieces)
    held = _begun(whole)
    code, at = encoding(held)
    held = held[at:]
    width = 2 if code.startswith("utf-16") else 1
    feed, carriage = "\n".encode(code), "\r".encode(code)
    end = feed if feed in held or carriage not in held else carriage
    number, cut = 1, 0
    for piece in chain([b""], whole):
        held += piece
        *ended, held = _aligned(held.split(end), end, width)
        for line in ended:
            length = len(line) + cut
            raw, own = (line[:-width], carriage + end) if end == feed and line.endswith(carriage) else (line, end)
            yield _Line(raw if not cut else bytes(length), own, at, number, code, bool(cut) or length > LONGEST_ROW)
            at, number, cut = at + length + len(end), number + 1, 0
        if len(held) > LONGEST_ROW:  # the rest of such a line is counted and let go
            keep = len(held) % width
            cut, held = cut + len(held) - keep, held[len(held) - keep :]
    if held or cut:
        yield _Line(held if not cut else bytes(cut + len(held)), b"", at, number, code, bool(cut))


def _small(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in pieces of which the lines, however many and short, take little memory."""
    return (piece[at : at + _SHOWN] for piece in pieces for at in range(0, len(piece), _SHOWN))


def _begun(pieces: Iterator[bytes]) -> bytes:
    """As much of the beginning as shows the encoding and how lines end."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= _SHOWN:
            break
    return held


def _aligned(parts: list[bytes], end: bytes, width: int) -> list[bytes]:
    """What was parted at a line end that was none, but the halves of two characters of UTF-16, joined again."""
    if width == 1:
        return parts
    joined = [parts[0]]
    for part in parts[1:]:
        if len(joined[-1]) % width:
            joined[-1] += end + part
        else:
            joined.append(part)
    return joined
