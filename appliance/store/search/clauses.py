"""What an index is asked for: every clause must hold of a fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection

from appliance.store.search.entries import Entries
from appliance.store.search.words import Phrase


@dataclass(frozen=True, slots=True)
class Clause:
    """A phrase is in the fact's own words, or the fact has one of these marks."""

    phrase: Phrase | None
    marks: tuple[str, ...] = ()


class Index(Protocol):
    """What each database's full-text index does for search; `KEY` and `MATCH` are its words in SQL."""

    KEY: str
    MATCH: str

    def add(self, connection: Connection, entries: Entries) -> None: ...

    def delete(self, connection: Connection, keys: Sequence[int]) -> None: ...

    def clear(self, connection: Connection) -> None: ...

    def tidy(self, connection: Connection, terms: Sequence[str]) -> None: ...

    def asked(self, connection: Connection, clauses: Sequence[Clause], *, in_title: bool, whole: bool) -> str: ...

    def found(self, connection: Connection, sought: str, parameters: Mapping[str, Any]) -> list[int]: ...
