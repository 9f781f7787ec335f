"""What is drawn at night, the peaks, and days unlike others of their weekday."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.insight.found import Peak, Unusual
from appliance.insight.measured import Measured
from appliance.tariffs.amounts import Array

NIGHT_SLOTS = 20  # quarter-hours: until 5 o'clock
FEWEST_NIGHTS = 7
LOW = 0.1  # the quantile
PEAKS = 5
WEEKS, FEWEST_WEEKS = 8, 4
LIMIT = 3.5
"""Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): the modified z-score beyond which a value is one."""

_SIGMAS = 1.4826  # median absolute deviations in the standard deviation of a normal distribution
_LEAST = 0.05  # of the median, that deviations are at least


@dataclass(frozen=True, slots=True)
class Night:
    """Totals of a quarter-hour, in the usage's own scale."""

    level: int
    standby: int
    nights: int


def night(measured: Measured, *, has_sun: bool) -> Night | None:
    """What is drawn at night, or always where that is less and no sun hides it; None where too few nights were measured
    by quarter-hours (or half or whole hours).
    """
    chosen = measured.known & (measured.local.slot < NIGHT_SLOTS)
    values, nights = measured.totals[chosen], measured.local.day[chosen]
    if len(every := np.unique(nights)) < FEWEST_NIGHTS:
        return None
    lowest = np.full(len(measured.local), np.iinfo(np.int64).max)
    np.minimum.at(lowest, nights, values)
    level = low(values) if has_sun else min(low(values), low(measured.totals[measured.known]))
    return Night(level, low(lowest[every], 0.5), len(every))


def low(values: Array, quantile: float = LOW) -> int:
    """The quantile, one of the values themselves."""
    return int(np.quantile(values, quantile, method="lower"))


def peaks(measured: Measured) -> tuple[list[Peak], list[Peak]]:
    """Those of the highest days, the highest first, and that of each month."""
    values = np.where(measured.known, measured.totals, -1)
    highest = np.maximum.reduceat(values, measured.local.starts)
    best = [place for place in np.argsort(-highest, kind="stable")[:PEAKS].tolist() if highest[place] > 0]
    months = np.flatnonzero(np.diff(measured.local.month, prepend=-1))
    edges = [*months.tolist(), len(measured.local)]
    of_months = [begin + int(np.argmax(highest[begin:end])) for begin, end in pairwise(edges)]
    return (
        [_peak(measured, values, place) for place in best],
        [_peak(measured, values, place) for place in of_months if highest[place] > 0],
    )


def _peak(measured: Measured, values: Array, day: int) -> Peak:
    begin = int(measured.local.starts[day])
    end = int(measured.local.starts[day + 1]) if day + 1 < len(measured.local) else len(values)
    place = begin + int(np.argmax(values[begin:end]))
    return Peak(measured.at(place), measured.watts(int(values[place])) / 1000)


def unusual(measured: Measured, expected: NDArray[np.float64] | None, first_day: int) -> Iterator[Unusual]:
    """Days from the place `first_day` on, the newest first. `expected` is what the weather explains of each day's
    total; a day of which that is NaN, not known, is not judged.
    """
    totals = np.where(measured.whole, measured.day_totals, np.nan).astype(np.float64)
    weather = np.zeros(len(totals)) if expected is None else expected
    rest = totals - weather
    before = np.full((WEEKS, len(rest)), np.nan)
    for week in range(1, WEEKS + 1):
        before[week - 1, 7 * week :] = rest[: -7 * week] if 7 * week < len(rest) else np.empty(0)
    enough = (~np.isnan(before)).sum(0) >= FEWEST_WEEKS
    chosen = np.flatnonzero(enough & ~np.isnan(rest))
    chosen = chosen[chosen >= first_day]
    medians = np.nanmedian(before[:, chosen], 0)
    usual = medians + weather[chosen]
    spread = np.nanmedian(np.abs(before[:, chosen] - medians), 0)
    spread = np.maximum(spread, _LEAST * np.abs(usual)) * _SIGMAS
    scores = np.divide(rest[chosen] - medians, spread, out=np.zeros(len(chosen)), where=spread > 0)
    for place in np.flatnonzero(np.abs(scores) > LIMIT)[::-1].tolist():
        day = int(chosen[place])
        yield Unusual(
            day=measured.day(day),
            used=measured.decimal(int(measured.day_totals[day])),
            usual=measured.decimal(round(float(usual[place]))),
            score=Decimal(f"{scores[place]:.1f}"),
        )
