"""The local calendar of a run of quarter-hours: worked out once, and shared by every tariff of one zone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from appliance.tariffs.amounts import Array
from appliance.tariffs.week import SLOTS, day_of_leap_year

QUARTER_S = 900
_DAY_QUARTERS = 96


@dataclass(frozen=True, eq=False)
class Days:
    """The local days of quarter-hours that follow one another. Of each quarter: `day`, its place among the days, and
    `slot`, the quarter-hour of the day by the clock. Of each day: `number` (since 1970), `starts`, its first quarter's
    place, and `opens`, whether that is the one with which the day begins.

    The doubled hour of autumn has slots that come twice, and the missing hour of spring slots that do not come.
    """

    day: Array
    slot: Array
    number: Array
    starts: Array
    opens: Array

    def __len__(self) -> int:
        return len(self.number)

    @cached_property
    def counts(self) -> Array:
        """How many quarters each slot of each day is: 1, or 0 or 2 where clocks are changed."""
        found = np.bincount(self.day * SLOTS + self.slot, minlength=len(self) * SLOTS)
        return found.reshape(-1, SLOTS)

    @cached_property
    def weekday(self) -> Array:
        """0 for Monday."""
        return (self.number + 3) % 7

    @cached_property
    def month(self) -> Array:
        """Months since 1970."""
        return self._dates.astype("datetime64[M]").astype(np.int64)

    @cached_property
    def leap_day(self) -> Array:
        """Which day of a leap year it is, from 0."""
        before = np.array([day_of_leap_year(month, 1) for month in range(1, 13)])
        found: Array = before[self.month % 12] + self.place("month")[0]
        return found

    def period(self, period: str) -> Array:
        """The number of the calendar day, month, quarter or year that each day is in."""
        if period == "day":
            return self.number
        return self.month // {"month": 1, "quarter": 3, "year": 12}[period]

    def begins(self, period: str) -> bool:
        """Whether the first day is there from its begin, and begins a period."""
        first = self.number[0].astype("datetime64[D]").astype(object)
        months = {"day": range(1, 13), "month": range(1, 13), "quarter": (1, 4, 7, 10), "year": (1,)}[period]
        return bool(self.opens[0]) and first.month in months and (period == "day" or first.day == 1)

    def place(self, period: str) -> tuple[Array, Array]:
        """Which day of its month or year each day is, from 0, and how many days that has."""
        unit = "datetime64[M]" if period == "month" else "datetime64[Y]"
        begins = self._dates.astype(unit)
        ends = (begins + 1).astype("datetime64[D]")
        first = begins.astype("datetime64[D]")
        return (self._dates - first).astype(np.int64), (ends - first).astype(np.int64)

    @cached_property
    def _dates(self) -> Array:
        return self.number.astype("datetime64[D]")


@lru_cache(maxsize=32)
def days(zone: str, first: int, count: int, utc_clock: bool = False) -> Days:
    """The calendar of `count` quarters from `first` on. `utc_clock`: days are the zone's, and slots those of UTC."""
    quarters = np.arange(first - 1, first + count, dtype=np.int64)
    local = quarters + _ahead(ZoneInfo(zone), quarters)
    numbers = np.minimum.accumulate((local // _DAY_QUARTERS)[::-1])[::-1]  # a clock put back over midnight: one day
    changes = np.diff(numbers) != 0
    numbers, begins = numbers[1:], changes.copy()
    begins[:1] = True
    starts = np.flatnonzero(begins)
    return Days(
        day=np.cumsum(begins) - 1,
        slot=((quarters if utc_clock else local)[1:] % SLOTS),
        number=numbers[starts],
        starts=starts,
        opens=changes[starts],
    )


def _ahead(zone: ZoneInfo, quarters: Array) -> Array:
    """How many quarters the zone's clock is ahead of UTC in each of them (of an odd offset, the whole quarters)."""
    stops = sorted({*range(0, len(quarters), _DAY_QUARTERS), len(quarters) - 1})
    found = np.empty(len(quarters), np.int64)
    at = [_offset(zone, int(quarters[stop])) for stop in stops]
    for begin, end, before, after in zip(stops, stops[1:], at, at[1:], strict=False):
        found[begin:end] = before
        if before != after:
            found[begin:end] = [_offset(zone, int(quarter)) for quarter in quarters[begin:end]]
    found[stops[-1]] = at[-1]
    return found


def _offset(zone: ZoneInfo, quarter: int) -> int:
    ahead = datetime.fromtimestamp(quarter * QUARTER_S, UTC).astimezone(zone).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds()) // QUARTER_S
