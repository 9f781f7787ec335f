"""Sums: what facts come to by unit, where an event of which several facts tell counts once.

Which facts of an event count is decided without regard to time, so that the sums of two years are the sum of both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, not_, select, true

from appliance.derive import events
from appliance.derive.events import Event, rank
from appliance.kinds import AmountIs
from appliance.store import declared, links, records, timeline
from appliance.store.models import EventFact, RecordRow
from appliance.store.records import MONEY_SCALE
from appliance.store.timeline import Query


@dataclass(frozen=True, slots=True)
class Total:
    """What facts come to in a unit: how many were counted, and how many not, as others tell of the same event."""

    unit: str
    amount: Decimal
    facts: int
    repeated: int


def of(connection: Connection, query: Query) -> list[Total]:
    """What the facts that a query asks for come to, by unit, each event counted once; `events.refresh` comes before.

    Of an event those facts count that are of the first one's kind and source (see `events.rank`), whenever it was that
    the others tell of: a payment, or the two by which an order was paid. Where kinds are mixed, what a shop or supplier
    asks for is paid out (minus), and what stood at a moment, such as a balance or a budget, is left out.
    """
    whole = _added(connection, _summed(connection, query))
    repeated = _added(connection, _repeated(connection, query))
    return [
        Total(
            unit,
            _decimal(amount - repeated.get(unit, (0, 0))[0]),
            facts - (again := repeated.get(unit, (0, 0))[1]),
            again,
        )
        for unit, (amount, facts) in sorted(whole.items())
    ]


def left_out(connection: Connection, query: Query) -> dict[str, int]:
    """How many facts with an amount a sum over several kinds leaves out, by kind."""
    if query.kind:
        return {}
    rows = _asked(connection, query).where(RecordRow.kind.not_in(_kinds(connection, *_PAID))).subquery()
    found: Sequence[Any] = links.rows(connection, select(rows.c.kind, func.count()).group_by(rows.c.kind))
    return dict(sorted((kind, count) for kind, count in found))


def told(connection: Connection, *which: ColumnElement[bool]) -> Select[Any]:
    """The facts of events, the first of an event first. `counts` says which count where all is summed, and `one` which
    fact each is, where a person said that two of a kind and source are one."""
    columns: tuple[Any, ...] = (RecordRow.kind, RecordRow.source_id, rank().label("rank"), EventFact.event)
    facts = select(*columns).select_from(RecordRow)
    rows = _in_order(connection, facts.where(RecordRow.until_us.is_(None), *which)).subquery()
    return select(rows).order_by(rows.c.rank, rows.c.fact)


def counting(connection: Connection, found: Iterable[Event]) -> set[int]:
    """Of the facts of these events, those that count where all is summed; that of an event of one fact does."""
    facts = [[each.id for each in event.facts] for event in found]
    several = {fact for each in facts if len(each) > 1 for fact in each}
    rows = links.rows(connection, told(connection, links.versions_of(several))) if several else ()
    return {row.fact for row in rows if row.counts} | {each[0] for each in facts if len(each) == 1}


_PAID = (AmountIs.MOVED, AmountIs.ASKED)


def _kinds(connection: Connection, *which: AmountIs) -> list[str]:
    return [name for name, kind in declared.every(connection).items() if kind.amount_is in which]


def _asked(connection: Connection, query: Query) -> Select[Any]:
    found: Select[Any] = timeline.filtered(connection, query)
    columns: tuple[Any, ...] = (RecordRow.kind, RecordRow.unit, RecordRow.amount_e6)
    return found.where(RecordRow.amount_e6.is_not(None)).with_only_columns(*columns)


def _summed(connection: Connection, query: Query) -> Select[Any]:
    """The unit of each fact that is summed, and the amount by which it counts, in 10^-6."""
    asked = _asked(connection, query)
    if query.kind:
        return asked
    paid_out = RecordRow.kind.in_(_kinds(connection, AmountIs.ASKED))
    counts = case((paid_out, -RecordRow.amount_e6), else_=RecordRow.amount_e6).label("amount_e6")
    return asked.with_only_columns(RecordRow.unit, counts).where(RecordRow.kind.in_(_kinds(connection, *_PAID)))


def _repeated(connection: Connection, query: Query) -> Select[Any]:
    """Those of `_summed` that do not count, as another fact that the query asks for at any time tells of the event."""
    asked = _summed(connection, query).add_columns(true().label("in_time"))
    if outside := _outside(connection, query):
        in_time = and_(true(), *timeline.in_time(query))
        asked = _summed(connection, _at_any_time(query)).where(in_time | links.versions_of(outside))
        asked = asked.add_columns(in_time.label("in_time"))
    told = _in_order(connection, asked).subquery()
    return select(told.c.unit, told.c.amount_e6).where(told.c.in_time, not_(told.c.counts))


def _at_any_time(query: Query) -> Query:
    return replace(query, first_day=None, last_day=None, year=None)


def _outside(connection: Connection, query: Query) -> list[int]:
    """The facts of another time in the events of those that a query asks for."""
    if query == _at_any_time(query):
        return []
    inside = _summed(connection, query).join(EventFact, EventFact.fact == RecordRow.fact)
    events_of, facts = (inside.with_only_columns(column) for column in (EventFact.event, EventFact.fact))
    found = select(EventFact.fact).where(EventFact.event.in_(events_of), EventFact.fact.not_in(facts))
    return [row.fact for row in links.rows(connection, found)]


def _in_order(connection: Connection, facts: Select[Any]) -> Select[Any]:
    """Of these facts those of events, and whether each counts among them."""
    over: dict[str, Any] = {"partition_by": EventFact.event, "order_by": (rank(), RecordRow.fact)}
    first = [func.first_value(column).over(**over) for column in (RecordRow.kind, RecordRow.source_id)]
    fact, one, place = RecordRow.fact.label("fact"), RecordRow.fact.label("one"), literal(1).label("place")
    if said := _said_to_be_one(connection):
        which = case(said, value=RecordRow.fact, else_=RecordRow.fact)
        own = (EventFact.event, RecordRow.kind, RecordRow.source_id, which)
        again = func.row_number().over(partition_by=own, order_by=(rank(), RecordRow.fact))
        one, place = which.label("one"), again.label("place")
    is_of_first = ((RecordRow.kind == first[0]) & (RecordRow.source_id == first[1])).label("is_of_first")
    found = facts.join(EventFact, EventFact.fact == RecordRow.fact).add_columns(fact, one, place, is_of_first)
    rows = found.subquery()
    return select(*rows.c, and_(rows.c.is_of_first, rows.c.place == 1).label("counts"))


def _said_to_be_one(connection: Connection) -> dict[int, int]:
    """Facts of one kind and source that a person said are one, and the first of them."""
    said = links.of_people(connection)
    facts = {fact for each in said for fact in (each.one, each.other)}
    side = events.sides(connection, facts)
    own = [each for each in said if each.one in side and side[each.one] == side.get(each.other)]
    groups = events.grouped({fact for each in own for fact in (each.one, each.other)}, own)
    return {fact: min(group) for group in groups for fact in group}


def _added(connection: Connection, asked: Select[Any]) -> dict[str, tuple[int, int]]:
    """By unit the sum in 10^-6, and of how many. Wholes and the rest apart: SQLite refuses a sum beyond 64 bits."""
    rows, scale = asked.subquery(), 10**MONEY_SCALE
    wholes, rest = (func.sum(part) for part in (rows.c.amount_e6 // scale, rows.c.amount_e6 % scale))
    found = select(rows.c.unit, wholes, rest, func.count()).group_by(rows.c.unit)
    sums: Sequence[Any] = links.rows(connection, found)
    return {unit: (int(whole) * scale + int(part), count) for unit, whole, part, count in sums}


def _decimal(amount_e6: int) -> Decimal:
    found = records.amount_of(amount_e6)
    return Decimal(0) if found is None else found
