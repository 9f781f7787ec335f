"""Occurrences: when an event that repeats takes place, worked out from its rule where it is shown. Nothing is stored.

Local times stay what they are when clocks change, and each is placed in its zone: 09:00 is 09:00 in winter and in
summer, and where a change leaves it out, as long after the change as it lies behind the hour before.

Source: RFC 5545, sections 3.3.5, 3.3.10 and 3.8.5.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from operator import itemgetter

from sqlalchemy import Connection

from appliance import recurrence, zones
from appliance.recurrence import AND_LATER, Rule
from appliance.store import timeline
from appliance.store.query import Query
from appliance.store.records import Stored

KINDS = ("calendar.event", "calendar.task")
MOST = 1_000  # of one event in one answer
LONGEST_SPAN = timedelta(days=366 * 20)
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)  # as for every fact
_MARGIN = timedelta(days=1)  # no zone's day lies farther from another's
_REPEATING = ("rrule", "rdate")
_NEXT_SPANS = (timedelta(days=100), timedelta(days=366 * 8))  # the second finds 29 February over a century's turn


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When an event takes place: from `begins` to `ends` (None where its end is not known). A bare day, or an instant
    in UTC; a day that it ends on is its last.
    """

    begins: date
    ends: date | None

    def day(self, zone: tzinfo) -> date:
        """The day on which it begins, in a zone."""
        return self.begins.astimezone(zone).date() if isinstance(self.begins, datetime) else self.begins


def repeats(fields: Mapping[str, str]) -> bool:
    """Whether a record with these fields takes place more than once."""
    return any(fields.get(name) for name in _REPEATING)


def between(record: Stored, first_day: date, last_day: date, zone: tzinfo) -> list[Occurrence]:
    """When an event begins on these days of a zone, in order; the first `MOST` of them, and of twenty years at most.

    That of an event that does not repeat is its own, where it lies in them.
    """
    if not record.at:
        return []
    first_day = max(first_day, EARLIEST)
    last_day = min(last_day, first_day + LONGEST_SPAN, LATEST)
    first, end = at_midnight(first_day) - _MARGIN, at_midnight(last_day) + 2 * _MARGIN
    found = _series(record, zone).between(first, end)
    return list(islice((each for each in found if first_day <= each.day(zone) <= last_day), MOST))


def upcoming(record: Stored, now: datetime, zone: tzinfo, count: int = 3) -> list[Occurrence]:
    """The next times, from now on, that an event which repeats begins; of a day, today is one."""
    today = now.astimezone(zone).date()
    found = list[Occurrence]()
    for span in _NEXT_SPANS:
        found = [each for each in between(record, today, today + span, zone) if not _is_past(each, now)][:count]
        if len(found) == count:
            break
    return found


def matching(connection: Connection, query: Query) -> Iterator[tuple[Stored, list[Occurrence]]]:
    """Of the facts that a query for a kind of calendar asks for but their time, those that began before its first day
    and occur again in its days; with when they do. They come newest first, and every earlier one is looked at.
    """
    first_day, last_day = query.first_day, query.last_day
    if query.kind not in KINDS or first_day is None:
        return
    earlier = replace(query, first_day=None, last_day=first_day - timedelta(days=1), year=None)
    for record in timeline.matching(connection, earlier):
        if repeats(record.fields):
            found = between(record, first_day, last_day or first_day + LONGEST_SPAN, query.zone)
            if found:
                yield record, found


def _is_past(occurrence: Occurrence, now: datetime) -> bool:
    return isinstance(occurrence.begins, datetime) and occurrence.begins < now


