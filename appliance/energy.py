"""Energy for people: the series of a house, and any span of any of them, exact.

A role such as `electricity.import` is either a series of its own or the sum of its tariffs' (`.t1`, `.t2`).
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from appliance.derive import rollups, steps
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.errors import UserError
from appliance.obis import TARIFFS
from appliance.store import series as series_store
from appliance.store import sources
from appliance.store.database import Store
from appliance.store.series import Array, Columns, SeriesId

POINTS = 1_500
BARS = 200
_RAW_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900)
_RAW_SPAN_S = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Values:
    """Steps of a span: starts in seconds since 1970 UTC, values scaled by 10**exponent in `unit`.

    For gauges `totals` are sums, `counts` says of how many values, and `lows` and `highs` are the extremes; empty for
    totals of registers and deltas. `step_s` is the nominal length, 0 for raw readings. `estimated` says of each step
    whether its share of what a register counted over a longer time is an estimate; empty for gauges.
    """

    unit: str
    exponent: int
    step_s: int
    starts_s: Array
    totals: Array
    counts: Array
    lows: Array
    highs: Array
    estimated: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    @property
    def is_gauge(self) -> bool:
        return bool(len(self.counts))


@dataclass(frozen=True, slots=True)
class Chart:
    """One series' values in a span, ready to draw: equal-length columns.

    `times_s` are the starts of the steps, seconds since 1970 UTC. `values` are in `unit`: totals a step for registers
    and deltas, means for gauges (with `lows` and `highs`; empty for totals). A step without a reading is absent.
    `step_s` is the step's nominal length (a local day may have 23 or 25 hours); 0 where values are raw instants.
    `estimated` are the places of the steps that hold an estimate.
    """

    role: str
    source: str
    unit: str
    kind: str  # "total" or "gauge"
    step_s: int
    times_s: list[float]
    values: list[float]
    lows: list[float]
    highs: list[float]
    estimated: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """A series that the store has; `first_ms` and `last_ms` are its ends. `title` is what a person calls its source."""

    source: str
    title: str
    role: str
    unit: str
    kind: str  # register, delta, gauge
    first_ms: int
    last_ms: int
    count: int


def series(store: Store) -> list[SeriesInfo]:
    """Every series of the store, by source and role, and the roles that are sums of tariffs."""
    with store.read() as connection:
        every = series_store.every(connection)
        titles = {name: title for name, title, _ in sources.every(connection)}
        infos: dict[tuple[str, str], SeriesInfo] = {}
        for each in every:
            if ends := series_store.extent(connection, each):
                title = titles.get(each.source, each.source)
                infos[each.source, each.role] = SeriesInfo(each.source, title, each.role, each.unit, each.kind, *ends)
    for (source, role), info in list(infos.items()):
        whole = role.rpartition(".")[0]
        if role.endswith(TARIFFS) and (source, whole) not in infos:
            infos[source, whole] = replace(info, role=whole)
    return [infos[key] for key in sorted(infos)]


def resolved(store: Store, source: str, role: str) -> list[SeriesId]:
    """The series that make up a role of a source: itself, or its tariffs'. UserError where there is none.

    `source` may be empty where only one source has the role, or any part of a name or title that only one has.
    """
    with store.read() as connection:
        every = series_store.every(connection)
        meant = {name for name, title, _ in sources.every(connection) if _is_named(source, name, title)}
    if source in meant:
        meant = {source}
    every = [each for each in every if each.source in meant]
    by_source: dict[str, dict[str, SeriesId]] = defaultdict(dict)
    for each in every:
        by_source[each.source][each.role] = each
    found = {name: parts for name, roles in by_source.items() if (parts := _parts(roles, role))}
    if len(found) > 1:
        named = ", ".join(f"{name}/{role}" for name in sorted(found))
        raise UserError(f"{role} has several sources; name one: {named}")
    if not found:
        there = ", ".join(sorted({each.role for each in every})) or "nothing yet"
        raise UserError(f"the store {store.name!r} has no {source + '/' if source else ''}{role}; it has: {there}")
    return next(iter(found.values()))


def _is_named(said: str, name: str, title: str) -> bool:
    return said.casefold() in f"{name}\n{title}".casefold()


def _parts(roles: dict[str, SeriesId], role: str) -> list[SeriesId]:
    if role in roles:
        return [roles[role]]
    return [roles[role + tariff] for tariff in TARIFFS if role + tariff in roles]


def raw(store: Store, parts: list[SeriesId], from_ms: int | None, to_ms: int | None) -> tuple[Columns, int]:
    """The readings themselves, and their exponent; of a sum of tariffs the intervals that any of them has, or the
    instants that all of them have.
    """
    with store.read() as connection:
        columns = [series_store.read(connection, part, from_ms, to_ms) for part in parts]
    exponent = min(part.exponent for part in parts)
    scaled = [each.values * 10 ** (part.exponent - exponent) for each, part in zip(columns, parts, strict=True)]
    each_part = [Columns(each.at_ms, each.seconds, values) for each, values in zip(columns, scaled, strict=True)]
    if len(parts) > 1 and all(part.kind == "delta" for part in parts):
        return _added_up(series_store.joined(each_part)), exponent
    total = each_part[0]
    for each in each_part[1:]:
        _, here, there = np.intersect1d(total.at_ms, each.at_ms, return_indices=True)
        total = Columns(total.at_ms[here], total.seconds[here], total.values[here] + each.values[there])
    return total, exponent


def _added_up(columns: Columns) -> Columns:
    """What was used in each interval, where several tariffs counted in it or one alone."""
    if not len(columns):
        return columns
    columns = columns.where(np.lexsort((columns.seconds, columns.at_ms)))
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(columns.at_ms) != 0) | (np.diff(columns.seconds) != 0)]))
    return Columns(columns.at_ms[starts], columns.seconds[starts], np.add.reduceat(columns.values, starts))


def stepped(store: Store, parts: list[SeriesId], from_ms: int, to_ms: int, zone: ZoneInfo, step: str) -> Values:
    """A role's totals or means by local steps, exact. A step is never finer than the interval that the source gives.

    Time before the first reading and after the last one costs nothing, so that any span can be asked for.
    """
    rollups.refresh(store)
    from_ms, to_ms = _filled(store, parts, from_ms, to_ms)
    step = _not_finer(step, parts)
    starts = steps.boundaries(from_ms // 1000, -(-to_ms // 1000), step, zone)
    exponent = min(part.exponent for part in parts)
    with store.read() as connection:
        read = [_scaled(rollups.read(connection, part, *_quarters(starts)), part.exponent - exponent) for part in parts]
    return _summed([_grouped(each, starts) for each in read], starts, parts[0].unit, exponent, steps.SECONDS[step])


def _filled(store: Store, parts: list[SeriesId], from_ms: int, to_ms: int) -> tuple[int, int]:
    """What of a span the readings can fill: a register's last quarter may end where its last reading stands."""
    with store.read() as connection:
        ends = [found for part in parts if (found := series_store.extent(connection, part))]
    first = min((each[0] for each in ends), default=from_ms) - QUARTER_MS
    last = max((each[1] for each in ends), default=from_ms) + QUARTER_MS
    if first >= to_ms or last <= from_ms:
        return from_ms, min(from_ms, to_ms)
    return max(from_ms, first), min(to_ms, last)


