"""How much of a supply was used, by quarter-hours: what a tariff is applied to.

What a meter counts is taken as it is: registers by their rollups, use by intervals as it stands, of longer ones each
quarter's even share. Units that are no kWh are converted exactly, and each quarter is then rounded to 10^-9 kWh by
itself, so that a revision of one day changes no other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction

import numpy as np
from sqlalchemy import Connection

from appliance import energy
from appliance.derive import counted, happenings, registers, rollups
from appliance.derive.happenings import Event
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.errors import UserError
from appliance.store import as_it_stood
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.records import moment
from appliance.store.series import Array, SeriesId
from appliance.supplies.gas import ASSUMED, ASSUMED_BEFORE, USUAL, GasQuality, qualities
from appliance.supplies.grid import QUARTER_S, Grid
from appliance.supplies.listed import Supply
from appliance.tariffs import Tariff, Usage

FINEST_EXPONENT = -9
_FACTORS = {
    "kWh": Fraction(1),
    "GJ": Fraction(10_000, 36),
    "MJ": Fraction(10, 36),
    "therm": Fraction(Decimal("105.505585262")) * Fraction(10, 36),
}
"""Unit -> kWh in it. Source of the therm: Directive 80/181/EEC, annex, chapter III."""


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """What was used of a supply. `quarters.missing` are those of which not all was measured; `assumptions` are
    sentences for a person. `volume` is the same of gas in cubic metres, where it is counted in these.
    """

    quarters: Usage
    assumptions: tuple[str, ...] = ()
    volume: Usage | None = None

    def per(self, tariff: Tariff) -> Usage:
        """The same in the unit that a tariff prices; UserError where it is not known in that."""
        if self.volume is not None and tariff.unit == self.volume.unit:
            return self.volume
        if tariff.unit != self.quarters.unit:
            raise UserError(
                f"{tariff.name} has prices a {tariff.unit}, and what was used is known in {self.quarters.unit} alone; "
                f"state its prices a {self.quarters.unit}"
            )
        return self.quarters

    @property
    def total(self) -> Decimal:
        return self.quarters.total()


def extent(store: Store, supply: Supply) -> tuple[int, int]:
    """The first quarter-hour that a supply's readings tell of while it was the household's, and the one past the last;
    UserError where none does.
    """
    parts = energy.resolved(store, supply.source, supply.role)
    with store.read() as connection:
        ends = [(found, part) for part in parts if (found := series_store.extent(connection, part))]
    if not ends:
        raise UserError(f"{supply.name} has no readings any more; import some, or name another supply")
    first = min(found[0] for found, _ in ends) // QUARTER_MS
    end = max(-(-(found[1] + 1000 * part.seconds) // QUARTER_MS) for found, part in ends)
    begun = first if supply.first_ms is None else max(first, -(-supply.first_ms // QUARTER_MS))
    ended = end if supply.end_ms is None else min(end, supply.end_ms // QUARTER_MS)
    if (begun, ended) != (first, end) and begun >= ended:
        raise UserError(f"{supply.name} has no readings from when it was yours; correct its days, or import some")
    return begun, ended


def usage(store: Store, supply: Supply, first: int, end: int, zone: tzinfo, as_of: datetime | None = None) -> Used:
    """What was used in the quarters [first, end), numbered since 1970 UTC; `as_of`: as it was known then.

    `zone` is that of the days from which gas has another energy. UserError where there is no such series, or it counts
    what is no energy.
    """
    rollups.refresh(store)
    parts = energy.resolved(store, supply.source, supply.role)
    unit, grid = parts[0].unit, Grid(first, end, min(part.exponent for part in parts))
    is_gas = (supply.supply, unit) == ("gas", "m3")
    with store.read() as connection:
        for part in parts:
            _add(connection, part, grid, as_of)
        gas = qualities(connection, supply, zone, as_of) if is_gas else []
    totals, exponent = grid.totals, grid.exponent
    assumptions: tuple[str, ...] = ()
    volume = Usage(first, totals, exponent, grid.missing, grid.estimated, unit) if is_gas else None
    if is_gas:
        totals, assumptions = _gas(grid, gas)
        exponent = FINEST_EXPONENT
    elif parts[0].unit != supply.unit:
        totals = _times(totals, _factor(parts[0], supply) * Fraction(10) ** (exponent - FINEST_EXPONENT))
        exponent = FINEST_EXPONENT
    return Used(Usage(first, totals, exponent, grid.missing, grid.estimated, supply.unit), assumptions, volume)


def _add(connection: Connection, part: SeriesId, grid: Grid, as_of: datetime | None) -> None:
    from_ms, to_ms = (grid.first - 1) * QUARTER_MS - 1000 * part.seconds, grid.end * QUARTER_MS
    if as_of is not None and not _is_as_it_was(connection, part, as_of):
        _add_as_it_was(connection, part, grid, as_of, (from_ms, to_ms))
    elif part.kind == "delta" and part.seconds >= QUARTER_S:
        grid.add_intervals(*series_store.read_with_quality(connection, part, from_ms, to_ms), part)
    else:
        grid.add_quarters(rollups.read(connection, part, grid.first - 1, grid.end), part)


def _add_as_it_was(
    connection: Connection, part: SeriesId, grid: Grid, as_of: datetime, span_ms: tuple[int, int]
) -> None:
    at_us = moment(as_of)[0]
    if part.kind != "register":
        grid.add_intervals(*as_it_stood.read(connection, part, at_us, *span_ms), part)
        return
    columns, devices = as_it_stood.read_with_device(connection, part, at_us, 0, span_ms[1] + counted.SPREAD_MS)
    said = happenings.of_columns(happenings.every(connection, as_of), part, columns, devices)
    amounts = registers.used(columns, part.unit, part.exponent, devices, said).amounts
    spread = counted.by_quarters(columns, amounts, grid.first - 1, grid.end)
    grid.add_quarters(Quarters(spread.quarters, spread.totals, cuts=spread.cuts), part)


def _is_as_it_was(connection: Connection, part: SeriesId, as_of: datetime) -> bool:
    """Whether neither its readings nor what people say happened at its meter are other ones since."""
    if _is_of_instants(part):
        return True
    if not as_it_stood.is_as_it_stood(connection, part, moment(as_of)[0]):
        return False
    now, then = happenings.every(connection), happenings.every(connection, as_of)
    return part.kind != "register" or _of(now, part) == _of(then, part)


def _of(events: Iterable[Event], part: SeriesId) -> list[Event]:
    return [each for each in events if each.holds_for(part)]


def _is_of_instants(part: SeriesId) -> bool:
    """Whether they say what was drawn at an instant: nobody revises that."""
    return part.kind == "gauge" and not part.seconds


def _factor(part: SeriesId, supply: Supply) -> Fraction:
    """kWh in the sum of a quarter's values."""
    if part.kind == "gauge" and part.unit == "kW":
        return Fraction(part.seconds or 1, 3600)
    if part.unit in _FACTORS:
        return _FACTORS[part.unit]
    raise UserError(f"{supply.name} is counted in {part.unit}, and nobody knows how many kWh that is")


