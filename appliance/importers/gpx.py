"""GPX 1.0 and 1.1: places that someone marked, ways that someone went, and ways that someone means to go.

    <gpx creator="..."> <wpt lat="51.5007" lon="-0.1246"> <ele>11 <time>2026-03-01T10:00:00Z <name>Bridge <sym> </wpt>
      <rte> <name> <rtept lat= lon=> ... </rte>
      <trk> <name>Morning run <type>running <trkseg> <trkpt lat= lon=> <ele>1 <time>2 </trkpt> ... </trkseg> </trk>

1 metres above the sea, 2 in UTC. A waypoint is a place. A track is one journey: when and where it began and ended, how
far it went and how much it climbed; a route is one that is planned. Their points are no facts of their own, nor
readings: a run has thousands, nobody looks for one of them, and series of degrees would stand among those of meters.
They stay in the file, to which the journey leads with all its bytes. Where a receiver heard nothing for a while, no way
was gone that is known: distances are added up within a segment.

Source: Topografix, GPX 1.1 Schema Documentation (gpx.xsd); GPX 1.0 Developer's Manual.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import asin, cos, radians, sin, sqrt

from appliance import markup, parsing
from appliance.markup import Begun, Broken, Ended, Row
from appliance.records import Item, Provenance, Record, Rejected, Source, Span, Warned

TITLE = "GPX places and tracks"

_EARTH_M = 6_371_008.8  # mean radius, IUGG
_CLIMB_M = Decimal(2)  # what goes up or down less than this is the noise of a receiver
_MEND = "Correct it in the file and import the file again"
_WAYS = {"trk": "track", "rte": "route"}
_POINTS = frozenset({"trkpt", "rtept"})
_OF_A_WAY = ("name", "desc", "cmt", "type", "link", "url")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}(?:\.[0-9]{0,18})?")
_VERSION = re.compile(r"[\s/,;-]+\(?v?[0-9]+(?:\.[0-9]+)+\S*\)?$", re.I)
_LONGEST, _MOST = 1_000, 40  # characters of a field, and fields in the file's own words


@dataclass(frozen=True)
class Options:
    """Nothing: a file says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether the first element is GPX's. Names say nothing."""
    return markup.root(head) == "gpx"


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each waypoint, route and track, in the file's order."""
    del options
    yield from _Reader().items(pieces)


class _Reader:
    """One pass over a file: the track or route that we are in, and how many there were."""

    def __init__(self) -> None:
        self._way: _Way | None = None
        self._source: Source | None = None
        self._counts = dict.fromkeys((*_WAYS.values(), "waypoint"), 0)
        self._timeless = 0

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        names, around = ("wpt", *_POINTS, *_OF_A_WAY), ("gpx", "trkseg", *_WAYS)
        for part in markup.rows(pieces, names, around):
            if isinstance(part, Row):
                yield from self._row(part)
            elif isinstance(part, Begun):
                yield from self._begun(part)
            elif isinstance(part, Ended):
                yield from self._ended(part)
            else:
                yield from self._broken(part)
        if not any(self._counts.values()):
            yield Warned("The file holds no waypoint, no route and no track.")
        if self._timeless:
            yield Warned(
                f"Times in the file that are none, so that what states them is kept without: {self._timeless}."
            )

    def _begun(self, part: Begun) -> Iterator[Item]:
        if part.name == "gpx":
            yield self._named(part.attributes.get("creator", ""))
        elif part.name in _WAYS and self._way is None:
            self._way = _Way(part)
        elif self._way is not None:
            self._way.begin_segment()

    def _named(self, creator: str) -> Source:
        """The program or device that wrote the file, whatever its version: its next file is of the same source."""
        program = _VERSION.sub("", parsing.tidy(creator)[:100]).strip()
        self._source = Source(f"gpx {program}".strip(), program or "GPX file")
        return self._source

    def _row(self, row: Row) -> Iterator[Item]:
        if self._way is not None:
            self._way.take(row)
        elif row.name == "wpt":
            if self._source is None:
                yield self._named("")
            yield self._place(row)

    def _ended(self, part: Ended) -> Iterator[Item]:
        way = self._way
        if way is None or part.name != way.name:
            return
        self._way = None
        self._counts[way.what] += 1
        if self._source is None:
            yield self._named("")
        yield way.item(self._counts[way.what], part.end)
        self._timeless += way.timeless
        if way.left_out:
            whose = f"the {way.what} on line {way.line}"
            yield Warned(f"Points of {whose} that are no places on the earth and were left out: {way.left_out}.")

    def _broken(self, part: Broken) -> Iterator[Item]:
        way, end = self._way, part.first + part.length
        if way is not None and not part.is_final:
            way.left_out += 1
        elif way is not None:
            self._counts[way.what] += 1
            where, span = f"{way.what} {self._counts[way.what]}", Span(way.first, end - way.first)
            yield Rejected(span, way.line, where, f"line {part.line}: {part.reason}. Export the file again")
        elif part.length:
            self._counts["waypoint"] += part.row == "wpt"
            where = "the rest of the file" if part.is_final else "between two places"
            where = f"waypoint {self._counts['waypoint']}" if part.row == "wpt" else where
            yield Rejected(Span(part.first, part.length), part.line, where, f"{part.reason}. {_MEND}")
        if part.is_final:
            yield Warned(f"The file could be read up to line {part.line} and no further: {part.reason}.")

    def _place(self, row: Row) -> Record | Rejected:
        self._counts["waypoint"] += 1
        span, position, said = Span(row.first, row.length), _position(row.attributes), _said(row)
        if position is None:
            where = f"waypoint {self._counts['waypoint']}"
            return Rejected(span, row.line, where, f"its lat and lon are no place on the earth. {_MEND}")
        at = _time(said.get("time", ""))
        if at is not None:
            del said["time"]
        self._timeless += bool(said.get("time"))
        name, memo = said.pop("name", ""), _notes(said)
        fields = {
            "name": name,
            "position": position,
            "elevation": said.pop("ele") if _number(said.get("ele", "")) is not None else "",
            "category": said.pop("type", "") or said.pop("sym", ""),
            "web": said.pop("link@href", "") or said.pop("url", ""),
        }
        return Record(
            kind="place",
            at=at,
            title=name or memo.partition("\n")[0][:_LONGEST] or position,
            span=span,
            memo=memo,
            provenance=Provenance.MY,
            fields={**said, **{key: text for key, text in fields.items() if text}},
            detail=position,
        )


