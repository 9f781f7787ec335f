"""Thinning: of a series' old readings fewer are kept, and those as they were: nothing is averaged, nothing made up.

Of a register the last reading of each step stays, and both sides of whatever was no plain use, so that no total of a
step changes; of a gauge the least, the most and the last of each step. What is drawn of old years was worked out from
all readings before, and stays. What an import brought, and what was used in intervals, is never thinned.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select, update

from appliance.derive import rollups
from appliance.errors import UserError
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Chunk, Thinning
from appliance.store.series import Columns, SeriesId

STEPS_S = {"minute": 60, "quarter-hour": 900, "hour": 3_600}
MOST_MONTHS = 1200


@dataclass(frozen=True, slots=True)
class Thinned:
    """A series that is thinned: from how many months on, to one reading a step, up to when it was done."""

    source: str
    role: str
    months: int
    step: str
    done_ms: int


def every(connection: Connection) -> list[Thinned]:
    """Every series that is thinned."""
    named = {seconds: name for name, seconds in STEPS_S.items()}
    rows = {row.series_id: row for row in connection.execute(select(Thinning.__table__))}
    return [
        Thinned(each.source, each.role, rows[each.id].months, named[rows[each.id].seconds], rows[each.id].done_ms)
        for each in series_store.every(connection)
        if each.id in rows
    ]


def state(store: Store, parts: list[SeriesId], months: int, step: str) -> None:
    """Has series thinned from now on, or no more where `months` is 0. UserError with all that is wrong."""
    problems = [
        f"{each.source}/{each.role}: what was used in intervals adds up, and is kept"
        for each in parts
        if each.kind == "delta" and months
    ]
    if not 0 <= months <= MOST_MONTHS:
        problems.append(f"{months} months: write 1 to {MOST_MONTHS}, or 0 to keep every reading")
    if step not in STEPS_S:
        problems.append(f"{step!r} is no step; there are: {', '.join(STEPS_S)}")
    if problems:
        raise UserError(problems)
    with store.write() as connection:
        for each in parts:
            connection.execute(delete(Thinning).where(Thinning.series_id == each.id))
            if months:
                row = {"series_id": each.id, "months": months, "seconds": STEPS_S[step], "done_ms": 0}
                connection.execute(insert(Thinning).values(row))


def run(store: Store, zone: tzinfo = UTC, now: datetime | None = None) -> int:
    """Thins what is old enough; how many readings went. Each series is a transaction of its own."""
    rollups.refresh(store)  # from all readings, while they are there
    today = (now or datetime.now(UTC)).astimezone(zone)
    with store.read() as connection:
        every_series = {each.id: each for each in series_store.every(connection)}
        policies = connection.execute(select(Thinning.__table__)).all()
    gone = 0
    for policy in policies:
        if policy.series_id in every_series:
            end_ms = _before_ms(today, policy.months)
            with store.write() as connection:
                gone += _thin(connection, every_series[policy.series_id], policy, end_ms)
    return gone


def _before_ms(today: datetime, months: int) -> int:
    month = today.year * 12 + today.month - 1 - months
    begin = today.replace(year=max(1, month // 12), month=month % 12 + 1, day=1, hour=0, minute=0, second=0)
    return int(begin.replace(microsecond=0, fold=0).timestamp()) * 1000


def _thin(connection: Connection, series: SeriesId, policy: Any, end_ms: int) -> int:
    gone = 0
    for chunk in _old(connection, series, policy.done_ms, end_ms):
        columns = series_store.unpacked(chunk)
        columns = columns.where(np.argsort(columns.at_ms, kind="stable"))
        kept = columns.where(_kept(columns, series.kind, policy.seconds * 1000))
        if len(kept) < len(columns):
            changed = series_store.packed(kept)
            connection.execute(update(Chunk).where(Chunk.id == chunk.id).values(**changed))
            gone += len(columns) - len(kept)
    connection.execute(update(Thinning).where(Thinning.series_id == series.id).values(done_ms=end_ms))
    return gone


def _old(connection: Connection, series: SeriesId, since_ms: int, end_ms: int) -> Iterator[Any]:
    """The collector's chunks that ended in [since, end)."""
    table = Chunk.__table__.c
    found = select(*table).where(
        table.series_id == series.id, table.import_id.is_(None), table.last_ms >= since_ms, table.last_ms < end_ms
    )
    yield from connection.execute(found.order_by(table.id)).all()


def _kept(columns: Columns, kind: str, step_ms: int) -> NDArray[np.bool_]:
    """Which readings stay, of one chunk in the order of time."""
    if kind == "register":
        kept = _last_of(columns.at_ms - 1, step_ms)  # a reading on the boundary closes the step before it
        back = np.flatnonzero(np.diff(columns.values) < 0)
        kept[back] = kept[back + 1] = True
    else:
        kept = _last_of(columns.at_ms, step_ms)
        by_value = np.lexsort((columns.values, columns.at_ms // step_ms))
        first = np.concatenate([[True], np.diff(columns.at_ms[by_value] // step_ms) != 0])
        kept[by_value[first]] = True  # the least
        kept[by_value[np.append(first[1:], True)]] = True  # the most
    kept[[0, -1]] = True
    return kept


def _last_of(at_ms: Any, step_ms: int) -> NDArray[np.bool_]:
    steps = at_ms // step_ms
    return np.append(np.diff(steps) != 0, True)
