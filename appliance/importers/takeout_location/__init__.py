"""Google's location history, of Takeout in its old and newer layouts and of a phone's own export.

    {"locations": [{"latitudeE7": 515007000, "longitudeE7": -1246000, "timestamp": "2023-03-01T08:00:00Z", ...}, ...]}
        Records.json: positions, 10^-7 degrees; `timestampMs` before 2022

    {"timelineObjects": [
      {"placeVisit": {"location": {...}, "duration": {...}}},
      {"activitySegment": {"startLocation": {...}, "endLocation": {...}, "activityType": "...", ...}}]}
        Semantic Location History/2023/2023_MARCH.json: a month

    {"semanticSegments": [{"startTime": ..., "endTime": ..., "visit" | "activity" | "timelinePath" | "timelineMemory"}],
     "rawSignals": [{"position": {"LatLng": "51.5007°, -0.1246°", "timestamp": ...}}, {"wifiScan": ...}, ...]}
        Timeline.json of Android; iOS' location-history.json is the list of segments alone, with positions as
        "geo:51.5007,-0.1246"

A visit is a place, what lies between is a journey. Positions are no facts of their own: those of a day (in the `zone`)
are one journey with their count, as a GPX track is; the points themselves are in the file, which is kept.

Source: "Location History Format" (locationhistoryformat.com) for Takeout; files that phones wrote for the rest.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

from appliance import json_rows
from appliance.config import is_zone
from appliance.errors import UserError
from appliance.importers.takeout_location import segments
from appliance.importers.takeout_location.days import Day
from appliance.importers.takeout_location.values import Point
from appliance.json_rows import EACH, Path, Row
from appliance.records import Item, Rejected, Source, Span, Warned

TITLE = "Google location history (Takeout, Timeline)"

_LISTS = frozenset({"locations", "timelineObjects", "semanticSegments", "rawSignals"})
_BEGIN = re.compile(rb"\s*(\{|\[\s*\{)")
_OBJECT = re.compile(rb'"(?:timelineObjects|semanticSegments|rawSignals)"\s*:\s*\[')
_RECORDS = re.compile(rb'"locations"\s*:\s*\[\s*\{')
_SEGMENT = re.compile(rb'"(?:visit|activity|timelinePath|timelineMemory)"\s*:\s*[\[{]')
_MEND = "Export the file again, or correct it and import it again"


@dataclass(frozen=True)
class Options:
    """`zone`: whose days positions are gathered in."""

    zone: str = field(default="", metadata={"title": "Time zone in which a day begins"})

    def __post_init__(self) -> None:
        if self.zone and not is_zone(self.zone):
            raise UserError(f"zone={self.zone!r} is no time zone; write one such as Europe/London")


def identify(head: bytes, name: str) -> bool:
    """Whether it is JSON with a list of one of these layouts. Names of files say nothing."""
    plain = head.removeprefix(b"\xef\xbb\xbf")
    begun = _BEGIN.match(plain)
    if begun is None:
        return False
    if begun[1] != b"{":
        return b'"startTime"' in plain and bool(_SEGMENT.search(plain))
    return bool(_OBJECT.search(plain) or (_RECORDS.search(plain) and (b"E7" in plain or b'"timestamp' in plain)))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each visit, each journey and the positions of each day, in the file's order."""
    yield Source("google location history", "Google location history")
    yield from _Reader(options).items(pieces)


class _Reader:
    def __init__(self, options: Options) -> None:
        self._zone = ZoneInfo(options.zone) if options.zone else UTC
        self._day: Day | None = None
        self._besides: Counter[str] = Counter()
        self._rows = 0

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        for row in json_rows.rows(pieces, _is_row):
            if row.problem:
                yield from self._flushed()
                yield from _broken_off(row)
                continue
            self._rows += 1
            try:
                said = json_rows.loaded(row.raw)
                point = segments.point(said, row.path[0])
                yield from self._pointed(point, row) if point else self._segment(said, row)
            except ValueError as error:
                yield from self._flushed()
                yield Rejected(_span(row), row.line, f"{_CALLED.get(row.path[0], 'segment')} {self._rows}",
                               f"{error}. {_MEND}")  # fmt: skip
        yield from self._flushed()
        if self._besides:
            yield Warned(f"Not taken in: {', '.join(f'{many:,} {name}' for name, many in self._besides.items())}.")
        if not self._rows:
            yield Warned("The file holds no locations.")

    def _pointed(self, point: Point, row: Row) -> Iterator[Item]:
        """A position: one more of its day, or the first of the next."""
        day = point.at.astimezone(self._zone).date()
        if self._day is None or self._day.day != day:
            yield from self._flushed()
            self._day = Day(day, row.first)
        self._day.take(point, row.first + row.length)

    def _segment(self, said: Mapping[str, Any], row: Row) -> Iterator[Item]:
        record = segments.record(said, _span(row))
        if record is None:
            names = [name for name in said if not name.startswith(("startTime", "endTime"))]
            self._besides[names[0][:40] if names else "empty"] += 1
            return
        yield from self._flushed()
        yield record

    def _flushed(self) -> Iterator[Item]:
        if self._day is not None:
            yield self._day.record()
            self._day = None


_CALLED = {"locations": "location", "timelineObjects": "timeline object", "rawSignals": "signal"}


def _is_row(path: Path, mark: str) -> bool:
    return mark == "{" and (path == (EACH,) or (len(path) == 2 and path[0] in _LISTS and path[1] == EACH))


def _broken_off(row: Row) -> Iterator[Item]:
    if row.length:
        yield Rejected(
            _span(row), row.line, "the rest of the file" if not row.path else "row", f"{row.problem}. {_MEND}"
        )
    if not row.path:
        yield Warned(f"The file could be read up to line {row.line} and no further: {row.problem}.")


def _span(row: Row) -> Span:
    return Span(row.first, row.length)
