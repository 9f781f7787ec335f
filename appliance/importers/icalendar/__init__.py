"""iCalendar: events, to-dos and journals, once or again and again, in whatever zone (.ics; and vCalendar 1.0, .vcs).

    BEGIN:VCALENDAR
    X-WR-CALNAME:Home                               1
    BEGIN:VEVENT
    UID:7f3a@example.org                            2
    DTSTART;TZID=Europe/Berlin:20260302T190000      3
    DTEND;TZID=Europe/Berlin:20260302T203000
    RRULE:FREQ=WEEKLY;BYDAY=MO                      4
    EXDATE;TZID=Europe/Berlin:20260309T190000
    SUMMARY:Choir
    END:VEVENT
    END:VCALENDAR

1 the source, 2 the supplier's own id; 3 makes it a record, 4 stays a rule in its fields: each component is one record
however often it occurs, and `derive.occurrences` works out when. What was changed of one occurrence is a component of
its own (RECURRENCE-ID), which the first one names in `replaced`. A day that an event ends on is its last one, where the
file names the day after. VFREEBUSY and the like are told, and not read.

Source: RFC 5545 (iCalendar), RFC 7986 (NAME, CONFERENCE), vCalendar 1.0 of the Internet Mail Consortium.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap

from appliance import parsing, zones
from appliance.contentlines import NOT_BEGUN, Component, Remarks
from appliance.errors import UserError
from appliance.importers.icalendar.component import Reader
from appliance.importers.icalendar.survey import EVENT, JOURNAL, TASK, Calendar, calendars
from appliance.records import Item, Rejected, Source, Span, Warned

TITLE = "iCalendar (.ics)"

_BEGIN = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+BEGIN[ \t]*+:[ \t]*+V(?:CALENDAR|EVENT|TODO|JOURNAL)[ \t]*+(?:[\r\n]|\Z)", re.I
)
_WORDS = {EVENT: "event", TASK: "to-do", JOURNAL: "journal entry"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Options:
    """`zone`: that of times which name none, such as Europe/London."""

    zone: str = field(default="", metadata={"title": "Time zone, where the file names none"})

    def __post_init__(self) -> None:
        if self.zone and zones.named(self.zone) is None:
            raise UserError(f"zone={self.zone!r} is not a time zone; write one such as Europe/London")


def identify(head: bytes, name: str) -> bool:
    """Whether it begins with a calendar, or with what stands in one. Names say nothing."""
    plain = head.replace(b"\0", b"")[2:] if head.startswith(_UTF16) else head
    return bool(_BEGIN.match(plain))


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """A `Source` for each calendar, and each of its VEVENTs, VTODOs and VJOURNALs as a record or a `Rejected`."""
    if data[:2] in _UTF16:
        reason = "the file is written in UTF-16; save it as UTF-8 and import it again"
        yield Rejected(Span(0, len(data)), 1, "file", reason)
        return
    yield from _Run(data, options).items()


class _Run:
    """One pass over a file's calendars, with what a person should know in the end."""

    def __init__(self, data: bytes | mmap, options: Options) -> None:
        self._data = data
        self._own = zones.named(options.zone) if options.zone else None
        self._lines = parsing.Lines(data)
        self._counts = Counter[str]()
        self._remarks = Remarks()
        self._source: Source | None = None

    def items(self) -> Iterator[Item]:
        lacked = False
        for calendar in calendars(self._data, self._own):
            yield from self._calendar(calendar)
            lacked = lacked or calendar.clock.lacked
            for name, why in calendar.clock.unknown.items():
                self._remarks.say(f"Times of the zone {name[:80]!r} are taken as {self._taken_as}: {why}.")
        if lacked:
            self._remarks.say("Times that name no zone are taken as UTC; state theirs: zone=Europe/London, say.")
        if unread := [f"{count} {name}" for name, count in sorted(self._counts.items()) if name not in _WORDS]:
            self._remarks.say(f"Not read, as they are no events: {', '.join(unread)[:200]}.")
        if not any(self._counts[name] for name in _WORDS):
            self._remarks.say("The file holds no events.")
        yield from map(Warned, self._remarks)

    @property
    def _taken_as(self) -> str:
        return zones.name_of(self._own) if self._own else "UTC"

    def _calendar(self, calendar: Calendar) -> Iterator[Item]:
        source = Source(f"calendar {calendar.name}" if calendar.name else "calendar", calendar.name or "Calendar")
        reader = Reader(calendar, self._remarks)
        for row in calendar.rows:
            line = self._lines.at(row.first)
            if row.problem == NOT_BEGUN:
                self._remarks.say(f"Line {line} ends a {row.name} that nothing begins.")
                continue
            self._counts[row.name] += 1
            if row.name in _WORDS:
                if source != self._source:
                    self._source = source
                    yield source
                yield self._row(reader, row, line)

    def _row(self, reader: Reader, row: Component, line: int) -> Item:
        where = f"{_WORDS[row.name]} {self._counts[row.name]}"
        raw = self._data[row.first : row.end].rstrip()
        span = Span(row.first, len(raw))
        if row.problem:
            reason = f"{row.problem} before the next one begins, or the file ends"
            return Rejected(span, line, where, f"{reason}. Export the calendar again")
        try:
            return reader.record(row.name, raw, span, line)
        except ValueError as error:
            return Rejected(span, line, where, f"{error}. Correct it in the file and import the file again")
