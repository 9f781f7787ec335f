"""JSON of any size read forward: its rows one after the other, each with its bytes and its line, in bounded memory.

    for row in rows(pieces, lambda path, mark: path == ("locations", EACH)):
        said = loaded(row.raw)          {"locations": [{"latitudeE7": ...}, ...]}

What is a row is told by where it stands: the names that lead to it, `EACH` for an element of a list, and the mark that
it begins with. What is no row is passed over; only rows are taken apart. One that is broken stops no other, as long as
its brackets are closed.

Source: RFC 8259.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from appliance import parsing

EACH = "[]"
LONGEST_ROW = 16 << 20  # bytes
DEEPEST = 200
_BLANK = re.compile(rb"[ \t\r\n]*+")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[{}\[\],:]|[^\s,:\[\]{}"]++', re.S)
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|([{\[])|[}\]]', re.S)
_MARK = b"\xef\xbb\xbf"
_CLOSES = {b"}": "{", b"]": "["}

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the way to it, its bytes, and where they lie; `line` from 1.

    `problem` says why the file cannot be read from there on, or why the row was not held; `raw` is empty then.
    """

    path: Path
    raw: bytes
    first: int
    length: int
    line: int
    problem: str = ""


class _BrokenError(Exception):
    """Why the text cannot be read further, and at which place of what is held."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(reason)
        self.place = place


def rows(pieces: Iterable[bytes], is_row: Callable[[Path, str], bool]) -> Iterator[Row]:
    """The rows of a text that comes in pieces of any size. Where it breaks off, a row with a problem is the last."""
    yield from _Reader(pieces).rows(is_row)


def loaded(raw: bytes) -> Any:
    """What a row says, decimals as they are written; ValueError, with the reason for a person, where it is no JSON."""
    try:
        return json.loads(parsing.decoded(raw), parse_float=str, strict=False)
    except RecursionError:
        raise ValueError("it nests too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON at {error.doc[error.pos : error.pos + 10]!r}") from None


class _Reader:
    """Holds what has come and is not read yet; places are in that."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""
        self._base, self._line, self._counted = 0, 1, 0
        self._at = 0
        while len(self._held) < len(_MARK) and self._more(0):
            pass
        if self._held.startswith(_MARK):
            self._at = len(_MARK)

    def rows(self, is_row: Callable[[Path, str], bool]) -> Iterator[Row]:
        try:
            yield from self._walk(is_row)
        except _BrokenError as error:
            first, line = self._base + error.place, self._line_at(error.place)
            while self._more(len(self._held)):
                pass
            yield Row((), b"", first, self._base + len(self._held) - first, line, str(error))

    def _walk(self, is_row: Callable[[Path, str], bool]) -> Iterator[Row]:
        opened, path, is_name = list[str](), list[str](), False
        while (token := self._token()) is not None:
            mark = token[:1]
            if mark in (b"{", b"["):
                if is_row(tuple(path), mark.decode()):
                    yield self._row(tuple(path))
                else:
                    opened.append(mark.decode())
                    path.append(EACH if mark == b"[" else "")
                    is_name = mark == b"{"
                    if len(opened) > DEEPEST:
                        raise _BrokenError(self._at - 1, "it nests too deep")
            elif mark in _CLOSES:
                if not opened or opened.pop() != _CLOSES[mark]:
                    raise _BrokenError(self._at - 1, f"there is a {mark.decode()} too many")
                path.pop()
                is_name = False
                if not opened:
                    return
            elif mark == b",":
                is_name = bool(opened) and opened[-1] == "{"
            elif is_name and mark == b'"':
                path[-1], is_name = _name(token), False
            elif not opened and mark != b'"':
                raise _BrokenError(self._at - len(token), f"it is no JSON at {_shown(token)!r}")
        if opened:
            raise _BrokenError(len(self._held), "it ends in the middle")

    def _token(self) -> bytes | None:
        """The next token, which is passed; None at the end."""
        while True:
            start = _BLANK.match(self._held, self._at).end()  # type: ignore[union-attr]
            found = _TOKEN.match(self._held, start)
            is_whole = found is not None and (
                found.end() < len(self._held) if found[0][:1] not in b'"{}[],:' else found[1] != b""
            )
            if found is not None and is_whole:
                self._at = found.end()
                return found[0]
            if len(self._held) - start > LONGEST_ROW:
                raise _BrokenError(start, "it holds a text that does not end")
            if not self._more(start):
                if found is None:
                    return None
                if found[0][:1] == b'"':
                    raise _BrokenError(start, "it ends in the middle of a text")
                self._at = found.end()
                return found[0]
            self._at = 0

    def _row(self, path: Path) -> Row:
        """The row that begins with the bracket just passed. One that is too long is not held."""
        start, place, depth, dropped = self._at - 1, self._at, 1, 0
        first, line = self._base + start, self._line_at(start)
        while True:
            for found in _BRACKET.finditer(self._held, place):
                if found[0][:1] == b'"':
                    if not found[1]:
                        place = found.start()
                        break
                else:
                    depth += 1 if found[2] else -1
                place = found.end()
                if not depth:
                    self._at = place
                    length = self._base + place - first
                    if dropped:
                        return Row(path, b"", first, length, line, f"it is longer than {LONGEST_ROW >> 20} MB")
                    return Row(path, self._held[start:place], first, length, line)
            else:
                place = len(self._held)
            if place - start > LONGEST_ROW or dropped:
                dropped, start = 1, place
            if len(self._held) - start > 2 * LONGEST_ROW:
                raise _BrokenError(start, "it holds a text that does not end")
            keep = start
            if not self._more(keep):
                raise _BrokenError(max(0, first - self._base), "it ends in the middle")
            place, start = place - keep, 0

    def _more(self, keep: int) -> bool:
        """Lets go what lies before a place, and takes the next piece; whether there is one."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._line_at(keep)
        self._base += keep
        self._counted -= keep
        self._held = self._held[keep:] + piece
        return True

    def _line_at(self, place: int) -> int:
        """The line of a place; places must not fall."""
        if place > self._counted:
            self._line += self._held.count(b"\n", self._counted, place)
            self._counted = place
        return self._line


def _name(token: bytes) -> str:
    try:
        return str(json.loads(parsing.decoded(token), strict=False))
    except ValueError:
        return parsing.decoded(token[1:-1])


def _shown(token: bytes) -> str:
    return token[:10].decode("ascii", "replace")
