"""What money was spent on, by who was paid: a table of patterns and categories that a person writes.

    pattern,category
    hazel*,Groceries
    brook energy,Home

A pattern is found anywhere in the payee, title or memo, in any case; * stands for anything, and the longest one wins.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from appliance.derive.rules import Made, World
from appliance.store.records import Stored

TITLE = "Spending category"
VERSION = "1"
KINDS = frozenset({"money.transaction", "shop.order", "shop.purchase", "energy.bill"})
TABLE = "categories"


def _said(text: str) -> str:
    if not text:
        raise ValueError("it is empty; write what such payments are for")
    return text


SETS: Mapping[str, Mapping[str, Callable[[str], object]]] = {TABLE: {"category": _said}}


def derive(fact: Stored, world: World) -> Iterable[Made]:
    """The category of the longest pattern in who was paid, what for, or the notes."""
    table = world.tables[TABLE]
    text = " ".join(" ".join((fact.party, fact.title, fact.memo)).split()).casefold()
    found = [key for key in table.rows if _pattern(key)(text)]
    if not found:
        return []
    longest = max(found, key=lambda key: (len(key), key))
    return [Made("category", table.rows[longest][-1][1]["category"], {"pattern": longest})]


@lru_cache(maxsize=4096)
def _pattern(key: str) -> Callable[[str], object]:
    if "*" not in key:
        return lambda text: key in text
    return re.compile(".*?".join(map(re.escape, key.split("*")))).search
