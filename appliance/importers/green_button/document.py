"""A Green Button file's bytes -> expat's events, in slices, with nothing in it trusted.

Expat is used as it is since its byte offsets are needed for lineage. It never opens another file; a document that
declares entities is refused, so that nothing in it can expand.
"""

import re
from mmap import mmap
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate, XMLParserType

_SLICE = 1 << 16
_LONGEST_TAG = 1 << 20  # expat reads an unfinished tag again with each slice; beyond this it is no tag
_LONGEST_TEXT = 256
_TOO_LONG = "…" * _LONGEST_TEXT  # so that a number cut in two is no number
_OWN_ENCODING = re.compile("utf-8|utf-16(?:le|be)?|iso-8859-1|us-ascii", re.I)
_ONE_BYTE = re.compile(r"(?:iso-?8859-|windows-|cp|latin-?)[0-9]{1,4}|koi8-[ru]|ascii|mac-?roman", re.I)
_ENDED_EARLY = frozenset({"no element found", "unclosed token", "unclosed CDATA section"})
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?[\s\0]{0,4096}(?=<)")


class BrokenError(Exception):
    """Reading ended before the document did: at which byte, and why."""

    def __init__(self, offset: int, reason: str) -> None:
        self.offset = offset
        self.reason = reason
        super().__init__(reason)


class LocalNames(dict[str, str]):
    """Element name -> the name without its prefix: files use `espi:`, `ns:`, `ns0:` or none for the same thing."""

    def __missing__(self, name: str) -> str:
        local = name.rpartition(":")[2]
        if len(self) < 1000:  # so that a file cannot fill the memory with names
            self[name] = local
        return local


class Document:
    """One pass over a file. A subclass sets the handlers of `parser` and keeps `text` as it needs."""

    def __init__(self, data: bytes | mmap) -> None:
        self.data = data
        before = _BEFORE.match(data)  # blank lines before the declaration, which XML forbids and files have
        self.base = before.end() if before else 0
        self.local = LocalNames()
        self.text = ""
        self.parser: XMLParserType = ParserCreate()
        self.parser.buffer_text = True
        self.parser.CharacterDataHandler = self._characters
        self.parser.XmlDeclHandler = self._declared
        self.parser.EntityDeclHandler = self._refuse
        self.parser.SkippedEntityHandler = self._refuse

    def offset(self) -> int:
        """Where the event that is being handled begins."""
        return self.base + self.parser.CurrentByteIndex

    def slices(self) -> "Slices":
        return Slices(self)

    def _characters(self, text: str) -> None:
        self.text = self.text + text if len(self.text) < _LONGEST_TEXT else _TOO_LONG

    def _declared(self, _: str, encoding: str | None, __: int) -> None:
        """Stops at an encoding that expat would fail at."""
        if encoding and not _readable(encoding):
            raise BrokenError(self.base, f"it says that it is encoded in {encoding[:40]!r}, which is not read")

    def _refuse(self, *_: object) -> None:
        raise BrokenError(
            self.offset(), "it declares entities, which no Green Button file needs and which can be used to attack"
        )


def _readable(encoding: str) -> bool:
    """Expat reads its own encodings, and those of one byte a character that Python knows."""
    if _OWN_ENCODING.fullmatch(encoding):
        return True
    try:
        return bool(_ONE_BYTE.fullmatch(encoding)) and len(bytes(range(256)).decode(encoding, "replace")) == 256
    except LookupError:
        return False


class Slices:
    """Iterates over a document's slices, each parsed when it is asked for; raises BrokenError."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._fed = document.base
        self._ended = False

    def __iter__(self) -> "Slices":
        return self

    def __next__(self) -> None:
        if self._ended:
            raise StopIteration
        document, piece = self._document, self._document.data[self._fed : self._fed + _SLICE]
        self._ended = not piece
        self._fed += len(piece)
        try:
            document.parser.Parse(piece, self._ended)
        except ExpatError as error:
            at = document.base + max(0, document.parser.ErrorByteIndex)
            raise BrokenError(min(at, len(document.data)), _reason(ErrorString(error.code))) from None
        waiting = document.base + document.parser.CurrentByteIndex
        if self._fed - waiting > _LONGEST_TAG:
            raise BrokenError(waiting, "a tag in it is over a megabyte long")


def _reason(error: str | None) -> str:
    return "it ends too early" if error in _ENDED_EARLY else f"it is not well-formed XML ({error})"
