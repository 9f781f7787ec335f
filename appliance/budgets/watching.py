"""What somebody should look at: a meter that is silent, use while nobody is at home, water that never stops."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from appliance.derive.rollups import QUARTER_MS
from appliance.insight.loads import low
from appliance.tariffs import Usage
from appliance.tariffs.amounts import Array

HOUR = 4  # quarter-hours
LEAK_HOURS = 24
SILENT_TIMES, SILENT_LEAST_S, SILENT_FILE_S, FORGOTTEN_S = 10, 3600, 3 * 86_400, 30 * 86_400
AWAY_LEAST = {"kWh": Decimal("0.2"), "m3": Decimal("0.005")}
"""What an hour uses at least beyond the usual, for somebody to look: 200 W, or 5 litres."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Since when nothing was heard, and how long that is usually (seconds)."""

    since: datetime
    usual_s: int


def silent(ends_ms: Array, seconds: int, now_ms: int) -> Silent | None:
    """Whether a series is silent: `ends_ms` are the ends of its newest readings, rising, of intervals of `seconds` (0:
    of a meter that is read as it counts).

    A meter is after ten times the middle of its gaps, an hour at least; use by intervals, which comes in files, after
    three days. What has been silent for a month is taken to be over: None.
    """
    if len(ends_ms) < 2:
        return None
    gap_s = int(np.median(np.diff(ends_ms))) // 1000
    patience_s = SILENT_FILE_S if seconds else max(SILENT_LEAST_S, SILENT_TIMES * gap_s)
    quiet_s = (now_ms - int(ends_ms[-1])) // 1000
    if not patience_s < quiet_s < FORGOTTEN_S:
        return None
    return Silent(_at(int(ends_ms[-1])), patience_s)


@dataclass(frozen=True, slots=True)
class Leak:
    """Water that has not stopped: since when, for how many hours, and how much ran in the quietest of them, m3."""

    since: datetime
    hours: int
    least: Decimal


def leak(usage: Usage, hours: int = LEAK_HOURS) -> Leak | None:
    """Whether something ran in each of the last hours that were measured, so many at least."""
    known = ~(usage.missing | usage.estimated)
    first = -usage.first % HOUR  # the place of the first whole hour
    count = (len(usage.totals) - first) // HOUR
    inside = slice(first, first + count * HOUR)
    whole: Array = np.logical_and.reduce(known[inside].reshape(-1, HOUR), 1)
    ran = usage.totals[inside].reshape(-1, HOUR).sum(1)
    if not whole.any():
        return None
    end = int(np.flatnonzero(whole)[-1]) + 1
    stops = np.flatnonzero(~whole[:end] | (ran[:end] <= 0))
    begin = int(stops[-1]) + 1 if len(stops) else 0
    if end - begin < hours:
        return None
    since = (usage.first + first + begin * HOUR) * QUARTER_MS
    return Leak(_at(since), end - begin, Decimal(int(ran[begin:end].min())).scaleb(usage.exponent))


@dataclass(frozen=True, slots=True)
class AwayUse:
    """What was used while nobody was at home: in how many hours more than usual, since when, how much in all, and how
    much the house alone would have used.
    """

    since: datetime
    hours: int
    used: Decimal
    usual: Decimal


def away(usage: Usage, begin: int, end: int) -> AwayUse | None:
    """Hours within the quarter-hours [begin, end) in which more was used than the house uses alone; None for none.

    What it uses alone is the value below which a tenth of the hours before `begin` are; more is twice that, and 0.2 kWh
    or 5 litres more, at least. The usage begins before `begin`, and both are whole hours.
    """
    known, totals = ~(usage.missing | usage.estimated), usage.totals
    split, stop = begin - usage.first, min(end, usage.end) - usage.first
    before, hours = _hours(totals, known, split % HOUR, split), _hours(totals, known, split, stop)
    if not len(before[0]) or not len(hours[0]):
        return None
    usual = low(before[0])
    least = int(AWAY_LEAST[usage.unit].scaleb(-usage.exponent))
    more = np.flatnonzero(hours[0] > usual + max(usual, least))
    if not len(more):
        return None
    return AwayUse(
        since=_at((begin + int(hours[1][more[0]]) * HOUR) * QUARTER_MS),
        hours=len(more),
        used=Decimal(int(hours[0].sum())).scaleb(usage.exponent),
        usual=Decimal(usual * len(hours[0])).scaleb(usage.exponent),
    )


def _hours(totals: Array, known: Array, begin: int, end: int) -> tuple[Array, Array]:
    """What was used in each hour from `begin` on that was wholly measured, and which of the hours these are."""
    count = max(0, (end - begin) // HOUR)
    inside = slice(begin, begin + count * HOUR)
    whole = np.flatnonzero(known[inside].reshape(-1, HOUR).all(1))
    return totals[inside].reshape(-1, HOUR).sum(1)[whole], whole


def _at(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
