"""A supply beside what else was measured: the sun, appliances on their plugs, and how clean the grid was."""

import re
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from decimal import Decimal

import numpy as np

from appliance import costs_apart, supplies
from appliance.costs import Cost
from appliance.insight.found import Appliance, Carbon, Solar
from appliance.insight.gauges import CARBON_EXPONENTS, Gauge
from appliance.insight.loads import low
from appliance.insight.measured import Measured
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.supplies import Supply

_SOLAR = re.compile(r"(?:solar|pv)(?:\.(?!export)[^.]+)*|electricity\.(?:generation|production)")
_SHARE = Decimal("0.0001")


def solar(store: Store, measured: Measured, supply: Supply, zone: tzinfo) -> tuple[Solar | None, list[str]]:
    """What the sun gave, and why that is not known where something is missing."""
    with store.read() as connection:
        making = costs_apart.counting(series_store.every(connection), _SOLAR)
    fed_in = [each for each in supplies.every(store, zone) if each.direction == "export"]
    fed_in = [each for each in fed_in if each.source == supply.source] or fed_in
    if not making and not fed_in:
        return None, []
    if not making or len(fed_in) != 1:
        what = "what the panels make" if not making else "which series counts what is fed in"
        return None, [f"how much of the sun's electricity is used at home is not known without {what}"]
    span = measured.usage.first, measured.usage.end
    made = [costs_apart.usage_of(store, each, *span, zone) for each in making]
    out = supplies.usage(store, fed_in[0], *span, zone).quarters
    known = ~(measured.usage.missing | out.missing | np.logical_or.reduce([each.missing for each in made]))
    if not known.any():
        return None, ["no quarter-hour has all of what was bought, fed in and made"]
    return (
        Solar(
            made=sum((each.total(known) for each in made), Decimal(0)),
            fed_in=out.total(known),
            bought=measured.usage.total(known),
            quarters=int(known.sum()),
        ),
        [],
    )


def appliances(store: Store, measured: Measured, cost: Cost, zone: tzinfo) -> Iterator[Appliance]:
    """Every plug that counted something in the span."""
    for each in costs_apart.by_appliance(store, cost, zone):
        if not each.role:
            continue
        own = each.usage
        known = ~own.missing
        whole = measured.usage.total(known & ~measured.usage.missing)
        quiet = own.totals[known & ~own.estimated]
        amount, currency = one_amount(cost, each.amounts)
        yield Appliance(
            source=each.source,
            role=each.role,
            title=each.title,
            used=each.counted,
            share=(each.counted / whole).quantize(_SHARE) if whole else None,
            standby_w=Decimal(low(quiet) * 4).scaleb(own.exponent + 3) if len(quiet) else None,
            quarters=each.quarters,
            amount=amount,
            currency=currency,
        )


def one_amount(cost: Cost, amounts: Mapping[str, Decimal]) -> tuple[Decimal | None, str]:
    """The amount and its currency; None where a part of the span has no tariff, or there are several currencies."""
    if len(amounts) != 1 or any(part.costs is None for part in cost.parts):
        return None, ""
    [(currency, amount)] = amounts.items()
    return amount, currency


def carbon(measured: Measured, grid: Gauge, unit: str) -> Carbon | None:
    """What was given off; None where no quarter-hour has both."""
    known = grid.known & ~measured.usage.missing
    if not known.any():
        return None
    exponent = grid.exponent + CARBON_EXPONENTS[unit]
    used, intensity = measured.totals[known].astype(object), grid.values[known].astype(object)
    grams = Decimal(int((used * intensity).sum())).scaleb(measured.usage.exponent + exponent)
    kwh = measured.usage.total(known)
    return Carbon(
        kg=grams / 1000,
        used=kwh,
        own_mean=(grams / kwh).quantize(Decimal("0.1")) if kwh else None,
        grid_mean=(Decimal(int(intensity.sum())).scaleb(exponent) / len(intensity)).quantize(Decimal("0.1")),
        quarters=len(intensity),
    )
