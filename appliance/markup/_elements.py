"""The elements of an XML document that matter, one after the other, as small trees."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from appliance.markup._document import BrokenError, Data, Document

MOST_DEPTH = 100
MOST_NODES = 200_000  # of one element that is given as a whole
_LONGEST_TEXT = 1 << 16


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
    pieces: Iterable[Data],
    whole: Collection[str],
    opened: Collection[str] = (),
    ended: Collection[str] = (),
    longest_text: int = _LONGEST_TEXT,
) -> Iterator[Element]:
    """The outermost elements of the names in `whole`, with all that is in them; of those in `opened` the beginnings,
    and of those in `ended` the ends, without what is in them. Of a text what is beyond `longest_text` is left out.
    Raises BrokenError where a document ends too early or is none.
    """
    reader = _Reader(pieces, frozenset(whole), frozenset(opened), frozenset(ended), longest_text)
    try:
        yield from reader.read()
    except BrokenError as error:
        error.inside = reader.inside
        raise


class _Reader(Document):
    """One pass over a document."""

    def __init__(
        self,
        pieces: Iterable[Data],
        whole: frozenset[str],
        opened: frozenset[str],
        ended: frozenset[str],
        longest_text: int,
    ) -> None:
        super().__init__(pieces)
        self._whole, self._opened, self._ended, self._longest_text = whole, opened, ended, longest_text
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = None
        self._depth = self._nodes = 0
        self._open: list[Element] = []
        self._texts: list[list[str]] = []  # of each open element, joined at its end
        self._left: list[int] = []  # how much more text each may have
        self._done: list[Element] = []
        self._is_fresh = False  # nothing happened since the outermost element began

    @property
    def inside(self) -> Element | None:
        """The element that is not ended yet."""
        return self._open[0] if self._open else None

    def read(self) -> Iterator[Element]:
        for _ in self.parsed():
            done, self._done = self._done, []
            yield from done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = self.local[name]
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise BrokenError(self.offset(), "it nests too deep", line=self.line(), is_final=True)
        if self._open:
            self._is_fresh = False
            self._nodes += 1
            if self._nodes > MOST_NODES:
                outer = self._open[0]
                reason = f"one of its {outer.name} elements holds too much"
                raise BrokenError(outer.first, reason, line=outer.line, is_final=True)
            node = Element(local, attributes, 0, 0)
            self._open[-1].children.append(node)
            self._begin(node)
        elif local in self._whole:
            self._nodes = 0
            self._begin(Element(local, attributes, self.offset(), self.line()))
            self._is_fresh = True
            self.parser.CharacterDataHandler = self._characters
        elif local in self._opened:
            self._done.append(Element(local, attributes, self.offset(), self.line(), is_open=True))

    def _begin(self, node: Element) -> None:
        self._open.append(node)
        self._texts.append([])
        self._left.append(self._longest_text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        local = self.local[name]
        if self._open:
            node = self._open.pop()
            node.text = "".join(self._texts.pop())
            self._left.pop()
            if not self._open:
                node.length = self.tag_end(is_empty=self._is_fresh) - node.first
                self._done.append(node)
                self.parser.CharacterDataHandler = None
        elif local in self._ended:
            self._done.append(Element(local, {}, self.offset(), self.line()))

    def _characters(self, text: str) -> None:
        self._is_fresh = False
        if self._left[-1] > 0:
            self._texts[-1].append(text)
            self._left[-1] -= len(text)
