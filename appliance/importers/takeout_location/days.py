"""The positions of one day, gathered: one journey, whose points stay in the file.

The day is its id: an export that was made in the middle of a day has less of it than the next one.
"""

from datetime import UTC, date

from appliance.importers.takeout_location.values import Point
from appliance.records import Record, Span


class Day:
    """Positions that follow one another in a file and are of one day: where it began and ended, and how many."""

    def __init__(self, day: date, first: int) -> None:
        self.day = day
        self._first = self._end = first
        self._points = 0
        self._begun: Point | None = None
        self._ended: Point | None = None

    def take(self, point: Point, end: int) -> None:
        """One more position; `end` is where it ends in the file."""
        self._points += 1
        self._end = end
        if self._begun is None or point.at < self._begun.at:
            self._begun = point
        if self._ended is None or point.at >= self._ended.at:
            self._ended = point

    def record(self) -> Record:
        """The day as a fact; a day has at least one position."""
        assert self._begun is not None  # noqa: S101 - for the type: see above
        assert self._ended is not None  # noqa: S101
        until = self._ended.at.astimezone(UTC).isoformat()
        return Record(
            kind="place.journey",
            at=self._begun.at,
            title=f"Positions of {self.day.isoformat()}",
            span=Span(self._first, self._end - self._first),
            supplier_id=f"positions of {self.day.isoformat()}",
            detail=f"{until} {self._points}",
            fields={
                "until": until,
                "start": self._begun.position,
                "end": self._ended.position,
                "points": str(self._points),
            },
        )
