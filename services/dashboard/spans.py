"""Spans of time as a household thinks of them: a day, a week, a month, a year, from one day to another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from appliance.errors import UserError

PRESETS = ("day", "week", "month", "year", "all")
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
SHORTEST_MS = 60_000
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From the first instant to before the last, and the local days it touches; `name` is its preset or ""."""

    name: str
    from_ms: int
    to_ms: int
    first_day: date
    last_day: date

    @property
    def title(self) -> str:
        first, last = self.first_day, self.last_day
        if self.name == "month":
            return f"{first:%B %Y}"
        if self.name == "year":
            return str(first.year)
        if first == last:
            return f"{first:%A} {first.day} {first:%B %Y}"
        return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"

    def beside(self, direction: int, zone: ZoneInfo) -> "Span | None":
        """The span of the same length before (-1) or after (1) this one; None for all time or beyond the calendar."""
        if self.name == "all":
            return None
        try:
            if self.name:
                return preset(self.name, self.last_day + ONE_DAY if direction > 0 else self.first_day - ONE_DAY, zone)
            shift = (self.to_ms - self.from_ms) * direction
            return instants(self.from_ms + shift, self.to_ms + shift, zone)
        except UserError:
            return None

    def arguments(self) -> dict[str, str]:
        """What asks for this span again."""
        if self.name:
            return {"span": self.name, "at": self.first_day.isoformat()}
        return {"from_ms": str(self.from_ms), "to_ms": str(self.to_ms)}


def asked(said: Mapping[str, str], newest: date, all_ms: tuple[int, int], zone: ZoneInfo) -> Span:
    """The span that a request asks for: `span` and `at`, or `from` and `to` (days), or `from_ms` and `to_ms`.

    UserError where that is no span. Without any of them, the newest day.
    """
    if said.get("span") == "all":
        return instants(all_ms[0], max(all_ms[1] + 1, all_ms[0] + SHORTEST_MS), zone, "all")
    if said.get("from_ms") or said.get("to_ms"):
        return instants(_number(said, "from_ms"), _number(said, "to_ms"), zone)
    if said.get("from") or said.get("to"):
        first = day_of(said.get("from") or said["to"])
        return days(first, day_of(said.get("to") or first.isoformat()), zone)
    return preset(said.get("span") or "day", day_of(said["at"]) if said.get("at") else newest, zone)


def preset(name: str, at: date, zone: ZoneInfo) -> Span:
    """The calendar's day, week, month or year that a day lies in."""
    if not EARLIEST <= at <= LATEST:
        raise UserError("a day lies between 1900 and 2199")
    if name == "day":
        return days(at, at, zone, name)
    if name == "week":
        monday = at - timedelta(days=at.weekday())
        return days(monday, monday + timedelta(days=6), zone, name)
    if name == "month":
        first = at.replace(day=1)
        return days(first, (first + timedelta(days=31)).replace(day=1) - ONE_DAY, zone, name)
    if name == "year":
        return days(at.replace(month=1, day=1), at.replace(month=12, day=31), zone, name)
    raise UserError(f"“{name[:20]}” is not a span; there are {', '.join(PRESETS)}")


def days(first: date, last: date, zone: ZoneInfo, name: str = "") -> Span:
    """From the beginning of the first local day to the end of the last."""
    if not EARLIEST <= first <= last <= LATEST:
        raise UserError("the first day must not lie after the last, and both between 1900 and 2199")
    return Span(name, _midnight_ms(first, zone), _midnight_ms(last + ONE_DAY, zone), first, last)


def instants(from_ms: int, to_ms: int, zone: ZoneInfo, name: str = "") -> Span:
    """Between two instants; at least a minute."""
    if not _midnight_ms(EARLIEST, zone) <= from_ms <= to_ms - SHORTEST_MS <= _midnight_ms(LATEST, zone):
        raise UserError("a span is at least a minute long and lies between 1900 and 2199")
    return Span(name, from_ms, to_ms, local_day(from_ms, zone), local_day(to_ms - 1, zone))


def day_of(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise UserError(f"“{said[:20]}” is not a day; write one such as 2025-03-31") from None


def local_day(at_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).date()


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp() * 1000)


def _number(said: Mapping[str, str], name: str) -> int:
    text = said.get(name, "")
    if not re.fullmatch(r"-?\d{1,15}", text, re.ASCII):
        raise UserError(f"{name} is a whole number of milliseconds since 1970")
    return int(text)
