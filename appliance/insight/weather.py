"""How use follows the cold, and the span against the same days a year before."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from appliance.insight.found import DegreeDays, Year
from appliance.insight.gauges import Gauge
from appliance.insight.measured import Measured

BASE_C = Decimal("15.5")
"""The base of heating degree days in Britain; 18 is usual on the continent."""

FEWEST_DAYS = 30
LEAST_EXPLAINED = 0.1  # r squared below which use does not follow the cold
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Cold:
    """Heating degree days of each day, NaN where a quarter of the day or more has no temperature."""

    base_c: Decimal
    by_day: Floats

    @property
    def known_days(self) -> int:
        return int((~np.isnan(self.by_day)).sum())


def cold(measured: Measured, outside: Gauge, base_c: Decimal = BASE_C) -> Cold:
    """Of each day how far its mean temperature is below the base."""
    starts = measured.local.starts
    sums = np.add.reduceat(np.where(outside.known, outside.values, 0), starts)
    counts = np.add.reduceat(outside.known, starts, dtype=np.int64)
    lengths = np.diff(np.append(starts, len(outside.values)))
    means = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=4 * counts > 3 * lengths)
    return Cold(base_c, np.maximum(float(base_c) - means * 10.0**outside.exponent, 0))


def given(measured: Measured, listed: Gauge, base_c: Decimal) -> Cold:
    """Of each day the degree days that a file gave it: those that hold at its noon."""
    noons = (measured.local.starts + np.append(measured.local.starts[1:], len(listed.values))) // 2
    by_day = np.where(listed.known[noons], listed.values[noons] * 10.0**listed.exponent, np.nan)
    return Cold(base_c, by_day)


def follows(measured: Measured, cold: Cold) -> tuple[DegreeDays | None, Floats]:
    """How use follows degree days, None where too few days tell or use does not follow them; and what they explain of
    each day's total, in the usage's scale.
    """
    chosen = measured.whole & ~np.isnan(cold.by_day)
    degrees, used = cold.by_day[chosen], measured.day_totals[chosen].astype(np.float64)
    nothing = np.full(len(measured.local), np.nan)
    if len(degrees) < FEWEST_DAYS or degrees.std() == 0 or used.std() == 0:
        return None, nothing
    slope = float(((degrees - degrees.mean()) * (used - used.mean())).mean() / degrees.var())
    explained = float(np.corrcoef(degrees, used)[0, 1]) ** 2
    if slope <= 0 or explained < LEAST_EXPLAINED:
        return None, nothing
    found = DegreeDays(
        base_c=cold.base_c,
        total=_tenth(degrees.sum()),
        days=len(degrees),
        per_degree_day=_thousandth(slope, measured),
        a_day=_thousandth(float(used.mean() - slope * degrees.mean()), measured),
        explained=Decimal(f"{explained:.2f}"),
    )
    return found, slope * cold.by_day


def _thousandth(value: float, measured: Measured) -> Decimal:
    return measured.decimal(round(value)).quantize(Decimal("0.001"))


def _tenth(value: float) -> Decimal:
    return Decimal(f"{value:.1f}")


def year_on_year(measured: Measured, cold: Cold | None, first: date, last: date) -> Year | None:
    """The days from the first to the last against those a year before; None where no day can be compared."""
    place_of = {measured.day(place): place for place in range(len(measured.local))}
    days = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
    pairs = [(place_of.get(day), place_of.get(_a_year_before(day)) if _has(day) else None) for day in days]
    both = np.array([pair for pair in pairs if None not in pair], np.int64).reshape(-1, 2)
    both = both[measured.whole[both].all(1)]
    if not len(both):
        return None
    now, before = (int(measured.day_totals[both[:, side]].sum()) for side in (0, 1))
    degrees: list[Decimal] | list[None] = [None, None]
    if cold is not None and not np.isnan(cold.by_day[both]).any():
        degrees = [_tenth(cold.by_day[both[:, side]].sum()) for side in (0, 1)]
    return Year(
        first=first,
        last=last,
        days=len(both),
        left_out=len(days) - len(both),
        used=measured.decimal(now),
        used_before=measured.decimal(before),
        degree_days=degrees[0],
        degree_days_before=degrees[1],
    )


def _has(day: date) -> bool:
    return (day.month, day.day) != (2, 29)


def _a_year_before(day: date) -> date:
    return day.replace(year=day.year - 1)
