"""What people read on a meter themselves, held against what was counted: its drift, and where it would stand now.

Between two typed readings a meter counted their difference. What a pulse counter counted in the same time is less where
pulses were lost, more where some were doubled, and quite another figure where a pulse is not what it is said to be.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from appliance.derive import happenings, registers, rollups
from appliance.derive.counted import QUARTER_MS
from appliance.derive.happenings import Event
from appliance.ingest import meter_facts, meter_places
from appliance.kinds import is_digest
from appliance.store import series as series_store
from appliance.store import timeline
from appliance.store.models import Chunk, RegisterStep
from appliance.store.query import Query
from appliance.store.records import Stored
from appliance.store.series import SeriesId

KIND = meter_facts.READING
SHOWN = 4
READ = 500


@dataclass(frozen=True, slots=True)
class Typed:
    """A register as a person read it. Where they said only the day, it is taken as read at noon.

    `photo` is the SHA-256 of the one that they attached, "" where there is none.
    """

    fact: int
    at_ms: int
    day_only: bool
    value: Decimal
    photo: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """Between two typed readings: their difference, and what was counted. `typed` is None where something happened at
    the meter in between, so that its difference tells nothing.
    """

    first: Typed
    last: Typed
    typed: Decimal | None
    counted: Decimal

    @property
    def off(self) -> Decimal | None:
        """How much too much was counted; negative: too little."""
        return None if self.typed is None else self.counted - self.typed

    @property
    def per_cent(self) -> Decimal | None:
        """The same in hundredths of what the meter counted, to two places."""
        if self.off is None or not self.typed:
            return None
        return (100 * self.off / self.typed).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Register:
    """A meter's register: what people read on it, newest first, how far the box's count drifted from it, and where it
    stands: the newest typed reading and what was counted since, by `until_ms`; None where something happened to the
    meter since.
    """

    source: str
    role: str
    unit: str
    kind: str
    readings: tuple[Typed, ...]
    drifts: tuple[Drift, ...]
    now: Decimal | None
    until_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """A typed reading that belongs to no register, and why."""

    fact: int
    why: str


def registers_of(
    connection: Connection, zone: ZoneInfo, every: Sequence[SeriesId] | None = None
) -> tuple[list[Register], list[Lost]]:
    """Each register that somebody read, by source and role, and what could not be placed.

    What was counted is told from the rollups, as they were last refreshed. `zone` is that of days.
    """
    every = meter_places.countable(connection) if every is None else every
    places: dict[tuple[str, str], list[Typed]] = defaultdict(list)
    parts: dict[tuple[str, str], list[SeriesId]] = {}
    lost: list[Lost] = []
    for record in timeline.page(connection, Query(kind=KIND), READ).records:
        found, why = meter_places.placed(record.fields, every)
        if not found or not (typed := _typed(record, found[0], zone)):
            lost.append(Lost(record.id, why or f"its unit is not that of the series, {found[0].unit}"))
            continue
        place = found[0].source, meter_places.register_of(found)
        places[place].append(typed)
        parts[place] = found
    events = happenings.every(connection) if places else []
    made = [_register(connection, place, parts[place], places[place], events) for place in sorted(places)]
    return made, lost


def _typed(record: Stored, series: SeriesId, zone: ZoneInfo) -> Typed | None:
    """What it says, in the series' unit; None where that is of another kind."""
    unit = meter_places.unit_of(record.unit) or series.unit
    value = meter_places.in_unit(Decimal(record.fields["register"]), unit, series.unit)
    if value is None:
        return None
    day_only = "T" not in record.at
    at = (
        datetime.combine(date.fromisoformat(record.at), time(12), zone)
        if day_only
        else datetime.fromisoformat(record.at)
    )
    photo = record.fields.get("photo", "")
    return Typed(record.id, int(at.timestamp() * 1000), day_only, value, photo if is_digest(photo) else "")


