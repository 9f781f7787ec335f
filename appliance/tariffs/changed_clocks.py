"""The hour of spring that does not come, and that of autumn that comes twice, where a rate begins or ends with it."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import numpy as np

from appliance.tariffs.amounts import Array
from appliance.tariffs.charges import Rates
from appliance.tariffs.costs import day_of
from appliance.tariffs.local import Days, days
from appliance.tariffs.tariff import Tariff
from appliance.tariffs.week import NONE, week

Hour = tuple[bool, int, int]
"""Whether it comes twice, and from which quarter-hour of the day until which."""


def remarks(tariff: Tariff, first: int, end: int) -> Iterator[str]:
    """A sentence of each such hour in the quarters [first, end) whose rate is not that of the time around it."""
    if tariff.clock == "UTC":
        return
    calendar, found = days(tariff.zone, first, end - first), dict[tuple[Hour, str], list[date]]()
    for place in np.flatnonzero((calendar.counts != 1).any(1)).tolist():
        for hour in _changed(calendar.counts[place]):
            for band in _bands(tariff, calendar, place, hour):
                found.setdefault((hour, band), []).append(day_of(int(calendar.number[place])))
    for ((twice, begin, until), band), on in found.items():
        others = "" if len(on) == 1 else f" and {len(on) - 1} other day{'s' if len(on) > 2 else ''}"
        what = (
            f"comes twice, and is charged as {band!r} both times"
            if twice
            else f"does not come, and {band!r} is shorter by it"
        )
        yield f"the clocks change on {on[0]}{others}: the time from {_clock(begin)} to {_clock(until)} {what}"


def _changed(counts: Array) -> Iterator[Hour]:
    """The runs of quarter-hours of a day that come not once; what lies before the span or after it is none."""
    edges = [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(counts)]
    for begin, until in pairwise(edges):
        if counts[begin] != 1 and begin > 0 and until < len(counts):
            yield bool(counts[begin] > 1), begin, until


def _bands(tariff: Tariff, calendar: Days, place: int, hour: Hour) -> Iterator[str]:
    """The bands that hold within the hour, and not both before and after it."""
    _, begin, until = hour
    day = day_of(int(calendar.number[place]))
    for charge in tariff.charges:
        if not isinstance(charge, Rates) or not _is_on(charge, day):
            continue
        table = week(charge.rates)
        held = table.rate[table.part[calendar.leap_day[place]], calendar.weekday[place]]
        around = {int(held[begin - 1]), int(held[until])}
        for rate in dict.fromkeys(held[begin:until].tolist()):
            if rate != NONE and around != {rate}:
                yield charge.rates[rate].band


def _is_on(charge: Rates, day: date) -> bool:
    return (charge.from_day or date.min) <= day < (charge.until_day or date.max)


def _clock(slot: int) -> str:
    return f"{slot // 4:02}:{slot % 4 * 15:02}"
