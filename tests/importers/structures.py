"""Takes a file apart into what its format consists of, and puts it together otherwise, as nobody would write it.

A tree's leaves are bytes, and its whole is their concatenation: the elements of a markup, the items of JSON, or rows
of cells in what encloses them (`BEGIN:` and `END:` of content lines, the boundaries of a message). Edits know nothing
of formats: they drop, double, swap, nest and replace what there is, fill the file with it, and say it in another
encoding.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

Tree = list["Tree | bytes"]

_MARKUP = re.compile(rb"<[^<>]*>|[^<]+|<")
_JSON = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^"{}\[\],:]+|"', re.S)
_ENCLOSING = re.compile(rb"BEGIN:([^\s:]{1,60})\s*\Z|--(\S{6,70}?)(--)?\s*\Z", re.I)
_CELLS = re.compile(rb'"(?:[^"]|"")*"|[^,;\t:=|"\r\n/]+|.', re.S)
_DEEPEST = 200
_EDITS = ("drop", "double", "repeat", "swap", "copy", "say", "say", "say", "nest", "end", "fill", "encode")
_ENCODINGS = ("utf-16-le", "utf-16", "latin-1", "cp1252", "cp850", "utf-8-sig")
_HOSTILE = (
    b"", b"\x00", b"30.02.2026", b"2026-02-30", b"02/30/2026", b"1.234,56", b"1,234.56", b"-0", b"NaN", b"1e309",
    b"99999999999999999999", b"0000-00-00", b"9999-12-31T23:59:60Z", b"2099-01-01", b"25:61", b"null", b"{}", b"[[]]",
    b'"', b"&x;", b"&#0;", b"<!--", b"]]>", b"=cmd()", b"\xff\xfe", b"\xed\xa0\x80", b"\xe2\x80\xae", b"A" * 5000,
    b"0" * 400, b"\n", b"\r\n\r\n", b"BEGIN:VEVENT", b"END:VCARD", b"<a>" * 50, b"[" * 300, b">From ", b"--",
    b"\r", b"\xc2\x85", b"29/02/2026", b"31.04.26", b"\xc2\xa31,234", b"-1.234,56-", b"Infinity", b"\xd9\xa1",
)  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """One change: what is done to the part that `at` chooses, with the one that `other` does, or with a value."""

    what: str
    at: int
    other: int
    value: bytes


def edits() -> st.SearchStrategy[list[Edit]]:
    values = st.one_of(
        st.sampled_from(_HOSTILE),
        st.binary(max_size=12),
        st.dates().map(lambda day: day.isoformat().encode()),
        st.decimals(allow_nan=False).map(lambda number: str(number).encode()),
    )
    where = st.integers(0, 1 << 20)
    return st.lists(st.builds(Edit, st.sampled_from(_EDITS), where, where, values), min_size=1, max_size=8)


def taken_apart(data: bytes) -> Tree:
    """By what the file looks like: markup, JSON, else rows of cells in what encloses them."""
    begin = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:4000]
    if begin[:1] in (b"{", b"["):
        return _items(data)
    if begin[:1] == b"<" or b"<OFX>" in begin:
        return _elements(data)
    return _enclosed(data)


def changed(tree: Tree, said: Sequence[Edit], most: int) -> bytes:
    """The file after all edits, and no more than so many bytes of it."""
    for edit in said:
        places = list(_places(tree))
        if not places:
            break
        parent, index = places[edit.at % len(places)]
        other, other_index = places[edit.other % len(places)]
        _edit(edit, parent, index, other[other_index])
        if edit.what == "fill":
            whole = b"".join(_leaves([parent[index]]))
            parent[index] = whole * ((most - size(tree)) // max(1, len(whole)))
        if size(tree) > most:
            break
    return b"".join(_leaves(tree))[:most]


def size(tree: "Tree | bytes") -> int:
    return sum(map(len, _leaves(tree)))


def _edit(edit: Edit, parent: Tree, index: int, other: "Tree | bytes") -> None:
    part = parent[index]
    if edit.what == "drop":
        del parent[index]
    elif edit.what == "end":
        del parent[index:]
    elif edit.what in ("double", "repeat"):
        parent[index : index + 1] = [_copy(part) for _ in range(2 if edit.what == "double" else 50)]
    elif edit.what == "swap" and index + 1 < len(parent):
        parent[index], parent[index + 1] = parent[index + 1], part
    elif edit.what == "copy":
        parent[index] = _copy(other)
    elif edit.what == "encode":
        text = b"".join(_leaves([part])).decode("utf-8", "replace")
        parent[index] = text.encode(_ENCODINGS[edit.other % len(_ENCODINGS)], "replace")
    elif edit.what == "say":
        parent[index] = edit.value
    elif edit.what == "nest" and isinstance(part, list):
        for _ in range(1 + edit.other % 60):
            outer = _copy(part)
            assert isinstance(outer, list)
            outer.insert(len(outer) // 2, parent[index])
            parent[index] = outer
            if size(parent) > 50_000:
                break


def _copy(part: "Tree | bytes") -> "Tree | bytes":
    return part if isinstance(part, bytes) else [_copy(each) for each in part]


def _places(tree: Tree) -> Iterator[tuple[Tree, int]]:
    """Every part, by the list that holds it and its number there."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        for index, part in enumerate(node):
            yield node, index
            if isinstance(part, list):
                waiting.append(part)


