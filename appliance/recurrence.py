"""Recurrence rules of iCalendar: read, said in plain words, and worked out between two times.

Source: RFC 5545, section 3.3.10.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import prod
from typing import Any

from dateutil import rrule

YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY = "YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"
LONGEST = 2_000  # characters; a rule that lists every day of a year has fewer
MOST_STEPS = 100_000  # of a rule that ends after a count: each has to be counted from the first on
_MOST_TIMES = 96  # of a day: every quarter of an hour
AND_LATER = " and later"  # behind an occurrence that was changed, where all that follow it were changed, too
_WORKED_OUT = {
    YEARLY: rrule.YEARLY,
    MONTHLY: rrule.MONTHLY,
    WEEKLY: rrule.WEEKLY,
    DAILY: rrule.DAILY,
    HOURLY: rrule.HOURLY,
}
_WEEKDAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
_LENGTHS = {WEEKLY: timedelta(weeks=1), DAILY: timedelta(days=1), HOURLY: timedelta(hours=1)}
_FREQUENCIES = (*_WORKED_OUT, "MINUTELY", "SECONDLY")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(_DAYS)})")
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")
_UNTIL = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})?(Z)?)?")
_LIMITS = {  # the least and the most of a part; those that may count from the end take them with a minus, too
    "BYSECOND": (0, 60),
    "BYMINUTE": (0, 59),
    "BYHOUR": (0, 23),
    "BYMONTHDAY": (1, 31),
    "BYYEARDAY": (1, 366),
    "BYWEEKNO": (1, 53),
    "BYMONTH": (1, 12),
    "BYSETPOS": (1, 366),
}
_FROM_THE_END = frozenset({"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS"})
_USUAL = frozenset({("RSCALE", "GREGORIAN"), ("SKIP", "OMIT")})  # RFC 7529: what holds where nothing is said
_TIMES = ("BYHOUR", "BYMINUTE", "BYSECOND")
_CYCLE = 400  # years after which the calendar repeats, days of the week and all


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `text` as it is written. `days` are (which one, 0 for every; day of the week from 0, Monday).

    `until` is the last time that may occur: an instant in UTC, a local time, or a day. `parts` holds the other BY parts
    by their names.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    days: tuple[tuple[int, int], ...] = ()
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    week_begins: int = 0
    text: str = ""

    @property
    def can_be_worked_out(self) -> bool:
        """Whether it repeats no more often than people's calendars do: each quarter of an hour at most."""
        times = prod(len(self.parts.get(name, (0,))) for name in _TIMES)
        return self.frequency in _WORKED_OUT and times <= _MOST_TIMES

    def is_over(self, local: datetime, instant: datetime | None) -> bool:
        """Whether an occurrence at this local time, and at this instant where one is known, lies after its end."""
        if self.until is None:
            return False
        if not isinstance(self.until, datetime):
            return local.date() > self.until
        if self.until.tzinfo is None or instant is None:
            return local > self.until.replace(tzinfo=None)
        return instant > self.until


