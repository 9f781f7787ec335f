"""The timeline: a store's facts, newest first or the best matches first, filtered, paged and counted."""

import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, tuple_

from appliance.store import records
from appliance.store.links import among
from appliance.store.models import RecordRow, SourceRow
from appliance.store.query import Query as Query
from appliance.store.records import DATE_ONLY, Stored, moment
from appliance.store.search import keys
from appliance.store.search.asking import Asked, Counts, Place
from appliance.store.search.reading import Reader
from appliance.store.search.spans import amount_span

_ANY_OFFSET = timedelta(days=1)  # no zone is farther from UTC
_BATCH = 500
_LAST_YEAR = 9999
_BY_TIME = re.compile(r"(-?\d{1,18})-(\d{1,18})", re.ASCII)  # where a page of the timeline ended: time and number
_BY_KEY = re.compile(r"(new|best\.(\d))\.(-?\d{1,19})", re.ASCII)  # where a page of hits ended: order, tier and key


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, in order, and the cursor of the next page ("" at the end)."""

    records: list[Stored]
    after: str


class Answer:
    """What a store says to a query: how many facts, of what, and pages of them. Asks no more than is looked at.

    It lasts as long as the transaction of its connection.
    """

    def __init__(self, connection: Connection, query: Query) -> None:
        self._connection, self._query = connection, query
        self._asked = Asked(connection, query)

    @cached_property
    def count(self) -> int:
        """How many facts the query asks for; 10,000 where there are more and they were not counted beforehand."""
        return self._asked.count

    @property
    def is_capped(self) -> bool:
        """Whether there are more than `count`; they come newest first then."""
        return self._asked.is_capped

    @property
    def is_ranked(self) -> bool:
        """Whether the best matches come first, and not the newest."""
        return self._asked.is_ranked

    @property
    def is_senseless(self) -> bool:
        """Whether what was typed has no letter or digit that could be looked for."""
        return self._asked.is_senseless

    @property
    def counts(self) -> Counts:
        """How many of these facts are of what."""
        return self._asked.counts

    def page(self, limit: int = 50, after: str = "") -> Page:
        """At most `limit` of the facts, from the cursor on; one that is none begins at the beginning."""
        if not _needs_index(self._query):
            return _by_time(self._connection, self._query, limit, after)
        at = _BY_KEY.fullmatch(after)
        if at and at[1] == "new":
            return self._newest(limit, _key(at[3]))
        if not self.is_ranked:
            return self._newest(limit, _key(at[3]) if at else keys.HIGHEST)
        return self._best(limit, Place(int(at[2]), _key(at[3])) if at else None)

    def _newest(self, limit: int, below: int) -> Page:
        found = self._asked.newest(limit + 1, below)
        return self._shown(found[:limit], f"new.{found[limit - 1]}" if len(found) > limit else "")

    def _best(self, limit: int, after: Place | None) -> Page:
        found = self._asked.best(limit + 1, after)
        last = found[limit - 1] if len(found) > limit else None
        return self._shown([each.key for each in found[:limit]], f"best.{last.tier}.{last.key}" if last else "")

    def _shown(self, found: list[int], after: str) -> Page:
        return Page(records.numbered(self._connection, [key & keys.NUMBER for key in found]), after)


def _key(said: str) -> int:
    """A key of a cursor, which may be anything: SQLite takes no number beyond 64 bits."""
    return max(keys.LOWEST, min(int(said), keys.HIGHEST))


def page(connection: Connection, query: Query, limit: int = 50, after: str = "") -> Page:
    """At most `limit` records that the query asks for, in its order, from the cursor on."""
    if query.as_of is not None:
        return _by_time(connection, query, limit, after)
    return Answer(connection, query).page(limit, after)


def matching(connection: Connection, query: Query) -> Iterator[Stored]:
    """Every record that the query asks for, newest first."""
    if query.as_of is None and _is_search(query):
        yield from _hits(connection, query)
        return
    yield from map(records.stored, _rows(connection, query, _in_order(query)))


def facets(connection: Connection) -> Counts:
    """The kinds, sources, accounts, years and bands of amounts that this store's records have, and how many of each."""
    return Answer(connection, Query()).counts


