"""The household's own last year of use, filled up honestly where not all of it was read.

Of a quarter-hour that was not read, the use is taken to be the mean of the same quarter-hours by the clock, of working
days and weekends apart. How far that may be off is said by the week of least and that of most use: the days that were
not read are taken to be like those, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

import numpy as np

from appliance import supplies
from appliance.costs import day_of
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store.database import Store
from appliance.store.series import Array
from appliance.supplies import Supply
from appliance.tariffs import Tariff, Usage
from appliance.tariffs.local import Days
from appliance.tariffs.local import days as local_days
from appliance.tariffs.week import SLOTS

HEATING = ("gas", "heat")
FILLED_EXPONENT = -6  # of what was not read: fine enough for a mean of watt-hours
WEEK, LEAST_WEEKS = 7, 2
LOOK_BACK = 366 * 96  # quarters before the year, in which tiers and peaks are counted


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """The quarter-hours [first, end) of a year of whole local days, numbered since 1970 UTC.

    `uses`: what is used, as far as is known; where not all was read, then also if what is missing were like the week of
    least use, and like that of most. `days_read` are the days of which all is known.
    """

    supply: Supply
    first: int
    end: int
    first_day: date
    last_day: date
    days: int
    days_read: int
    uses: tuple[Usage, ...]
    told: tuple[str, ...]

    @property
    def used(self) -> Decimal:
        """What is used in the year."""
        return used_in(self.uses[0], self.first, self.end)

    @property
    def is_whole(self) -> bool:
        return len(self.uses) == 1

    @property
    def is_rough(self) -> bool:
        """Whether too little is known to advise anybody: of heating without all its seasons, of others with few."""
        least = 0.9 if self.supply.supply in HEATING else 0.25
        return self.days_read < least * self.days


def used_in(usage: Usage, first: int, end: int) -> Decimal:
    """What was used in the quarters [first, end)."""
    return usage.total(slice(first - usage.first, end - usage.first))


def last_year(store: Store, supply: Supply, zone: tzinfo, on: date, tariff: Tariff | None = None) -> Year:
    """The year up to the last whole day that was read before a day, in the supply's unit or in that of a tariff's
    prices; UserError where not a day was read, or not in that unit.
    """
    begun, ended = supplies.extent(store, supply)
    ended = min(ended, day_ms(on, zone)[0] // QUARTER_MS)
    end = day_ms(day_of(ended, zone), zone)[0] // QUARTER_MS
    if end <= begun:
        raise UserError(
            f"{supply.name} was not read for a whole day yet; compare again once it was, or import readings"
        )
    last = day_of(end - 1, zone)
    first = day_ms(_year_before(day_of(end, zone)), zone)[0] // QUARTER_MS
    used = supplies.usage(store, supply, first - LOOK_BACK, end, zone)
    usage = used.per(tariff) if tariff else used.quarters
    calendar = local_days(str(zone), first, end - first)
    unread = usage.missing[LOOK_BACK:]
    missing_of_days = np.add.reduceat(unread, calendar.starts, dtype=np.int64)
    whole = missing_of_days == 0
    found = Year(
        supply, first, end, day_of(first, zone), last, len(calendar), int(whole.sum()), (usage,), used.assumptions
    )
    if not unread.any():
        return found
    known, factors = _means(usage, calendar), _least_and_most(usage.totals[LOOK_BACK:], calendar, whole)
    uses = tuple(_filled(usage, known, factor) for factor in (1.0, *factors))
    return Year(
        supply, first, end, found.first_day, last, found.days, found.days_read, uses,
        (*used.assumptions, *_sentences(found, unread, factors)),
    )  # fmt: skip


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def _means(usage: Usage, calendar: Days) -> Array:
    """Of each quarter of the year the mean of those like it, at FILLED_EXPONENT or finer; of all where none is."""
    scale = 10 ** max(0, usage.exponent - FILLED_EXPONENT)
    totals, known = usage.totals[LOOK_BACK:], ~usage.missing[LOOK_BACK:]
    cell = (calendar.weekday >= 5)[calendar.day] * SLOTS + calendar.slot
    counts = np.bincount(cell[known], minlength=2 * SLOTS)
    sums = np.zeros(2 * SLOTS, np.int64)
    np.add.at(sums, cell[known], totals[known])
    overall = int(totals[known].sum()) * scale // max(1, int(known.sum()))
    means = np.where(counts > 0, sums * scale // np.maximum(counts, 1), overall)
    found: Array = means[cell]
    return found


def _least_and_most(totals: Array, calendar: Days, whole: Array) -> tuple[float, float]:
    """The week (or the day, where there are few) of least use and that of most, as parts of the mean."""
    by_day = np.add.reduceat(totals, calendar.starts)[whole].astype(float)
    width = WEEK if len(by_day) >= LEAST_WEEKS * WEEK else 1
    if not len(by_day) or not by_day.any():
        return 0.5, 2.0
    runs = np.convolve(by_day, np.ones(width) / width, "valid") / by_day.mean()
    return float(runs.min()), float(runs.max())


def _filled(usage: Usage, means: Array, factor: float) -> Usage:
    exponent = min(usage.exponent, FILLED_EXPONENT)
    totals = usage.totals * 10 ** (usage.exponent - exponent)
    filled = np.rint(means * factor).astype(np.int64)
    totals[LOOK_BACK:] = np.where(usage.missing[LOOK_BACK:], filled, totals[LOOK_BACK:])
    return Usage(usage.first, totals, exponent, usage.missing, usage.estimated, usage.unit)


def _sentences(year: Year, unread: Array, factors: tuple[float, float]) -> Iterator[str]:
    part = 100 * float(unread.mean())
    yield (
        f"of {year.days} days {year.days_read} were read whole. For the {part:.1f} % of the year that was not read, "
        "the use is taken to be the mean at the same times of day: the costs of use grow by the days' share of the year"
    )
    yield (
        f"the range of each cost says how it would be if what was not read were like the week of least use "
        f"({100 * factors[0]:.0f} % of the mean) or like that of most ({100 * factors[1]:.0f} %)"
    )
    if year.supply.supply in HEATING:
        yield (
            "this supply heats, and heating follows the season: the months that were not read may need several "
            "times as much or as little, so that the year may cost more or less than the range says"
        )
    elif part > 100 / 12:
        yield "whoever heats or cools with it uses more in some seasons: the year may then lie outside the range"