class _Way:
    """A track or a route under way: its points are added up as they come."""

    def __init__(self, begun: Begun) -> None:
        self.name, self.what = begun.name, _WAYS[begun.name]
        self.first, self.line = begun.first, begun.line
        self.left_out = self.timeless = 0
        self._path, self._said = begun.path, dict[str, str]()
        self._points, self._metres = 0, 0.0
        self._start = self._end = ""
        self._last: tuple[float, float] | None = None
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None
        self._ascent = self._descent = Decimal(0)
        self._height: Decimal | None = None

    def begin_segment(self) -> None:
        self._last = None

    def take(self, row: Row) -> None:
        if row.name in _POINTS:
            self._take_point(row)
        elif row.path == f"{self._path}/{row.name}":
            text = row.attributes.get("href") or dict(row.values).get("") or ""
            self._said.setdefault("link@href" if row.name == "link" else row.name, _text(text))

    def _take_point(self, row: Row) -> None:
        position = _position(row.attributes)
        if position is None:
            self.left_out += 1
            return
        self._points += 1
        self._start, self._end = self._start or position, position
        north, _, east = position.partition(",")
        here = radians(float(north)), radians(float(east))
        if self._last is not None:
            self._metres += _metres(self._last, here)
        self._last = here
        for path, text in row.values:
            if path == "time":
                self._pass_at(text or "")
            elif path == "ele":
                self._climb(_number(text or ""))

    def _pass_at(self, text: str) -> None:
        at = _time(text)
        if at is None:
            self.timeless += 1
            return
        self._first_at = at if self._first_at is None else min(self._first_at, at)
        self._last_at = at if self._last_at is None else max(self._last_at, at)

    def _climb(self, height: Decimal | None) -> None:
        if height is None:
            return
        risen = height - (height if self._height is None else self._height)
        if self._height is None or abs(risen) >= _CLIMB_M:
            self._height = height
            self._ascent += max(risen, Decimal(0))
            self._descent -= min(risen, Decimal(0))

    def item(self, number: int, end: int) -> Record | Rejected:
        """What it comes to; `end` is the byte behind it."""
        span, said = Span(self.first, end - self.first), self._said
        if not self._points:
            return Rejected(
                span, self.line, f"{self.what} {number}", f"it has no point that lies on the earth. {_MEND}"
            )
        name, memo, how = said.pop("name", ""), _notes(said), said.pop("type", "")
        until = self._last_at if self._last_at != self._first_at else None
        fields = {
            "until": until.isoformat().replace("+00:00", "Z") if until else "",
            "start": self._start,
            "end": self._end,
            "distance": f"{self._metres:.0f}",
            "how": how,
            "ascent": f"{self._ascent:f}" if self._ascent else "",
            "descent": f"{self._descent:f}" if self._descent else "",
            "points": str(self._points),
            "planned": "yes" if self.name == "rte" else "",
            "web": said.pop("link@href", "") or said.pop("url", ""),
        }
        return Record(
            kind="place.journey",
            at=self._first_at,
            title=name or how or self.what.capitalize(),
            span=span,
            memo=memo,
            provenance=Provenance.MY,
            fields={key: text for key, text in fields.items() if text},
            detail=f"{self._start} {self._end} {self._points}" if self._first_at is None else "",
        )


def _said(row: Row) -> dict[str, str]:
    """What a waypoint says, by the file's own names; extensions by theirs."""
    found: dict[str, str] = {}
    for path, text in row.values:
        name = path.rpartition("/")[2] if path.startswith("extensions/") else path
        if text and len(found) < _MOST:
            found.setdefault(name, _text(text))
    return found


def _notes(said: dict[str, str]) -> str:
    return "\n".join(dict.fromkeys(filter(None, (said.pop("desc", ""), said.pop("cmt", "")))))


def _text(text: str) -> str:
    return parsing.tidy(text)[:_LONGEST]


def _position(attributes: dict[str, str]) -> str | None:
    """North and east in degrees, as they are written; None where they are no place on the earth."""
    north, east = (attributes.get(name, "").strip() for name in ("lat", "lon"))
    if not _NUMBER.fullmatch(north) or not _NUMBER.fullmatch(east):
        return None
    is_place = abs(float(north)) <= 90 and abs(float(east)) <= 180
    return ",".join(each.lstrip("+").rstrip(".") for each in (north, east)) if is_place else None


def _number(text: str) -> Decimal | None:
    with suppress(InvalidOperation):
        if _NUMBER.fullmatch(text):
            return Decimal(text)
    return None


def _time(text: str) -> datetime | None:
    """The specification's times are in UTC, whether or not they say so."""
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return at if at.astimezone(UTC) and "T" in text else None
    except (ValueError, OverflowError):
        return None


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the great circle (haversine), between two places in radians."""
    (north, west), (south, east) = one, other
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin((east - west) / 2) ** 2
    return 2 * _EARTH_M * asin(min(1.0, sqrt(half)))
