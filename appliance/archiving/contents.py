"""What belongs to a fact, row by row: taken out of a store's tables, and put back exactly as it was."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select

from appliance.derive import events
from appliance.store import links, records, search
from appliance.store.archives import Line
from appliance.store.models import Attribute, Link, RecordRow, Table, Verification

BATCH = 2_000
VERSIONS = RecordRow.__tablename__
BESIDE: tuple[type[Table], ...] = (Attribute, Link, Verification)

Each = TypeVar("Each")


def batches(every: Sequence[Each]) -> Iterator[Sequence[Each]]:
    """Parts that one statement takes."""
    return (every[begin : begin + BATCH] for begin in range(0, len(every), BATCH))


def with_notes(connection: Connection, facts: Iterable[int]) -> list[int]:
    """The facts, the notes about them, and the notes about those, by number."""
    found = new = set(facts)
    while new:
        about = {
            note
            for part in batches(sorted(new))
            for note in connection.execute(select(RecordRow.fact).where(RecordRow.about.in_(part)).distinct()).scalars()
        }
        new = about - found
        found = found | new
    return sorted(found)


def rows_of(connection: Connection, facts: Sequence[int]) -> Iterator[Line]:
    """Every version of these facts, and what was made of them. A link to a fact that stays stays too.

    Events are made anew from the links, wherever facts come or go.
    """
    inside = set(facts)
    for part in batches(facts):
        versions = select(RecordRow.__table__).where(records.of_facts(part)).order_by(RecordRow.id)
        for version in connection.execute(versions):
            yield {"in": VERSIONS, **_plain(version._mapping)}
    for table in BESIDE:
        for row in _beside(connection, table, facts, inside):
            yield {"in": table.__tablename__, **_plain(row)}


def remove(connection: Connection, facts: Sequence[int], *, for_good: bool = False) -> int:
    """Removes the same rows; how many versions there were. `for_good`: no word of theirs stays in the search index."""
    inside, versions = set(facts), 0
    linked = list(_beside(connection, Link, facts, inside))
    links.drop(connection, [(row["one"], row["other"]) for row in linked])
    if for_good:  # once for all of them: it takes seconds in a large store
        search.forget(connection, [number for part in batches(facts) for number in _versions_of(connection, part)])
    for part in batches(facts):
        connection.execute(delete(Attribute).where(Attribute.fact.in_(part)))
        connection.execute(delete(Verification).where(Verification.fact.in_(part)))
        if not for_good:
            standing = select(*search.ENDED).where(records.of_facts(part), RecordRow.until_us.is_(None))
            search.end(connection, [dict(row._mapping) for row in connection.execute(standing)])
        versions += connection.execute(delete(RecordRow).where(records.of_facts(part))).rowcount
    events.regroup(connection, facts)
    return versions


def _versions_of(connection: Connection, facts: Sequence[int]) -> Sequence[int]:
    return connection.execute(select(RecordRow.id).where(records.of_facts(facts))).scalars().all()


def put_back(connection: Connection, lines: Iterable[Line]) -> list[int]:
    """Puts rows back that `rows_of` gave; the facts whose they are."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    facts: set[int] = set()
    for line in lines:
        name = line.pop("in")
        if name == VERSIONS:
            facts.add(line["fact"])
        rows = waiting.setdefault(name, [])
        rows.append(line)
        if len(rows) == BATCH:
            _put(connection, name, waiting.pop(name))
    for name, rows in waiting.items():
        _put(connection, name, rows)
    events.regroup(connection, facts)
    return sorted(facts)


def _put(connection: Connection, name: str, rows: list[dict[str, Any]]) -> None:
    if name == VERSIONS:
        records.put(connection, [row | {"fingerprint": bytes.fromhex(row["fingerprint"])} for row in rows])
        return
    table = next(each for each in BESIDE if each.__tablename__ == name)
    if table is Verification:  # its own number may be another's by now, and nothing names it
        rows = [{column: value for column, value in row.items() if column != "id"} for row in rows]
    connection.execute(insert(table), rows)


def _beside(
    connection: Connection, table: type[Table], facts: Sequence[int], inside: set[int]
) -> Iterator[dict[str, Any]]:
    columns = table.__table__.c
    for part in batches(facts):
        which = columns.one.in_(part) if table is Link else columns.fact.in_(part)
        for row in connection.execute(select(table.__table__).where(which)).all():
            found = dict(row._mapping)
            if table is Link and found["other"] not in inside:
                continue
            yield found


def _plain(row: Any) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
