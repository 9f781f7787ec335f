"""Numbers beside the use, by quarter-hours: the outside temperature, and how clean the grid's electricity is."""

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from appliance.derive import rollups
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.store import series as series_store
from appliance.store.series import Array, SeriesId

CARBON = "electricity.carbon"
"""Role of the grid's intensity, in g/kWh (or kg/kWh, kg/MWh)."""

OUTSIDE = re.compile(r"temperature\.(?:.+\.)?(?:outside|outdoors?|external|garden)")
"""Roles of outside temperatures; what does not say so may be of a room."""

DEGREE_DAYS = re.compile(r"degree_days\.heating\.([0-9]{1,2}(?:_[0-9]{1,2})?)")
"""Role of heating degree days, with their base in °C: `degree_days.heating.15_5`."""

HELD = 4  # quarter-hours that what was measured at an instant is taken to hold

CARBON_EXPONENTS = {"g/kWh": 0, "kg/MWh": 0, "kg/kWh": 3}


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """Means of quarter-hours, `values * 10**exponent`, where they are `known`."""

    values: Array
    known: NDArray[np.bool_]
    exponent: int


def outside(connection: Connection, first: int, end: int) -> tuple[SeriesId, Gauge] | None:
    """The outside temperature in the quarters [first, end); None where none was measured."""
    found = [e for e in series_store.every(connection) if e.unit == "°C" and OUTSIDE.fullmatch(e.role)]
    return _fullest(connection, found, first, end)


def degree_days(connection: Connection, base_c: Decimal, first: int, end: int) -> tuple[Decimal, Gauge] | None:
    """The degree days that a file gave, with their base, the nearest to that asked for; None where there are none."""
    by_base: dict[Decimal, list[SeriesId]] = {}
    for each in series_store.every(connection):
        if said := DEGREE_DAYS.fullmatch(each.role):
            by_base.setdefault(Decimal(said[1].replace("_", ".")), []).append(each)
    for base in sorted(by_base, key=lambda base: (abs(base - base_c), base)):
        if found := _fullest(connection, by_base[base], first, end):
            return base, found[1]
    return None


def carbon(connection: Connection, first: int, end: int) -> tuple[SeriesId, Gauge] | None:
    """The grid's intensity in the quarters [first, end); None where none is known."""
    found = [e for e in series_store.every(connection, CARBON) if e.unit in CARBON_EXPONENTS]
    return _fullest(connection, found, first, end)


def _fullest(connection: Connection, found: list[SeriesId], first: int, end: int) -> tuple[SeriesId, Gauge] | None:
    """That of several series which knows most of the quarters, the finest of equal ones; None where none knows any."""
    gauges = [(each, read(connection, each, first, end)) for each in sorted(found, key=lambda e: (e.seconds, e.id))]
    best = max(gauges, key=lambda each: int(each[1].known.sum()), default=None)
    return best if best and best[1].known.any() else None


def read(connection: Connection, series: SeriesId, first: int, end: int) -> Gauge:
    """A series in the quarters [first, end). What is of an interval holds in all its quarter-hours, what is of an
    instant for an hour, or until the next; of several values in one it is their mean, rounded down.
    """
    if series.seconds * 1000 <= QUARTER_MS:
        found = _of_rollups(rollups.read(connection, series, first, end), first, end, series.exponent)
        return found if series.seconds else _held(found)
    columns = series_store.read(connection, series, first * QUARTER_MS - 1000 * series.seconds, end * QUARTER_MS)
    shares = np.maximum(columns.seconds * 1000 // QUARTER_MS, 1)
    owner = np.repeat(np.arange(len(columns)), shares)
    place = columns.at_ms[owner] // QUARTER_MS + np.arange(len(owner)) - np.repeat(np.cumsum(shares) - shares, shares)
    place -= first
    inside = (place >= 0) & (place < end - first)
    values, known = np.zeros(end - first, np.int64), np.zeros(end - first, np.bool_)
    values[place[inside]] = columns.values[owner][inside]
    known[place[inside]] = True
    return Gauge(values, known, series.exponent)


def _held(gauge: Gauge) -> Gauge:
    """Each value until the next, for an hour at most."""
    places = np.arange(len(gauge.values))
    last = np.maximum.accumulate(np.where(gauge.known, places, -HELD))
    return Gauge(gauge.values[last], places - last < HELD, gauge.exponent)


def _of_rollups(quarters: Quarters, first: int, end: int, exponent: int) -> Gauge:
    values, known = np.zeros(end - first, np.int64), np.zeros(end - first, np.bool_)
    values[quarters.quarters - first] = quarters.totals // np.maximum(quarters.counts, 1)
    known[quarters.quarters - first] = True
    return Gauge(values, known, exponent)
