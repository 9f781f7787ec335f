"""A message taken apart into its parts, in linear time and to a bounded depth, whatever the bytes.

    From: Kim Lee <kim@example.org>                         headers, to the first empty line
    Content-Type: multipart/mixed; boundary="b1"

    --b1
    Content-Type: text/plain; charset=utf-8                 a part with headers of its own

    See the invoice.
    --b1
    Content-Type: application/pdf; name="invoice.pdf"
    Content-Transfer-Encoding: base64

    JVBERi0xLjQK...
    --b1--

Source: RFC 5322, sections 2.1 and 2.2; RFC 2045 and 2046 (section 5.1), RFC 2231.
"""

import binascii
import re
from collections.abc import Iterator
from email.message import Message as Parameters
from functools import cached_property

from appliance import hypertext, parsing
from appliance.mail import words

MOST_DEPTH = 20  # of parts in parts; what is deeper stays as one
MOST_PARTS = 1_000
MOST_HEADERS = 2_000
_LONGEST_PARAMETERS = 2_000  # characters of a header
_MOST_DECODED = 1 << 20  # bytes of a text that are decoded
_COUNTED_AT_ONCE = 1 << 20
_HEADER = re.compile(rb"([!-9;-~]{1,200}+)[ \t]*+:([^\r\n]*+(?:(?:\r\n?|\n)[ \t][^\r\n]*+)*+)(?:\r\n?|\n|\Z)")
_EMPTY_LINE = re.compile(rb"\r\n?|\n")
_FROM_LINE = re.compile(rb">?From [^\r\n]*+(?:\r\n?|\n)")
_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,100})\s*(?:;|$)", re.I)
_LINE_END = re.compile(rb"(?:\r\n|\n|\r)\Z")
PLAIN, HTML, MESSAGE = "text/plain", "text/html", "message/rfc822"


