"""An amount in another currency, in the household's own, by the rate of its day.

    day,pair,rate
    2026-03-10,USD/EUR,0.9234

A rate holds until the next one of its pair. The result is the exact product, never rounded.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal

from appliance.derive.rules import Made, World, day_of
from appliance.store.records import Stored

TITLE = "In the household’s currency"
VERSION = "1"
KINDS: frozenset[str] = frozenset()
TABLE = "exchange-rates"
_RATE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
_EXACT = Context(prec=60)


def _rate(text: str) -> Decimal:
    """A rate as a table states it. ValueError where it is none."""
    if not _RATE.fullmatch(text) or not Decimal(text):
        raise ValueError(f"{text!r} is no rate; write digits with a point before the decimals, such as 0.9234")
    return Decimal(text)


SETS: Mapping[str, Mapping[str, Callable[[str], object]]] = {TABLE: {"rate": _rate}}


def derive(fact: Stored, world: World) -> Iterable[Made]:
    """The amount times the rate of the fact's day."""
    if fact.amount is None or not world.currency or fact.unit in ("", world.currency) or not fact.at:
        return []
    pair = f"{fact.unit}/{world.currency}"
    found = world.tables[TABLE].find(pair, day_of(fact))
    if found is None:
        return []
    rate = found.row["rate"]
    value = _EXACT.multiply(fact.amount, _rate(rate))
    since = {"rate from": found.from_day.isoformat()} if found.from_day else {}
    amount = {"amount": f"{fact.amount:f} {fact.unit}", f"rate {pair}": rate}
    return [Made("amount", f"{_short(value)} {world.currency}", amount | since)]


def _short(value: Decimal) -> str:
    """At least two decimals, and no more than it needs."""
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
