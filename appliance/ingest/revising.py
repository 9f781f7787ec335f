"""Telling whether a row that is new by its content is a known fact that its supplier says otherwise now.

Banks book what was pending a day later and under another text, rewrite descriptions, and change ids. A row that no fact
equals, and a fact of the same account that the file leaves out though it covers its day, are one payment where

- the supplier's id is the same, the amount too, the day at most some days another, and something of the words;
- the fact was pending and the row is booked, up to some days later, of the same amount (or by the same id another: a
  tip was added), and something of the words; what is pending in an older file changes nothing that was booked since;
- day and amount are the same, and most of the words, and a number where both have numbers; and the file leaves out
  nothing else of that day. What moved no money, as a transfer of shares, is told by the supplier's id only.

A row that a fact equals says it otherwise where the fact was pending and the row is booked. Each is paired once, the
surest pairs first; what is left over stays two facts, which a person can join. A contact, what stands in a calendar,
and a supplier's agreement or rate is told by the supplier's id alone: it is theirs for good. So is a journey or a
balance with an id, such as all positions of a day, among those of its days. What is held of a security is told by its
id and the day: of two days it is two facts. What a person corrected stays so.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, select

from appliance.ingest import dedupe
from appliance.ingest.dedupe import Decision, Known
from appliance.records import Record
from appliance.store import records
from appliance.store.models import Change, RecordRow
from appliance.store.records import DATE_ONLY, local_day, moment, scaled
from appliance.store.versions import Action

PAYMENTS = frozenset({"money.transaction"})
HELD = frozenset({"money.holding"})
KEPT_BY_ID = frozenset(
    {"contact", "calendar.event", "calendar.task", "energy.agreement", "energy.rate", "energy.tariff", "note"}
)
DATED_IDS = frozenset({"money.balance", "place.journey"})  # there are many: looked for on the file's days alone
_REVISED = {"place.journey": "until"}  # which of two versions is newer, where `revised` does not say it
BOOKED = "the bank booked what was pending"
BOOKED_AS_SAID = "the bank booked what was pending, in the same words"
BOOKED_BEFORE = "what was pending then, and is booked already"
REWRITTEN = "the bank says it otherwise now: same account, day, amount and words"
SAME_ID = "the bank says it otherwise now: same account, id and amount"
NEWER = "a newer version, by the supplier's id"
OLDER = "an older version of what is here, by the supplier's id"
PENDING = "pending"
BOOKED_WITHIN, MOVED_WITHIN = 10, 5  # days
ALIKE = 0.5
_MOST_FACTS, _PART = 50_000, 5_000
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]{3,}")

Gathered = tuple[Record, str, bytes]
"""A record, its source's name, and its fingerprint."""


@dataclass(frozen=True)
class _Fact:
    """A fact that stands and that no row of the file repeats."""

    fact: int
    day: int
    moment_us: int | None  # None where only the day was said
    amount_e6: int | None
    unit: str
    supplier_id: str
    text: str
    fields: Mapping[str, str]

    @cached_property
    def words(self) -> frozenset[str]:
        return _words(self.text)

    @property
    def is_pending(self) -> bool:
        return self.fields.get("status") == PENDING


@dataclass(frozen=True)
class _Pair:
    """A row and a fact that may be one; the higher the score, the surer."""

    score: tuple[int, float, int]
    place: int
    fact: int
    reason: str


def revised(
    connection: Connection, rows: Sequence[Gathered], decisions: list[Decision], import_id: int, met: Collection[int]
) -> dict[int, int]:
    """The facts that rows say otherwise, by the place of the row; `decisions` of those rows say so then.

    `met` are facts that earlier portions of the file repeat. A row that says an older version of a fact is decided as
    known, and is not among them.
    """
    revisions = _booked_as_said(rows, decisions)
    for places in _fresh(rows, decisions).values():
        kind = rows[places[0]][0].kind
        taken = {each.known.fact for each in decisions if each.known} | set(met)
        if kind in KEPT_BY_ID:
            facts = _left(connection, rows[places[0]][2], None, import_id, taken)
            pairs = _by_id(places, rows, facts)
        elif kind in DATED_IDS:
            first, last = _days(rows, places[0])
            facts = _left(connection, rows[places[0]][2], (first, last + 1), import_id, taken)
            pairs = _by_id(places, rows, facts)
        else:
            days = _days(rows, places[0])
            facts = _left(connection, rows[places[0]][2], days, import_id, taken)
            pairs = _held(places, rows, facts) if kind in HELD else _payments(places, rows, facts, days)
        for pair in pairs:
            decisions[pair.place] = Decision(Known(pair.fact), pair.reason)
            if pair.reason not in (OLDER, BOOKED_BEFORE):
                revisions[pair.place] = pair.fact
    return revisions


