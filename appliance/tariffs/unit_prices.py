"""Charges by what is used: rates by time, prices that follow an index, tiers and levies."""

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from appliance.tariffs.amounts import Amounts, Array, constant, product, roomy, scaled
from appliance.tariffs.charges import Dynamic, Levy, Rates, Tiers
from appliance.tariffs.costs import Line, day_of
from appliance.tariffs.ground import Ground
from appliance.tariffs.week import NONE, week


def rates(ground: Ground, place: int, charge: Rates, active: Array) -> Iterator[Line]:
    """A line for each band that comes in the span."""
    table = week(charge.rates)
    holding = table.rate[table.part[ground.days.leap_day], ground.days.weekday]
    holding[~active] = NONE - 1
    ground.holds(charge.name, active)
    counts = ground.days.counts
    if (without := (holding == NONE) & (counts > 0)).any():
        ground.has_no_rate(without)
    for index, rate in enumerate(charge.rates):
        here = holding == index
        if counts[here].any():
            used = Amounts(np.where(here, ground.by_slots, 0).sum(1), ground.usage.exponent)
            yield _used(ground, place, active, used, rate.band, rate.price * ground.credited)


def levy(ground: Ground, place: int, charge: Levy, active: Array) -> Iterator[Line]:
    yield _used(ground, place, active, ground.by_day.where(active), "", charge.price)


def dynamic(ground: Ground, place: int, charge: Dynamic, active: Array) -> Iterator[Line]:
    """One line, of the quarters in which the index has a price."""
    ground.holds(charge.name, active)
    on = active[ground.days.day]
    index = ground.prices.get(charge.index)
    count = len(ground.totals)
    if index is None:
        ground.remarks.append(f"There are no prices of {charge.index}: fetch or import them")
        ground.has_no_price(on)
        values, known, exponent = np.zeros(count, np.int64), np.zeros(count, bool), 0
    else:
        (values, known), exponent = index.within(ground.begin, ground.end), index.exponent
        ground.has_no_price(on & ~known)
    price = Amounts(values, exponent).times(charge.factor).plus(constant(charge.addition, count))
    price = price.within(charge.floor, charge.cap)
    used = np.where(on & known, ground.totals, 0)
    amounts = Amounts(product(used, price.values), ground.usage.exponent + price.exponent)
    by_day = amounts.by_runs(ground.days.starts)
    yield ground.line(
        place,
        active,
        Amounts(by_day.values * ground.credited, by_day.exponent),
        quantity=Amounts(used, ground.usage.exponent).total(),
        unit=ground.usage.unit,
        price=None,
        per=ground.usage.unit,
        band=charge.band,
    )


def tiers(ground: Ground, place: int, charge: Tiers, active: Array) -> Iterator[Line]:
    """A line for each tier that is reached; the count runs through the calendar's period, whatever price holds then."""
    ground.holds(charge.name, active)
    ends = [scaled(tier.up_to) for tier in charge.tiers if tier.up_to is not None]
    exponent = min([ground.usage.exponent, *(each for _, each in ends)])
    used = ground.by_day.at(exponent)
    reached = _counted(ground, charge.period, exponent, used)
    edges: list[int | None] = [None, *(whole * 10 ** (each - exponent) for whole, each in ends), None]
    for tier, low, high in zip(charge.tiers, edges, edges[1:], strict=False):
        part = Amounts(_between(reached, low, high) - _between(reached - used, low, high), exponent).where(active)
        if part.values.any() or low is None:
            yield _used(ground, place, active, part, tier.band, tier.price * ground.credited)


def _counted(ground: Ground, period: str, exponent: int, used: Array) -> Array:
    """By each day's end, what was used since its period began."""
    periods = ground.days.period(period)
    added = np.cumsum(roomy(used, len(used)))
    begins = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
    before = np.repeat((added - used)[begins], np.diff(np.append(begins, len(used))))
    before[periods == periods[0]] -= _used_before(ground, period, exponent)
    counted: Array = added - before
    return counted


def _used_before(ground: Ground, period: str, exponent: int) -> int:
    """What was used in the span's first period before the span, as far as readings tell."""
    every = ground.every_day
    periods = every.period(period)
    now = ground.days.period(period)[0]
    first = int(np.searchsorted(periods, now))
    if first == 0 and not every.begins(period):
        ground.remarks.append(
            f"Readings begin on {day_of(int(every.number[0]))}, within a {period} of tiers: what was used before it is "
            "not counted"
        )
    before = ground.usage.totals[int(every.starts[first]) : ground.begin - ground.usage.first]
    whole: int = sum(before.tolist()) * 10 ** (ground.usage.exponent - exponent)
    return whole


def _between(reached: Array, low: int | None, high: int | None) -> Array:
    """How much of what was reached is in a tier; what is below nought is in the first."""
    found = reached if high is None else np.minimum(reached, high)
    return found if low is None else np.maximum(found, low)


def _used(ground: Ground, place: int, active: Array, used: Amounts, band: str, price: Decimal) -> Line:
    unit = ground.usage.unit
    return ground.line(
        place, active, used.times(price), quantity=used.total(), unit=unit, price=price, per=unit, band=band
    )