def _gas(grid: Grid, gas: list[GasQuality]) -> tuple[Array, tuple[str, ...]]:
    """Cubic metres as 10**FINEST_EXPONENT kWh, and what was assumed."""
    dated, totals = gas or [USUAL], grid.totals.copy()
    begins = [-(-each.first_ms // QUARTER_MS) - grid.first for each in dated]
    edges = [0, *(min(max(each, 0), len(totals)) for each in begins[1:]), len(totals)]
    for place, quality in enumerate(dated):
        part = slice(edges[place], edges[place + 1])
        totals[part] = _times(totals[part], quality.kwh_per_m3 * Fraction(10) ** (grid.exponent - FINEST_EXPONENT))
    if not gas:
        return totals, (ASSUMED,)
    return totals, (ASSUMED_BEFORE,) if begins[0] > 0 and totals[: begins[0]].any() else ()


def _times(values: Array, factor: Fraction) -> Array:
    """Each value times a factor, rounded half up."""
    numerator, denominator = factor.numerator, factor.denominator
    largest = int(np.abs(values).max(initial=0))
    exact = values if (2 * largest * numerator + denominator) < 1 << 62 else values.astype(object)
    rounded: Array = ((exact * (2 * numerator) + denominator) // (2 * denominator)).astype(np.int64)
    return rounded
