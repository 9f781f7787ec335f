"""What people say happened at their meters: facts of the kind `energy.meter_event`, as `registers` counts with them.

One that names a source holds for its registers, one that names a role for that alone, one that names only a supply for
all registers of it. Where one changes, what was counted around it is counted anew.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from appliance.derive import registers
from appliance.derive.registers import Happening
from appliance.ingest import meter_facts
from appliance.ingest.meter_places import day_ms, household_zone
from appliance.store import neighbours, records
from appliance.store import series as series_store
from appliance.store.models import RecordRow, RuleState
from appliance.store.records import DATE_ONLY
from appliance.store.series import Columns, SeriesId

KIND = meter_facts.EVENT
RULE = "meter events"

_LARGEST = 1 << 62  # of a scaled register, and of what a factor makes of one
_FACTORS = (Decimal("0.000001"), Decimal(1_000_000))


@dataclass(frozen=True, slots=True)
class Event:
    """One such fact: where it holds, and when. Where no time was said, it is a day: from `first_ms` on, before
    `last_ms`.
    """

    source: str
    role: str
    supply: str
    what: str
    first_ms: int
    last_ms: int
    before: str
    after: str
    factor: str
    until_ms: int | None

    def holds_for(self, series: SeriesId) -> bool:
        """Whether it happened at this register."""
        return meter_facts.holds_for(asdict(self), series)

    @property
    def is_of_a_day(self) -> bool:
        return self.last_ms > self.first_ms

    def of(self, series: SeriesId, at_ms: int) -> Happening:
        """As it counts for this register, where it is known when it was."""
        before, after = _scaled(self.before, series), _scaled(self.after, series)
        return Happening(at_ms, self.what, before, after, Decimal(self.factor or 1), self.until_ms)

    def fits(self, series: SeriesId) -> bool:
        """Whether its numbers can be a register's: one that has too many digits is none of this."""
        numbers = (_scaled(self.before, series) or 0, _scaled(self.after, series) or 0)
        return all(abs(each) < _LARGEST for each in numbers) and _FACTORS[0] <= Decimal(self.factor or 1) <= _FACTORS[1]


def every(connection: Connection, as_of: datetime | None = None) -> list[Event]:
    """All that people say (or said at an instant), in the order in which they said it."""
    table = RecordRow.__table__.c
    found = select(table.at_us, table.zone, table.fields).where(table.kind == KIND, records.believed(as_of))
    rows = connection.execute(found.order_by(table.fact))
    said = [row for row in rows if row.fields.get("event") in meter_facts.COUNTED]
    zone = (household_zone(connection) if said else None) or UTC
    return [_event(row.at_us, row.zone, row.fields, zone) for row in said]


def of_series(connection: Connection, events: Iterable[Event], series: SeriesId) -> list[Happening]:
    """Those that hold for a register, each at its moment: of a day, at the first step that is no plain use, else at the
    day's last.
    """
    own = [each for each in events if each.holds_for(series) and each.fits(series)]
    return [each.of(series, _moment(connection, each, series)) for each in own]


def of_columns(
    events: Iterable[Event], series: SeriesId, columns: Columns, devices: Sequence[str] | None
) -> list[Happening]:
    """The same where the readings, and the meter of each, are at hand."""
    own = [each for each in events if each.holds_for(series) and each.fits(series)]
    return [each.of(series, _moment_in(each, series, columns, devices)) for each in own]


def spans(events: Iterable[Event], series: SeriesId) -> list[tuple[int, int]]:
    """The days of those that hold for a register and of which only the day is known."""
    return [(each.first_ms, each.last_ms) for each in events if each.is_of_a_day and each.holds_for(series)]


def _moment(connection: Connection, event: Event, series: SeriesId) -> int:
    if not event.is_of_a_day or event.what == registers.MULTIPLIER:
        return event.first_ms
    before = neighbours.newest_before(connection, series, event.first_ms, 1)
    after = neighbours.oldest_from(connection, series, event.last_ms, 1)
    first_ms = int(before.at_ms[0]) if len(before) else event.first_ms
    last_ms = int(after.at_ms[0]) + 1 if len(after) else event.last_ms
    return _moment_in(event, series, *series_store.read_with_device(connection, series, first_ms, last_ms))


def _moment_in(event: Event, series: SeriesId, columns: Columns, devices: Sequence[str] | None) -> int:
    begin, end = np.searchsorted(columns.at_ms, [event.first_ms, event.last_ms]).tolist()
    near = slice(max(0, begin - 1), end + 1)
    columns, devices = columns.where(near), devices[near] if devices else None
    if len(columns) < 2 or not event.is_of_a_day or event.what == registers.MULTIPLIER:
        return event.first_ms
    odd = np.flatnonzero(registers.odd_steps(columns, series.unit, series.exponent, devices))
    in_day = int(np.searchsorted(columns.at_ms, event.last_ms)) - 1
    return int(columns.at_ms[int(odd[0]) + 1 if len(odd) else max(1, in_day)])


def have_changed(connection: Connection) -> bool:
    """Whether people say something else than the last time."""
    return _written(every(connection)) != _known(connection)


def note_changes(connection: Connection, events: list[Event]) -> None:
    """Marks what was counted around the events that came, changed or went since the last time."""
    known, now = _known(connection), _written(events)
    if now == known:
        return
    changed = _difference([Event(**each) for each in json.loads(known)], events)
    for series in series_store.every(connection):
        for each in changed:
            if series.kind == "register" and each.holds_for(series):
                _make_stale(connection, series, each)
    connection.execute(delete(RuleState).where(RuleState.name == RULE))
    connection.execute(insert(RuleState).values(name=RULE, version=now, record_id=0))


def _known(connection: Connection) -> str:
    state = select(RuleState.version).where(RuleState.name == RULE)
    return connection.execute(state).scalar_one_or_none() or "[]"


def _written(events: list[Event]) -> str:
    return json.dumps([asdict(each) for each in events], sort_keys=True)


def _difference(before: list[Event], now: list[Event]) -> list[Event]:
    return [each for each in (*before, *now) if (each in before) != (each in now)]


def _make_stale(connection: Connection, series: SeriesId, event: Event) -> None:
    ends = series_store.extent(connection, series)
    if ends is None:
        return
    until_ms = ends[1] if event.what == registers.MULTIPLIER and event.until_ms is None else event.until_ms
    last_ms = max(event.last_ms, until_ms or 0)
    if event.first_ms <= ends[1] and last_ms >= ends[0]:
        series_store.make_stale(connection, series.id, max(event.first_ms, ends[0]), min(last_ms, ends[1]))


def _event(at_us: int, said_in: str, fields: dict[str, Any], zone: tzinfo) -> Event:
    first_ms = last_ms = at_us // 1000
    if said_in == DATE_ONLY:
        first_ms, last_ms = day_ms(_EPOCH_DAY + timedelta(milliseconds=at_us // 1000), zone)
    until = fields.get("until", "")
    return Event(
        source=fields.get("source", ""),
        role=fields.get("role", ""),
        supply=fields.get("supply", ""),
        what=fields["event"],
        first_ms=first_ms,
        last_ms=last_ms,
        before=fields.get("old_register", ""),
        after=fields.get("new_register", ""),
        factor=fields.get("factor", ""),
        until_ms=day_ms(date.fromisoformat(until), zone)[1] if until else None,
    )


_EPOCH_DAY = date(1970, 1, 1)


def _scaled(text: str, series: SeriesId) -> int | None:
    return int(Decimal(text).scaleb(-series.exponent)) if text else None
