"""Events: facts of different sources that tell of one, linked and never merged, so that sums count it once.

What links facts is in matching.py; a person's word stands over it. The facts of an event are those that the links
connect: derived, and brought up to date from what happened to facts since.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, case, cast, delete, exists, insert, select
from sqlalchemy.orm import aliased

from appliance.derive import parts, possible, since, tally
from appliance.derive.matching import (
    BILL,
    DAY_US,
    KINDS,
    MONEY,
    ORDER,
    PURCHASE,
    TALK,
    TRANSACTION,
    Likeness,
    matched,
)
from appliance.errors import UserError
from appliance.store import links, records
from appliance.store.database import Store
from appliance.store.links import PERSON, Said, pair
from appliance.store.models import EventFact, RecordRow
from appliance.store.records import Stored
from appliance.store.versions import now_us

RULE, VERSION = "same event", "2"
REACH_US = {MONEY: 60 * DAY_US, TALK: DAY_US}  # farther off, facts have no say in each other's links
_FIRST = [TRANSACTION, BILL, ORDER, PURCHASE]  # whose word on what was paid comes before whose
_COLUMNS = (
    RecordRow.id,
    RecordRow.fact,
    RecordRow.kind,
    RecordRow.source_id,
    RecordRow.at_us,
    RecordRow.zone,
    RecordRow.amount_e6,
    RecordRow.unit,
    RecordRow.title,
    RecordRow.party,
    RecordRow.account,
    RecordRow.memo,
    cast(RecordRow.fields, Text).label("fields"),
    RecordRow.until_us,
)
_STANDS = RecordRow.until_us.is_(None)
_LATER = aliased(RecordRow)
_IS_CORRECTED = (
    (RecordRow.id == RecordRow.fact)
    & RecordRow.until_us.is_not(None)
    & RecordRow.import_id.is_not(None)
    & exists().where(_LATER.fact == RecordRow.fact, _LATER.fact != _LATER.id, _LATER.until_us.is_(None))
)  # what a file said, where what stands is another version


@dataclass(frozen=True, slots=True)
class Event:
    """The facts of one event, the one that counts first; what was said of them, and what might belong to it too."""

    facts: list[Stored]
    said: list[Said]
    possible: list[tuple[Stored, str]]


# ---- following what happens to facts ----


def refresh(store: Store) -> int:
    """Links what came since the last time, and lets go of what stands no more; how many versions it looked at."""
    tally.refresh(store)
    with store.read() as connection:
        if not since.is_stale(connection, RULE, VERSION):
            return 0
    seen, is_last = 0, False
    while not is_last:
        with store.write() as connection:
            count, is_last = _follow(connection)
            seen += count
    return seen


def _follow(connection: Connection) -> tuple[int, bool]:
    before = since.mark_of(connection, RULE, VERSION)
    if before.is_new:
        links.drop_rules(connection)
        connection.execute(delete(EventFact))
        possible.forget(connection)
    step = since.step(connection, before, _COLUMNS)
    changed = [*step.begun, *step.ended]
    corrected = {each.fact for each in changed if each.fact != each.id}
    was = select(*_COLUMNS).where(links.among(RecordRow.id, corrected), _IS_CORRECTED)
    changed += links.rows(connection, was)
    touched = _link(connection, changed) | {each.fact for each in step.ended}
    touched |= {each.fact for each in step.begun if each.fact != each.id}  # it may have been linked before
    if step.moved or before.is_new:
        touched |= links.ends(connection) | set(connection.execute(select(EventFact.fact)).scalars())
    regroup(connection, touched)
    since.keep(connection, RULE, step.mark)
    return len(changed), step.is_last


def _link(connection: Connection, changed: Collection[Any]) -> set[int]:
    """Links anew what these versions have a say in; the facts whose links are other ones now."""
    touched = parts.link(connection, changed, _COLUMNS)
    for kinds in (MONEY, *({kind} for kind in sorted(TALK))):
        if own := [each for each in changed if each.kind in kinds]:
            touched |= _link_some(connection, own, kinds)
    return touched


def _link_some(connection: Connection, changed: list[Any], kinds: Collection[str]) -> set[int]:
    reach = REACH_US[MONEY if kinds is MONEY else TALK]
    dirty = {each.fact for each in changed}
    first, last = min(each.at_us for each in changed), max(each.at_us for each in changed)
    several = (
        len(tally.sources(connection, kinds, first - reach, last + reach) | {each.source_id for each in changed}) > 1
    )
    near = _near(connection, changed, kinds, first - reach, last + reach) if several else []
    inner = {each.fact for each in near if first - reach // 2 <= each.at_us <= last + reach // 2}
    linked = links.of(connection, inner | dirty)
    before = {(each.one, each.other): each for each in linked if each.rule != parts.RULE}
    said = {each: link.joined for each, link in before.items() if link.by_person}
    found, open_ = matched(near, said)
    possible.note(connection, inner | dirty, {fact for each in open_ for fact in each.pair} & (inner | dirty))
    concerned = {each for each in {*before, *found} - said.keys() if dirty & set(each) or inner >= set(each)}
    at_us = now_us(connection)
    gone = {
        each for each in concerned & before.keys() if each not in found or before[each].reason != found[each].reason
    }
    new = [_said(found[each], at_us) for each in sorted((concerned & found.keys()) - (before.keys() - gone))]
    links.drop(connection, gone)
    links.add(connection, new)
    return {fact for each in gone for fact in each} | {fact for each in new for fact in (each.one, each.other)}


def _said(found: Likeness, at_us: int) -> Said:
    return Said(*found.pair, True, found.rule, found.reason, "", at_us)


def _near(connection: Connection, changed: list[Any], kinds: Collection[str], first_us: int, last_us: int) -> list[Any]:
    """The facts of these kinds and times as they stand, and as a file said them; of money, of the amounts that changed.

    Of a corrected fact that is found by what a file said, those of what stands are looked at as well.
    """
    found = select(*_COLUMNS).where(_STANDS | _IS_CORRECTED, RecordRow.kind.in_(kinds))
    found = found.where(RecordRow.at_us.between(first_us, last_us))
    if kinds is not MONEY:
        return list(links.rows(connection, found))
    near = links.rows(connection, found.where(_of_amounts(changed)))
    if corrected := [each.fact for each in near if each.until_us is not None]:
        stand = links.rows(connection, select(*_COLUMNS).where(links.versions_of(corrected), _STANDS))
        near = links.rows(connection, found.where(_of_amounts([*changed, *stand])))
    return list(near)


def _of_amounts(rows: Iterable[Any]) -> ColumnElement[bool]:
    amounts = {sign * each.amount_e6 for each in rows if each.amount_e6 for sign in (1, -1)}
    return links.among(RecordRow.amount_e6, amounts)


# ---- the facts of an event ----


def grouped(facts: Collection[int], said: Iterable[Said]) -> list[set[int]]:
    """The facts of each event: those that links connect. People's words come first, the newest before the others.

    What would bring two facts together that a newer word (or, for a rule, any word) keeps apart does not count.
    """
    groups, apart = {fact: {fact} for fact in facts}, defaultdict[int, set[int]](set)
    people = sorted((each for each in said if each.by_person), key=lambda each: -each.at_us)
    rules = sorted((each for each in said if not each.by_person), key=lambda each: (each.one, each.other))
    for each in [*people, *rules]:
        if each.one not in groups or each.other not in groups:
            continue
        first, second = groups[each.one], groups[each.other]
        if first is second:
            continue
        if not each.joined:
            apart[each.one].add(each.other)
            apart[each.other].add(each.one)
        elif not any(apart[fact] & second for fact in first if fact in apart):
            first |= second
            groups.update(dict.fromkeys(second, first))
    return [group for group in {id(each): each for each in groups.values()}.values() if len(group) > 1]


def regroup(connection: Connection, facts: Collection[int]) -> None:
    """Derives the events of these facts anew, and of all that links connect with them."""
    if not facts:
        return
    said = links.around(connection, facts)
    every = set(facts) | {fact for each in said for fact in (each.one, each.other)}
    ranks = _ranks(connection, every)
    rows = [
        {"fact": fact, "event": min(group, key=ranks.__getitem__)}
        for group in grouped(ranks.keys(), said)
        for fact in group
    ]
    links.remove(connection, delete(EventFact).where(links.among(EventFact.fact, every)))
    if rows:
        connection.execute(insert(EventFact), rows)


def _ranks(connection: Connection, facts: Collection[int]) -> dict[int, tuple[int, int]]:
    """Of these facts those that stand, each with what orders them: the first of an event is the one that counts."""
    found = select(RecordRow.fact, rank().label("place")).where(links.versions_of(facts), _STANDS)
    return {row.fact: (row.place, row.fact) for row in links.rows(connection, found)}


def sides(connection: Connection, facts: Collection[int]) -> dict[int, tuple[str, int]]:
    """The kind and source of each of these facts that stands."""
    found = select(RecordRow.fact, RecordRow.kind, RecordRow.source_id).where(links.versions_of(facts), _STANDS)
    return {row.fact: (row.kind, row.source_id) for row in links.rows(connection, found)}


def rank() -> ColumnElement[int]:
    """How far behind a version's word on an event comes: the bank's first, and a person's own behind all files'."""
    kind = case({name: place for place, name in enumerate(_FIRST)}, value=RecordRow.kind, else_=len(_FIRST))
    return kind + case((RecordRow.import_id.is_(None), len(_FIRST) + 1), else_=0)


# ---- what a person sees and says ----


def every(connection: Connection, limit: int = 50) -> list[Event]:
    """The newest events."""
    newest = select(EventFact.event).distinct().order_by(EventFact.event.desc()).limit(limit)
    found = select(EventFact).where(EventFact.event.in_(newest)).order_by(EventFact.event.desc(), EventFact.fact)
    rows = connection.execute(found.with_only_columns(EventFact.event, EventFact.fact)).all()
    said = links.of(connection, [row.fact for row in rows])
    return [
        _event(connection, event, [row.fact for row in facts], said)
        for event, facts in groupby(rows, key=lambda row: row.event)
    ]


def of(connection: Connection, fact: int) -> Event | None:
    """The event of a fact, alone in it where nothing else tells of it; None where it does not stand."""
    if records.one(connection, fact) is None:
        return None
    own = select(EventFact.event).where(EventFact.fact == fact)
    event = connection.execute(own).scalar_one_or_none()
    facts = [fact]
    if event is not None:
        facts = list(connection.execute(select(EventFact.fact).where(EventFact.event == event)).scalars())
    found = _event(connection, fact if event is None else event, facts, links.of(connection, facts))
    return Event(found.facts, found.said, others(connection, fact))


def _event(connection: Connection, event: int, facts: list[int], said: list[Said]) -> Event:
    numbers = set(facts)
    found = [records.stored(row) for row in connection.execute(records.selected().where(records.of_facts(facts)))]
    found.sort(key=lambda each: (each.id != event, each.id))
    return Event(found, [each for each in said if numbers & {each.one, each.other}], [])


def others(connection: Connection, fact: int) -> list[tuple[Stored, str]]:
    """The facts that might tell of the same event, but others fit as well, the nearest first; and why each might."""
    own = select(*_COLUMNS).where(records.of_facts([fact]), _STANDS | _IS_CORRECTED, RecordRow.kind.in_(KINDS))
    rows = connection.execute(own.order_by(RecordRow.id.desc())).all()
    if not rows:
        return []
    kinds = MONEY if rows[0].kind in MONEY else {rows[0].kind}
    reach = REACH_US[MONEY if kinds is MONEY else TALK]
    first, last = min(each.at_us for each in rows), max(each.at_us for each in rows)
    near = _near(connection, list(rows), kinds, first - reach, last + reach)
    said = {
        (each.one, each.other): each.joined
        for each in links.of(connection, [each.fact for each in near])
        if each.by_person
    }
    open_ = (each for each in matched(near, said)[1] if fact in each.pair)
    why = {each.pair[1] if each.pair[0] == fact else each.pair[0]: each.reason for each in open_}
    found = connection.execute(records.selected().where(records.of_facts(list(why)))) if why else ()
    ordered = sorted(found, key=lambda row: (abs(row.at_us - rows[0].at_us), row.fact))
    return [(records.stored(row), why[row.fact]) for row in ordered]


def join(store: Store, one: int, other: int, who: str, why: str = "") -> None:
    """A person says that two facts tell of one event. UserError where one of them is not there."""
    _say(store, one, other, who, why, joined=True)


def split(store: Store, one: int, other: int, who: str, why: str = "") -> None:
    """A person says that two facts tell of different events. UserError where one of them is not there."""
    _say(store, one, other, who, why, joined=False)


def _say(store: Store, one: int, other: int, who: str, why: str, *, joined: bool) -> None:
    if one == other:
        raise UserError(f"fact {one} and fact {other} are one fact; name two")
    refresh(store)
    with store.write() as connection:
        own = select(*_COLUMNS).where(records.of_facts([one, other]), _STANDS | _IS_CORRECTED)
        rows = connection.execute(own).all()
        if missing := {one, other} - {row.fact for row in rows}:
            raise UserError(
                f"there is no fact {each} in the store {store.name!r}, or it was withdrawn; see: inglenook records"
                for each in sorted(missing)
            )
        links.say(connection, Said(*pair(one, other), joined, PERSON, why, who, now_us(connection)))
        regroup(connection, {one, other} | _link(connection, [row for row in rows if row.kind in KINDS]))
