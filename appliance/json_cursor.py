"""JSON walked along its structure: the values that matter, each with its bytes, and one broken value stops no other.

    for key, _ in cursor.members():            {"accounts": [{"id": "1", ...}, ...], "more": ...}
        if key == "accounts":
            for first in cursor.elements():     where each account begins
                account = cursor.value()        what it says; `cursor.at` is where it ends
                                                what is not read is passed over, "more" here

Numbers are kept as they were written (`Number`). Nothing is refused that can be read: a mark at the beginning, control
characters in a text, a comma too many, text in another encoding than UTF-8.

Source: RFC 8259.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from appliance import parsing
from appliance.content import Data
from appliance.messages import Number
from appliance.records import Item, Rejected, Source, Span, Warned

_BLANK = re.compile(r"[ \t\r\n]*+")
_BETWEEN = re.compile(r"[ \t\r\n,\]}]*+")
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{}\[\]]', re.S)
_SCALAR = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[^\s,:\[\]{}"]++', re.S)
_MARK = b"\xef\xbb\xbf"
_ENDED = "it ends in the middle"


class BrokenError(Exception):
    """A value cannot be read: at which byte, and why."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset, self.reason = offset, reason


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refused, strict=False)


class Cursor:
    """A place in a JSON text: `at` is a byte of it. Reading a value moves it behind that value."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self._text = data[:].decode("latin-1")  # so that each character is a byte
        self._end = len(self._text.rstrip("\0\t\r\n "))
        self.at = len(_MARK) if data[: len(_MARK)] == _MARK else 0

    def begins(self) -> str:
        """The first character of the value here: one of {, [, ", another of a number or a word, or "" at the end."""
        self.at = self._behind_blank(self.at)
        return self._text[self.at : self.at + 1]

    def value(self) -> Any:
        """What the value here says. BrokenError where it cannot be read; the cursor stays before it then."""
        first = self._behind_blank(self.at)
        try:
            found, end = _DECODER.scan_once(self._text, first)  # type: ignore[attr-defined]
        except StopIteration as stopped:
            raise self._broken(cast(int, stopped.value)) from None
        except json.JSONDecodeError as error:
            is_cut = error.msg.startswith("Unterminated string")
            raise self._broken(len(self._text) if is_cut else error.pos) from None
        except RecursionError:
            raise BrokenError(first, "it nests too deep") from None
        except ValueError as error:
            raise BrokenError(first, str(error)) from None
        raw = self.data[first:end]
        self.at = end
        return found if raw.isascii() else _decoded(raw, found)

    def skip(self) -> None:
        """Passes over the value here. BrokenError where it does not end."""
        first = self._behind_blank(self.at)
        if self._text[first : first + 1] not in ("{", "["):
            scalar = _SCALAR.match(self._text, first)
            if scalar is None:
                raise self._broken(first)
            self.at = scalar.end()
            return
        depth = 0
        for token in _BRACKET.finditer(self._text, first):
            mark = token[0]
            if mark in ("{", "["):
                depth += 1
            elif mark in ("}", "]"):
                depth -= 1
                if not depth:
                    self.at = token.end()
                    return
        raise self._broken(len(self._text))

    def recover(self) -> int:
        """Passes over a value that cannot be read, to the end where it does not end; where that is."""
        first = self.at = self._behind_blank(self.at)
        try:
            self.skip()
        except BrokenError:
            self.at = max(first, self._end)
        return self.at

    def members(self) -> Iterator[tuple[str, int]]:
        """Of an object here: each name, and where it begins; the cursor stands before its value then."""
        self._need("{")
        while not self._has("}"):
            first = self._behind_blank(self.at)
            name = self.value()
            if not isinstance(name, str) or isinstance(name, Number):
                raise self._broken(first)
            self._need(":")
            value = self.at = self._behind_blank(self.at)
            yield name, first
            if self.at == value:
                self.skip()
            if not self._has(","):
                self._need("}")
                return

    def elements(self) -> Iterator[int]:
        """Of a list here: where each element begins; the cursor stands there then."""
        self._need("[")
        while not self._has("]"):
            first = self.at = self._behind_blank(self.at)
            if first >= self._end:
                raise self._broken(first)
            yield first
            if self.at == first:
                self.skip()
            if not self._has(","):
                self._need("]")
                return

    def rest(self, reached: int) -> tuple[int, int]:
        """Where what has not been read begins, and where the text ends."""
        begun = _BETWEEN.match(self._text, reached)
        return min(begun.end() if begun else reached, self._end), self._end

    # ---- marks ----

    def _behind_blank(self, at: int) -> int:
        return _BLANK.match(self._text, at).end()  # type: ignore[union-attr]

    def _has(self, mark: str) -> bool:
        """Whether that mark is next, which is passed then."""
        at = self._behind_blank(self.at)
        if not self._text.startswith(mark, at):
            return False
        self.at = at + 1
        return True

    def _need(self, mark: str) -> None:
        if not self._has(mark):
            raise self._broken(self._behind_blank(self.at))

    def _broken(self, at: int) -> BrokenError:
        if at >= self._end:
            return BrokenError(len(self._text), _ENDED)
        return BrokenError(at, f"it is no JSON at {self._text[at : at + 10]!r}")


def to_its_end(cursor: Cursor, items: Iterator[Item], mend: str) -> Iterator[Item]:
    """What is read of a file; where it breaks off, the rest of it as one rejected row, and a warning that says where.

    `mend` is the next step, such as "fetch it again".
    """
    reached = 0
    try:
        for item in items:
            if not isinstance(item, Source | Warned):
                reached = item.span.first + item.span.length
            yield item
    except BrokenError as error:
        lines = parsing.Lines(cursor.data)
        first, end = cursor.rest(reached)
        line = lines.at(first)
        if first < end:
            reason = f"it cannot be read: {error.reason}; {mend}"
            yield Rejected(Span(first, end - first), line, "the rest of the file", reason)
        at = max(line, lines.at(max(first, min(error.offset, end))))
        yield Warned(f"The file could be read up to line {at} and no further: {error.reason}; {mend}.")


def _decoded(raw: bytes, found: Any) -> Any:
    """The same of bytes that are not all ASCII."""
    try:
        return _DECODER.decode(parsing.decoded(raw))
    except ValueError:
        return found


def text(value: object) -> str:
    """A text, a number or a truth as a person reads it; "" for nothing, and for what holds others."""
    if isinstance(value, str):
        return value.strip() if value.isprintable() and "&" not in value else parsing.tidy(value)
    return ("yes" if value else "no") if isinstance(value, bool) else ""
