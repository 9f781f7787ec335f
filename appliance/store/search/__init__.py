"""Search: what stands in a store, found by words and counted by kind, source, account, year and amount.

The index holds the facts that stand and no others; `add`, `end` and `forget` keep it so, in the transaction that stores
or ends them. All of it is made from the records, and `rebuild` makes it again.

Two databases, one interface (`clauses.Index`): FTS5 on SQLite, tsvectors on PostgreSQL. Texts are folded here and not
there, so both find the same.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, text

from appliance.store.models import RecordRow, SearchGroup, SearchTally
from appliance.store.search import entries, facts, groups, postgresql, sqlite
from appliance.store.search.clauses import Index
from appliance.store.search.entries import Columns, Tally

BATCH = 5_000
_PRIME = (1 << 61) - 1
ENDED = (
    RecordRow.id,
    RecordRow.kind,
    RecordRow.at_us,
    RecordRow.zone,
    RecordRow.account,
    RecordRow.amount_e6,
    RecordRow.source_id,
)
"""The columns of a version that `end` needs."""
_INDEXED = (*ENDED, RecordRow.title, RecordRow.party, RecordRow.memo, RecordRow.fields)


def index_of(connection: Connection) -> Index:
    """The full-text index of this database."""
    index: Index = postgresql if connection.dialect.name == "postgresql" else sqlite
    return index


def add(connection: Connection, rows: Sequence[Columns]) -> None:
    """Indexes versions that were stored; those that ended already are left out."""
    standing = [row for row in rows if row.get("until_us") is None]
    for begin in range(0, len(standing), BATCH):
        _add(connection, standing[begin : begin + BATCH])


def _add(connection: Connection, rows: Sequence[Columns]) -> None:
    numbers = groups.numbers(connection, {entries.group_of(row) for row in rows})
    made = entries.made(rows, numbers)
    index_of(connection).add(connection, made)
    facts.add(connection, made.facts)
    groups.count(connection, made.tallies)


def end(connection: Connection, rows: Sequence[Columns]) -> None:
    """Takes versions out of the index that stood until now; each has the columns of `ENDED`."""
    for begin in range(0, len(rows), BATCH):
        batch = rows[begin : begin + BATCH]
        index_of(connection).delete(connection, [entries.key_of(row) for row in batch])
        facts.remove(connection, [row["id"] for row in batch])
        numbers = groups.numbers(connection, {entries.group_of(row) for row in batch})
        groups.count(connection, entries.tallies(batch, numbers), -1)


def forget(connection: Connection, versions: Sequence[int]) -> None:
    """Takes versions out for good, whether they stand or not, and leaves none of their words in the index.

    To be called once for all of them, while their rows are still there: it takes seconds in a store of a million facts.
    """
    terms = set[str]()
    for begin in range(0, len(versions), BATCH):
        wanted = RecordRow.id.in_(versions[begin : begin + BATCH])
        rows = [dict(row._mapping) for row in connection.execute(select(*_INDEXED, RecordRow.until_us).where(wanted))]
        end(connection, [row for row in rows if row["until_us"] is None])
        terms.update(term for row in rows for term in entries.terms(row))
    connection.execute(delete(SearchTally).where(SearchTally.facts == 0))
    connection.execute(delete(SearchGroup).where(SearchGroup.id.not_in(select(SearchTally.group_id))))
    index_of(connection).tidy(connection, sorted(terms))


def is_whole(connection: Connection) -> bool:
    """Whether the index holds the facts that stand and no others, and its tallies count these."""
    every = connection.execute(select(SearchGroup.kind, SearchGroup.source_id, SearchGroup.account, SearchGroup.id))
    group_of = {(row.kind, row.source_id, row.account): row.id for row in every}
    standing, counted = (0, 0), Counter[Tally]()
    for rows in _standing(connection):
        standing = _added(standing, map(entries.key_of, rows))
        if any(entries.group_of(row) not in group_of for row in rows):
            return False
        counted += entries.tallies(rows, group_of)
    indexed = connection.execute(text(f"SELECT {index_of(connection).KEY} FROM search_words")).scalars()  # noqa: S608
    live = select(SearchTally.group_id, SearchTally.year, SearchTally.band, SearchTally.facts)
    tallied = {(row.group_id, row.year, row.band): row.facts for row in connection.execute(live) if row.facts}
    return standing == _added((0, 0), indexed) and tallied == dict(counted)


def _added(before: tuple[int, int], keys: Iterable[int]) -> tuple[int, int]:
    """How many keys there are, and a sum that is another one for others, in whatever order they come."""
    count, mixed = before
    for key in keys:
        count, mixed = count + 1, (mixed + key * key * key) % _PRIME
    return count, mixed


def rebuild(connection: Connection) -> None:
    """Makes the index again from the records."""
    index_of(connection).clear(connection)
    facts.clear(connection)
    for table in (SearchTally, SearchGroup):
        connection.execute(delete(table))
    for rows in _standing(connection):
        _add(connection, rows)


def _standing(connection: Connection) -> Iterator[list[dict[str, Any]]]:
    after = 0
    found = select(*_INDEXED).where(RecordRow.until_us.is_(None)).order_by(RecordRow.id).limit(BATCH)
    while rows := [dict(row._mapping) for row in connection.execute(found.where(RecordRow.id > after))]:
        yield rows
        after = rows[-1]["id"]
