"""What search finds facts by, all made from the facts that stand, see store/search."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from appliance.store.models.base import Id, Table


class _Words(UserDefinedType[str]):
    """PostgreSQL's `tsvector`, without its dialect, which takes 5 MB where it is loaded."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TSVECTOR"


class SearchWords(Table):
    """The words of each fact that stands, by its key. On SQLite this is a full-text table, with parts of its own."""

    __tablename__ = "search_words"
    key: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    words: Mapped[str] = mapped_column(Text().with_variant(_Words(), "postgresql"))

    __table_args__ = (Index(None, "words"),)  # a GIN index, by its migration: to say so here loads the dialect


class SearchTerm(Table):
    """Every word there is, so that one that a person began to type is completed. PostgreSQL does that by itself."""

    __tablename__ = "search_terms"
    term: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = ({"sqlite_with_rowid": False},)


class SearchGroup(Table):
    """A kind, source and account that facts have together."""

    __tablename__ = "search_groups"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    account: Mapped[str]

    __table_args__ = (Index(None, "kind", "source_id", "account", unique=True),)


class SearchCodes(Table):
    """What facts are counted by, packed: see search/facts.py."""

    __tablename__ = "search_codes"
    number: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    packed: Mapped[bytes]


class SearchAmounts(Table):
    """The amounts of facts, packed like that."""

    __tablename__ = "search_amounts"
    number: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    packed: Mapped[bytes]


class SearchTally(Table):
    """How many facts stand in a group, a year (UTC; 0 without a time) and a band of amounts (-1 without one)."""

    __tablename__ = "search_tallies"
    group_id: Mapped[int] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    band: Mapped[int] = mapped_column(Integer, primary_key=True)
    facts: Mapped[int]


def is_compared(thing: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
    """Whether Alembic compares a table with its model: not the words, which SQLite keeps in tables of FTS5's own."""
    table = name if type_ == "table" else getattr(getattr(thing, "table", None), "name", "")
    return not (table or "").startswith(SearchWords.__tablename__)
