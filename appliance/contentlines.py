"""Content lines: what vCard and iCalendar files are made of, read in linear time whatever the bytes.

    item1.TEL;TYPE=work,voice;PREF=1:+44 20 7946 0018
    1     2   3                      4

1 a group, 2 the property's name, 3 parameters, 4 its value. A line goes on where the next one begins with a blank; one
in quoted-printable where it ends in "=". `BEGIN:VCARD` and `END:VCARD` enclose a component.

Source: RFC 6350 (vCard 4.0), section 3.3; RFC 2426 (3.0), section 2; vCard 2.1 of the Internet Mail Consortium, section
2.1; RFC 5545 (iCalendar), sections 3.1 and 3.2; RFC 6868 (quotes and line ends in parameters).
"""

import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from mmap import mmap
from typing import NamedTuple

from appliance import parsing

_MARK = rb"(?:\xef\xbb\xbf)?"
_BOUNDARY = re.compile(
    rb"(?:^|(?<=\r))" + _MARK + rb"(BEGIN|END)[ \t]*+:[ \t]*+([A-Za-z0-9-]{1,60}+)[ \t]*+(?=[\r\n]|\Z)", re.I | re.M
)
_LINE = re.compile(rb"[^\r\n]++")
_FOLDED = re.compile(rb"[\r\n]++[ \t][^\r\n]*+")
_PHYSICAL = re.compile(rb"(?:\r\n?|\n)([^\r\n]*+)")
_EMPTY_LINE = re.compile(rb"\n[\r\n]|\r\r")
_FOLDS = [end + blank for end in (b"\r\n", b"\n", b"\r") for blank in (b" ", b"\t")]
_FOLD, _OLD_FOLD = re.compile(rb"[\r\n]++[ \t]"), re.compile(rb"[\r\n]++[ \t]++")
_SOFT_FOLD = re.compile(rb"(?<![=\r\n])[\r\n]++[ \t]")
_SOFT = re.compile(rb"[^:]{0,200}QUOTED-PRINTABLE", re.I)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]++={0,3}+[ \t]*+")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}+")
_BEFORE_COLON = re.compile(rb'(?:[^":]++|"[^"]*+")*+:')
_QUOTED = re.compile(r'"[^"]*+"')
_SHIELD = {ord(mark): 0xDC00 + ord(mark) for mark in ";:,="}  # no text has these: they are halves of nothing
_BARE = {shield: chr(mark) for mark, shield in _SHIELD.items()}
_CARET = re.compile(r"\^([n^'])")
_CARET_MEANS = {"n": "\n", "^": "^", "'": '"'}
_ESCAPED = re.compile(r"\\(.)", re.S)
QUOTED_PRINTABLE, BASE64 = "QUOTED-PRINTABLE", "BASE64"
_TELLING = ("TZID", "PARTSTAT", "RANGE")
_ENCODINGS = frozenset({QUOTED_PRINTABLE, BASE64, "B", "7BIT", "8BIT"})

MOST_REMARKS = 20
MOST_PROPERTIES = 3_000  # of one component
_MOST_PARTS = 50  # of one value
_MOST_PARAMETERS = 200  # of one property, and values of one of them
_SHORT = 500  # bytes
TOO_MANY = f"here and behind it are more than the {MOST_PROPERTIES} properties that are read"
NO_PROPERTY = "it is no property: it has no name and colon"
NAMELESS = "a parameter in it has no name"
NOT_ENDED, NOT_BEGUN = "nothing ends it", "nothing begins it"


class Boundary(NamedTuple):
    """A line that begins or ends a component: its name in capitals, and where the line lies without its end."""

    begins: bool
    name: str
    first: int
    end: int


class Component(NamedTuple):
    """Where a component lies, its own BEGIN and END with it; `problem` where one of these is missing."""

    name: str
    first: int
    end: int
    problem: str = ""


class Property(NamedTuple):
    """One property. `name` and the names of `parameters` are in capitals; what has no name is under "".

    `value` is decoded, and still escaped: `text`, `parts` and `items` are what it says. `first` is its first byte in
    the file. `problem` says why it is none, or not written as it should be.
    """

    name: str
    group: str
    parameters: Mapping[str, list[str]]
    value: str
    first: int
    problem: str = ""

    def parameter(self, name: str) -> str:
        """The first value of a parameter, "" where it has none."""
        return self.parameters[name][0] if name in self.parameters else ""

    @property
    def types(self) -> set[str]:
        """What TYPE says, in whichever style, in small letters."""
        if not self.parameters:
            return set()
        said = ",".join((*self.parameters.get("TYPE", ()), *self.parameters.get("", ()))).lower().split(",")
        return {each for each in map(str.strip, said) if each and each.upper() not in _ENCODINGS}

    @property
    def encoding(self) -> str:
        """How its value was encoded, in capitals: QUOTED-PRINTABLE, BASE64 (also for B), or ""."""
        return _encoding(self.parameters)

    @property
    def text(self) -> str:
        """The value as one text."""
        return unescaped(self.value)

    @property
    def parts(self) -> list[str]:
        """What stands between the semicolons, each as text; no value has more than a few."""
        return [unescaped(each) for each in _split(self.value, ";", _MOST_PARTS)]

    @property
    def items(self) -> list[str]:
        """What stands between the commas, each as text; none where the value is empty."""
        return [each for each in map(unescaped, _split(self.value, ",")) if each.strip()]