def read(text: str) -> Rule:
    """A rule from its text, such as `FREQ=WEEKLY;BYDAY=MO,WE`; ValueError, with the reason for a person."""
    if len(text) > LONGEST:
        raise ValueError(f"the rule is longer than {LONGEST} characters")
    said = {}
    for each in filter(None, (part.strip() for part in text.upper().split(";"))):
        name, equals, value = each.partition("=")
        if not equals or name.strip() in said:
            raise ValueError(f"the rule {text[:60]!r} is not written as NAME=VALUE;NAME=VALUE, each name once")
        said[name.strip()] = value.strip()
    said = {name: value for name, value in said.items() if (name, value) not in _USUAL}
    frequency = said.pop("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"the rule {text[:60]!r} does not say how often; FREQ is one of {', '.join(_FREQUENCIES)}")
    count, until, week_begins = said.pop("COUNT", ""), said.pop("UNTIL", ""), said.pop("WKST", "MO")
    if week_begins not in _DAYS:
        raise ValueError(f"WKST={week_begins[:10]} is no day of the week")
    return Rule(
        frequency=frequency,
        interval=_positive("INTERVAL", said.pop("INTERVAL", "1")),
        count=_positive("COUNT", count) if count else None,
        until=_until(until) if until else None,
        days=tuple(_day(each) for each in said.pop("BYDAY", "").split(",") if each.strip()),
        parts={name: _numbers(name, value) for name, value in said.items() if not name.startswith("X-")},
        week_begins=_DAYS.index(week_begins),
        text="".join(text.split()),
    )


def _positive(name: str, value: str) -> int:
    if not _WHOLE.fullmatch(value) or int(value) < 1:
        raise ValueError(f"{name}={value[:20]} is no number from 1 on")
    return int(value)


def _day(value: str) -> tuple[int, int]:
    found = _DAY.fullmatch(value.strip())
    if found is None or (found[1] and not 1 <= abs(int(found[1])) <= 53):
        raise ValueError(f"BYDAY={value[:20]} is no day of the week")
    return int(found[1] or 0), _DAYS.index(found[2])


def _numbers(name: str, value: str) -> tuple[int, ...]:
    if name not in _LIMITS:
        raise ValueError(f"{name[:20]} is no part of a rule that this box knows")
    least, most = _LIMITS[name]
    numbers = []
    for each in filter(None, map(str.strip, value.split(","))):
        number = int(each) if _WHOLE.fullmatch(each) else None
        size = abs(number) if number is not None and name in _FROM_THE_END else number
        if number is None or size is None or not least <= size <= most:
            raise ValueError(f"{name}={each[:20]} is not from {least} to {most}")
        numbers.append(number)
    if not numbers:
        raise ValueError(f"{name} says nothing")
    return tuple(dict.fromkeys(numbers))


def _until(value: str) -> date:
    found = _UNTIL.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        day = date(int(found[1]), int(found[2]), int(found[3]))
        if found[4] is None:
            return day
        zone = UTC if found[7] else None
        return datetime(day.year, day.month, day.day, int(found[4]), int(found[5]), int(found[6] or 0), tzinfo=zone)
    except ValueError:
        raise ValueError(f"UNTIL={value[:20]} is no day or time") from None


# ---- worked out ----


def between(rule: Rule, begin: datetime, first: datetime, end: datetime) -> Iterator[datetime]:
    """The local times at which a rule that begins at `begin` occurs, from `first` on and before `end`, in order.

    `begin` is one of them whether or not the rule would give it. Its `until` is not looked at, see `Rule.is_over`. Of a
    rule with a count, `MOST_STEPS` are counted at most. Of one that cannot be worked out there is `begin` alone.
    """
    if first <= begin < end:
        yield begin
    if not rule.can_be_worked_out:
        return
    found = _after(rule, begin, first, end)
    for local in found if rule.count is None else islice(found, min(rule.count, MOST_STEPS) - 1):
        if local >= end:
            return
        if local >= first:
            yield local


def _after(rule: Rule, begin: datetime, first: datetime, end: datetime) -> Iterator[datetime]:
    """The times after `begin`; those long before `first` are left out where nothing has to be counted.

    dateutil looks for a next time until the year 9999, which takes it seconds where there is none. Since the calendar
    repeats every 400 years, days of the week and all, a rule is worked out as near to that end as can be.
    """
    near = begin if rule.count is not None else _nearer(rule, begin, first)
    years = max(0, 9999 - end.year) // _CYCLE * _CYCLE
    with suppress(ValueError):  # of hours that an interval never meets
        for each in _dateutil(rule, near.replace(year=near.year + years)):
            local = each.replace(year=each.year - years)
            if local > begin:
                yield local


def _nearer(rule: Rule, begin: datetime, first: datetime) -> datetime:
    """A later begin of the same rule, one interval or more before `first`."""
    if first <= begin:
        return begin
    if rule.frequency == YEARLY and (begin.month, begin.day) != (2, 29):
        years = (first.year - begin.year - 1) // rule.interval * rule.interval
        return begin.replace(year=begin.year + max(0, years))
    if rule.frequency in _LENGTHS:
        length = _LENGTHS[rule.frequency] * rule.interval
        return begin + max(0, (first - begin) // length - 1) * length
    return begin


def _dateutil(rule: Rule, begin: datetime) -> rrule.rrule:
    days = [_WEEKDAYS[day](which) if which else _WEEKDAYS[day] for which, day in rule.days]
    parts: dict[str, Any] = {name.lower(): numbers for name, numbers in rule.parts.items()}
    frequency: Any = _WORKED_OUT[rule.frequency]
    week_begins: Any = rule.week_begins
    if rule.frequency == YEARLY and "byweekno" in parts and not (days or parts.keys() & {"bymonthday", "byyearday"}):
        days = [_WEEKDAYS[begin.weekday()]]  # the day that is not said is the first one's
    return rrule.rrule(
        frequency,
        dtstart=begin,
        interval=rule.interval,
        wkst=week_begins,
        byweekday=days or None,
        **parts,
    )


# ---- in plain words ----

_UNITS = {YEARLY: "year", MONTHLY: "month", WEEKLY: "week", DAILY: "day", HOURLY: "hour"}
_UNITS |= {"MINUTELY": "minute", "SECONDLY": "second"}
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PLACES = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "last but one"}
_WORKING = {(0, day) for day in range(5)}


def words(rule: Rule) -> str:
    """As in: every 2 weeks on Monday and Friday, until 31 December 2026."""
    unit = _UNITS[rule.frequency]
    said = [f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s", *_on(rule)]
    if hours := rule.parts.get("BYHOUR"):
        minutes = rule.parts.get("BYMINUTE", (0,))
        said.append(f"at {_listed(f'{hour}:{minute:02}' for hour in hours for minute in minutes)}")
    end = ""
    if rule.count is not None:
        end = ", once" if rule.count == 1 else f", {rule.count} times"
    elif rule.until is not None:
        end = f", until {rule.until.day} {rule.until:%B %Y}"
    return " ".join(said) + end


def _on(rule: Rule) -> Iterator[str]:
    """The days and months of a rule, each with its preposition."""
    months = [date(2000, number, 1).strftime("%B") for number in rule.parts.get("BYMONTH", ())]
    month_days = rule.parts.get("BYMONTHDAY", ())
    if rule.days:
        yield _days(rule)
    if rule.frequency == YEARLY and len(month_days) == len(months) == 1 and month_days[0] > 0 and not rule.days:
        yield f"on {month_days[0]} {months[0]}"
        return
    if month_days:
        yield f"on {_listed(f'the {_of_month(number)}' for number in month_days)}"
    if year_days := rule.parts.get("BYYEARDAY"):
        yield f"on the year’s {_listed(f'{_place(number)} day' for number in year_days)}"
    if weeks := rule.parts.get("BYWEEKNO"):
        yield f"in the year’s {_listed(f'{_place(number)} week' for number in weeks)}"
    if months:
        yield f"in {_listed(months)}"


def _days(rule: Rule) -> str:
    chosen = rule.parts.get("BYSETPOS", ())
    if set(rule.days) == _WORKING:
        if not chosen:
            return "from Monday to Friday"
        every = "working day"
    else:
        named = [f"the {_place(which)} {_DAY_NAMES[day]}" if which else _DAY_NAMES[day] for which, day in rule.days]
        every = _listed(named, "or" if chosen else "and")
    return f"on the {_listed(map(_place, chosen))} {every}" if chosen else f"on {every}"


def _of_month(number: int) -> str:
    return _place(number) + " day" if number < 0 else _ordinal(number)


def _place(number: int) -> str:
    if number in _PLACES:
        return _PLACES[number]
    return _ordinal(number) if number > 0 else f"{_ordinal(-number)} last"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _listed(said: Iterable[str], last: str = "and") -> str:
    *others, final = said
    return f"{', '.join(others)} {last} {final}" if others else final
