"""XML read forward in bounded memory: the elements that matter, one after the other, each with its bytes.

Nothing in a document is trusted: no entity that it declares is expanded and none is fetched, and what nests too deep or
holds too much is refused. Expat is used as it is, since the place of each element is needed for lineage.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

MOST_DEPTH = 100
MOST_NODES = 200_000  # of one element that is given as a whole
_LONGEST_TEXT = 1 << 16
_LONGEST_TOKEN = 1 << 20  # expat reads an unfinished tag again with each piece; beyond this it is none
_MOST_NAMES = 1_000
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf)?[\s\0]*")
_ENDED_EARLY = frozenset({"no element found", "unclosed token", "unclosed CDATA section"})


class BrokenError(Exception):
    """Reading ended before the document did: at which byte, and why; `inside` is the element that was not ended."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset, self.reason = offset, reason
        self.inside: Element | None = None


@dataclass(slots=True)
class Element:
    """An element with all that is in it; `name` is without its prefix. `is_open`: only its beginning was met so far."""

    name: str
    attributes: dict[str, str]
    first: int
    line: int
    length: int = 0
    text: str = ""
    children: list["Element"] = field(default_factory=list)
    is_open: bool = False

    def find(self, *path: str) -> "Element | None":
        """The first element on that path."""
        found = self
        for name in path:
            below = next((each for each in found.children if each.name == name), None)
            if below is None:
                return None
            found = below
        return found

    def every(self, name: str) -> list["Element"]:
        """The children of that name."""
        return [each for each in self.children if each.name == name]

    def said(self, *path: str) -> str:
        """The text of the first element on that path, without blanks around it; "" where there is none."""
        found = self.find(*path)
        return found.text.strip() if found else ""


def elements(
    pieces: Iterable[bytes],
    whole: Collection[str],
    opened: Collection[str] = (),
    ended: Collection[str] = (),
    longest_text: int = _LONGEST_TEXT,
) -> Iterator[Element]:
    """The outermost elements of the names in `whole`, with all that is in them; of those in `opened` the beginnings,
    and of those in `ended` the ends, without what is in them. Of a text what is beyond `longest_text` is left out.
    Raises BrokenError where a document ends too early or is none.
    """
    reader = _Reader(frozenset(whole), frozenset(opened), frozenset(ended), longest_text)
    try:
        yield from reader.read(iter(pieces))
    except BrokenError as error:
        error.inside = reader.inside
        raise


