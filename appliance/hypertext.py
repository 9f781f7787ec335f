"""HTML reduced to the text that a person reads: for searching it, never for showing it. In linear time."""

import re
from collections.abc import Iterator

from appliance import parsing

_TAG = re.compile(r"<(?:(?P<comment>!--)|(?P<end>/?)(?P<name>[a-z][a-z0-9]{0,20}+)[^<>]*+>|[!?/][^<>]*+>)", re.I)
_NOT_SHOWN = {name: re.compile(rf"</{name}\b", re.I) for name in ("script", "style", "template", "title")}
_LINES = frozenset(
    {
        *("address", "article", "aside", "blockquote", "br", "caption", "dd", "div", "dl", "dt", "figure", "footer"),
        *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("table", "tbody", "tfoot", "thead", "tr", "ul"),
    }
)
_CELLS = frozenset({"td", "th"})
_BLANKS = re.compile(r"[^\S\n]{2,}+|[^\S\n ]")
_EMPTY_LINES = re.compile(r"\n{3,}")


def text(html: str) -> str:
    """What a page says, a line for each of its blocks."""
    said = parsing.resolved("".join(_pieces(html.replace("\r", " ").replace("\n", " "))))
    lines = (line.strip() for line in _BLANKS.sub(" ", said).split("\n"))
    return parsing.lines(_EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip())


def _pieces(html: str) -> Iterator[str]:
    """What stands between the tags, and what a tag puts in its place."""
    position = 0
    while tag := _TAG.search(html, position):
        yield html[position : tag.start()]
        position = tag.end()
        name = (tag["name"] or "").lower()
        if tag["comment"]:
            position = _behind(html, html.find("-->", position), 3)
        elif name in _NOT_SHOWN and not tag["end"]:
            closing = _NOT_SHOWN[name].search(html, position)
            position = closing.start() if closing else len(html)
        elif name in _LINES:
            yield "\n"
        elif name in _CELLS:
            yield " "
    yield html[position:]


def _behind(html: str, found: int, length: int) -> int:
    return len(html) if found < 0 else found + length
