"""The elements of an XML document that are its rows, as flat values, past whatever is broken in between.

What is in a row comes as pairs of a path and a text, in the document's order:

    <Ntry> <Amt Ccy="EUR">5</Amt> <NtryDtls> <TxDtls> <Refs/> </TxDtls> </NtryDtls> </Ntry>

    ("Amt@Ccy", "EUR"), ("Amt", "5"), ("NtryDtls/TxDtls", None)

A text is an element's that has no other in it, without the blanks around it; None says that a group begins, so that
what is in one of several details can be told from what is in the next. Paths are without prefixes.
"""

import re
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field

from appliance import parsing
from appliance.markup._document import BrokenError, Data, Document, Feed, Place

_MOST_DEPTH = 100
_MOST_PLACES = 20_000  # of one document
_MOST_VALUES = 200_000  # of one row
_LONGEST_ROW = 8 << 20
_MOST_BROKEN = 10_000  # places in one document, beyond which it is none

Values = list[tuple[str, str | None]]


@dataclass(slots=True)
class Row:
    """A row, where it lies, and what is in it. `path` names the elements that it stands in, and itself."""

    path: str
    name: str
    attributes: dict[str, str]
    first: int
    line: int
    length: int = 0
    values: Values = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Begun:
    """The beginning of an element that rows stand in."""

    path: str
    name: str
    attributes: dict[str, str]
    first: int
    line: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an element that rows stand in; `end` is the byte behind it."""

    path: str
    name: str
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Bytes that could not be read, and why. `row` is the name of the row that they begin with, or "".

    `is_final`: nothing behind them is read. They are none (`length` is 0) where a document ends between two rows.
    """

    row: str
    first: int
    line: int
    length: int
    reason: str
    is_final: bool


