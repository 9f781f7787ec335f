"""All that is found in a supply, in one look."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

import numpy as np

from appliance import costs, costs_apart, supplies
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.insight import beside, gauges, loads, weather
from appliance.insight.found import Appliance, Baseload, Carbon, Insight
from appliance.insight.lacking import lacking
from appliance.insight.measured import Measured, quarters
from appliance.insight.weather import BASE_C, Cold
from appliance.store.database import Store
from appliance.supplies import Supply

SPAN_DAYS = 365
HOURS_A_YEAR = 8760
_SHARE = Decimal("0.0001")


def insight(
    store: Store,
    supply: Supply,
    zone: tzinfo,
    first_day: date | None = None,
    last_day: date | None = None,
    base_c: Decimal = BASE_C,
) -> Insight:
    """What can be said of a supply from the first to the last day in `zone`; of the last year before today where none
    is named.

    `base_c` is that of degree days. UserError where there are no readings, or the last day is before the first.
    """
    begin, until = supplies.extent(store, supply)
    last = last_day or before_today(costs.day_of(begin, zone), costs.day_of(until - 1, zone), zone)
    first = first_day or max(costs.day_of(begin, zone), last - timedelta(days=SPAN_DAYS - 1))
    if last < first:
        raise UserError(f"{last} is before {first}; name the earlier day first")
    earliest = min(first, max(costs.day_of(begin, zone), _year_before(first) - timedelta(days=7 * loads.WEEKS)))
    used = supplies.usage(store, supply, *quarters(earliest, last, zone), zone)
    whole = Measured(used.quarters, zone)
    span = Measured(used.quarters.within(quarters(first, last, zone)[0], used.quarters.end), zone)
    cold = _cold(store, whole, base_c)
    follows, expected = weather.follows(whole, cold) if cold else (None, None)
    year = weather.year_on_year(whole, cold, first, last)
    sun, why, plugs, grid, has_grid = None, list[str](), list[Appliance](), None, False
    cost = costs.cost(store, supply, zone, first, last)
    if supply.supply == "electricity" and supply.direction == "import":
        sun, why = beside.solar(store, span, supply, zone)
        plugs = sorted(beside.appliances(store, span, cost, zone), key=lambda each: -each.used)
        grid, has_grid = _carbon(store, span)
    is_drawn = supply.unit == "kWh" and supply.direction != "export"
    best, of_months = loads.peaks(span) if supply.unit == "kWh" else ([], [])
    found = Insight(
        supply=supply,
        first=first,
        last=last,
        used=span.decimal(int(span.totals.sum())),
        days=len(span.local),
        whole_days=int(span.whole.sum()),
        baseload=_baseload(store, span, cost, has_sun=sun is not None or bool(why)) if is_drawn else None,
        peaks=tuple(best),
        month_peaks=tuple(of_months),
        unusual=tuple(loads.unusual(whole, expected if follows else None, (first - earliest).days)),
        year=year,
        solar=sun,
        appliances=tuple(plugs),
        degree_days=follows,
        carbon=grid,
        told=(*used.assumptions, *_gaps(span)),
    )
    has_cold = cold is not None and bool(cold.known_days)
    lacks = lacking(found, costs.day_of(begin, zone), why, has_cold=has_cold, has_grid=has_grid)
    return replace(found, lacking=tuple(lacks))


def before_today(first: date, last: date, zone: tzinfo) -> date:
    """The last of the days that is over; the first one where none is."""
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    return max(first, min(last, yesterday))


def _year_before(day: date) -> date:
    return day - timedelta(days=366)


def _cold(store: Store, measured: Measured, base_c: Decimal) -> Cold | None:
    """How cold the days were, by the temperature, or by a file of degree days where that knows more of them."""
    span = measured.usage.first, measured.usage.end
    with store.read() as connection:
        outside = gauges.outside(connection, *span)
        given = gauges.degree_days(connection, base_c, *span)
    found = [weather.cold(measured, outside[1], base_c)] if outside else []
    found += [weather.given(measured, given[1], given[0])] if given else []
    return max(found, key=lambda each: each.known_days, default=None)


def _carbon(store: Store, measured: Measured) -> tuple[Carbon | None, bool]:
    """What was given off, and whether the grid's intensity is known at all in the span."""
    with store.read() as connection:
        grid = gauges.carbon(connection, measured.usage.first, measured.usage.end)
    return (beside.carbon(measured, grid[1], grid[0].unit), True) if grid else (None, False)


def _baseload(store: Store, measured: Measured, cost: Cost, *, has_sun: bool) -> Baseload | None:
    night = loads.night(measured, has_sun=has_sun)
    if night is None:
        return None
    level = np.where(measured.known, np.minimum(measured.totals, night.level), 0)
    without = costs_apart.less(cost.used.quarters, replace(measured.usage, totals=level))
    amount, currency = beside.one_amount(cost, costs_apart.saved(store, cost, without))
    all_used, known = int(measured.totals[measured.known].sum()), int(measured.known.sum())
    return Baseload(
        baseload_w=measured.watts(night.level),
        standby_w=measured.watts(night.standby),
        nights=night.nights,
        kwh_year=measured.watts(night.level) * HOURS_A_YEAR / 1000,
        share=(Decimal(int(level.sum())) / all_used).quantize(_SHARE) if all_used else None,
        amount_year=None if amount is None else (amount * 4 * HOURS_A_YEAR / known).quantize(Decimal("0.01")),
        currency=currency,
    )


def _gaps(measured: Measured) -> Iterator[str]:
    missing, estimated = int(measured.usage.missing.sum()), int(measured.usage.estimated.sum())
    if missing:
        days = len(measured.local) - int(measured.whole.sum())
        yield f"{missing:,} quarter-hours on {days:,} of {len(measured.local):,} days were not measured, and count as 0"
    if estimated:
        yield (
            f"{estimated:,} quarter-hours are shares of longer readings: they count in what was used, and not in "
            "baseload and peaks"
        )
