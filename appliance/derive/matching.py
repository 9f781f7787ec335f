"""Which facts of different sources tell of one event: told by what they say, and only where there is no choice.

A payment, and the order, purchase or bill that it pays, or the same payment from another file: the same amount and
unit, a few days apart, and the same account, a like name, or the bill's number. A call or a message that two phones
list: the same minute and the same person. Where two facts of one source fit, nothing is linked: a person can say which;
but where as many equal ones are on either side, it does not matter which, and they are linked in their order.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from appliance.kinds import FieldType
from appliance.store.links import Pair, pair
from appliance.store.records import DATE_ONLY, local_day

TRANSACTION, ORDER, PURCHASE, BILL = "money.transaction", "shop.order", "shop.purchase", "energy.bill"
PAPERS = frozenset({ORDER, PURCHASE, BILL})  # what a shop or supplier asks for, in one of the payments
MONEY = PAPERS | {TRANSACTION}
TALK = frozenset({"phone.call", "phone.message", "message"})
KINDS = MONEY | TALK

SAME_DAYS = 3  # a bank books what another file dates by the purchase
PAID_BEFORE, PAID_AFTER = 1, 5  # days between an order and its payment
LATEST_DUE = 45  # days from a bill to its payment
TALK_S, LENGTH_S = 120, 5
DAY_US, SECOND_US = 86_400_000_000, 1_000_000
STRONGEST, WEAKEST = 0, 2
_SHORTEST_NUMBER, _SHORTEST_CUT = 5, 4
# Words that say nothing of who was paid.
_COMMON = frozenset(
    """account and bank card cheque credit debit direct from gmbh inc limited ltd mobile online order payment paypal
    pending pos purchase ref reference sepa shop store transaction transfer the und van visa mastercard von with www com
    bill invoice betaling rechnung""".split()  # noqa: SIM905 - a list of them is a page long
)


class Candidate(NamedTuple):
    """What is compared of a fact. `day` is the one that was said, `due` a bill's, both in days since 1970."""

    fact: int
    kind: str
    source: int
    at_us: int
    day: int
    due: int | None
    has_time: bool
    party: str
    text: str
    account: str
    number: str
    seconds: str
    was: bool  # as a file said it, before a person's correction

    @property
    def side(self) -> tuple[int, str]:
        """Its source and kind, of which an event has one fact at most."""
        return self.source, self.kind


_Place = tuple[int, tuple[int, str]]  # of a fact, that for one of another source and kind in its event


class Likeness(NamedTuple):
    """That two facts may tell of one event: which rule says so, why, and how strongly (0 most)."""

    one: Candidate
    other: Candidate
    rule: str
    reason: str
    tier: int

    @property
    def pair(self) -> Pair:
        return pair(self.one.fact, self.other.fact)

    @property
    def past(self) -> set[int]:
        """Those of its facts of which it compares what a person has corrected since."""
        return {each.fact for each in (self.one, self.other) if each.was}


def candidate(row: Any) -> Candidate:
    """What is compared of a version, from its columns; `fields` is the text of its JSON."""
    fields: Mapping[str, str] = {} if row.kind == TRANSACTION else json.loads(row.fields)
    return Candidate(
        fact=row.fact,
        kind=row.kind,
        source=row.source_id,
        at_us=row.at_us,
        day=(row.at_us + offset_us(row.zone)) // DAY_US,
        due=_day(fields["due"]) if "due" in fields else None,
        has_time=row.zone not in ("", DATE_ONLY),
        party=row.party,
        text=row.title if row.kind in TALK else f"{row.title} {row.memo}",
        account=row.account,
        number=fields.get("number", ""),
        seconds=seconds if (seconds := fields.get("seconds", "")).isdecimal() else "",
        was=row.until_us is not None,
    )


