"""The timeline: a store's facts, newest first, filtered and paged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from appliance.store import records
from appliance.store.models import RecordRow, SourceRow
from appliance.store.records import DATE_ONLY, Stored, moment

_STANDS = RecordRow.until_us.is_(None)
_ANY_OFFSET = timedelta(days=1)  # no zone is farther from UTC


@dataclass(frozen=True, slots=True)
class Query:
    """What to show; an empty field asks nothing. `search` is looked for in title, party, memo and account.

    Days are those of `zone` for a fact that has a time, and as said for one that has only a date. `as_of` asks for what
    was believed then.
    """

    kind: str = ""
    source: str = ""
    account: str = ""
    search: str = ""
    first_day: date | None = None
    last_day: date | None = None
    import_id: int | None = None
    about: int | None = None
    as_of: datetime | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first, and the cursor of the next page ("" at the end)."""

    records: list[Stored]
    after: str


@dataclass(frozen=True, slots=True)
class Facets:
    """What a person can filter by."""

    kinds: list[str]
    sources: list[str]
    accounts: list[str]
    count: int


def page(connection: Connection, query: Query, limit: int = 50, after: str = "") -> Page:
    """At most `limit` records that the query asks for, newest first, from the cursor on."""
    found = _filtered(query).order_by(RecordRow.at_us.desc(), RecordRow.id.desc()).limit(limit + 1)
    if after:
        at_us, _, record_id = after.rpartition("-")  # before 1970 the first number is negative
        found = found.where(tuple_(RecordRow.at_us, RecordRow.id) < tuple_(int(at_us), int(record_id)))
    rows = connection.execute(found).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page([records.stored(each) for each in rows[:limit]], f"{last.at_us}-{last.id}" if last else "")


def matching(connection: Connection, query: Query) -> Iterator[Stored]:
    """Every record that the query asks for, newest first."""
    result = connection.execute(
        _filtered(query).order_by(RecordRow.at_us.desc(), RecordRow.id.desc()), execution_options={"yield_per": 1000}
    )
    yield from map(records.stored, result)


def facets(connection: Connection) -> Facets:
    """The kinds, sources and accounts that this store's records have, and how many records there are."""
    return Facets(
        kinds=_distinct(connection, select(RecordRow.kind).where(_STANDS)),
        sources=_distinct(
            connection,
            select(SourceRow.name).where(
                select(RecordRow.id).where(RecordRow.source_id == SourceRow.id, _STANDS).exists()
            ),
        ),
        accounts=_distinct(connection, select(RecordRow.account).where(RecordRow.account != "", _STANDS)),
        count=connection.execute(select(func.count()).where(_STANDS)).scalar_one(),
    )


def _distinct(connection: Connection, found: Select[Any]) -> list[str]:
    return sorted(connection.execute(found.distinct()).scalars())


def _filtered(query: Query) -> Select[Any]:
    found = records.selected(query.as_of)
    if query.kind:
        found = found.where(RecordRow.kind == query.kind)
    if query.source:
        found = found.where(SourceRow.name == query.source)
    if query.account:
        found = found.where(RecordRow.account == query.account)
    if query.import_id is not None:
        found = found.where(RecordRow.import_id == query.import_id)
    if query.about is not None:
        found = found.where(RecordRow.about == query.about)
    if query.first_day:
        found = found.where(RecordRow.at_us >= _begin(query.first_day, query.zone))
        found = found.where(RecordRow.at_us >= moment(query.first_day - _ANY_OFFSET)[0])  # which an index finds
    if query.last_day:
        found = found.where(RecordRow.at_us < _begin(query.last_day + timedelta(days=1), query.zone))
        found = found.where(RecordRow.at_us < moment(query.last_day + 2 * _ANY_OFFSET)[0])
    if query.search:
        texts = (RecordRow.title, RecordRow.party, RecordRow.memo, RecordRow.account)
        search = query.search.replace("\0", "\N{REPLACEMENT CHARACTER}").lower()
        found = found.where(or_(*(_lowered(text, search).contains(search, autoescape=True) for text in texts)))
    return found


def _begin(day: date, zone: tzinfo) -> ColumnElement[int]:
    """Where a day begins: at local midnight for a time, as written for a bare date."""
    local = moment(datetime(day.year, day.month, day.day, tzinfo=zone))[0]
    return case((RecordRow.zone == DATE_ONLY, moment(day)[0]), else_=local)


def _lowered(text: Any, search: str) -> Any:
    """SQLite's own lower knows ASCII only, and is faster than the one that `database` gives it."""
    return func.lower(text) if search.isascii() else AnyLower(text)


class AnyLower(GenericFunction[str]):
    """Lower case in any script."""

    name = "any_lower"
    inherit_cache = True


@compiles(AnyLower, "postgresql")
def _lower_on_postgresql(element: AnyLower, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"
