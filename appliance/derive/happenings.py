"""What people say happened at their meters: facts of the kind `energy.meter_event`, as `registers` counts with them.

One that names a source holds for its registers, one that names a role for that alone, one that names only a supply for
all registers of it. Where one changes, what was counted around it is counted anew.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from appliance.derive import registers
from appliance.derive.registers import Happening
from appliance.store import series as series_store
from appliance.store.models import RecordRow, RuleState
from appliance.store.records import DATE_ONLY
from appliance.store.series import SeriesId

KIND = "energy.meter_event"
WHATS = frozenset(
    {registers.SWAP, registers.RESET, registers.ROLLOVER, registers.MOVE, registers.MULTIPLIER, registers.NOTHING}
)
RULE = "meter events"

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_ANY_ZONE_MS = (-14 * _HOUR_MS, 36 * _HOUR_MS)
"""A day begins and ends within this after it does in UTC, wherever it was said."""


@dataclass(frozen=True, slots=True)
class Event:
    """One such fact: where it holds, and when: [first_ms, last_ms] is a day where no time was said."""

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
        if self.source or self.role:
            return self.source in ("", series.source) and self.role in ("", series.role)
        return bool(self.supply) and series.role.partition(".")[0] == self.supply

    def of(self, series: SeriesId) -> Happening:
        """As it counts for this register."""
        return Happening(
            self.first_ms,
            self.what,
            _scaled(self.before, series),
            _scaled(self.after, series),
            Decimal(self.factor or 1),
            self.until_ms,
            self.last_ms,
        )


def every(connection: Connection) -> list[Event]:
    """All that people say, in the order in which they said it."""
    table = RecordRow.__table__.c
    found = select(table.at_us, table.zone, table.fields).where(table.kind == KIND, table.until_us.is_(None))
    rows = connection.execute(found.order_by(table.fact))
    return [_event(row.at_us, row.zone, row.fields) for row in rows if row.fields.get("event") in WHATS]


def of_series(events: Iterable[Event], series: SeriesId) -> list[Happening]:
    """Those that hold for a register."""
    return [each.of(series) for each in events if each.holds_for(series)]


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


def _event(at_us: int, zone: str, fields: dict[str, Any]) -> Event:
    at_ms = at_us // 1000
    first_ms, last_ms = (at_ms + each for each in _ANY_ZONE_MS) if zone == DATE_ONLY else (at_ms, at_ms)
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
        until_ms=_day_ms(until) + _DAY_MS if until else None,
    )


def _day_ms(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * _DAY_MS


def _scaled(text: str, series: SeriesId) -> int | None:
    return int(Decimal(text).scaleb(-series.exponent)) if text else None