class Remarks:
    """What a person should know of a file: the first sentences, each once, and how many more there would be."""

    def __init__(self) -> None:
        self._sentences: dict[str, None] = {}
        self._left_out = 0

    def say(self, sentence: str) -> None:
        self.add(lambda: sentence)

    def add(self, sentence: Callable[[], str]) -> None:
        """As `say`; a sentence that is left out is not made."""
        if len(self._sentences) < MOST_REMARKS:
            self._sentences.setdefault(sentence())
        else:
            self._left_out += 1

    def __iter__(self) -> Iterator[str]:
        yield from self._sentences
        if self._left_out:
            yield f"And {self._left_out} more like these."


def boundaries(data: bytes | mmap) -> Iterator[Boundary]:
    """Every line that begins or ends a component."""
    for found in _BOUNDARY.finditer(data):
        yield Boundary(found[1].upper() == b"BEGIN", found[2].decode("ascii").upper(), found.start(), found.end())


def name_at(data: bytes | mmap, first: int) -> str:
    """The name of the component that a boundary begins or ends; "" where none stands."""
    found = _BOUNDARY.match(data, first)
    return found[2].decode("ascii").upper() if found else ""


def components(
    lines: Iterable[Boundary], rows: frozenset[str], wholes: frozenset[str], end: int
) -> Iterator[Component]:
    """The components that are a file's rows, and those that hold rows.

    A whole (VCALENDAR) is given where it begins, with the end of that line. A component that is in no other is a row;
    where one of `rows` begins in another, or the whole around it ends, nothing ends that other one. `end` is where the
    file ends.
    """
    row: Boundary | None = None
    for line in lines:
        if row is None:
            if line.begins and line.name in wholes:
                yield Component(line.name, line.first, line.end)
            elif line.begins:
                row = line
            elif line.name in rows:
                yield Component(line.name, line.first, line.end, NOT_BEGUN)
        elif line.name in wholes or (line.begins and line.name in rows):
            yield Component(row.name, row.first, line.first, NOT_ENDED)
            row = line if line.begins and line.name not in wholes else None
            if line.begins and line.name in wholes:
                yield Component(line.name, line.first, line.end)
        elif not line.begins and line.name == row.name:
            yield Component(row.name, row.first, line.end)
            row = None
    if row is not None:
        yield Component(row.name, row.first, end, NOT_ENDED)


def properties(raw: bytes, first: int = 0, *, old: bool = False) -> Iterator[Property]:
    """The properties of a component's bytes, of which `first` is the first; its BEGIN and END among them.

    `old` for vCard 2.1 and vCalendar 1.0: there, a fold's blanks stand for one of the text's own. Those behind the
    first `MOST_PROPERTIES` are one that says so.
    """
    position, count = 0, 0
    while (line := _LINE.search(raw, position)) and count < MOST_PROPERTIES:
        begin, position = line.span()
        is_soft = _SOFT.match(line[0]) is not None
        while more := _FOLDED.match(raw, position) or (is_soft and _soft_line(raw, position)):
            position = more.end()
        joined = _unfolded(raw[begin:position], old, is_soft).removeprefix(b"\xef\xbb\xbf")
        if not joined.strip():
            continue
        count += 1
        length = _colon(joined)
        if length < 0:
            yield Property("", "", {}, parsing.decoded(joined), first + begin, NO_PROPERTY)
            continue
        name, group, parameters, problem = _known_head(joined[:length])
        value, encoding = joined[length + 1 :], _encoding(parameters) if parameters else ""
        if encoding == QUOTED_PRINTABLE:
            value = binascii.a2b_qp(value)
        elif encoding == BASE64:
            value, position = _base64_lines(raw, value, position)
        charset = parameters["CHARSET"][0] if "CHARSET" in parameters else ""
        text = parsing.decoded(value, charset, believed=True)
        yield Property(name, group, parameters, text, first + begin, problem)
    if line:
        yield Property("", "", {}, "", first + line.start(), TOO_MANY)