def _booked_as_said(rows: Sequence[Gathered], decisions: list[Decision]) -> dict[int, int]:
    """The facts that were pending and that a row which equals them books."""
    found: dict[int, int] = {}
    for place, ((record, _, _), decision) in enumerate(zip(rows, decisions, strict=True)):
        if decision.known and decision.known.pending and record.fields.get("status") != PENDING:
            decisions[place] = Decision(decision.known, BOOKED_AS_SAID)
            found[place] = decision.known.fact
    return found


def _fresh(rows: Sequence[Gathered], decisions: Sequence[Decision]) -> dict[bytes, list[int]]:
    """The places of rows that no known fact equals, by account, of kinds that suppliers revise."""
    found: dict[bytes, list[int]] = defaultdict(list)
    for place, ((record, _, equal), decision) in enumerate(zip(rows, decisions, strict=True)):
        is_decided = decision.known is not None or bool(decision.reason)  # equal rows were compared already
        by_id = bool(record.supplier_id) and record.kind in KEPT_BY_ID | DATED_IDS
        if not is_decided and (by_id or record.kind in PAYMENTS | HELD):
            found[equal[: dedupe.ACCOUNT_BYTES]].append(place)
    return found


def _days(rows: Sequence[Gathered], place: int) -> tuple[int, int]:
    """The first and the last day that the file has of a row's account: it lists whole days."""
    account = rows[place][2][: dedupe.ACCOUNT_BYTES]
    days = [local_day(record.at) for record, _, equal in rows if equal[: dedupe.ACCOUNT_BYTES] == account]
    return min(days), max(days)


def _left(
    connection: Connection, equal: bytes, days: tuple[int, int] | None, import_id: int, taken: Collection[int]
) -> list[_Fact]:
    """The facts of an account that stand, that a file brought, that no person changed, and that no row repeats.

    Where `days` are given, of those and of the days before in which something may have been pending.
    """
    account = equal[: dedupe.ACCOUNT_BYTES]
    first, last = (dedupe.FIRST_DAY, dedupe.LAST_DAY) if days is None else (days[0] - BOOKED_WITHIN, days[1])
    low, high = dedupe.between(account, first, last)
    is_of_another = RecordRow.import_id.is_distinct_from(import_id)
    brought = select(RecordRow.fact).where(RecordRow.fingerprint.between(low, high), is_of_another).limit(_MOST_FACTS)
    facts = [fact for fact in connection.execute(brought).scalars() if fact not in taken]
    rows: list[Row[Any]] = []
    for begin in range(0, len(facts), _PART):  # a statement takes so many parameters
        standing = records.of_facts(facts[begin : begin + _PART]) & RecordRow.until_us.is_(None) & is_of_another
        found = select(RecordRow.__table__, Change.action).outerjoin(Change, Change.id == RecordRow.begun_by)
        rows += connection.execute(found.where(standing).order_by(RecordRow.id)).all()
    by_person = {Action.CORRECT.value, Action.RESTORE.value}
    return [
        _Fact(
            row.fact,
            _day(row.at_us, row.zone),
            None if row.zone == DATE_ONLY else row.at_us,
            row.amount_e6,
            row.unit,
            row.supplier_id,
            " ".join((row.title, row.party, row.memo)),
            row.fields,
        )
        for row in rows
        if row.action not in by_person
    ]


def _by_id(places: Sequence[int], rows: Sequence[Gathered], facts: Sequence[_Fact]) -> Iterator[_Pair]:
    """Each row with the fact of its id; the later of two rows with one id is a fact of its own."""
    free = {each.supplier_id: each for each in facts if each.supplier_id}
    for place in places:
        record = rows[place][0]
        if fact := free.pop(record.supplier_id, None):
            revised_in = _REVISED.get(record.kind, "revised")
            before, now = fact.fields.get(revised_in, ""), record.fields.get(revised_in, "")
            is_older = bool(before and now and now < before)
            yield _Pair((0, 0.0, 0), place, fact.fact, OLDER if is_older else NEWER)