def filtered(connection: Connection, query: Query) -> Select[Any]:
    """The facts that a query asks for, in no order: for what sums them, by `links.rows`."""
    if not query.search.strip():
        return _filtered(query)
    if query.as_of is None:
        return records.selected().where(among(RecordRow.id, [key & keys.NUMBER for key in _keys(connection, query)]))
    believed = [each.version for each in matching(connection, query)]
    return records.selected(query.as_of).where(among(RecordRow.id, believed))


def in_time(query: Query) -> list[ColumnElement[bool]]:
    """The conditions of being of the time that a query asks for."""
    found = list[ColumnElement[bool]]()
    if query.first_day:
        found.append(RecordRow.at_us >= _begin(query.first_day, query.zone))
        found.append(RecordRow.at_us >= moment(query.first_day - _ANY_OFFSET)[0])  # which an index finds
    if query.last_day:
        found.append(RecordRow.at_us < _begin(query.last_day + timedelta(days=1), query.zone))
        found.append(RecordRow.at_us < moment(query.last_day + 2 * _ANY_OFFSET)[0])
    if query.year is not None:
        found.append(_in_year(query.year))
    return found


def _in_year(year: int) -> ColumnElement[bool]:
    """Whether a fact is of a year, or for 0 of no time."""
    first, end = (moment(date(min(max(each, 1), _LAST_YEAR), 1, 1))[0] for each in (year, year + 1))
    within = (RecordRow.zone != "") & (RecordRow.at_us >= first) & (RecordRow.at_us < end)
    return within if year else RecordRow.zone == ""


def _needs_index(query: Query) -> bool:
    """Whether a page of what a query asks for is found in the index, and not by time alone."""
    return bool(query.kind or query.source or query.account) or _is_search(query)


def _is_search(query: Query) -> bool:
    """Whether a query asks for what only the index knows."""
    sized = (query.year, query.band, query.lowest, query.highest)
    return bool(query.search.strip()) or any(each is not None for each in sized)


def _hits(connection: Connection, query: Query) -> Iterator[Stored]:
    every = _keys(connection, query)
    while found := list(islice(every, _BATCH)):
        yield from records.numbered(connection, [key & keys.NUMBER for key in found])


def _keys(connection: Connection, query: Query) -> Iterator[int]:
    """The keys of all hits, the newest first."""
    asked, below = Asked(connection, query), keys.HIGHEST
    while found := asked.newest(_BATCH, below):
        yield from found
        below = found[-1]


def _by_time(connection: Connection, query: Query, limit: int, after: str) -> Page:
    found = _in_order(query)
    if at := _BY_TIME.fullmatch(after):
        found = found.where(tuple_(RecordRow.at_us, RecordRow.id) < tuple_(int(at[1]), int(at[2])))
    if not query.search.strip():
        found = found.limit(limit + 1)
    with closing(_rows(connection, query, found)) as every:
        rows = list(islice(every, limit + 1))
    last = rows[limit - 1] if len(rows) > limit else None
    return Page([records.stored(each) for each in rows[:limit]], f"{last.at_us}-{last.id}" if last else "")


def _in_order(query: Query) -> Select[Any]:
    return _filtered(query).order_by(RecordRow.at_us.desc(), RecordRow.id.desc())


def _rows(connection: Connection, query: Query, found: Select[Any]) -> Generator[Row[Any]]:
    """What was found, without what has not the words that are searched for: what was believed is in no index."""
    reader = Reader(connection, query.search) if query.search.strip() else None
    with connection.execute(found, execution_options={"yield_per": 1000}) as result:
        yield from (row for row in result if reader is None or reader.finds(row._mapping))


def _filtered(query: Query) -> Select[Any]:
    """All that a query asks for but its words."""
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
    found = found.where(*in_time(query))
    if span := amount_span(query):
        found = found.where(func.abs(RecordRow.amount_e6).between(*span))
    return found


def _begin(day: date, zone: tzinfo) -> ColumnElement[int]:
    """Where a day begins: at local midnight for a time, as written for a bare date."""
    local = moment(datetime(day.year, day.month, day.day, tzinfo=zone))[0]
    return case((RecordRow.zone == DATE_ONLY, moment(day)[0]), else_=local)