@dataclass(frozen=True, slots=True)
class _Series:
    """An event, which may repeat. `begin` is local to `zone`, which is None for a bare day.

    `more` has the ends of further times ("" where they say none) by their begins, `without` the begins of those that
    are left out or stand elsewhere, all of them as records say times; none begins at or after `ends_before`.
    """

    begin: datetime
    zone: tzinfo | None
    length: timedelta | None
    rules: tuple[Rule, ...]
    more: Mapping[str, str]
    without: frozenset[str]
    ends_before: str

    def between(self, first: datetime, end: datetime) -> Iterator[Occurrence]:
        """In order of when they begin, each once. The bounds are local to the series; a little more may be given."""
        seen = ""
        for text, ends in merge(*self._found(first, end), key=itemgetter(0)):
            if self.ends_before and text >= self.ends_before:
                return
            if text != seen and not self._is_left_out(text):
                begins = read(text)
                yield Occurrence(begins, read(ends) if ends else begins + self.length if self.length else None)
            seen = text

    def _found(self, first: datetime, end: datetime) -> Iterator[Iterable[tuple[str, str]]]:
        low, high = self._text(first), self._text(end)
        yield [(self._text(self.begin), "")] if first <= self.begin < end else []
        yield sorted((begins, ends) for begins, ends in self.more.items() if low <= begins < high)
        for rule in self.rules:
            yield self._by_rule(rule, first, end)

    def _by_rule(self, rule: Rule, first: datetime, end: datetime) -> Iterator[tuple[str, str]]:
        for local in recurrence.between(rule, self.begin, first, end):
            if rule.is_over(local, self._instant(local)):
                return
            yield self._text(local), ""

    def _is_left_out(self, text: str) -> bool:
        if text in self.without:
            return True
        return self.zone is not None and local_day(text, self.zone).isoformat() in self.without

    def _instant(self, local: datetime) -> datetime | None:
        return local.replace(tzinfo=self.zone).astimezone(UTC) if self.zone else None

    def _text(self, local: datetime) -> str:
        return said(self._instant(local) or local.date())


def _series(record: Stored, shown_in: tzinfo) -> _Series:
    """What a record says of when it takes place; a to-do's begin is what its rule counts from, not when it is due."""
    fields = record.fields
    begin = read(fields.get("begins") or record.at)
    until = fields.get("until") or (record.at if fields.get("begins") else "")
    zone = _zone(fields, shown_in) if isinstance(begin, datetime) else None
    replaced = fields.get("replaced", "").splitlines()
    later = (each.removesuffix(AND_LATER) for each in replaced if each.endswith(AND_LATER))
    return _Series(
        begin=begin.astimezone(zone).replace(tzinfo=None) if isinstance(begin, datetime) else at_midnight(begin),
        zone=zone,
        length=read(until) - begin if until and ("T" in until) == (zone is not None) else None,
        rules=tuple(_rules(fields.get("rrule", ""))),
        more=dict(_pairs(fields.get("rdate", ""))),
        without=frozenset((*fields.get("exdate", "").splitlines(), *replaced)),
        ends_before=min(later, default=""),
    )


def said(at: date) -> str:
    """A time as records say it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(at, datetime) else at.isoformat()


def read(text: str) -> date:
    """A time of a record: an instant, or a bare day."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def local_day(text: str, zone: tzinfo) -> date:
    """The day of a record's time, in a zone where it is an instant."""
    at = read(text)
    return at.astimezone(zone).date() if isinstance(at, datetime) else at


def at_midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def _zone(fields: Mapping[str, str], otherwise: tzinfo) -> tzinfo:
    if rules := fields.get("zone_rules"):
        with suppress(ValueError):
            return zones.defined(fields.get("zone", ""), rules)
    return zones.named(fields.get("zone", "")) or otherwise


def _rules(text: str) -> Iterator[Rule]:
    """Those that can be read: of others the import told."""
    for line in text.splitlines():
        with suppress(ValueError):
            yield recurrence.read(line)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Begin and end of each time of a list; a person may have written something else into it."""
    for line in text.splitlines():
        begins, _, ends = line.partition("/")
        with suppress(ValueError):
            read(begins)
            if ends:
                read(ends)
            yield begins, ends