class Part:
    """A message, or a part of one: its headers, and where its body lies in `raw`. `parts` are those in it."""

    def __init__(self, raw: bytes, first: int, end: int, otherwise: str = PLAIN) -> None:
        self._raw, self._otherwise = raw, otherwise
        self._headers, self._body = _headers(raw, first, end)
        self._end = end
        self.parts: list[Part] = []
        self.is_too_deep = False

    @property
    def has_headers(self) -> bool:
        return bool(self._headers)

    @property
    def body(self) -> bytes:
        """Its bytes as they lie, still encoded."""
        return self._raw[self._body : self._end]

    @property
    def span(self) -> tuple[int, int]:
        """Where its body begins and ends."""
        return self._body, self._end

    def header(self, name: str) -> str:
        """The first header of a name, in small letters, on one line; "" where there is none."""
        found = self._headers.get(name)
        return words.header(found[0]) if found else ""

    def headers(self, name: str) -> list[str]:
        """Every header of a name."""
        return list(map(words.header, self._headers.get(name, ())))

    @cached_property
    def type(self) -> str:
        """What it is, as in text/plain."""
        said = self.header("content-type")
        found = _TYPE.match(said)
        return found[1].lower() if found else PLAIN if said else self._otherwise

    @cached_property
    def name(self) -> str:
        """The file's name that it says, "" for none."""
        for header, parameter in (("content-disposition", "filename"), ("content-type", "name")):
            if said := self.parameter(header, parameter):
                return words.decoded(said)
        return ""

    def parameter(self, header: str, name: str) -> str:
        """A parameter of a header, of RFC 2231's too."""
        said = self.header(header)[:_LONGEST_PARAMETERS]
        if ";" not in said:
            return ""
        parameters = Parameters()
        parameters[header] = said
        try:
            found = parameters.get_param(name, "", header)
        except (TypeError, ValueError):  # of pieces whose numbers contradict each other
            return ""
        if isinstance(found, tuple):
            charset, _, text = found
            found = words.text((text or "").encode("latin-1", "replace"), charset or "")
        return parsing.one_line(str(found))

    @property
    def encoding(self) -> str:
        return self.header("content-transfer-encoding").lower()

    @property
    def is_attached(self) -> bool:
        """Whether it is a file beside the text."""
        if self.type.startswith("multipart/"):
            return self.is_too_deep
        is_text = self.type in (PLAIN, HTML) or (self.type.startswith("text/") and self.type not in _FILES)
        return not is_text or bool(self.name) or self.header("content-disposition").lower().startswith("attachment")

    def leaves(self) -> Iterator["Part"]:
        """The parts that hold no others, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def content(self, most: int | None = None) -> bytes:
        """Its bytes, decoded; of a long one those that `most` encoded ones say."""
        raw = self._raw[self._body : self._end if most is None else min(self._end, self._body + most)]
        if self.encoding == "base64":
            return words.base64(raw)
        return binascii.a2b_qp(raw) if self.encoding == "quoted-printable" else raw

    @property
    def size(self) -> int:
        """How many bytes it has, decoded."""
        if self.encoding != "base64":
            return len(self.content())
        begins = range(self._body, self._end, _COUNTED_AT_ONCE)
        return words.base64_length(self._raw[each : min(self._end, each + _COUNTED_AT_ONCE)] for each in begins)

    def text(self) -> str:
        """What a person reads of it: of alternatives the plain one, else of HTML what it says."""
        if self.type == "multipart/alternative" and self.parts:
            return self._chosen()
        if self.parts:
            return "\n\n".join(filter(None, (part.text() for part in self.parts)))
        if self.is_attached:
            return ""
        raw = self.content(_MOST_DECODED)
        if self._end - self._body > _MOST_DECODED:
            raw = raw[: raw.rfind(b"\n") + 1 or None]  # and not in the middle of a letter
        said = words.text(raw, self.parameter("content-type", "charset"))
        return hypertext.text(said) if self.type == HTML else parsing.lines(said)

    def _chosen(self) -> str:
        plain = (part.text() for part in self.parts if part.type == PLAIN)
        return next(filter(None, plain), "") or next(filter(None, (part.text() for part in self.parts[::-1])), "")


_FILES = frozenset({"text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/csv", "text/rfc822-headers"})

Message = Part


def message(raw: bytes) -> Part:
    """A message from its bytes. Never raises."""
    begin = _FROM_LINE.match(raw)
    whole = Part(raw, begin.end() if begin else 0, len(raw))
    left = [MOST_PARTS]
    _divide(raw, whole, MOST_DEPTH, left)
    return whole


def _divide(raw: bytes, whole: Part, depth: int, left: list[int]) -> None:
    """Finds the parts of a part, and theirs; of the number that is left in all."""
    boundary = whole.parameter("content-type", "boundary") if whole.type.startswith("multipart/") else ""
    whole.is_too_deep = bool(boundary) and not depth
    if not boundary or not depth:
        return
    otherwise = MESSAGE if whole.type == "multipart/digest" else PLAIN
    for first, end in _between(raw, boundary.encode("utf-8", "replace"), *whole.span):
        if not left[0]:
            return
        left[0] -= 1
        part = Part(raw, first, end, otherwise)
        whole.parts.append(part)
        _divide(raw, part, depth - 1, left)


def _between(raw: bytes, boundary: bytes, first: int, end: int) -> Iterator[tuple[int, int]]:
    """Where each part between these boundaries begins and ends; one that nothing ends goes to the whole's end."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*+(?:\r\n?|\n|\Z)", re.M)
    begin = -1
    for found in line.finditer(raw, first, end):
        if begin >= 0:
            yield begin, max(begin, _without_line_end(raw, begin, found.start()))
        begin = found.end()
        if found[1]:
            return
    if begin >= 0:
        yield begin, end


def _without_line_end(raw: bytes, first: int, end: int) -> int:
    """The line end before a boundary is the boundary's."""
    found = _LINE_END.search(raw, max(first, end - 2), end)
    return found.start() if found else end


def _headers(raw: bytes, first: int, end: int) -> tuple[dict[str, list[bytes]], int]:
    """The headers by name in small letters, and where the body begins."""
    found: dict[str, list[bytes]] = {}
    position = first
    for _ in range(MOST_HEADERS):
        header = _HEADER.match(raw, position, end)
        if header is None:
            break
        found.setdefault(header[1].decode("ascii").lower(), []).append(header[2][: words.LONGEST])
        position = header.end()
    empty = _EMPTY_LINE.match(raw, position, end)
    return found, empty.end() if empty else position
