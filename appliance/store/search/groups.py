"""Groups of facts (a kind, source and account each), and tallies: how many facts there are, without counting them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from appliance import kinds
from appliance.store import declared
from appliance.store.models import SearchGroup, SearchTally, SourceRow
from appliance.store.search.entries import Group, Tally
from appliance.store.search.words import Phrase, spoken


@dataclass(frozen=True, slots=True)
class Named:
    """A group with the words by which a person finds its facts: of its kind, source and account."""

    id: int
    kind: str
    source: str
    account: str
    words: str

    def has(self, phrase: Phrase) -> bool:
        """Whether what a person typed is in those words."""
        return phrase.stands_in(self.words)


@dataclass(frozen=True, slots=True)
class Tallied:
    """How many facts there are of each group, of each year and of each band."""

    groups: Counter[int]
    years: Counter[int]
    bands: Counter[int]


def numbers(connection: Connection, wanted: Iterable[Group]) -> dict[Group, int]:
    """The numbers of groups, made where they are new."""
    return {group: _number(connection, *group) for group in wanted}


def _number(connection: Connection, kind: str, source_id: int, account: str) -> int:
    found = select(SearchGroup.id).where(
        SearchGroup.kind == kind, SearchGroup.source_id == source_id, SearchGroup.account == account
    )
    number = connection.execute(found).scalar_one_or_none()
    if number is not None:
        return number
    made = insert(SearchGroup).values(kind=kind, source_id=source_id, account=account).returning(SearchGroup.id)
    return connection.execute(made).scalar_one()


def named(connection: Connection) -> list[Named]:
    """Every group that has facts."""
    said = declared.every(connection)
    live = select(SearchTally.group_id).where(SearchTally.facts > 0)
    rows = connection.execute(
        select(SearchGroup.id, SearchGroup.kind, SourceRow.name, SourceRow.title, SearchGroup.account)
        .join(SourceRow, SourceRow.id == SearchGroup.source_id)
        .where(SearchGroup.id.in_(live))
        .order_by(SearchGroup.id)
    )
    return [
        Named(number, kind, source, account, spoken(kind_words(said, kind), source, title, account))
        for number, kind, source, title, account in rows
    ]


def kind_words(said: Mapping[str, kinds.Kind], kind: str) -> str:
    """The words by which a person finds the facts of a kind."""
    return f"{said[kind].title} / {said[kind].many}" if kind in said else kind.rpartition(".")[2]


def upsert(connection: Connection, table: type[Any]) -> Any:
    """An insertion that says what is done on a conflict, as the database puts it; the other dialect is not loaded."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite(table)


def count(connection: Connection, tallies: Counter[Tally], sign: int = 1) -> None:
    """Adds so many facts to the tallies, or takes them away."""
    rows = [(group, year, band, sign * facts) for (group, year, band), facts in sorted(tallies.items())]
    add = upsert(connection, SearchTally)
    add = add.on_conflict_do_update(
        index_elements=["group_id", "year", "band"], set_={"facts": SearchTally.facts + add.excluded.facts}
    )
    if rows:
        connection.execute(add, [dict(zip(("group_id", "year", "band", "facts"), row, strict=True)) for row in rows])


def tallied(connection: Connection, within: Iterable[int], year: int | None, band: int | None) -> Tallied:
    """The tallies of groups, of one year and band where they are said."""
    of = SearchTally
    found = select(of.group_id, of.year, of.band, of.facts).where(of.facts > 0, of.group_id.in_(list(within)))
    if year is not None:
        found = found.where(of.year == year)
    if band is not None:
        found = found.where(of.band == band)
    summed = Tallied(Counter(), Counter(), Counter())
    for group, each_year, each_band, many in connection.execute(found):
        summed.groups[group] += many
        summed.years[each_year] += many
        summed.bands[each_band] += many
    return summed
