"""The ledger of gaps: when nothing was heard of a source, why, and what is known of that time all the same.

A register counts on while nobody listens: its next reading tells the sum, and only the hours are an estimate. Whatever
else is lost, other readings of the same quantity may tell: those of an import, or the meter's own history.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select

from appliance.derive import registers
from appliance.devices import cover, quantity
from appliance.devices.cover import Covers
from appliance.ingest.meter_places import countable
from appliance.ingest.missing import POWER
from appliance.store.models import Gap, RegisterStep, SourceRow
from appliance.store.series import SeriesId

SHOWN = 20


class State(StrEnum):
    """What is known of one quantity in a gap."""

    MEASURED = "measured"  # other readings cover all of it
    PARTLY = "partly"  # other readings cover a part of it
    COUNTED = "counted"  # the register counted on: the sum is right, and the hours are an estimate
    EXCHANGED = "exchanged"  # the meter was exchanged or reset meanwhile, and what it counted before is not known
    ASKED = "asked"  # the register did what no rule explains: a person is asked
    POWERLESS = "powerless"  # the meter had no power
    MISSING = "missing"  # nobody knows


@dataclass(frozen=True, slots=True)
class Closing:
    """What is known of a quantity in a gap: `by` which sources, where others tell, and whether they estimate."""

    quantity: str
    state: State
    by: tuple[str, ...] = ()
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A line of the ledger: from when to when (ms since 1970 UTC), why, of how many interruptions, what closes it."""

    source: str
    first_ms: int
    last_ms: int
    why: str
    times: int
    closed: tuple[Closing, ...]


def of(
    connection: Connection,
    source: str,
    from_ms: int | None = None,
    to_ms: int | None = None,
    limit: int = SHOWN,
    every: Sequence[SeriesId] | None = None,
) -> list[Missing]:
    """A source's gaps that touch [from_ms, to_ms), newest first. `every` are the series that count, where they are
    known already. What closes them is told from the rollups, as they were last refreshed.
    """
    gaps = _gaps(connection, source, from_ms, to_ms, limit)
    if not gaps:
        return []
    every = countable(connection) if every is None else every
    names = sorted({quantity(each.role) for each in every if each.source == source})
    own = [each for each in every if each.source == source]
    others = [each for each in every if quantity(each.role) in names]
    covers = cover.read(connection, others, [(each.first_ms, each.last_ms) for each in gaps if each.why != POWER])
    steps = _steps(connection, own, gaps)
    return [_missing(source, gap, names, own, others, covers, steps) for gap in gaps]


def totals(connection: Connection) -> dict[str, tuple[int, int]]:
    """Of each source, how many gaps it has, and how many milliseconds they are long."""
    found = select(SourceRow.name, func.count(), func.sum(Gap.last_ms - Gap.first_ms))
    rows = connection.execute(found.join(SourceRow, SourceRow.id == Gap.source_id).group_by(SourceRow.name))
    return {name: (number, int(length_ms)) for name, number, length_ms in rows}


def missing_ms(connection: Connection, from_ms: int, to_ms: int) -> dict[str, int]:
    """Of each source, for how many milliseconds of [from_ms, to_ms) nothing was heard; no moment twice."""
    table = Gap.__table__.c
    found = (
        select(SourceRow.name, table.first_ms, table.last_ms)
        .join(SourceRow, SourceRow.id == table.source_id)
        .where(table.last_ms > from_ms, table.first_ms < to_ms, table.why != POWER)
        .order_by(SourceRow.name, table.first_ms)
    )
    sums: dict[str, int] = {}
    end_ms: dict[str, int] = {}
    for name, first_ms, last_ms in connection.execute(found):
        begin = max(first_ms, from_ms, end_ms.get(name, from_ms))
        end_ms[name] = max(end_ms.get(name, from_ms), min(last_ms, to_ms))
        sums[name] = sums.get(name, 0) + max(0, min(last_ms, to_ms) - begin)
    return sums