def _leaves(tree: "Tree | bytes") -> Iterator[bytes]:
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, bytes):
            yield part
        else:
            waiting.extend(reversed(part))


def _elements(data: bytes) -> Tree:
    """A close tag ends its element, and those in it that nothing closed, as SGML leaves them."""
    root: Tree = []
    opened: list[tuple[bytes, Tree]] = [(b"", root)]
    for token in _MARKUP.findall(data):
        name = token[1:-1].strip(b"/ ").split(b" ")[0].lower() if token[:1] == b"<" else b""
        if token[:2] == b"</" and any(name == each for each, _ in opened):
            while opened[-1][0] != name:
                opened.pop()
            opened.pop()[1].append(token)
        elif name and token[:2] not in (b"</", b"<!", b"<?") and token[-2:] != b"/>" and len(opened) < _DEEPEST:
            element: Tree = [token]
            opened[-1][1].append(element)
            opened.append((name, element))
        else:
            opened[-1][1].append(token)
    return root


def _enclosed(data: bytes) -> Tree:
    """What a line begins goes on to the line that ends it, or of a message's part to the next one's beginning."""
    root: Tree = []
    opened: list[tuple[bytes, Tree]] = [(b"", root)]
    for line in data.splitlines(keepends=True):
        found = _ENCLOSING.fullmatch(line)
        ended = found[2] if found and found[2] else line.strip().upper()
        if any(ended == each for each, _ in opened[1:]):
            while opened.pop()[0] != ended:
                pass
        opened[-1][1].append([*_CELLS.findall(line)])
        if found and not found[3] and len(opened) < _DEEPEST:
            inside: Tree = []
            opened[-1][1].append(inside)
            opened.append((found[2] or b"END:" + found[1].upper(), inside))
    return root


def _items(data: bytes) -> Tree:
    """An object or a list holds items, each with the comma behind it."""
    root: Tree = []
    opened: list[Tree] = [root]
    for token in _JSON.findall(data):
        if token in (b"{", b"[") and len(opened) < _DEEPEST:
            first: Tree = []
            opened[-1].append([token, first])
            opened.append(opened[-1][-1])  # type: ignore[arg-type]
            opened.append(first)
        elif token in (b"}", b"]") and len(opened) > 2:
            opened.pop()
            opened.pop().append(token)
        elif token == b"," and len(opened) > 1:
            opened.pop().append(token)
            item: Tree = []
            opened[-1].append(item)
            opened.append(item)
        else:
            opened[-1].append(token)
    return root
