"""An XML document's bytes -> expat's events, a slice at a time, with nothing in it trusted.

Expat is used as it is, since the place of each element is needed for lineage. It never opens another file. A document
type definition is passed over unread, since that of some real files is none; one that declares entities is refused, so
that nothing can expand.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Any
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, XMLParserType

from appliance import parsing

SLICE = 1 << 16
_LONGEST_TAG = 1 << 20  # expat reads an unfinished tag again with each slice; beyond this it is no tag
_LONGEST_START = 64  # bytes that tell what an element is
_FIRST_AGAIN = 1 << 11  # behind what is broken, more may be: little is parsed in vain
_LONGEST_TEXT = 256
_TOO_LONG = "…" * _LONGEST_TEXT  # so that a number cut in two is no number
_MOST_NAMES = 1000
_ENDED_EARLY = frozenset({"no element found", "unclosed token", "unclosed CDATA section"})

_BEFORE = re.compile(
    rb"(?:\xef\xbb\xbf)?[\s\0]{0,4096}(?=<)"
)  # XML forbids blanks before the declaration; files have them
_DECLARED = re.compile(rb"<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})")
_OWN_ENCODING = re.compile("utf-8|utf-16(?:le|be)?|iso-8859-1|us-ascii", re.I)
_ONE_BYTE = re.compile(r"(?:iso-?8859-|windows-|cp|latin-?)[0-9]{1,4}|koi8-[ru]|ascii|mac-?roman", re.I)
_UTF8, _OTHER = "utf-8", "windows-1252"
_PROLOG = rb"(?>\s+|<\?(?>[^?]+|\?(?!>))*\?>|<!--(?>[^-]+|-(?!->))*-->)*"
_TYPE = rb"<!DOCTYPE\b[^\[>]*+(?:\[.*?\]\s*)?>"
_DOCTYPE = re.compile(_PROLOG + rb"(" + _TYPE + rb")", re.S)
_ROOT = re.compile(rb"%s(?:%s%s)?<(?:[\w.-]{1,40}:)?([\w.-]{1,40})(?=[\s/>])" % (_PROLOG, _TYPE, _PROLOG), re.S)
_ENTITY = re.compile(rb"<!ENTITY\b")
_NOT_A_LINE_END = re.compile(rb"[^\r\n]")
_CONTROLS = bytes(32 if byte < 32 and byte not in b"\t\n\r" else byte for byte in range(256))
_FORBIDDEN = re.compile(  # references to characters that XML has not: controls, and halves of pairs
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[0-8bcef]|1[0-9a-f]|d[89a-f][0-9a-f]{2}));", re.I
)

Data = bytes | mmap


class BrokenError(Exception):
    """Reading ended before the document did: at which byte, on which line, and why. `is_final`: nothing after it is
    to be read either, since the document is made to do harm, or is cut off there.
    """

    def __init__(self, offset: int, reason: str, *, line: int = 1, is_final: bool = False) -> None:
        super().__init__(reason)
        self.offset, self.reason, self.line, self.is_final = offset, reason, line, is_final
        self.inside: Any = None


def root(head: bytes) -> str:
    """The name of the first element, without its prefix, of what begins with these bytes; "" where that is no XML."""
    plain = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").removeprefix(b"\xef\xbb\xbf")
    found = _ROOT.match(plain)
    return found[1].decode("latin-1") if found else ""


class LocalNames(dict[str, str]):
    """Element name -> the name without its prefix: files use `espi:`, `ns:`, `ns0:` or none for the same thing."""

    def __missing__(self, name: str) -> str:
        local = name.rpartition(":")[2]
        if len(self) < _MOST_NAMES:  # so that a file cannot fill the memory with names
            self[name] = local
        return local


class Head:
    """What a document's first slice tells: how it is encoded, where it begins, and what in it is not to be parsed.

    `encoding` is None where expat knows best; `mark` and `closed` are the bytes of ">" and "/>". `problem` says why
    nothing is read, with the place of it.
    """

    def __init__(self, held: bytes) -> None:
        self.begin, self.lines, self.encoding, self.mark, self.closed = 0, 0, _wide(held), b">", b"/>"
        self.problem: BrokenError | None = None
        self._unread = (0, 0)
        if self.encoding:
            self.mark, self.closed = (each.encode(self.encoding) for each in (">", "/>"))
            self.encoding = None
            self.is_wide = True
            return
        self.is_wide = False
        before = _BEFORE.match(held)
        self.begin = before.end() if before else 0
        self.lines = parsing.line_ends(held[: self.begin])
        self.encoding = self._narrow(held)
        if doctype := _DOCTYPE.match(held, self.begin):
            self._unread = doctype.span(1)
            if entity := _ENTITY.search(held, *self._unread):
                self.problem = _hostile(entity.start(), 1 + parsing.line_ends(held[: entity.start()]))

    def _narrow(self, held: bytes) -> str:
        """The encoding of bytes that are no UTF-16, though they may say so: programs do that write texts, not files."""
        found = _DECLARED.match(held, self.begin)
        said = found[1].decode().lower() if found else _UTF8
        if said.startswith(("utf-8", "utf8", "utf-16", "utf16", "us-ascii", "ascii")):
            return _UTF8 if _is_utf8(held) else _OTHER
        if said == "iso-8859-1":
            return _OTHER  # which is the same, with the euro sign and quotation marks that people write
        if not _readable(said):
            reason = f"it says that it is encoded in {said!r}, which is not read"
            self.problem = BrokenError(self.begin, reason, is_final=True)
        return said

    def begun(self, piece: bytes) -> bytes:
        """The first slice as it is parsed: from its first tag on, without the document type, which stays blank."""
        first, end = self._unread
        return piece[self.begin : first] + _NOT_A_LINE_END.sub(b" ", piece[first:end]) + piece[max(end, self.begin) :]

    def legal(self, piece: bytes) -> bytes:
        """Bytes with a blank for each character that XML has not, and real files have."""
        if self.is_wide:
            return piece
        if b"#" in piece:
            piece = _FORBIDDEN.sub(lambda each: b" " * len(each[0]), piece)
        return piece.translate(_CONTROLS)


class Feed:
    """A document's bytes in slices; those from where the parser is on stay at hand in `held`, from `first` on."""

    def __init__(self, pieces: Iterable[Data]) -> None:
        self._slices = _slices(pieces)
        self.held = next(self._slices, b"")
        self.head = Head(self.held)
        self.first = self.fed = 0  # `fed`: up to where the parser has it
        self._size = SLICE

    def next(self) -> bytes:
        """The bytes that follow, nothing at the end."""
        begin = self.fed - self.first
        if begin >= len(self.held):
            self.held += next(self._slices, b"")
        piece = self.held[begin : begin + self._size]
        self._size = min(2 * self._size, SLICE)
        self.fed += len(piece)
        return piece

    def release(self, offset: int) -> None:
        """What lies before a byte is needed no more."""
        self.held = self.held[offset - self.first :]
        self.first = offset

    def find(self, start: re.Pattern[bytes], offset: int, passed: Callable[[bytes], None]) -> int | None:
        """Where the next match from a byte on is, so that it is read from there; `passed` is given what lies before."""
        self.release(offset)
        while True:
            found = start.search(self.held)
            length = found.start() if found else max(0, len(self.held) - _LONGEST_START)
            passed(self.held[:length])
            self.release(self.first + length)
            self.fed = self.first
            if found:
                self._size = _FIRST_AGAIN
                return self.first
            more = next(self._slices, b"")
            if not more:
                return None
            self.held += more

    def end(self) -> int:
        """Where the document ends."""
        while self.next():
            self.release(self.fed)
        return self.fed


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader begins in the middle of a document: `inside` opens the elements that are open there."""

    offset: int
    line: int
    inside: bytes


class Document:
    """One pass over a document. A subclass sets the handlers of `parser`, and keeps `text` as it needs."""

    def __init__(self, pieces: Iterable[Data] | Feed, place: Place | None = None) -> None:
        self.feed = pieces if isinstance(pieces, Feed) else Feed(pieces)
        self.local = LocalNames()
        self.text = ""
        self._is_whole = place is None
        self._head = self.feed.head
        self.parser: XMLParserType = ParserCreate(self._head.encoding)
        self.parser.buffer_text = True
        self.parser.specified_attributes = True
        if place is None:
            self._base, self._lines_before = self._head.begin, self._head.lines
        else:
            self._base, self._lines_before = place.offset - len(place.inside), place.line - 1
            self.parser.Parse(place.inside, False)
        self.parser.CharacterDataHandler = self._characters
        self.parser.EntityDeclHandler = self._refuse
        self.parser.SkippedEntityHandler = self._refuse

    def offset(self) -> int:
        """Where the event that is being handled begins."""
        return self._base + self.parser.CurrentByteIndex

    def line(self) -> int:
        """The line of the event that is being handled, from 1."""
        return self._lines_before + self.parser.CurrentLineNumber

    def tag_end(self, *, is_empty: bool = False) -> int:
        """Where the end tag that is being handled ends. `is_empty`: nothing was met since the element began, so that it
        may be one tag (`<name/>`), of which expat says where it ends."""
        offset, head = self.offset(), self._head
        here = offset - self.feed.first
        if is_empty and self.feed.held.endswith(head.closed, 0, here):
            return offset
        found = self.feed.held.find(head.mark, here)
        return self.feed.first + found + len(head.mark) if found >= 0 else self.feed.fed

    def parsed(self) -> Iterator[None]:
        """Each slice, parsed when it is asked for; raises BrokenError."""
        if self._head.problem and self._is_whole:
            raise self._head.problem
        piece = self._head.begun(self.feed.next()) if self._is_whole else self.feed.next()
        while piece:
            self._parse(piece)
            yield
            waiting = max(self.offset(), self.feed.first)
            if self.feed.fed - waiting > _LONGEST_TAG:
                raise BrokenError(waiting, "a tag in it is over a megabyte long", line=self.line(), is_final=True)
            self.feed.release(waiting)
            piece = self.feed.next()
        self._parse(b"", is_last=True)
        yield

    def _parse(self, piece: bytes, *, is_last: bool = False) -> None:
        try:
            self.parser.Parse(self._head.legal(piece), is_last)
        except ExpatError as error:
            at = min(self._base + max(0, self.parser.ErrorByteIndex), self.feed.fed)
            why = ErrorString(error.code)
            line = self._lines_before + self.parser.ErrorLineNumber
            if why in _ENDED_EARLY:
                raise BrokenError(at, "it ends too early", line=line, is_final=True) from None
            what = (why or "").removeprefix("not well-formed (").removesuffix(")")
            raise BrokenError(at, f"it is not well-formed XML ({what})", line=line) from None

    def _characters(self, text: str) -> None:
        self.text = self.text + text if len(self.text) < _LONGEST_TEXT else _TOO_LONG

    def _refuse(self, *_: object) -> None:
        raise _hostile(self.offset(), self.line())


def _hostile(offset: int, line: int) -> BrokenError:
    reason = "it declares entities, which no such file needs and which can be used to attack"
    return BrokenError(offset, reason, line=line, is_final=True)


def _wide(held: bytes) -> str | None:
    """The codec of a document in UTF-16, by its first bytes."""
    if held.startswith((b"\xff\xfe", b"<\0")):
        return "utf-16-le"
    return "utf-16-be" if held.startswith((b"\xfe\xff", b"\0<\0")) else None


def _is_utf8(held: bytes) -> bool:
    try:
        held.decode(_UTF8)
    except UnicodeDecodeError as error:
        return len(held) >= SLICE and error.start > len(held) - 4  # its last character goes on in the next slice
    return True


def _readable(encoding: str) -> bool:
    """Expat reads its own encodings, and those of one byte a character that Python knows."""
    if _OWN_ENCODING.fullmatch(encoding):
        return True
    try:
        return bool(_ONE_BYTE.fullmatch(encoding)) and len(bytes(range(256)).decode(encoding, "replace")) == 256
    except LookupError:
        return False


def _slices(pieces: Iterable[Data]) -> Iterator[bytes]:
    """Pieces of any sizes, as slices of one size, so that a document is read alike however it comes."""
    rest = bytearray()
    for piece in pieces:
        begin = min(SLICE - len(rest), len(piece)) if rest else 0
        rest += piece[:begin]
        if len(rest) == SLICE:
            yield bytes(rest)
            rest.clear()
        while len(piece) - begin >= SLICE:
            yield piece[begin : begin + SLICE]
            begin += SLICE
        rest += piece[begin:]
    if rest:
        yield bytes(rest)