def _gaps(connection: Connection, source: str, from_ms: int | None, to_ms: int | None, limit: int) -> list[Gap]:
    table = Gap.__table__.c
    found = select(*table).where(
        table.source_id == select(SourceRow.id).where(SourceRow.name == source).scalar_subquery()
    )
    if from_ms is not None:
        found = found.where(table.last_ms > from_ms)
    if to_ms is not None:
        found = found.where(table.first_ms < to_ms)
    rows = connection.execute(found.order_by(table.last_ms.desc(), table.id.desc()).limit(limit))
    return [Gap(**row._mapping) for row in rows]


_Steps = dict[int, list[tuple[int, str]]]


def _steps(connection: Connection, own: Sequence[SeriesId], gaps: Sequence[Gap]) -> _Steps:
    """What rules found at each register, by its series, while these gaps lasted."""
    table = RegisterStep.__table__.c
    first_ms, last_ms = min(each.first_ms for each in gaps), max(each.last_ms for each in gaps) + cover.LATE_MS
    found = select(table.series_id, table.at_ms, table.what).where(
        table.series_id.in_([each.id for each in own]), table.at_ms > first_ms, table.at_ms <= last_ms
    )
    steps: _Steps = {}
    for series_id, at_ms, what in connection.execute(found.order_by(table.series_id, table.at_ms)):
        steps.setdefault(series_id, []).append((at_ms, what))
    return steps


def _missing(
    source: str,
    gap: Gap,
    names: Iterable[str],
    own: Sequence[SeriesId],
    others: Sequence[SeriesId],
    covers: Covers,
    steps: _Steps,
) -> Missing:
    closed = []
    for name in names:
        mine = [each for each in own if quantity(each.role) == name]
        theirs = [each for each in others if quantity(each.role) == name]
        if gap.why == POWER:
            closed.append(Closing(name, State.POWERLESS))
        else:
            closed.append(_closing(name, gap, mine, theirs, covers, _found(steps, mine, gap)))
    return Missing(source, gap.first_ms, gap.last_ms, gap.why, gap.times, tuple(closed))


def _found(steps: _Steps, mine: Sequence[SeriesId], gap: Gap) -> set[str]:
    """What rules found at the first readings after a gap."""
    each_step = (step for series in mine for step in steps.get(series.id, ()))
    return {what for at_ms, what in each_step if gap.first_ms < at_ms <= gap.last_ms + cover.LATE_MS}


def _closing(
    name: str, gap: Gap, mine: Sequence[SeriesId], theirs: Sequence[SeriesId], covers: Covers, found: set[str]
) -> Closing:
    told = {each: share for each in theirs if (share := covers.share(each, gap.first_ms, gap.last_ms)) > 0}
    whole = [each for each, share in told.items() if share == 1]
    if whole:
        return _by(name, State.MEASURED, whole, covers, gap)
    if found & {registers.BACK, registers.JUMP}:
        return Closing(name, State.ASKED)
    is_register = any(each.kind == "register" and not each.role.endswith(".history") for each in mine)
    if is_register and not found & {registers.SWAP, registers.RESET}:
        return Closing(name, State.COUNTED)
    if told:
        return _by(name, State.PARTLY, list(told), covers, gap)
    return Closing(name, State.EXCHANGED if is_register else State.MISSING)


def _by(name: str, state: State, tell: Sequence[SeriesId], covers: Covers, gap: Gap) -> Closing:
    """Told by these series, the measured ones first: what they estimate does not count where one measures."""
    estimated = {each: covers.is_estimated(each, gap.first_ms, gap.last_ms) for each in tell}
    best = [each for each in tell if not estimated[each]] if state is State.MEASURED else []
    names = tuple(dict.fromkeys(each.source for each in best or tell))
    return Closing(name, state, names, any(estimated.values()) and not best)


def is_open(missing: Missing) -> bool:
    """Whether there is something in it that nobody knows."""
    known = (State.MEASURED, State.COUNTED, State.POWERLESS)
    return any(each.state not in known for each in missing.closed) or not missing.closed
