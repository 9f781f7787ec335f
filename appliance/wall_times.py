"""Times as meters' files write them, by the clock on the wall or with an offset, and the instants that they mean.

A clock that is put back shows an hour twice: which pass a row is of is told by the interval's end where the file states
it, else by the order of the rows. A clock that is put forward leaves an hour out, and a row of that hour is refused.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from appliance.config import is_zone
from appliance.errors import UserError

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FIRST_YEAR, LAST_YEAR = 1900, 2199  # what a store takes

_EPOCH = datetime(1970, 1, 1)  # by the wall's clock, which is in no zone
_MS = timedelta(milliseconds=1)
_MOST_HOURS = 1 << 16  # whose offsets are kept: seven years

_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.]?)([0-9]{2})\2([0-9]{2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?")
_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:(?:\s+|T)([0-9:.]{4,18})\s*([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?")


@dataclass(frozen=True)
class ZoneOptions:
    """`zone`: the one of the file's local times (a name such as Europe/Brussels)."""

    zone: str = field(default="", metadata={"title": "Zone of its local times, such as Europe/Brussels"})

    def __post_init__(self) -> None:
        if problem := zone_problem(self.zone):
            raise UserError(problem)


def zone_problem(zone: str) -> str:
    """What is wrong with a zone that a person stated, or ""."""
    if not zone or is_zone(zone):
        return ""
    return f"zone={zone!r} is not a time zone; write one such as Europe/Brussels"


# ---- what a file writes ----


@lru_cache(maxsize=4096)
def day(text: str) -> int:
    """The midnight that begins a day, in milliseconds since 1970 by the wall's clock; ValueError for no such day.

    `YYYY-MM-DD`, or with the day first `D-M-YYYY` and `D/M/YY` (20YY).
    """
    if year_first := _YEAR_FIRST.fullmatch(text.strip()):
        year, month, number = int(year_first[1]), int(year_first[3]), int(year_first[4])
    elif day_first := _DAY_FIRST.fullmatch(text.strip()):
        year, month, number = int(day_first[4]), int(day_first[3]), int(day_first[1])
        year += 2000 if year < 100 else 0
    else:
        raise ValueError(f"its date {text[:40]!r} is not written as a date" if text.strip() else "it states no date")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"its date {text!r} is not in one of the years {FIRST_YEAR} to {LAST_YEAR}")
    try:
        return (datetime(year, month, number) - _EPOCH) // _MS
    except ValueError:
        raise ValueError(f"its date {text!r} is not a day of the calendar") from None


@lru_cache(maxsize=4096)
def clock(text: str) -> int:
    """A time of day in milliseconds: `H:MM`, `HH:MM:SS` or with a fraction; 24:00 is the day's end."""
    parts = _CLOCK.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"its time {text[:40]!r} is not written as a time" if text.strip() else "it states no time")
    hour, minute, second = int(parts[1]), int(parts[2]), int(parts[3] or 0)
    ms = hour * HOUR_MS + minute * 60_000 + second * 1000 + int((parts[4] or "").ljust(3, "0")[:3])
    if minute > 59 or second > 59 or ms > DAY_MS:
        raise ValueError(f"its time {text!r} is not a time of day")
    return ms


def stamp(text: str) -> tuple[int, int | None]:
    """`YYYY-MM-DD[THH:MM[:SS]][Z|+01:00]` -> milliseconds since 1970 by the wall's clock, and how far that is ahead of
    UTC, None where the text does not say.
    """
    parts = _STAMP.fullmatch(text.strip())
    if parts is None:
        raise ValueError(f"its time {text[:40]!r} is not written as a time" if text.strip() else "it states no time")
    return day(parts[1]) + (clock(parts[2]) if parts[2] else 0), offset(parts[3]) if parts[3] else None


@lru_cache(maxsize=64)
def offset(text: str) -> int:
    """How far a clock is ahead of UTC that is said to be so: `Z`, `+01:00`, `-0330`; in milliseconds."""
    if text in "Zz":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 18 or minutes > 59:
        raise ValueError(f"{text!r} is no offset of UTC")
    return (hours * HOUR_MS + minutes * 60_000) * (-1 if text[0] == "-" else 1)


# ---- which instant it is ----