def _quarters(starts_s: Array) -> tuple[int, int]:
    """The quarters of a span, and one more before it, which tells whether the span begins with an estimate."""
    return int(starts_s[0]) * 1000 // QUARTER_MS - 1, -(-int(starts_s[-1]) * 1000 // QUARTER_MS)


def _scaled(quarters: Quarters, shift: int) -> Quarters:
    if not shift:
        return quarters
    factor = 10**shift
    return Quarters(
        quarters.quarters,
        quarters.totals * factor,
        quarters.counts,
        quarters.lows * factor,
        quarters.highs * factor,
        quarters.cuts,
    )


def _not_finer(step: str, parts: list[SeriesId]) -> str:
    longest = max(part.seconds for part in parts)
    fitting = [name for name, seconds in steps.SECONDS.items() if seconds >= min(longest, steps.SECONDS["month"])]
    return step if step in fitting else fitting[0]


def _grouped(quarters: Quarters, starts_s: Array) -> Quarters:
    """The same by steps: `quarters` are then the numbers of the steps that have any, and `cuts` says of each whether it
    begins or ends within a longer step of a register.
    """
    first = -(-starts_s // (QUARTER_MS // 1000))
    edges = np.searchsorted(quarters.quarters, first)
    filled = np.flatnonzero(np.diff(edges))
    begins = edges[filled]
    if not len(begins):
        return Quarters(filled, filled, cuts=filled)
    inside = quarters.where(slice(0, int(edges[-1])))
    totals = np.add.reduceat(inside.totals, begins)
    if not len(inside.counts):
        cut = _cut_at(quarters, first, edges) if len(quarters.cuts) else np.zeros(len(edges), np.int64)
        return Quarters(filled, totals, cuts=cut[filled] | cut[filled + 1])
    counts = np.add.reduceat(inside.counts, begins)
    lows, highs = np.minimum.reduceat(inside.lows, begins), np.maximum.reduceat(inside.highs, begins)
    return Quarters(filled, totals, counts, lows, highs)


def _cut_at(quarters: Quarters, first: Array, edges: Array) -> Array:
    """Of each boundary between steps, 1 where the quarter that ends there says that no reading does."""
    before = np.maximum(edges - 1, 0)
    cut: Array = quarters.cuts[before] * (quarters.quarters[before] == first - 1) * (edges > 0)
    return cut


def _summed(parts: list[Quarters], starts_s: Array, unit: str, exponent: int, step_s: int) -> Values:
    """The steps of one series, or the sums of several registers' (a role's tariffs)."""
    whole = parts[0]
    if len(parts) > 1:
        totals, filled, cuts = (np.zeros(len(starts_s), np.int64) for _ in range(3))
        for part in parts:
            totals[part.quarters] += part.totals
            filled[part.quarters] = 1
            cuts[part.quarters] |= part.cuts
        which = np.flatnonzero(filled)
        whole = Quarters(which, totals[which], cuts=cuts[which])
    begins = starts_s[whole.quarters]
    estimated = whole.cuts.astype(np.bool_)
    return Values(unit, exponent, step_s, begins, whole.totals, whole.counts, whole.lows, whole.highs, estimated)


def chart(store: Store, source: str, role: str, from_ms: int, to_ms: int, zone: ZoneInfo, step: str = "auto") -> Chart:
    """A span of a series. `step`: auto, raw, quarter-hour, hour, day, month; auto gives at most about 1,500 points.

    UserError where the store has no such series.
    """
    parts = resolved(store, source, role)
    gauge = parts[0].kind == "gauge"
    span_s = max(1, (to_ms - from_ms) // 1000)
    if step == "raw" or (step == "auto" and gauge and span_s <= _RAW_SPAN_S):
        values = _fine(store, parts, from_ms, to_ms)
    else:
        step = _fitting_step(span_s, gauge=gauge) if step == "auto" else step
        values = stepped(store, parts, from_ms, to_ms, zone, step)
    return _chart(values, role, parts[0].source)


def _fitting_step(span_s: int, *, gauge: bool) -> str:
    """The finest step that still gives points which a person can tell apart; bars are wider than a line's points."""
    points = POINTS if gauge else BARS
    return next((name for name, seconds in steps.SECONDS.items() if span_s / seconds <= points), "month")


def _fine(store: Store, parts: list[SeriesId], from_ms: int, to_ms: int) -> Values:
    """Raw readings, or means of a few seconds where there are more than can be drawn."""
    columns, exponent = raw(store, parts, from_ms, to_ms)
    step_s = 0
    if len(columns) > POINTS:
        span_s = (to_ms - from_ms) // 1000
        step_s = next((each for each in _RAW_STEPS_S if span_s <= POINTS * each), -(-span_s // POINTS))
    at_s = columns.at_ms // 1000 // max(1, step_s) * max(1, step_s)
    edges = np.flatnonzero(np.concatenate([[True], np.diff(at_s) != 0])) if len(columns) else at_s
    if not len(columns):
        return Values(parts[0].unit, exponent, 0, at_s, at_s, at_s, at_s, at_s)
    return Values(
        parts[0].unit,
        exponent,
        step_s,
        at_s[edges],
        np.add.reduceat(columns.values, edges),
        np.diff(np.append(edges, len(columns))),
        np.minimum.reduceat(columns.values, edges),
        np.maximum.reduceat(columns.values, edges),
    )


def _chart(values: Values, role: str, source: str) -> Chart:
    """Floats, for drawing only."""
    scale = 10.0**values.exponent
    drawn = values.totals / values.counts if values.is_gauge else values.totals
    return Chart(
        role=role,
        source=source,
        unit=values.unit,
        kind="gauge" if values.is_gauge else "total",
        step_s=values.step_s,
        times_s=values.starts_s.tolist(),
        values=_rounded(drawn * scale),
        lows=_rounded(values.lows * scale),
        highs=_rounded(values.highs * scale),
        estimated=np.flatnonzero(values.estimated).tolist(),
    )


def _rounded(values: NDArray[Any]) -> list[float]:
    rounded: list[float] = np.round(values, 6).tolist()
    return rounded


def decimal(value: int, exponent: int) -> Decimal:
    """A scaled integer as the exact decimal, with the zeros that only the scale adds left out but three kept."""
    exact = Decimal(value).scaleb(exponent)
    shortened = exact.normalize()
    places = -int(shortened.as_tuple().exponent)
    return shortened if places > 3 else exact.quantize(Decimal("0.001"))
