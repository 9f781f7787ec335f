"""Rules: what is worked out of a fact, and kept apart from it. One file a rule, found by listing this package.

Each declares `TITLE`, `VERSION` (another one makes everything anew), `KINDS` (of facts, none for all) and `SETS`: the
reference tables that it looks things up in, with the columns it needs of each and what reads their cells.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple, Protocol, cast

from appliance.kinds import Kind
from appliance.store.records import Stored
from appliance.store.references import Lookup


class Made(NamedTuple):
    """What a rule made of a fact: its name, its value, and what it was made from, as a person reads it."""

    name: str
    value: str
    inputs: dict[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """What rules know beside the fact: the household's currency, the store's kinds, and the reference tables."""

    currency: str
    kinds: Mapping[str, Kind]
    tables: Mapping[str, Lookup]


class Rule(Protocol):
    """A rule's module."""

    TITLE: str
    VERSION: str
    KINDS: frozenset[str]
    SETS: Mapping[str, Mapping[str, Callable[[str], object]]]

    def derive(self, fact: Stored, world: World) -> Iterable[Made]:
        """What it makes of a fact; nothing where it has nothing to say."""


@cache
def every() -> dict[str, Rule]:
    """The rules by name."""
    names = sorted(each.name for each in pkgutil.iter_modules(__path__))
    return {name: cast(Rule, importlib.import_module(f"{__name__}.{name}")) for name in names}


def day_of(fact: Stored) -> date | None:
    """The day of a fact; None where it says none."""
    return date.fromisoformat(fact.at[:10]) if fact.at else None
