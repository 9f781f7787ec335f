"""GPX 1.0 and 1.1: places that someone marked, and ways that someone went.

    <gpx version="1.1"> <wpt lat="51.5007" lon="-0.1246"> <ele>11 <time>2026-03-01T10:00:00Z <name>Bridge <desc> </wpt>
      <rte> <name> <rtept lat= lon=> ... </rte>
      <trk> <name>Morning run <trkseg> <trkpt lat="..." lon="..."> <ele>1 <time>2 </trkpt> ... </trkseg> </trk> </gpx>

1 metres above the sea, 2 in UTC. A waypoint, a route and a track are one fact each: where and when it begins and ends,
how far it is and how much it climbs. The points of a way are in the file, which is kept; they are no facts of their
own.

Source: Topografix, GPX 1.1 Schema Documentation; GPX 1.0 Developer's Manual.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import asin, cos, radians, sin, sqrt

from appliance import markup, parsing
from appliance.markup import BrokenError, Element
from appliance.records import Item, Provenance, Record, Rejected, Source, Span, Warned

TITLE = "GPX places and tracks"

_ROOT = re.compile(rb"<(?:[\w.-]+:)?gpx[\s>]")
_EARTH_M = 6_371_008.8  # mean radius, IUGG
_CLIMB_M = 2.0  # what goes up less than this is the noise of a receiver
_MEND = "Correct it in the file and import the file again"
_CLOSING = len("</trk>")


@dataclass(frozen=True)
class Options:
    """Nothing: a file says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether the first element is GPX's. Names say nothing."""
    return bool(_ROOT.search(head[:4096].replace(b"\0", b"")))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each waypoint, route and track, in the file's order."""
    del options
    way: _Way | None = None
    count = 0
    yield Source("gpx", "GPX file")
    try:
        for element in markup.elements(pieces, ("wpt", "rte", "trkpt", "name", "desc", "type"), ("trk",), ("trk",)):
            if element.is_open:
                way = _Way(element)
            elif element.name == "trk" and way is not None:
                count += 1
                yield way.item(count, Span(way.first, element.first + (_CLOSING if way.is_begun else 0) - way.first))
                way = None
            elif way is not None:
                way.take(element)
            elif element.name == "wpt":
                count += 1
                yield _place(element, count)
            elif element.name == "rte":
                count += 1
                yield _route(element, count)
    except BrokenError as error:
        if way is not None and error.offset > way.first:
            yield Rejected(
                Span(way.first, error.offset - way.first), way.line, f"track {count + 1}", f"{error.reason}. {_MEND}"
            )
        yield Warned(f"The file could be read up to byte {error.offset} and no further: {error.reason}.")
    if not count:
        yield Warned("The file holds no waypoint, no route and no track.")


class _Way:
    """A track under way: its points are added up as they come."""

    def __init__(self, begun: Element) -> None:
        self.first, self.line = begun.first, begun.line
        self._said: dict[str, str] = {}
        self._points = self._broken = 0
        self._start: tuple[str, str] | None = None
        self._end: tuple[str, str] = ("", "")
        self._last: tuple[float, float] | None = None
        self._at: list[datetime] = []
        self._metres = self._climbed = 0.0
        self._height: float | None = None
        self.is_begun = False  # else it may be an empty element, whose end is that of its only tag

    def take(self, element: Element) -> None:
        self.is_begun = True
        if element.name not in ("trkpt", "rtept"):
            self._said.setdefault(element.name, parsing.tidy(element.text)[:500])
            return
        position = _position(element)
        if position is None:
            self._broken += 1
            return
        self._points += 1
        self._start, self._end = self._start or position, position
        here = float(position[0]), float(position[1])
        if self._last is not None:
            self._metres += _metres(self._last, here)
        self._last = here
        self._climb(element.said("ele"))
        if at := _time(element.said("time")):
            self._at = [self._at[0] if self._at else at, at]

    def _climb(self, text: str) -> None:
        try:
            height = float(text)
        except ValueError:
            return
        if self._height is None or height < self._height:
            self._height = height
        elif height - self._height >= _CLIMB_M:
            self._climbed += height - self._height
            self._height = height

    def item(self, number: int, span: Span, what: str = "track") -> Record | Rejected:
        if self._start is None:
            return Rejected(span, self.line, f"{what} {number}", f"it has no point that lies on the earth. {_MEND}")
        fields = {
            "until": self._at[-1].isoformat() if self._at else "",
            "start": ",".join(self._start),
            "end": ",".join(self._end),
            "distance": f"{self._metres:.0f}",
            "how": self._said.get("type", ""),
            "ascent": f"{self._climbed:.0f}" if self._climbed else "",
            "points": str(self._points),
            "planned": "yes" if what == "route" else "",
            "points_left_out": str(self._broken) if self._broken else "",
        }
        return Record(
            kind="place.journey",
            at=self._at[0] if self._at else None,
            title=self._said.get("name", "") or what.capitalize(),
            span=span,
            memo=self._said.get("desc", ""),
            provenance=Provenance.MY,
            fields={name: text for name, text in fields.items() if text},
        )


def _place(element: Element, number: int) -> Record | Rejected:
    span, position = Span(element.first, element.length), _position(element)
    if position is None:
        return Rejected(span, element.line, f"waypoint {number}", f"its lat and lon are no place on the earth. {_MEND}")
    name = parsing.tidy(element.said("name"))[:500]
    fields = {
        "name": name,
        "position": ",".join(position),
        "category": parsing.tidy(element.said("type") or element.said("sym"))[:200],
        "elevation": parsing.tidy(element.said("ele"))[:40],
        "web": element.find("link").attributes.get("href", "") if element.find("link") else "",  # type: ignore[union-attr]
    }
    return Record(
        kind="place",
        at=_time(element.said("time")),
        title=name or ",".join(position),
        span=span,
        memo=parsing.tidy(element.said("desc") or element.said("cmt"))[:10_000],
        provenance=Provenance.MY,
        fields={key: text for key, text in fields.items() if text},
    )


def _route(element: Element, number: int) -> Record | Rejected:
    way = _Way(element)
    for each in element.children:
        if each.name in ("rtept", "name", "desc", "type"):
            way.take(each)
    return way.item(number, Span(element.first, element.length), "route")


def _position(element: Element) -> tuple[str, str] | None:
    """North and east in degrees, as they are written; None where they are no place on the earth."""
    lat, lon = (element.attributes.get(name, "").strip() for name in ("lat", "lon"))
    try:
        is_place = abs(float(lat)) <= 90 and abs(float(lon)) <= 180
    except ValueError:
        return None
    return (lat, lon) if is_place and len(lat) < 40 and len(lon) < 40 else None


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the great circle (haversine)."""
    north, south = radians(one[0]), radians(other[0])
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))