def offset_us(zone: str) -> int:
    """How far the clock of an offset such as +01:00 is from UTC."""
    if zone in ("", DATE_ONLY, "+00:00"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return (-minutes if zone[0] == "-" else minutes) * 60_000_000


def _day(text: str) -> int | None:
    """Days since 1970; None where a file wrote what is no day."""
    try:
        return local_day(date.fromisoformat(FieldType.DAY.read(text)))
    except ValueError:
        return None


def matched(rows: Iterable[Any], said: Mapping[Pair, bool]) -> tuple[dict[Pair, Likeness], list[Likeness]]:
    """The pairs of these versions that tell of one event, and those that might, but that others fit as well.

    A fact that a person corrected comes as it stands and as a file said it: that tells of the event too, unless
    something fits what stands. `said` is what people said: that a pair is one event, or that it is not.
    """
    links: dict[Pair, Likeness] = {}
    open_: list[Likeness] = []
    buckets = list(_buckets(rows))
    every = [[each for each in _likenesses(bucket) if each.pair not in said] for bucket in buckets]
    for bucket, likely in zip(buckets, _without_past(every), strict=True):
        if likely:
            joined = _joined(bucket, said)
            found = likely if len(likely) == 1 and not joined else _chosen(likely, joined)
            links |= {each.pair: each for each in found}
            if len(found) < len(likely):
                open_ += _left(likely, [*joined, *((each.one, each.other) for each in found)])
    return links, open_


def _buckets(rows: Iterable[Any]) -> Iterator[list[Candidate]]:
    """Facts that could be the same, where they are of several sources: what moved and in what, or for talk its kind."""
    buckets: dict[tuple[Any, Any], list[Any]] = defaultdict(list)
    for each in rows:
        if each.kind in TALK:
            buckets[each.kind, ""].append(each)
        elif each.amount_e6:
            buckets[-each.amount_e6 if each.kind in PAPERS else each.amount_e6, each.unit].append(each)
    for bucket in buckets.values():
        if len({each.source_id for each in bucket}) > 1:
            yield list(map(candidate, bucket))


def _likenesses(bucket: list[Candidate]) -> Iterator[Likeness]:
    talk = bucket[0].kind in TALK
    like: Callable[[Candidate, Candidate], Likeness | None] = _same_talk if talk else _same_money
    reach_us = (
        TALK_S * SECOND_US if talk else (LATEST_DUE if any(each.due for each in bucket) else PAID_AFTER + 1) * DAY_US
    )
    ordered = sorted(bucket, key=lambda each: (each.at_us, each.fact))
    begin = 0
    for place, other in enumerate(ordered):
        while ordered[begin].at_us < other.at_us - reach_us:
            begin += 1
        for one in ordered[begin:place]:
            if one.source != other.source and (found := like(one, other)):
                yield found


def _without_past(every: list[list[Likeness]]) -> list[list[Likeness]]:
    """Without what is like a fact as it was, where something of the same source is like it as it stands."""
    was = {fact for likely in every for each in likely for fact in each.past}
    if not was:
        return every
    now = {key for likely in every for each in likely if not each.past for key in _takes(each.one, each.other)}
    return [[each for each in likely if not each.past or not now & _past_places(each)] for likely in every]


def _past_places(found: Likeness) -> set[_Place]:
    return {place for place in _takes(found.one, found.other) if place[0] in found.past}


# ---- what is alike ----


def _same_money(one: Candidate, other: Candidate) -> Likeness | None:
    if TRANSACTION not in (one.kind, other.kind):
        return _same_paper(one, other) if one.kind == other.kind else None
    if one.kind == other.kind:
        return _same_payment(one, other)
    asked, paid = (other, one) if one.kind == TRANSACTION else (one, other)
    apart = paid.day - asked.day
    if not -PAID_BEFORE <= apart <= PAID_AFTER and not (asked.due and abs(paid.day - asked.due) <= PAID_AFTER):
        return None
    if len(asked.number) >= _SHORTEST_NUMBER and asked.number.casefold() in f"{paid.text} {paid.party}".casefold():
        return _likeness(one, other, "named number", f"the payment names its number {asked.number}", STRONGEST)
    if name := alike(f"{asked.party} {asked.text}", f"{paid.party} {paid.text}"):
        return _likeness(one, other, "payment", f"both name {name}", WEAKEST)
    return None


def _same_payment(one: Candidate, other: Candidate) -> Likeness | None:
    """The same payment from two files: of one account where both name it."""
    apart = abs(one.day - other.day)
    if apart > SAME_DAYS or accounts_differ(one.account, other.account):
        return None
    name = alike(f"{one.party} {one.text}", f"{other.party} {other.text}")
    if one.account and other.account:
        tier = WEAKEST if apart else STRONGEST if name else STRONGEST + 1
        return _likeness(
            one, other, "same account", "the same account" + (f", and both name {name}" if name else ""), tier
        )
    return _likeness(one, other, "same name", f"both name {name}", WEAKEST) if name else None


def _same_paper(one: Candidate, other: Candidate) -> Likeness | None:
    """The same order, purchase or bill from two files."""
    if abs(one.day - other.day) > 1 or (one.number and other.number and one.number != other.number):
        return None
    if one.number and one.number == other.number:
        return _likeness(one, other, "same number", f"both have the number {one.number}", STRONGEST)
    if name := alike(f"{one.party} {one.text}", f"{other.party} {other.text}"):
        return _likeness(one, other, "same name", f"both name {name}", WEAKEST)
    return None


def _same_talk(one: Candidate, other: Candidate) -> Likeness | None:
    if not (one.has_time and other.has_time) or accounts_differ(one.account, other.account):
        return None
    if one.seconds and other.seconds and abs(int(one.seconds) - int(other.seconds)) > LENGTH_S:
        return None
    apart = f"{abs(one.at_us - other.at_us) // SECOND_US} seconds apart"
    if one.number and other.number:
        same = one.number[-7:] == other.number[-7:]
        return _call(one, other, f"the same number, {apart}") if same else None
    if one.kind == "message" and one.text.casefold() != other.text.casefold():
        return None
    name = alike(one.party, other.party)
    return _call(one, other, f"{apart}, and both name {name}") if name else None


def _call(one: Candidate, other: Candidate, why: str) -> Likeness:
    return Likeness(one, other, "same call", f"{why}{_as_it_was(one, other)}", STRONGEST)


def _likeness(one: Candidate, other: Candidate, rule: str, why: str, tier: int) -> Likeness:
    apart = abs(one.day - other.day)
    days = "on one day" if not apart else f"{apart} day{'' if apart == 1 else 's'} apart"
    return Likeness(one, other, rule, f"the same amount, {days}; {why}{_as_it_was(one, other)}", tier)


def _as_it_was(one: Candidate, other: Candidate) -> str:
    return "; as the file said it, before it was corrected" if one.was or other.was else ""


def accounts_differ(one: str, other: str) -> bool:
    """Whether two names of accounts cannot be one account's: a masked number or an IBAN ends with the number."""
    first, second = _plain_account(one), _plain_account(other)
    if not first or not second:
        return False
    short, long = sorted((first, second), key=len)
    return first != second and not (len(short) >= 4 and long.endswith(short))


@lru_cache(maxsize=1024)
def _plain_account(account: str) -> str:
    return re.sub(r"[\W_]|[xX](?=[xX\d*])", "", account).upper()


def alike(one: str, other: str) -> str:
    """The word that two names have in common, the longest; "" where they have none. A bank cuts words short."""
    first, second = _words(one), _words(other)
    return max(first & second, key=_length, default="") or max(_cut_short(first, second), key=_length, default="")


def _cut_short(first: Collection[str], second: Collection[str]) -> Iterator[str]:
    for one in first:
        for other in second:
            short, long = sorted((one, other), key=len)
            if len(short) >= _SHORTEST_CUT and long.startswith(short):
                yield short


def _length(word: str) -> tuple[int, str]:
    return len(word), word


@lru_cache(maxsize=65_536)
def _words(text: str) -> frozenset[str]:
    """The words of a name that tell who it is: without accents, of three letters or more."""
    plain = text.casefold()
    if not plain.isascii():
        plain = "".join(each for each in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(each))
    words = re.findall(r"[^\W\d_]{3,}", plain)
    return frozenset(words) - _COMMON


# ---- which of them are links ----


def _joined(bucket: list[Candidate], said: Mapping[Pair, bool]) -> list[tuple[Candidate, Candidate]]:
    """The pairs of facts here of which a person said that they are one event."""
    by_fact = {each.fact: each for each in bucket}
    return [
        (by_fact[one], by_fact[other])
        for (one, other), joined in said.items()
        if joined and one in by_fact and other in by_fact
    ]


def _chosen(likely: list[Likeness], joined: list[tuple[Candidate, Candidate]]) -> list[Likeness]:
    """Tier by tier, the pairs in which each fact is the only one of its source and kind that fits the other."""
    taken: set[_Place] = set()
    for one, other in joined:
        taken |= _takes(one, other)
    chosen: list[Likeness] = []
    for tier in range(STRONGEST, WEAKEST + 1):
        free = [
            each
            for each in likely
            if each.tier <= tier and not any(key in taken for key in _takes(each.one, each.other))
        ]
        counts: dict[_Place, int] = defaultdict(int)
        for each in free:
            for key in _takes(each.one, each.other):
                counts[key] += 1
        sure = [each for each in free if all(counts[key] == 1 for key in _takes(each.one, each.other))]
        if len(sure) < len(free):
            sure += _twins([each for each in free if any(counts[key] > 1 for key in _takes(each.one, each.other))])
        for each in _without_conflict(sure, chosen):
            chosen.append(each)
            taken |= _takes(each.one, each.other)
    return chosen


def _twins(free: list[Likeness]) -> list[Likeness]:
    """Where as many equal facts of one side face as many of another, all of them alike: pairs of them, in order."""
    by_sides: dict[frozenset[tuple[int, str]], list[Likeness]] = defaultdict(list)
    for each in free:
        by_sides[frozenset((each.one.side, each.other.side))].append(each)
    return [pair for facing in by_sides.values() for pair in _twins_of(facing)]


def _twins_of(facing: list[Likeness]) -> Iterator[Likeness]:
    found = {each.pair: each for each in facing}
    first_side = facing[0].one.side
    for group in components((each.one, each.other) for each in facing):
        ordered = sorted(group, key=lambda each: (each.at_us, each.fact))
        ones = [each for each in ordered if each.side == first_side]
        others = [each for each in ordered if each.side != first_side]
        if len(ones) != len(others) or not (_are_equal(ones) and _are_equal(others)):
            continue
        if all(pair(one.fact, other.fact) in found for one in ones for other in others):
            for one, other in zip(ones, others, strict=True):
                each = found[pair(one.fact, other.fact)]
                yield each._replace(reason=f"{each.reason}; {len(ones)} equal rows on each side, in their order")


def _are_equal(facts: list[Candidate]) -> bool:
    """Whether none of them says anything by which it could be told from the others."""
    return len({(each.day, each.account, each.party, each.text, each.number, each.seconds) for each in facts}) == 1


def _takes(one: Candidate, other: Candidate) -> set[_Place]:
    return {(one.fact, other.side), (other.fact, one.side)}


def _without_conflict(sure: list[Likeness], before: list[Likeness]) -> list[Likeness]:
    """Without those that together would make two payments, or two facts of one source, into one event."""
    groups = components((each.one, each.other) for each in [*before, *sure])
    clashing = {each.fact for group in groups if _clash(group) for each in group}
    return [each for each in sure if each.one.fact not in clashing]


def _clash(group: Sequence[Candidate]) -> bool:
    sides = [each.side for each in group]
    accounts = [each.account for each in group if each.kind == TRANSACTION]
    return len(set(sides)) < len(sides) or any(accounts_differ(accounts[0], each) for each in accounts[1:])


def components(pairs: Iterable[tuple[Candidate, Candidate]]) -> list[list[Candidate]]:
    """The groups of facts that pairs connect."""
    group: dict[int, list[Candidate]] = {}
    for one, other in pairs:
        first, second = group.setdefault(one.fact, [one]), group.setdefault(other.fact, [other])
        if first is not second:
            first += second
            group |= {each.fact: first for each in second}
    return list({id(each): each for each in group.values()}.values())


def _left(likely: list[Likeness], found: Iterable[tuple[Candidate, Candidate]]) -> list[Likeness]:
    """What might be the same, where neither fact has found another of that source."""
    taken = {key for one, other in found for key in _takes(one, other)}
    return [each for each in likely if not taken & _takes(each.one, each.other)]