def _soft_line(raw: bytes, position: int) -> re.Match[bytes] | None:
    """The line behind a soft line end of quoted-printable, which need not be indented; an END is none."""
    if not raw[max(0, position - 8) : position].rstrip(b" \t").endswith(b"="):
        return None
    following = _PHYSICAL.match(raw, position)
    return None if following and _BOUNDARY.match(raw, following.start(1)) else following


def _base64_lines(raw: bytes, value: bytes, position: int) -> tuple[bytes, int]:
    """A value with the lines that can be nothing else than more of it, though they are not indented."""
    begin = position
    while (following := _PHYSICAL.match(raw, position)) and _BASE64.fullmatch(following[1]):
        position = following.end()
    return (value + raw[begin:position]).translate(None, b" \t\r\n"), position


def _unfolded(raw: bytes, old: bool, is_soft: bool) -> bytes:
    """The bytes of a line without what folds it; soft line ends stay."""
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    if is_soft:
        return _SOFT_FOLD.sub(b" " if old else b"", raw)
    if old:
        return _OLD_FOLD.sub(b" ", raw)
    if _EMPTY_LINE.search(raw):
        return _FOLD.sub(b"", raw)
    for fold in _FOLDS:  # which takes no memory for each of very many
        raw = raw.replace(fold, b"")
    return raw


def digest(said: Iterable[Property], *more: str) -> str:
    """What tells properties from others, in whichever order they stand: names, values, and the parameters that say what
    a value means. It is part of facts' keys, so another result would make every fact a new one.
    """
    lines = [f"{each.name};{_meaning(each)}:{parsing.evenly_spaced(each.text)}" for each in said]
    return blake2b("\n".join((*sorted(lines), *more)).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _meaning(said: Property) -> str:
    return (
        " ".join((*sorted(said.types - {"pref", "internet"}), *map(said.parameter, _TELLING)))
        if said.parameters
        else ""
    )


def unescaped(value: str) -> str:
    """A value as its text: `\\n` is a line end, and any other character with a backslash before it that character."""
    if "\\" in value:
        value = _ESCAPED.sub(lambda escape: "\n" if escape[1] in "nN" else escape[1], value)
    return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value


def _colon(line: bytes) -> int:
    """Where the colon before a line's value stands, outside quotes where these are closed; -1 for nowhere."""
    first = line.find(b":")
    if b'"' in line[: max(first, 0)] and (head := _BEFORE_COLON.match(line)):
        return head.end() - 1
    return first


def _known_head(raw: bytes) -> tuple[str, str, Mapping[str, list[str]], str]:
    """As `_head`; short ones are known from the last time."""
    return _cached_head(raw) if len(raw) <= _SHORT else _head(raw)


def _head(raw: bytes) -> tuple[str, str, Mapping[str, list[str]], str]:
    """What stands before a colon: name, group, parameters, and what is wrong with it."""
    text = parsing.decoded(raw)
    if '"' in text:
        text = _QUOTED.sub(lambda quoted: quoted[0][1:-1].translate(_SHIELD), text)
    said, *others = text.split(";", _MOST_PARAMETERS)
    group, _, name = said.strip().rpartition(".")
    if not _NAME.fullmatch(name):
        return "", "", {}, NO_PROPERTY
    parameters: dict[str, list[str]] = {}
    problem = ""
    for each in others:
        key, equals, values = (part.strip() for part in each.partition("="))
        if not equals:
            key, values = "", key
        if (equals and not key) or not (key or values):
            problem = NAMELESS
        parameters.setdefault(key.upper(), []).extend(map(_plain, values.split(",", _MOST_PARAMETERS)))
    return name.upper(), group.lower(), parameters, problem


_cached_head = lru_cache(maxsize=4096)(_head)


def _plain(value: str) -> str:
    """A parameter's value without what protected its marks (RFC 6868)."""
    if "^" in value:
        value = _CARET.sub(lambda caret: _CARET_MEANS[caret[1]], value)
    return value.translate(_BARE).strip().strip('"')


def _encoding(parameters: Mapping[str, list[str]]) -> str:
    said = [each.upper() for name in ("ENCODING", "") for each in parameters.get(name, ())]
    if QUOTED_PRINTABLE in said:
        return QUOTED_PRINTABLE
    return BASE64 if BASE64 in said or "B" in said else ""


def _split(value: str, mark: str, most: int = -1) -> list[str]:
    """What stands between marks that no backslash escapes."""
    if "\\" not in value:
        return value.split(mark, most)
    shielded = _ESCAPED.sub(lambda escape: escape[0].translate(_SHIELD), value)
    return [each.translate(_BARE) for each in shielded.split(mark, most)]
