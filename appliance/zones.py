"""Time zones as calendars name them: Olson's names, Windows' names, and definitions of a file's own.

    BEGIN:VTIMEZONE
    TZID:Our house
    BEGIN:DAYLIGHT
    DTSTART:20070311T020000                         1
    TZOFFSETFROM:-0500                              2
    TZOFFSETTO:-0400                                3
    RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU           4

1 when these clocks were first set so, in the time before; 2 and 3 the offsets before and after; 4 when again.

Source: RFC 5545, sections 3.3.5 (times that a change of clocks repeats or leaves out) and 3.6.5; Windows' names by the
table windowsZones of Unicode's CLDR, which icalendar carries.
"""

import re
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from appliance import recurrence
from appliance.recurrence import Rule

MOST_OBSERVANCES = 120  # of one definition; that of London since 1847 has 90
MOST_DATES = 1_000  # that one observance lists
LARGEST_OFFSET = timedelta(hours=16)  # of UTC; towns kept to -15:13 once
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-])([0-9]{1,2})(?::?([0-5][0-9]))?", re.I)
_COPY = re.compile(r" [0-9]{1,2}$")  # which Outlook adds to a name that it has already
_STAMP = "%Y%m%dT%H%M%S"
_ALONE = ("BYMONTH", "BYHOUR", "BYMINUTE", "BYSECOND")  # of which a change of clocks has one each
_WEEKS, _DAYS_OF_A_WEEK, _LAST_YEAR = 5, 7, 2400


@cache
def _olson() -> Mapping[str, str]:
    """Every name of the time-zone database, by the same in small letters."""
    return {name.casefold(): name for name in available_timezones() if not name.startswith(("posix/", "right/"))}


@cache
def _windows() -> Mapping[str, str]:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # 3 MB, which the dashboard needs hardly ever

    return {name.casefold(): olson for name, olson in WINDOWS_TO_OLSON.items()}


@lru_cache(maxsize=1024)
def named(said: str) -> tzinfo | None:
    """The zone that a name means: one of Olson's, alone or at the end of a path, one of Windows', or an offset such as
    UTC+01:00; None where it is none of these.
    """
    name = said.strip().strip('"').casefold()
    if name in _olson():
        return _zone(_olson()[name])
    if found := _windows().get(_COPY.sub("", name)):
        return _zone(found)
    pieces = [each for each in name.split("/") if each][-3:]
    for begin in range(len(pieces)):
        tail = "/".join(pieces[begin:])
        if tail in _olson() and ("/" in tail or tail in ("utc", "gmt")):
            return _zone(_olson()[tail])
    return _fixed(name)


def _zone(name: str) -> tzinfo:
    return UTC if name in ("UTC", "Etc/UTC") else ZoneInfo(name)


def _fixed(said: str) -> tzinfo | None:
    found = _OFFSET.fullmatch(said)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0)) if found else LARGEST_OFFSET
    if found is None or offset >= LARGEST_OFFSET:
        return None
    return timezone(-offset if found[1] == "-" else offset)


def name_of(zone: tzinfo) -> str:
    """What a zone is called, so that `named` finds it again."""
    return zone.key if isinstance(zone, ZoneInfo) else str(zone)


class Change(NamedTuple):
    """When clocks were set: the local time before it, and the offsets of UTC before and after."""

    local: datetime
    before: timedelta
    after: timedelta


class Observance:
    """One part of a definition: clocks set from a first time on, on further dates, and again each year by a rule.

    ValueError, with the reason for a person, of a rule that does not name one day of a year.
    """

    def __init__(self, first: Change, dates: Iterable[datetime] = (), rule: Rule | None = None) -> None:
        self.first, self.rule = first, rule
        self.dates = tuple(islice(dates, MOST_DATES))
        self._day = _yearly(rule, first.local) if rule else None
        if any(abs(offset) >= LARGEST_OFFSET for offset in first[1:]):
            raise ValueError("an offset in the definition of its time zone is larger than any on Earth")

    def listed(self) -> Iterator[Change]:
        """What no rule says."""
        return (self.first._replace(local=local) for local in (self.first.local, *self.dates))

    def until(self, year: int) -> Iterator[Change]:
        """What its rule says of a year and the one before it, or of its own last two."""
        if self.rule is None or self._day is None:
            return
        begin, interval = self.first.local, self.rule.interval
        last = self.rule.until.year if self.rule.until else begin.year + interval * ((self.rule.count or 9999) - 1)
        newest = begin.year + (min(year, last) - begin.year) // interval * interval
        for each in (newest - interval, newest):
            local = self._day.in_year(each) if begin.year <= each else None
            if (
                local
                and local > begin
                and not self.rule.is_over(local, (local - self.first.before).replace(tzinfo=UTC))
            ):
                yield self.first._replace(local=local)


def _instant(local: datetime, offset: timedelta) -> datetime:
    return (local - offset).replace(tzinfo=UTC)


