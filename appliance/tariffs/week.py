"""Which rate holds when: a table by part of the year, day of the week and quarter-hour of the day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from appliance.tariffs.amounts import Array
from appliance.tariffs.charges import WEEKDAYS, Rate, Season, Times

SLOTS = 96  # quarter-hours of a day by the clock
NONE = -1

_BEFORE_MONTH = (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335)  # days, of a leap year


def day_of_leap_year(month: int, day: int) -> int:
    """Which day of a leap year it is, from 0: 1 March is 60 in every year."""
    return _BEFORE_MONTH[month - 1] + day - 1


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """`rate[part, weekday, slot]`: which rate holds, NONE where none does. `part[day]`: which part of the year a day of
    a leap year is in. `overlaps`: two rates that hold at once, and when, in words; None where no two do.
    """

    rate: Array
    part: Array
    overlap: tuple[int, int, str] | None


@lru_cache(maxsize=1024)
def week(rates: tuple[Rate, ...]) -> Week:
    """The table of a charge's rates."""
    begins = sorted({0, *(edge for season in _seasons(rates) for edge in _edges(season))})
    part = np.searchsorted(begins, np.arange(366), side="right") - 1
    rate = np.full((len(begins), 7, SLOTS), NONE, np.int16)
    overlap = None
    for index, each in enumerate(rates):
        holds = _holds(each.times, begins)
        twice = holds & (rate != NONE)
        if overlap is None and twice.any():
            at = tuple(int(place[0]) for place in np.nonzero(twice))
            overlap = int(rate[at]), index, _when(begins[at[0]], at[1], at[2])
        rate[holds] = index
    for index, each in enumerate(rates):
        if not each.times:
            rate[rate == NONE] = index
    return Week(rate, part, overlap)


def _holds(times: Sequence[Times], begins: list[int]) -> Array:
    found = np.zeros((len(begins), 7, SLOTS), bool)
    for each in times:
        days = [WEEKDAYS.index(day) for day in each.days] or list(range(7))
        parts = [index for index, day in enumerate(begins) if each.season is None or _is_in(day, each.season)]
        found[np.ix_(parts, days, _slots(each))] = True
    return found


def _slots(times: Times) -> list[int]:
    begin, end = times.from_minute // 15, times.until_minute // 15
    return list(range(begin, end)) if begin < end else [*range(begin, SLOTS), *range(end)]


def _seasons(rates: Sequence[Rate]) -> Iterator[Season]:
    return (times.season for rate in rates for times in rate.times if times.season is not None)


def _edges(season: Season) -> tuple[int, int]:
    return _day(season.from_day), _day(season.until_day)


def _day(month_day: str) -> int:
    return day_of_leap_year(int(month_day[:2]), int(month_day[3:]))


def _is_in(day: int, season: Season) -> bool:
    begin, end = _edges(season)
    return begin <= day < end if begin < end else day >= begin or day < end


def _when(day: int, weekday: int, slot: int) -> str:
    month = max(number for number, before in enumerate(_BEFORE_MONTH, 1) if before <= day)
    part = "" if day == 0 else f" from {month:02}-{day - _BEFORE_MONTH[month - 1] + 1:02} on"
    return f"{WEEKDAYS[weekday].capitalize()} {slot // 4:02}:{slot % 4 * 15:02}{part}"