def _held(places: Sequence[int], rows: Sequence[Gathered], facts: Sequence[_Fact]) -> Iterator[_Pair]:
    """Each row with what was held by its id on its day; of a security that is held twice, in their order."""
    free = defaultdict[tuple[str, int], list[_Fact]](list)
    for each in reversed(facts):
        free[each.supplier_id, each.day].append(each)
    for place in places:
        record = rows[place][0]
        if record.supplier_id and (alike := free[record.supplier_id, local_day(record.at)]):
            fact = alike.pop()
            now_us = moment(record.at)[0] if isinstance(record.at, datetime) else None
            is_older = now_us is not None and fact.moment_us is not None and now_us < fact.moment_us
            yield _Pair((0, 0.0, 0), place, fact.fact, OLDER if is_older else NEWER)


def _payments(
    places: Sequence[int], rows: Sequence[Gathered], facts: Sequence[_Fact], days: tuple[int, int]
) -> Iterator[_Pair]:
    by_amount, by_id = defaultdict(list), defaultdict(list)
    for each in facts:
        by_amount[each.amount_e6].append(each)
        if each.supplier_id:
            by_id[each.supplier_id].append(each)
    whole = _whole_days([rows[place][0] for place in places], facts)
    pairs = []
    for place in places:
        record = rows[place][0]
        near = {each.fact: each for each in (*by_amount[scaled(record.amount)], *by_id[record.supplier_id])}
        pairs += [pair for fact in near.values() if (pair := _pair(place, record, fact, days, whole))]
    taken_places, taken_facts = set[int](), set[int]()
    for pair in sorted(pairs, key=lambda each: (each.score, -each.fact), reverse=True):
        if pair.place not in taken_places and pair.fact not in taken_facts:
            taken_places.add(pair.place)
            taken_facts.add(pair.fact)
            yield pair


def _whole_days(records_: Sequence[Record], facts: Sequence[_Fact]) -> frozenset[int]:
    """The days of which the file leaves out no fact, but for those of which it has a row of the same amount: of others
    it does not list all, and what it leaves out says nothing.
    """
    stated = Counter((local_day(each.at), scaled(each.amount)) for each in records_)
    left = Counter((each.day, each.amount_e6) for each in facts if not each.is_pending)
    partial = {day for (day, amount), many in left.items() if stated[day, amount] < many}
    return frozenset({each.day for each in facts} - partial)


def _pair(place: int, record: Record, fact: _Fact, days: tuple[int, int], whole: Collection[int]) -> _Pair | None:
    """Whether a row says a fact otherwise, and how sure that is."""
    if record.unit and fact.unit and record.unit != fact.unit:
        return None
    later = local_day(record.at) - fact.day
    same_amount = scaled(record.amount) == fact.amount_e6
    same_id = bool(record.supplier_id) and record.supplier_id == fact.supplier_id
    words = _words(_text(record))
    alike = _alike(words, fact.words)
    may_be = bool(alike) or not (words and fact.words)
    was_pending = record.fields.get("status") == PENDING
    is_booked = fact.is_pending and not was_pending and 0 <= later <= BOOKED_WITHIN
    reason, score = "", 0
    if is_booked and ((same_id and may_be) or (same_amount and (same_id or alike >= ALIKE))):
        reason, score = BOOKED, 3 if same_id else 1
    elif days[0] <= fact.day <= days[1] and same_amount:
        if same_id and abs(later) <= MOVED_WITHIN and may_be:
            reason, score = SAME_ID, 2
        elif later == 0 and fact.day in whole and alike >= ALIKE and _may_be_rewritten(record, fact):
            reason, score = REWRITTEN, 2
    if reason and was_pending and not fact.is_pending:
        reason = BOOKED_BEFORE
    return _Pair((score, alike, -abs(later)), place, fact.fact, reason) if reason else None


def _text(record: Record) -> str:
    return " ".join((record.title, record.party, record.memo))


def _may_be_rewritten(record: Record, fact: _Fact) -> bool:
    """Not where both have numbers and none in common: a bank that rewrites a text leaves numbers out, or as they were.

    Nor where no money moved, so that no amount says that they are one.
    """
    numbers = set(_NUMBER.findall(_text(record))), set(_NUMBER.findall(fact.text))
    return record.amount is not None and not (all(numbers) and not numbers[0] & numbers[1])


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of the shorter of two texts is in the other."""
    return len(one & other) / min(len(one), len(other)) if one and other else 0.0


def _day(at_us: int, zone: str) -> int:
    """The day of a stored fact as `local_day` counts it: in the zone in which it was said."""
    minutes = int(zone[1:3]) * 60 + int(zone[4:6]) if zone[:1] in ("+", "-") else 0
    return (at_us + (-minutes if zone.startswith("-") else minutes) * 60_000_000) // 86_400_000_000