class _Reader:
    """One pass over a document."""

    def __init__(self, whole: frozenset[str], opened: frozenset[str], ended: frozenset[str], longest_text: int) -> None:
        self._whole, self._opened, self._ended, self._longest_text = whole, opened, ended, longest_text
        self._parser = ParserCreate()
        self._parser.buffer_text = True
        self._parser.ordered_attributes = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = None
        self._parser.EntityDeclHandler = self._refuse
        self._parser.SkippedEntityHandler = self._refuse
        self._base = self._lines = self._depth = self._nodes = 0
        self._names: dict[str, str] = {}
        self._open: list[Element] = []
        self._texts: list[list[str]] = []  # of each open element, joined at its end
        self._left: list[int] = []  # how much more text each may have
        self._done: list[Element] = []
        self._piece, self._piece_at = b"", 0  # what is fed, and where it begins
        self._tail = b""
        self._is_fresh = False  # nothing happened since the outermost element began

    @property
    def inside(self) -> Element | None:
        """The element that is not ended yet."""
        return self._open[0] if self._open else None

    def read(self, pieces: Iterator[bytes]) -> Iterator[Element]:
        head = b""
        for piece in pieces:
            head += piece
            if b"<" in head or len(head) > _LONGEST_TEXT:
                break
        before = _BEFORE.match(head)
        self._base = before.end() if before else 0
        self._lines = head.count(b"\n", 0, self._base)
        yield from self._fed(head[self._base :], len(head))
        fed = len(head)
        for piece in pieces:
            fed += len(piece)
            yield from self._fed(piece, fed)
        self._parse(b"", fed, is_last=True)
        yield from self._taken()

    def _fed(self, piece: bytes, fed: int) -> Iterator[Element]:
        self._parse(piece, fed)
        if fed - self._offset() > _LONGEST_TOKEN + len(piece):
            raise BrokenError(self._offset(), "a tag or a text in it never ends")
        yield from self._taken()

    def _parse(self, piece: bytes, fed: int, *, is_last: bool = False) -> None:
        self._tail = (self._tail + self._piece)[-2:] if len(self._piece) < 2 else self._piece[-2:]
        self._piece, self._piece_at = piece, fed - len(piece)
        try:
            self._parser.Parse(piece, is_last)
        except ExpatError as error:
            at = min(self._base + max(0, self._parser.ErrorByteIndex), fed)
            why = ErrorString(error.code)
            said = "it ends in the middle" if why in _ENDED_EARLY else f"it is no XML from there on ({why})"
            raise BrokenError(at, said) from None
        except (LookupError, ValueError) as error:  # an encoding that Python does not know
            raise BrokenError(self._base, f"its encoding is not read ({error})") from None

    def _taken(self) -> Iterator[Element]:
        done, self._done = self._done, []
        yield from done

    def _offset(self) -> int:
        return self._base + max(0, self._parser.CurrentByteIndex)

    def _line(self) -> int:
        return self._lines + self._parser.CurrentLineNumber

    def _local(self, name: str) -> str:
        local = self._names.get(name)
        if local is None:
            local = name.rpartition(":")[2]
            if len(self._names) < _MOST_NAMES:  # a file cannot fill the memory with names
                self._names[name] = local
        return local

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self._local(name)
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise BrokenError(self._offset(), "it nests too deep")
        if self._open:
            self._is_fresh = False
            self._nodes += 1
            if self._nodes > MOST_NODES:
                raise BrokenError(self._open[0].first, f"one of its {self._open[0].name} elements holds too much")
            node = Element(local, attributes, 0, 0)
            self._open[-1].children.append(node)
            self._begin(node)
        elif local in self._whole:
            self._nodes = 0
            node = Element(local, attributes, self._offset(), self._line())
            self._begin(node)
            self._is_fresh = True
            self._parser.CharacterDataHandler = self._characters
        elif local in self._opened:
            here = Element(local, attributes, self._offset(), self._line(), is_open=True)
            self._done.append(here)

    def _begin(self, node: Element) -> None:
        self._open.append(node)
        self._texts.append([])
        self._left.append(self._longest_text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        local = self._local(name)
        if self._open:
            node = self._open.pop()
            node.text = "".join(self._texts.pop())
            self._left.pop()
            if not self._open:
                node.length = self._end_of_tag(name) - node.first
                self._done.append(node)
                self._parser.CharacterDataHandler = None
        elif local in self._ended:
            self._done.append(Element(local, {}, self._offset(), self._line()))

    def _end_of_tag(self, name: str) -> int:
        """Where an element ends. Expat says where its end tag begins, and of an empty one (`<name/>`) where it ends."""
        at = self._offset()
        here = at - self._piece_at
        before = self._piece[here - 2 : here] if here >= 2 else (self._tail + self._piece[: max(here, 0)])[-2:]
        if self._is_fresh and before == b"/>":
            return at
        closed = self._piece.find(b">", max(here, 0), max(here, 0) + len(name) + 100) if here >= 0 else -1
        return self._piece_at + closed + 1 if closed >= 0 else at + len(name.encode()) + 3

    def _characters(self, text: str) -> None:
        self._is_fresh = False
        if self._left[-1] > 0:
            self._texts[-1].append(text)
            self._left[-1] -= len(text)

    def _refuse(self, *_: object) -> None:
        raise BrokenError(self._offset(), "it declares entities, which no such file needs and attacks are made of")
