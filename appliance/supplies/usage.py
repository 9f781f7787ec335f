"""How much of a supply was used, by quarter-hours: what a tariff is applied to.

What a meter counts is taken as it is: registers by their rollups, use by intervals as it stands, of longer ones each
quarter's even share. Units that are no kWh are converted exactly, and each quarter is then rounded to 10^-9 kWh by
itself, so that a revision of one day changes no other.
"""

import re
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from appliance import energy
from appliance.derive import rollups
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.errors import UserError
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.series import Array, Columns, SeriesId
from appliance.supplies.gas import ASSUMED, ASSUMED_BEFORE, USUAL, GasQuality, qualities
from appliance.supplies.listed import Supply

QUARTER_S = QUARTER_MS // 1000
FINEST_EXPONENT = -9
LONGEST_S = 3600
"""A share of an interval that is longer than this is an estimate: prices change within it."""

_ESTIMATED = re.compile(r"estimat|geschat|estim[ée]|geschätzt|projected|substituted", re.I)
_FACTORS = {
    "kWh": Fraction(1),
    "GJ": Fraction(10_000, 36),
    "MJ": Fraction(10, 36),
    "therm": Fraction(Decimal("105.505585262")) * Fraction(10, 36),
}
"""Unit -> kWh in it. Source of the therm: Directive 80/181/EEC, annex, chapter III."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Usage:
    """A supply's quarter-hours in [first, first + len(amounts)), numbered since 1970 UTC: `amounts` * 10**exponent in
    `unit`. `missing` are those of which not all was measured, `estimated` those whose amount nobody read. `assumptions`
    are sentences for a person.
    """

    unit: str
    exponent: int
    first: int
    amounts: Array
    missing: Mask
    estimated: Mask
    assumptions: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        return Decimal(int(self.amounts.sum())).scaleb(self.exponent)


def extent(store: Store, supply: Supply) -> tuple[int, int]:
    """The first quarter-hour that a supply's readings tell of, and the one past the last; UserError where none does."""
    with store.read() as connection:
        ends = [
            (found, part)
            for part in energy.resolved(store, supply.source, supply.role)
            if (found := series_store.extent(connection, part))
        ]
    if not ends:
        raise UserError(f"{supply.name} has no readings any more; import some, or name another supply")
    first = min(found[0] for found, _ in ends) // QUARTER_MS
    return first, max(-(-(found[1] + 1000 * part.seconds) // QUARTER_MS) for found, part in ends)


def usage(store: Store, supply: Supply, first: int, end: int, zone: tzinfo) -> Usage:
    """What was used in the quarters [first, end). `zone` is that of the days from which gas has another energy."""
    rollups.refresh(store)
    parts = energy.resolved(store, supply.source, supply.role)
    exponent, unit = min(part.exponent for part in parts), parts[0].unit
    count = max(0, end - first)
    amounts, covered, estimated = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.bool_)
    with store.read() as connection:
        for part in parts:
            scale = 10 ** (part.exponent - exponent)
            if part.kind == "delta" and part.seconds >= QUARTER_S:
                read = series_store.read_with_quality(
                    connection, part, first * QUARTER_MS - 1000 * part.seconds, end * QUARTER_MS
                )
                _add_intervals(*read, scale, first, amounts, covered, estimated)
            else:
                quarters = rollups.read(connection, part, first - 1, end)
                _add_quarters(quarters, part, scale, first, amounts, covered, estimated)
        gas = qualities(connection, supply, zone) if unit == "m3" and supply.supply == "gas" else []
    missing = covered < QUARTER_S
    assumptions: tuple[str, ...] = ()
    if unit == "m3" and supply.supply == "gas":
        assumptions = _convert_gas(amounts, exponent, gas, first)
        exponent = FINEST_EXPONENT
    elif supply.unit == "kWh" and unit != "kWh":
        amounts = _times(amounts, _factor(parts[0], supply) * Fraction(10) ** (exponent - FINEST_EXPONENT))
        exponent = FINEST_EXPONENT
    return Usage(supply.unit, exponent, first, amounts, missing, estimated & (covered > 0), assumptions)


def _factor(part: SeriesId, supply: Supply) -> Fraction:
    """kWh in the sum of a quarter's values."""
    if part.kind == "gauge" and part.unit == "kW":
        return Fraction(part.seconds or 1, 3600)
    if part.unit in _FACTORS:
        return _FACTORS[part.unit]
    raise UserError(f"{supply.name} is counted in {part.unit}, of which nobody knows how many kWh it is")


def _add_quarters(
    quarters: Quarters, part: SeriesId, scale: int, first: int, amounts: Array, covered: Array, estimated: Mask
) -> None:
    """What a register counted, or the sums of a gauge's values, which are means over their intervals."""
    cut = dict(zip(quarters.quarters.tolist(), quarters.cuts.tolist(), strict=True)) if quarters.cuts.any() else {}
    inside = quarters.where(quarters.quarters >= first)
    places = inside.quarters - first
    if not len(inside.counts):
        amounts[places] += inside.totals * scale
        covered[places] = QUARTER_S
        ends = np.array([bool(cut.get(each) or cut.get(each - 1)) for each in inside.quarters.tolist()], np.bool_)
        estimated[places] |= ends if cut else False
    elif part.seconds:
        amounts[places] += inside.totals * scale
        covered[places] = np.minimum(QUARTER_S, inside.counts * part.seconds)
    else:
        amounts[places] += (inside.totals * QUARTER_S + inside.counts // 2) // inside.counts * scale
        covered[places] = QUARTER_S
        estimated[places] = True


def _add_intervals(
    columns: Columns, said: list[str], scale: int, first: int, amounts: Array, covered: Array, estimated: Mask
) -> None:
    """What was used by intervals, each of them spread over its quarters evenly, to the last unit."""
    words = {word: bool(_ESTIMATED.search(word)) for word in set(said)}
    doubtful = np.array([words[word] for word in said], np.bool_) | (columns.seconds > LONGEST_S)
    begins = columns.at_ms // 1000
    lengths = np.maximum(columns.seconds, 1)
    from_quarter, to_quarter = begins // QUARTER_S, -(-(begins + lengths) // QUARTER_S)
    shares = to_quarter - from_quarter
    owner = np.repeat(np.arange(len(columns)), shares)
    quarter = np.arange(len(owner)) - np.repeat(np.cumsum(shares) - shares, shares) + from_quarter[owner]
    starts, length = begins[owner], lengths[owner]
    since = np.clip(quarter * QUARTER_S - starts, 0, length)
    until = np.clip((quarter + 1) * QUARTER_S - starts, 0, length)
    values = columns.values[owner] * scale
    share = _portion(values, until, length) - _portion(values, since, length)
    place = quarter - first
    inside = (place >= 0) & (place < len(amounts))
    place = place[inside]
    np.add.at(amounts, place, share[inside])
    np.add.at(covered, place, (until - since)[inside])
    estimated[place] |= doubtful[owner][inside]


def _portion(values: Array, part: Array, whole: Array) -> Array:
    """values * part / whole, rounded down, without a product that 64 bits cannot hold."""
    share: Array = values // whole * part + values % whole * part // whole
    return share


def _convert_gas(amounts: Array, exponent: int, gas: list[GasQuality], first: int) -> tuple[str, ...]:
    """Cubic metres become 10**FINEST_EXPONENT kWh, in place; what was assumed."""
    dated = gas or [USUAL]
    begins = [-(-each.first_ms // QUARTER_MS) - first for each in dated]
    edges = [0, *(min(max(each, 0), len(amounts)) for each in begins[1:]), len(amounts)]
    for place, quality in enumerate(dated):
        part = slice(edges[place], edges[place + 1])
        amounts[part] = _times(amounts[part], quality.kwh_per_m3 * Fraction(10) ** (exponent - FINEST_EXPONENT))
    if not gas:
        return (ASSUMED,)
    return (ASSUMED_BEFORE,) if begins[0] > 0 and amounts[: begins[0]].any() else ()


def _times(values: Array, factor: Fraction) -> Array:
    """Each value times a factor, rounded half up."""
    numerator, denominator = factor.numerator, factor.denominator
    largest = int(np.abs(values).max(initial=0))
    exact = values if largest * numerator + denominator < 1 << 62 else values.astype(object)
    rounded: Array = ((exact * (2 * numerator) + denominator) // (2 * denominator)).astype(np.int64)
    return rounded
