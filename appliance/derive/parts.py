"""The purchases that are part of an order: they name its number, and the shop is the same. Their amounts differ."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from appliance.derive.matching import DAY_US, ORDER, PURCHASE, alike
from appliance.store import links
from appliance.store.links import Pair, Said, pair
from appliance.store.models import RecordRow
from appliance.store.versions import now_us

RULE = "part of"
KINDS = (ORDER, PURCHASE)
_REACH_US = 60 * DAY_US  # from an order to what it brought; a shop may use a number again


def link(connection: Connection, changed: Iterable[Any], columns: Sequence[Any]) -> set[int]:
    """Links anew what these versions have a say in; the facts whose links are other ones now."""
    own = [each for each in changed if each.kind in KINDS and _number(each)]
    if not own:
        return set()
    near = _near(connection, own, columns)
    inside = {each.fact for each in (*near, *own)}
    before = {(each.one, each.other): each for each in links.of(connection, inside)}
    old = {each for each, said in before.items() if said.rule == RULE and inside.issuperset(each)}
    found = {each: why for each, why in _parts(near).items() if each not in before or each in old}
    gone = {each for each in old if before[each].reason != found.get(each)}
    new = sorted(found.keys() - (old - gone))
    links.drop(connection, gone)
    at_us = now_us(connection)
    links.add(connection, [Said(*each, True, RULE, found[each], "", at_us) for each in new])
    return {fact for each in (*gone, *new) for fact in each}


def _near(connection: Connection, own: Collection[Any], columns: Sequence[Any]) -> list[Row[Any]]:
    """The orders and purchases that stand, of these versions' numbers and about their time."""
    numbers = {_number(each) for each in own}
    first, last = min(each.at_us for each in own) - _REACH_US, max(each.at_us for each in own) + _REACH_US
    found = select(*columns).where(RecordRow.kind.in_(KINDS), RecordRow.until_us.is_(None))
    rows = connection.execute(found.where(RecordRow.at_us.between(first, last)))
    return [each for each in rows if _number(each) in numbers]


def _number(row: Any) -> str:
    return _said_number(row).casefold()


def _said_number(row: Any) -> str:
    """An order's number, or the one that a purchase names."""
    return str(json.loads(row.fields).get("number" if row.kind == ORDER else "order", "")).strip()


def _parts(rows: Iterable[Any]) -> dict[Pair, str]:
    """The pairs of an order and a purchase of it, and why; of no source may two orders fit."""
    by_number: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for each in rows:
        by_number[each.kind, _number(each)].append(each)
    found: dict[Pair, str] = {}
    for (kind, number), purchases in by_number.items():
        for purchase in purchases if kind == PURCHASE else ():
            orders = [each for each in by_number.get((ORDER, number), ()) if _fits(each, purchase)]
            sources = [each.source_id for each in orders]
            for order in orders:
                if sources.count(order.source_id) == 1:
                    why = f"part of the order: the purchase names its number {_said_number(purchase)}"
                    found[pair(order.fact, purchase.fact)] = why
    return found


def _fits(order: Any, purchase: Any) -> bool:
    if abs(order.at_us - purchase.at_us) > _REACH_US or (order.unit and purchase.unit and order.unit != purchase.unit):
        return False
    if not order.party or not purchase.party:
        return bool(order.source_id == purchase.source_id)
    return order.party.casefold() == purchase.party.casefold() or bool(alike(order.party, purchase.party))