class _YearlyDay(NamedTuple):
    """A day of each year, such as the last Sunday of March, and its time."""

    month: int
    month_days: tuple[int, ...]
    which: int
    weekday: int
    time: time

    def in_year(self, year: int) -> datetime | None:
        """That day, where the year has it."""
        weekday, length = monthrange(year, self.month)
        step, first = (1, 1) if self.weekday < 0 else (_DAYS_OF_A_WEEK, 1 + (self.weekday - weekday) % _DAYS_OF_A_WEEK)
        days: Sequence[int] = range(first, length + 1, step)
        if self.month_days:
            days = [day for day in days if day in self.month_days or day - length - 1 in self.month_days]
        if len(days) < abs(self.which):
            return None
        day = days[self.which - 1 if self.which > 0 else self.which]
        return datetime.combine(date(year, self.month, day), self.time)


def _yearly(rule: Rule, begin: datetime) -> _YearlyDay:
    """The day that a rule names, what it leaves open being that of the first one; ValueError where it names several."""
    own = dict(zip(_ALONE, (begin.month, begin.hour, begin.minute, begin.second), strict=True))
    alone = {name: rule.parts.get(name, (number,)) for name, number in own.items()}
    which, weekday = rule.days[0] if rule.days else (0, -1)
    month_days = rule.parts.get("BYMONTHDAY", () if rule.days else (begin.day,))
    several = (
        rule.frequency != recurrence.YEARLY
        or bool(rule.parts.keys() - {"BYMONTHDAY", *_ALONE})
        or any(len(numbers) > 1 for numbers in (rule.days, *alone.values()))
        or not (-_WEEKS <= which <= _WEEKS and begin.year <= _LAST_YEAR)
        or not (which or 0 < len(month_days) <= (_DAYS_OF_A_WEEK if rule.days else 1))
    )
    if several:
        raise ValueError(f"the rule of its time zone, {rule.text[:60]!r}, names no one day of a year")
    month, hour, minute, second = (numbers[0] for numbers in alone.values())
    return _YearlyDay(month, month_days, which or 1, weekday, time(hour, minute, min(59, second)))


class Defined(tzinfo):
    """A zone by a file's own definition. ValueError where that sets no clock, or too many."""

    def __init__(self, name: str, observances: Sequence[Observance]) -> None:
        self.name, self.observances = name, observances
        if not observances:
            raise ValueError("the definition of its time zone sets no clock")
        if len(observances) > MOST_OBSERVANCES:
            raise ValueError(f"the definition of its time zone has more than {MOST_OBSERVANCES} parts")
        self._listed = [change for each in observances for change in each.listed()]
        self._years: dict[int, list[Change]] = {}

    def __str__(self) -> str:
        return self.name

    def utcoffset(self, at: datetime | None) -> timedelta | None:
        if at is None:
            return None
        local = at.replace(tzinfo=None)
        changes = self._until(local.year)
        place = bisect_right(changes, local, key=attrgetter("local"))
        if not place:
            return changes[0].before
        change = changes[place - 1]
        return change.before if local - change.local < change.after - change.before else change.after

    def dst(self, at: datetime | None) -> timedelta | None:
        return None

    def tzname(self, at: datetime | None) -> str:
        return self.name

    def fromutc(self, at: datetime) -> datetime:
        """An instant, whose time is UTC's, as the local time that means it."""
        instant = at.replace(tzinfo=None)
        changes = self._until((instant + timedelta(days=1)).year)
        past = [each for each in changes if each.local - each.before <= instant]
        return (instant + (past[-1].after if past else changes[0].before)).replace(tzinfo=self)

    def _until(self, year: int) -> list[Change]:
        if year not in self._years:
            repeated = [change for each in self.observances for change in each.until(year)]
            self._years[year] = sorted({*self._listed, *repeated})
        return self._years[year]

    def written(self) -> str:
        """As text that `defined` reads: a line for each observance."""
        return "\n".join(map(_written, self.observances))


def defined(name: str, written: str) -> Defined:
    """A zone from what `Defined.written` gave; ValueError where it is no such text."""
    return Defined(name, [_observance(line.split(" ")) for line in written.splitlines()])


def _written(observance: Observance) -> str:
    local, before, after = observance.first
    dates = ",".join(f"{each:{_STAMP}}" for each in (local, *observance.dates))
    said = [dates, f"{before.total_seconds():.0f}", f"{after.total_seconds():.0f}"]
    return " ".join([*said, observance.rule.text] if observance.rule else said)


def _observance(said: list[str]) -> Observance:
    first, *others = (datetime.strptime(each, _STAMP) for each in said[0].split(","))
    before, after = (timedelta(seconds=int(each)) for each in said[1:3])
    return Observance(Change(first, before, after), others, recurrence.read(said[3]) if len(said) > 3 else None)
