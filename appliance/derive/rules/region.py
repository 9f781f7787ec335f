"""The region of a postcode, by a table that a person adds.

    postcode,region
    SW1A,London

A table may have whole postcodes or their beginnings: the longest that fits counts.
"""

from collections.abc import Callable, Iterable, Mapping

from appliance.derive.rules import Made, World
from appliance.store.records import Stored

TITLE = "Region"
VERSION = "1"
KINDS: frozenset[str] = frozenset()
TABLE = "postcodes"
_FIELDS = ("postcode", "payee.postalcode")


def _said(text: str) -> str:
    if not text:
        raise ValueError("it is empty; write the region’s name")
    return text


SETS: Mapping[str, Mapping[str, Callable[[str], object]]] = {TABLE: {"region": _said}}


def derive(fact: Stored, world: World) -> Iterable[Made]:
    """The region of the longest beginning of its postcode that the table has."""
    code = "".join(next((fact.fields[name] for name in _FIELDS if fact.fields.get(name)), "").split())
    for length in range(len(code), 0, -1):
        for written in (code[:length], f"{code[: length - 3]} {code[length - 3 : length]}" if length > 3 else ""):
            if written and (found := world.tables[TABLE].find(written)):
                return [Made("region", found.row["region"], {"postcode": written})]
    return []
