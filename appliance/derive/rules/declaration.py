"""Whether a fact is what its kind declares: each field of its type, and nothing missing that is needed."""

from collections.abc import Callable, Iterable, Mapping

from appliance.derive.rules import Made, World
from appliance.kinds import FieldType, Kind
from appliance.store.records import Stored

TITLE = "Does not fit its kind"
VERSION = "1"
KINDS: frozenset[str] = frozenset()
SETS: Mapping[str, Mapping[str, Callable[[str], object]]] = {}


def derive(fact: Stored, world: World) -> Iterable[Made]:
    """What is wrong with a fact, in words; nothing where all is well or its kind is not declared."""
    kind = world.kinds.get(fact.kind)
    if kind is None:
        return []
    wrong = [*_wrong(kind, fact), *_missing(kind, fact)]
    return (
        [Made("problem", "; ".join(reason for _, reason in wrong), {"in": ", ".join(name for name, _ in wrong)})]
        if wrong
        else []
    )


def _wrong(kind: Kind, fact: Stored) -> Iterable[tuple[str, str]]:
    for name, value in fact.fields.items():
        said = kind.fields.get(name)
        if said is None or said.type in (FieldType.TEXT, FieldType.LINES) or not value:
            continue
        try:
            said.read(value)
        except ValueError as error:
            yield name, f"{said.title}: {error}"


def _missing(kind: Kind, fact: Stored) -> Iterable[tuple[str, str]]:
    for name in kind.needs:
        if getattr(fact, name) in ("", None):
            yield name, f"{kind.column(name).title} is missing"
    for name, said in kind.fields.items():
        if said.required and not fact.fields.get(name):
            yield name, f"{said.title} is missing"