Part = Row | Begun | Ended | Broken


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be told of a document, by local names."""

    rows: frozenset[str]
    around: frozenset[str]
    groups: frozenset[str]

    def start(self) -> re.Pattern[bytes]:
        """The beginning of a row (1: its name), or a tag of what rows stand in."""
        rows, around = ("|".join(map(re.escape, names)) or "(?!)" for names in (self.rows, self.around))
        prefix, end = r"(?:[\w.-]{1,30}:)?", r"(?=[\s/>])"
        return re.compile(f"<{prefix}({rows}){end}|</?{prefix}(?:{around}){end}".encode())


def rows(
    pieces: Iterable[Data], names: Collection[str], around: Collection[str] = (), groups: Collection[str] = ()
) -> Iterator[Part]:
    """The outermost elements of these names as rows; of those that are called as in `around`, the beginnings and ends;
    and what is broken, with all bytes up to the next row. Raises nothing because of what the document says.
    """
    wanted = _Wanted(frozenset(names), frozenset(around), frozenset(groups))
    reader = _Reader(Feed(pieces), wanted)
    for left in range(_MOST_BROKEN, -1, -1):
        try:
            yield from reader.read()
            return
        except BrokenError as error:
            yield from reader.taken()
            again = yield from reader.pass_over(error, wanted.start() if left else None)
            if again is None:
                return
            reader = again


class _TooMuchError(ValueError):
    """A document has more of something than any real one."""


class _Node(dict[str, "_Node"]):
    """A place in documents, a path of names; what stands below it, by its name as a file writes it.

    `inside` is the path from the row that it stands in, "" outside of rows. `nodes` counts those of a document.
    """

    __slots__ = (
        *("_at", "depth", "inside", "is_around", "is_group", "is_row", "name", "nodes", "parent", "path", "wanted"),
    )

    def __init__(self, name: str, parent: "_Node | None", wanted: _Wanted, nodes: list[int]) -> None:
        super().__init__()
        self.name, self.wanted, self.nodes = name, wanted, nodes
        self.parent: _Node = parent if parent is not None else self
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.path: str = f"{parent.path}/{name}" if parent is not None and parent.path else name
        is_inside = parent is not None and (parent.is_row or parent.inside != "")
        self.inside: str = f"{self.parent.inside}/{name}".removeprefix("/") if is_inside else ""
        self.is_row: bool = not is_inside and name in wanted.rows
        self.is_around: bool = not is_inside and name in wanted.around
        self.is_group: bool = is_inside and name in wanted.groups
        self._at: dict[str, str] = {}

    def __missing__(self, name: str) -> "_Node":
        local = name.rpartition(":")[2]
        self.nodes[0] += 1
        if self.depth >= _MOST_DEPTH:
            raise _TooMuchError("it nests too deep")
        if self.nodes[0] > _MOST_PLACES:
            raise _TooMuchError(f"it has more than {_MOST_PLACES:,} kinds of elements")
        node = self[local] = self[name] = self.get(local) or _Node(local, self, self.wanted, self.nodes)
        return node

    def attribute(self, name: str) -> str:
        """The path of an attribute of an element here."""
        path = self._at.get(name)
        if path is None:
            path = f"{self.inside}@{name.rpartition(':')[2]}"
            if len(self._at) < _MOST_DEPTH:
                self._at[name] = path
        return path


class _Reader(Document):
    """Reads on from the document's beginning, or from a place in it, to what is broken or to the end."""

    def __init__(self, feed: Feed, wanted: _Wanted, at: "tuple[_Node, list[str], Place] | None" = None) -> None:
        node, names, place = at or (_Node("", None, wanted, [0]), [], None)
        super().__init__(feed, place)
        self._wanted = wanted
        self._begun = place.offset if place else -1
        self._node, self._names = node, names  # the element that is open, and all around the row as the file names them
        self._row: Row | None = None
        self._values: Values = []
        self._texts: list[str] = []  # since the last tag
        self._is_leaf = False  # the last tag was a beginning
        self._end_of_last = 0
        self._done: list[Part] = []
        self._listen()

    def read(self) -> Iterator[Part]:
        """What is read until the end; BrokenError where that comes too early."""
        try:
            for _ in self.parsed():
                yield from self.taken()
                if self._row and (len(self._values) > _MOST_VALUES or self.offset() - self._row.first > _LONGEST_ROW):
                    raise _TooMuchError("it holds too much")
        except _TooMuchError as error:
            raise BrokenError(self.offset(), str(error), line=self.line()) from None

    def taken(self) -> list[Part]:
        """What was read since it was asked for last."""
        done, self._done = self._done, []
        return done

    # ---- outside of rows ----

    def _listen(self) -> None:
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        node = self._node = self._node[name]
        self._is_leaf = True
        if node.is_row:
            self._row = Row(node.path, node.name, attributes, self.offset(), self.line())
            self._values = self._row.values
            self.parser.StartElementHandler = self._start_inside
            self.parser.EndElementHandler = self._end_inside
            self.parser.CharacterDataHandler = self._texts.append
            return
        self._names.append(name)
        if node.is_around:
            self._done.append(Begun(node.path, node.name, attributes, self.offset(), self.line()))

    def _end(self, _: str) -> None:
        node = self._node
        if node.is_around:
            self._done.append(Ended(node.path, node.name, self.tag_end(is_empty=self._is_leaf), self.line()))
        self._is_leaf = False
        if self._names:
            self._names.pop()
        self._node = node.parent

    # ---- inside of a row ----

    def _start_inside(self, name: str, attributes: dict[str, str]) -> None:
        node = self._node = self._node[name]
        self._is_leaf = True
        self._texts.clear()
        if node.is_group:
            self._values.append((node.inside, None))
        if attributes:
            self._values += [(node.attribute(each), text) for each, text in attributes.items()]

    def _end_inside(self, _: str) -> None:
        node = self._node
        self._node = node.parent
        if node.is_row:
            self._end_row()
        elif self._is_leaf:
            self._is_leaf = False
            if texts := self._texts:
                self._values.append((node.inside, (texts[0] if len(texts) == 1 else "".join(texts)).strip()))

    def _end_row(self) -> None:
        row, texts, self._row = self._row, self._texts, None
        if row is None:
            return
        end = self._end_of_last = self.tag_end(is_empty=self._is_leaf and not texts)
        row.length = end - row.first
        if self._is_leaf and texts:
            row.values.append(("", "".join(texts).strip()))
        self._is_leaf = False
        texts.clear()
        self._done.append(row)
        self._listen()

    # ---- what is broken ----

    def pass_over(self, error: BrokenError, start: re.Pattern[bytes] | None) -> "Generator[Part, None, _Reader | None]":
        """Tells what is broken, up to the next row; the reader that goes on there, None where nothing does."""
        name, first, line = self._broken(error, start)
        node, behind = self._node, error.line
        while node.inside or node.is_row:
            node = node.parent

        def passed(raw: bytes) -> None:
            nonlocal node, behind
            behind += parsing.line_ends(raw)
            while self._names and re.search(rf"</{re.escape(self._names[-1])}[\s>]".encode(), raw):
                self._names.pop()
                node = node.parent

        found = None
        if start is not None and not error.is_final and not self.feed.head.is_wide:
            found = self.feed.find(start, max(error.offset, self._begun + 1), passed)
        end = self.feed.end() if found is None else found
        yield Broken(name, first, line, end - first, error.reason, found is None)
        if found is None:
            return None
        inside = "".join(f"<{each}>" for each in self._names).encode(self.feed.head.encoding or "utf-8")
        return _Reader(self.feed, self._wanted, (node, self._names, Place(found, behind, inside)))

    def _broken(self, error: BrokenError, start: re.Pattern[bytes] | None) -> tuple[str, int, int]:
        """The row that is broken, or in whose first tag expat stopped: its name, where it begins, and on which line."""
        if self._row is not None:
            return self._row.name, self._row.first, self._row.line
        held, here = self.feed.held, error.offset - self.feed.first
        tag = held.rfind(b"<", max(0, self._end_of_last - self.feed.first), here + 1)
        found = start.match(held, tag) if start is not None and tag >= 0 else None
        if found and found[1]:
            return found[1].decode(), self.feed.first + tag, error.line - parsing.line_ends(held[tag:here])
        return "", error.offset, error.line
