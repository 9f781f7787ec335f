"""Links: pairs of facts that tell of one event, by a rule or by a person's word, which stands over a rule's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    bindparam,
    delete,
    false,
    insert,
    literal_column,
    select,
)

from appliance.store.models import Link, RecordRow
from appliance.store.records import at_text

PERSON = "person"

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Said:
    """That two facts tell of one event (`joined`), or that they do not: who or which rule says so, when and why."""

    one: int
    other: int
    joined: bool
    rule: str
    reason: str
    who: str
    at_us: int

    @property
    def by_person(self) -> bool:
        return self.rule == PERSON

    @property
    def at(self) -> str:
        """When it was said, as an ISO instant in UTC."""
        return at_text(self.at_us)


def pair(one: int, other: int) -> Pair:
    """Two facts, the smaller number first."""
    return (one, other) if one < other else (other, one)


def say(connection: Connection, said: Said) -> None:
    """Keeps a person's word on two facts, in place of what was said of them before."""
    drop(connection, [(said.one, said.other)])
    add(connection, [said])


def add(connection: Connection, links: Sequence[Said]) -> None:
    """Stores links of pairs that have none."""
    if links:
        names = Said.__slots__
        connection.execute(insert(Link), [{name: getattr(each, name) for name in names} for each in links])


def drop(connection: Connection, pairs: Collection[Pair]) -> None:
    """Takes links away, whoever made them."""
    wanted = set(pairs)
    found = (each for each in of(connection, {one for one, _ in wanted}) if (each.one, each.other) in wanted)
    rows = [{"first": each.one, "second": each.other} for each in found]
    if rows:
        which = (Link.one == bindparam("first")) & (Link.other == bindparam("second"))
        connection.execute(delete(Link).where(which), rows)


def drop_rules(connection: Connection) -> None:
    """Takes every link away that a rule made."""
    connection.execute(delete(Link).where(Link.rule != PERSON))


def forget(connection: Connection, facts: Collection[int]) -> None:
    """Takes every link of these facts away, people's words too: for facts that are deleted for good."""
    remove(connection, delete(Link).where(among(Link.one, facts) | among(Link.other, facts)))


def of(connection: Connection, facts: Collection[int]) -> list[Said]:
    """Every link of these facts, by pair."""
    found: dict[Pair, Said] = {}
    for end in (Link.one, Link.other):
        links = select(Link.__table__).where(among(end, facts))
        found |= {(row.one, row.other): _said(row) for row in rows(connection, links)}
    return [found[each] for each in sorted(found)]


def of_people(connection: Connection) -> list[Said]:
    """What people said of facts."""
    return list(map(_said, connection.execute(select(Link.__table__).where(Link.rule == PERSON))))


def around(connection: Connection, facts: Collection[int]) -> list[Said]:
    """Every link that leads from these facts to others, and on from those."""
    found: dict[Pair, Said] = {}
    seen, front = set(facts), set(facts)
    while front:
        new = of(connection, front)
        found |= {(each.one, each.other): each for each in new}
        front = {fact for each in new if each.joined for fact in (each.one, each.other)} - seen
        seen |= front
    return [found[each] for each in sorted(found)]


def ends(connection: Connection) -> set[int]:
    """The facts of all links."""
    return {fact for row in connection.execute(select(Link.one, Link.other)) for fact in row}


def _said(row: Any) -> Said:
    return Said(*row)


def among(column: Any, numbers: Collection[int]) -> ColumnElement[bool]:
    """The condition of being one of any count of whole numbers, for `rows` and `remove`.

    They stand in the statement itself: as values SQLite takes 32,766, and SQLAlchemy a second for each 100,000.
    """
    listed: ColumnElement[bool] = column.op("IN", is_comparison=True)(
        literal_column(f"({', '.join(map(str, map(int, numbers)))})")
    )
    return listed if numbers else false()


def versions_of(facts: Collection[int]) -> ColumnElement[bool]:
    """The condition of being a version of one of any count of facts, as `records.of_facts` has it; for `rows`."""
    first = among(RecordRow.id, facts) & (RecordRow.fact == RecordRow.id)
    return first | (among(RecordRow.fact, facts) & (RecordRow.fact != RecordRow.id))


def rows(connection: Connection, found: Any) -> Sequence[Row[Any]]:
    """What such a statement finds; it is not kept for the next time, as others are."""
    return connection.execute(found, execution_options={"compiled_cache": None}).all()


def remove(connection: Connection, which: Delete) -> None:
    """Does such a statement."""
    connection.execute(which, execution_options={"compiled_cache": None})