class LocalClock:
    """The clock on the wall in one zone. `assumed`: nobody stated the zone, it is that of the format's country."""

    def __init__(self, stated: str, otherwise: str) -> None:
        self.name, self.assumed = stated or otherwise, not stated
        self._zone = ZoneInfo(self.name)
        self._offsets: dict[int, int | None] = {}

    def offset(self, local_ms: int) -> int | None:
        """How far the wall's clock is ahead of UTC; None in an hour in which it is changed."""
        hour = local_ms // HOUR_MS
        try:
            return self._offsets[hour]
        except KeyError:
            if len(self._offsets) > _MOST_HOURS:
                self._offsets.clear()
            first, last = hour * HOUR_MS, (hour + 1) * HOUR_MS - 1
            every = {self._ahead(at, fold) for at in (first, last) for fold in (0, 1)}
            return self._offsets.setdefault(hour, every.pop() if len(every) == 1 else None)

    def instants(self, local_ms: int) -> tuple[int, ...]:
        """The instants at which the wall's clock shows a time, in order: none, one or two; milliseconds UTC."""
        first, second = self._ahead(local_ms, 0), self._ahead(local_ms, 1)
        if first < second:
            return ()
        return (local_ms - first,) if first == second else (local_ms - first, local_ms - second)

    def after(self, local_ms: int, at_ms: int) -> int | None:
        """The first instant after another at which the clock shows a time, or would if it had not been put forward."""
        every = self.instants(local_ms) or (local_ms - self._ahead(local_ms, 0),)
        return next((each for each in every if each > at_ms), None)

    def warning(self) -> str:
        """What a person should know where the zone was assumed."""
        return (
            f"The file does not say in which zone its times are: they were read as those of {self.name}. Where that is "
            "wrong, undo the import, and import the file again with --zone and the right one."
        )

    def _ahead(self, local_ms: int, fold: int) -> int:
        local = (_EPOCH + timedelta(milliseconds=local_ms)).replace(tzinfo=self._zone, fold=fold)
        return (local.utcoffset() or timedelta(0)) // _MS


class Walk:
    """Goes through the times of one series in the file's order, rising or falling, and says which instants they are."""

    __slots__ = ("_clock", "_falls", "_last", "_passed", "_seen")

    def __init__(self, clock: LocalClock) -> None:
        self._clock = clock
        self._last: int | None = None
        self._falls = self._passed = False
        self._seen: set[int] = set()

    def instant(self, local_ms: int, end_ms: int | None = None) -> int:
        """The instant of a time; of two, that of the pass that the row is of. `end_ms`: its interval's end, local.

        ValueError where the clock never showed that time.
        """
        ahead_ms = self._clock.offset(local_ms)
        if ahead_ms is None:
            return self._near_a_change(local_ms, end_ms)
        if self._last is not None:
            self._falls = local_ms < self._last
        if self._seen:
            self._seen, self._passed = set(), False
        self._last = local_ms
        return local_ms - ahead_ms

    def interval(self, local_ms: int, end_ms: int) -> tuple[int, int]:
        """The same of an interval: when it begins, and its length in seconds."""
        at_ms = self.instant(local_ms, end_ms)
        ahead_ms = self._clock.offset(end_ms)
        until_ms = self._clock.after(end_ms, at_ms) if ahead_ms is None else end_ms - ahead_ms
        if until_ms is None or until_ms <= at_ms:
            raise ValueError("it ends before it begins")
        return at_ms, (until_ms - at_ms) // 1000

    def _near_a_change(self, local_ms: int, end_ms: int | None) -> int:
        every = self._clock.instants(local_ms)
        if not every:
            raise ValueError(
                f"its time never was in {self._clock.name}, where clocks were put forward over it (or the file is of "
                "another zone)"
            )
        last, self._last = self._last, local_ms
        if len(every) == 1:
            return every[0]
        if last is not None and not self._seen:
            self._falls = local_ms < last
        elif last is not None and (local_ms > last if self._falls else local_ms < last):
            self._passed = True
        is_second_in_file = self._passed or local_ms in self._seen
        self._seen.add(local_ms)
        by_end = self._by_end(every, end_ms)
        by_order = every[0] if is_second_in_file == self._falls else every[1]
        return by_order if by_end is None else by_end

    def _by_end(self, every: tuple[int, ...], end_ms: int | None) -> int | None:
        """The pass that makes the interval the shorter one; None where both do."""
        if end_ms is None:
            return None
        ends = [self._clock.after(end_ms, each) for each in every]
        lengths = [(end - at, at) for at, end in zip(every, ends, strict=True) if end is not None]
        shortest = min(lengths, default=(0, 0))[0]
        chosen = [at for length, at in lengths if length == shortest]
        return chosen[0] if len(chosen) == 1 else None
