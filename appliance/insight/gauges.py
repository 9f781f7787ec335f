"""Numbers beside the use, by quarter-hours: the outside temperature, and how clean the grid's electricity is."""

import re
from dataclasses import dataclass

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

CARBON_EXPONENTS = {"g/kWh": 0, "kg/MWh": 0, "kg/kWh": 3}


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """Means of quarter-hours, `values * 10**exponent`, where they are `known`."""

    values: Array
    known: NDArray[np.bool_]
    exponent: int


def outside(connection: Connection) -> SeriesId | None:
    """The outside temperature, the one with most readings a day where there are several; None where there is none."""
    found = [e for e in series_store.every(connection) if e.unit == "°C" and OUTSIDE.fullmatch(e.role)]
    return min(found, key=lambda each: (each.seconds, each.id), default=None)


def carbon(connection: Connection) -> SeriesId | None:
    """The grid's intensity, the finest where there are several; None where there is none."""
    found = [e for e in series_store.every(connection, CARBON) if e.unit in CARBON_EXPONENTS]
    return min(found, key=lambda each: (each.seconds, each.id), default=None)


def read(connection: Connection, series: SeriesId, first: int, end: int) -> Gauge:
    """A series in the quarters [first, end). What is of an interval holds in all its quarter-hours; of several values
    in one it is their mean, rounded down.
    """
    if series.seconds * 1000 <= QUARTER_MS:
        return _of_rollups(rollups.read(connection, series, first, end), first, end, series.exponent)
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


def _of_rollups(quarters: Quarters, first: int, end: int, exponent: int) -> Gauge:
    values, known = np.zeros(end - first, np.int64), np.zeros(end - first, np.bool_)
    values[quarters.quarters - first] = quarters.totals // np.maximum(quarters.counts, 1)
    known[quarters.quarters - first] = True
    return Gauge(values, known, exponent)