def _register(
    connection: Connection,
    place: tuple[str, str],
    parts: Sequence[SeriesId],
    readings: Sequence[Typed],
    events: Sequence[Event],
) -> Register:
    ordered = sorted(readings, key=lambda each: (each.at_ms, each.fact))[-SHOWN - 1 :]
    said = [each for each in events if each.what in meter_facts.BROKEN and any(map(each.holds_for, parts))]
    found = [each for part in parts for each in _found(connection, part)]
    broken = sorted(
        (*said, *(each for each in found if each.what in meter_facts.BROKEN)), key=lambda each: each.first_ms
    )
    edges = {each.at_ms: [_edge(connection, part, each.at_ms) for part in parts] for each in ordered}
    drifts = [
        Drift(
            first,
            last,
            _between(first, last, broken, len(parts)),
            _counted(connection, parts, edges, first.at_ms, last.at_ms),
        )
        for first, last in pairwise(ordered)
    ]
    anchor = ordered[-1]
    until_ms = max([anchor.at_ms, *(_newest_ms(connection, part) + 1 for part in parts)])
    edges[until_ms] = [_edge(connection, part, until_ms) for part in parts]
    is_another = any(each.last_ms > anchor.at_ms for each in (*said, *found))
    now = None if is_another else anchor.value + _counted(connection, parts, edges, anchor.at_ms, until_ms)
    role, unit, kind = place[1], parts[0].unit, parts[0].kind
    return Register(place[0], role, unit, kind, tuple(ordered[::-1]), tuple(drifts[::-1]), now, until_ms)


def _found(connection: Connection, series: SeriesId) -> list[Event]:
    """What rules found that broke a register off, as a person would say it; of a reset and of a rollover `before` is
    where it ended.
    """
    table = RegisterStep.__table__.c
    rows = connection.execute(select(*table).where(table.series_id == series.id, table.what != registers.SPIKE))
    return [_as_said(series, row.what, row.at_ms, row.before, row.after, row.used) for row in rows]


def _as_said(series: SeriesId, what: str, at_ms: int, before: int, after: int, used: int) -> Event:
    begins_at_zero = what in (registers.RESET, registers.ROLLOVER)
    ended = before + used - after if begins_at_zero else before
    shown = [str(Decimal(each).scaleb(series.exponent)) for each in (ended, after)]
    return Event(
        source=series.source,
        role=series.role,
        supply="",
        what=what,
        first_ms=at_ms,
        last_ms=at_ms,
        before=shown[0],
        after="" if begins_at_zero else shown[1],
        factor="",
        until_ms=None,
    )


def _between(first: Typed, last: Typed, broken: Sequence[Event], registers_read: int) -> Decimal | None:
    """What the meter counted from one typed reading to the next, over what broke it off where registers are known.

    None where that cannot be told: it may have happened before or after a reading of its day, or a reading is the sum
    of several registers.
    """
    amount, at = Decimal(0), first.value
    for event in broken:
        if event.last_ms <= first.at_ms or event.first_ms >= last.at_ms:
            continue
        is_inside = first.at_ms <= event.first_ms and event.last_ms <= last.at_ms
        is_known = event.before and (event.after or event.what in (registers.RESET, registers.ROLLOVER))
        if not is_inside or not is_known or registers_read > 1:
            return None
        amount, at = amount + Decimal(event.before) - at, Decimal(event.after or 0)
    whole = amount + last.value - at
    return whole if whole >= 0 else None


def _counted(
    connection: Connection,
    parts: Sequence[SeriesId],
    edges: dict[int, list[int]],
    from_ms: int,
    to_ms: int,
) -> Decimal:
    """What was counted from one instant to another: whole quarter-hours, and of the first and the last their part."""
    total = Decimal(0)
    for part, before, after in zip(parts, edges[from_ms], edges[to_ms], strict=True):
        whole = rollups.read(connection, part, from_ms // QUARTER_MS, to_ms // QUARTER_MS)
        total += Decimal(int(whole.totals.sum()) - before + after).scaleb(part.exponent)
    return total


def _newest_ms(connection: Connection, series: SeriesId) -> int:
    """When its newest reading is."""
    found = select(Chunk.last_ms).where(Chunk.series_id == series.id, series_store.stands())
    return connection.execute(found.order_by(Chunk.last_ms.desc()).limit(1)).scalar_one_or_none() or 0


def _edge(connection: Connection, series: SeriesId, at_ms: int) -> int:
    """What was counted from the beginning of an instant's quarter-hour to the instant."""
    begin_ms = at_ms // QUARTER_MS * QUARTER_MS
    if begin_ms == at_ms:  # as noon is, where only the day was said
        return 0
    if series.kind == "delta":
        return int(series_store.read(connection, series, begin_ms, at_ms).values.sum())
    columns = series_store.read(connection, series, begin_ms - QUARTER_MS, at_ms + 1)
    inside = int(np.searchsorted(columns.at_ms, begin_ms, side="right"))
    if inside >= len(columns):
        return 0
    begun = columns.values[max(0, inside - 1)]
    return max(0, int(columns.values[-1] - begun))
