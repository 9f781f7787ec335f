"""Tallies: how many facts there are a day, and what they come to, a source, kind, account and unit at a time.

Quality is told from these, however many facts there are. They follow what happens to facts: a version that begins is
added, one that ends is taken off.
"""

import json
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, or_, select

from appliance.derive import since
from appliance.derive.matching import DAY_US, offset_us
from appliance.store.database import Store
from appliance.store.models import RecordRow, RuleState

RULE, VERSION = "tallies", "1"
_PREFIX = "tally "
_COLUMNS = (
    RecordRow.source_id,
    RecordRow.kind,
    RecordRow.account,
    RecordRow.unit,
    RecordRow.at_us,
    RecordRow.zone,
    RecordRow.amount_e6,
)


class What(NamedTuple):
    """What is tallied together."""

    source_id: int
    kind: str
    account: str
    unit: str


@dataclass(slots=True)
class Tally:
    """By day (since 1970) how many facts stand and what they come to, in 10^-6; `undated` are without a day."""

    counts: dict[int, int] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)
    undated: int = 0

    def add(self, row: Any, sign: int) -> None:
        """Counts a version in, or out again."""
        if not row.zone:
            self.undated += sign
            return
        day = (row.at_us + offset_us(row.zone)) // DAY_US
        for each, change in ((self.counts, sign), (self.sums, sign * (row.amount_e6 or 0))):
            each[day] = each.get(day, 0) + change
            if not each[day]:
                del each[day]

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.undated


def day(number: int) -> date:
    """Days since 1970 as a date."""
    return date(1970, 1, 1) + timedelta(days=number)


def refresh(store: Store) -> int:
    """Brings tallies up to what happened to facts; how many versions that were."""
    with store.read() as connection:
        if not since.is_stale(connection, RULE, VERSION):
            return 0
    seen, is_last = 0, False
    while not is_last:
        with store.write() as connection:
            count, is_last = _follow(connection)
            seen += count
    return seen


def every(connection: Connection) -> dict[What, Tally]:
    """Every tally of facts that stand."""
    rows = connection.execute(select(RuleState.version).where(RuleState.name.startswith(_PREFIX))).scalars()
    return {what: tally for what, tally in map(_read, rows) if tally.total}


def sources(connection: Connection, kinds: Collection[str], first_us: int, last_us: int) -> set[int]:
    """The sources that have facts of these kinds in a time, or may have: those of the days that it touches."""
    first, last = first_us // DAY_US - 1, last_us // DAY_US + 1
    found = ((what, each) for what, each in every(connection).items() if what.kind in kinds)
    return {what.source_id for what, each in found if any(first <= day <= last for day in each.counts)}


def forget(connection: Connection) -> None:
    """Takes every tally away, to be made anew: they name accounts, which may be deleted for good."""
    connection.execute(delete(RuleState).where(or_(RuleState.name == RULE, RuleState.name.startswith(_PREFIX))))


def _follow(connection: Connection) -> tuple[int, bool]:
    before = since.mark_of(connection, RULE, VERSION)
    step = since.step(connection, before, _COLUMNS)
    if step.moved and not before.is_new:  # facts went without a change: all is counted again
        forget(connection)
        return 0, False
    if before.is_new:
        forget(connection)
    changed: dict[What, list[tuple[Any, int]]] = defaultdict(list)
    for sign, rows in ((1, step.begun), (-1, step.ended)):
        for row in rows:
            changed[What(row.source_id, row.kind, row.account, row.unit)].append((row, sign))
    for what, rows_of in changed.items():
        _change(connection, what, rows_of)
    since.keep(connection, RULE, step.mark)
    return len(step.begun) + len(step.ended), step.is_last


def _change(connection: Connection, what: What, rows: list[tuple[Any, int]]) -> None:
    name = _PREFIX + blake2b(json.dumps(what).encode(), digest_size=12).hexdigest()
    found = connection.execute(select(RuleState.version).where(RuleState.name == name)).scalar_one_or_none()
    tally = _read(found)[1] if found else Tally()
    for row, sign in rows:
        tally.add(row, sign)
    connection.execute(delete(RuleState).where(RuleState.name == name))
    said = json.dumps({"what": what, "counts": tally.counts, "sums": tally.sums, "undated": tally.undated})
    connection.execute(insert(RuleState).values(name=name, version=said, record_id=0))


def _read(text: str) -> tuple[What, Tally]:
    said = json.loads(text)
    counts, sums = ({int(day): number for day, number in said[each].items()} for each in ("counts", "sums"))
    return What(*said["what"]), Tally(counts, sums, said["undated"])
