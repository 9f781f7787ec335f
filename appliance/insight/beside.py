"""A supply beside what else was measured: the sun, appliances on their plugs, and how clean the grid was."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo
from decimal import Decimal

import numpy as np
from sqlalchemy import Connection

from appliance import supplies
from appliance import tariffs as engine
from appliance.costs import Cost
from appliance.insight.found import Appliance, Carbon, Solar
from appliance.insight.gauges import CARBON_EXPONENTS, Gauge
from appliance.insight.loads import low
from appliance.insight.measured import Measured
from appliance.store import series as series_store
from appliance.store import sources
from appliance.store.database import Store
from appliance.store.series import SeriesId
from appliance.supplies import Supply
from appliance.tariffs import Usage
from appliance.tariffs.amounts import Array

_SOLAR = re.compile(r"(?:solar|pv)(?:\.(?!export)[^.]+)*|electricity\.(?:generation|production)")
_PLUG = re.compile(r"(?:plug|appliance|socket)(?:\.(?!export)[^.]+)*")
_SHARE = Decimal("0.0001")


def solar(store: Store, measured: Measured, supply: Supply, zone: tzinfo) -> tuple[Solar | None, list[str]]:
    """What the sun gave, and why that is not known where something is missing."""
    with store.read() as connection:
        making = _counting(connection, _SOLAR)
    fed_in = [each for each in supplies.every(store, zone) if each.direction == "export"]
    fed_in = [each for each in fed_in if each.source == supply.source] or fed_in
    if not making and not fed_in:
        return None, []
    if not making or len(fed_in) != 1:
        what = "what the panels make" if not making else "which series counts what is fed in"
        return None, [f"how much of the sun's electricity is used at home is not known without {what}"]
    made = [_usage(store, each, measured, zone) for each in making]
    out = supplies.usage(store, fed_in[0], measured.usage.first, measured.usage.end, zone).quarters
    known = ~(measured.usage.missing | out.missing | np.logical_or.reduce([each.missing for each in made]))
    if not known.any():
        return None, ["no quarter-hour has all of what was bought, fed in and made"]
    return (
        Solar(
            made=sum((_sum(each, known) for each in made), Decimal(0)),
            fed_in=_sum(out, known),
            bought=_sum(measured.usage, known),
            quarters=int(known.sum()),
        ),
        [],
    )


def appliances(store: Store, measured: Measured, cost: Cost, zone: tzinfo) -> Iterator[Appliance]:
    """Every plug that counted something in the span."""
    with store.read() as connection:
        plugs = _counting(connection, _PLUG)
        titles = {name: title for name, title, _ in sources.every(connection)}
    for each in plugs:
        own = _usage(store, each, measured, zone)
        known = ~own.missing
        if not known.any():
            continue
        used, whole = _sum(own, known), _sum(measured.usage, known & ~measured.usage.missing)
        quiet = own.totals[known & ~own.estimated]
        amount, currency = saved(store, cost, own)
        yield Appliance(
            source=each.source,
            role=each.role,
            title=titles.get(each.source, each.source),
            used=used,
            share=(used / whole).quantize(_SHARE) if whole else None,
            standby_w=Decimal(low(quiet) * 4).scaleb(own.exponent + 3) if len(quiet) else None,
            quarters=int(known.sum()),
            amount=amount,
            currency=currency,
        )


def saved(store: Store, cost: Cost, less: Usage) -> tuple[Decimal | None, str]:
    """What a supply would have cost less, had it used so much less (never less than nothing); None where a part of the
    span has no tariff or there are several currencies.
    """
    if len(cost.totals) != 1 or any(part.costs is None for part in cost.parts):
        return None, ""
    [(currency, total)] = cost.totals.items()
    usage = _less(cost.used.quarters, less)
    with store.read() as connection:
        for part in cost.parts:
            if part.term.tariff is not None:
                tariff, span = part.term.tariff.needed(), (part.term.first, part.term.end)
                prices = supplies.prices(connection, tariff, *span)
                total -= engine.cost(tariff, usage, prices, *span).total
    return total, currency


def carbon(measured: Measured, grid: Gauge, unit: str) -> Carbon | None:
    """What was given off; None where no quarter-hour has both."""
    known = grid.known & ~measured.usage.missing
    if not known.any():
        return None
    exponent = grid.exponent + CARBON_EXPONENTS[unit]
    used, intensity = measured.totals[known].astype(object), grid.values[known].astype(object)
    grams = Decimal(int((used * intensity).sum())).scaleb(measured.usage.exponent + exponent)
    kwh = _sum(measured.usage, known)
    return Carbon(
        kg=grams / 1000,
        used=kwh,
        own_mean=(grams / kwh).quantize(Decimal("0.1")) if kwh else None,
        grid_mean=(Decimal(int(intensity.sum())).scaleb(exponent) / len(intensity)).quantize(Decimal("0.1")),
        quarters=len(intensity),
    )


def _counting(connection: Connection, roles: re.Pattern[str]) -> list[SeriesId]:
    """The series of such roles that count energy."""
    every = series_store.every(connection)
    return [e for e in every if roles.fullmatch(e.role) and e.kind in ("register", "delta") and e.unit == "kWh"]


def _usage(store: Store, series: SeriesId, measured: Measured, zone: tzinfo) -> Usage:
    own = Supply(series.source, "electricity", "import", series.source, series.role)
    return supplies.usage(store, own, measured.usage.first, measured.usage.end, zone).quarters


def _sum(usage: Usage, chosen: Array) -> Decimal:
    return Decimal(int(usage.totals[chosen].sum())).scaleb(usage.exponent)


def _less(usage: Usage, less: Usage) -> Usage:
    """`less` taken off, as far as there is anything to take it from."""
    exponent = min(usage.exponent, less.exponent)
    totals = usage.totals * 10 ** (usage.exponent - exponent)
    begin = less.first - usage.first
    inside = slice(max(begin, 0), begin + len(less.totals))
    off = less.totals[max(-begin, 0) :] * 10 ** (less.exponent - exponent)
    totals[inside] -= np.minimum(off[: len(totals[inside])], np.maximum(totals[inside], 0))
    return replace(usage, totals=totals, exponent=exponent)
