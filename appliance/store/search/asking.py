"""Asking the index: which facts, in which order, and how many of what.

Up to `MOST` hits are gathered, counted and ranked. Beyond that they come newest first, which reads no more of the index
than a page needs.

What is best is what a person would look at first: facts whose title has the words whole, then those whose title has
words that begin so, then the others; the newest first among equals. Usual weights (BM25) say little here: every hit has
every word, mostly once, in a text of a few words; and they would count each word's facts, a million for some.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from appliance.store.query import Query
from appliance.store.search import amounts, facts, groups, index_of, keys
from appliance.store.search.clauses import Clause
from appliance.store.search.groups import Named
from appliance.store.search.spans import amount_span, conditions, key_span
from appliance.store.search.words import GROUP, STEP, Phrase, typed

MOST = 10_000
_MOST_RANKED = 10 * MOST  # of what amounts then narrow down
_BATCH = 2_000
_TIERS = ({"in_title": True, "whole": True}, {"in_title": True, "whole": False})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands among the hits: its tier (0 is the best), and its key; the higher key comes first."""

    tier: int
    key: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many facts there are of what; None where there are too many to count. Only what there is is named."""

    kinds: dict[str, int | None]
    sources: dict[str, int | None]
    accounts: dict[str, int | None]
    years: dict[int, int | None]
    bands: dict[int, int | None]

    @property
    def count(self) -> int:
        """How many facts there are altogether, 0 where there are too many to count."""
        return sum(many or 0 for many in self.kinds.values())


class Asked:
    """A query put to the index of a store, for as long as the transaction lasts. It asks no more than is looked at."""

    def __init__(self, connection: Connection, query: Query) -> None:
        self._connection, self._query, self._index = connection, query, index_of(connection)
        every = groups.named(connection)
        self._chosen = [each for each in every if _fits(each, query)]
        self._phrases = typed(query.search)
        self._low, self._end = key_span(query)
        self._conditions = conditions(query, self._index.KEY)
        self._span = amount_span(query)
        self._said = _said(self._phrases, self._chosen)
        self._filters = _filters(every, self._chosen, self._span)
        self._answers: dict[tuple[Any, ...], list[int]] = {}

    @property
    def is_senseless(self) -> bool:
        """Whether what was typed has neither letter nor digit in it: nothing is found then."""
        return bool(self._query.search.strip()) and not self._phrases

    @cached_property
    def is_capped(self) -> bool:
        """Whether there are more hits than are gathered."""
        return not self._is_tallied and len(self._keys) > MOST

    @cached_property
    def is_ranked(self) -> bool:
        """Whether the best come first."""
        return bool(self._phrases) and not self._query.newest_first and not self.is_capped

    @cached_property
    def count(self) -> int:
        """How many hits there are; `MOST` where there are more of them."""
        if self._is_tallied:
            return self._tallied.groups.total()
        return min(len(self._keys), MOST)

    @cached_property
    def counts(self) -> Counts:
        """How many of the hits are of what."""
        if self._is_tallied or self.is_capped:
            return _counts(self._tallied, self._chosen, is_known=not self.is_capped)
        codes = self._kept.values() if self._are_sifted else facts.codes(self._connection, self._keys)
        return _counts(facts.counted(self._keys, codes), self._chosen, is_known=True)

    def newest(self, limit: int, below: int = keys.HIGHEST) -> list[int]:
        """The keys of the newest hits, those below a key alone."""
        clauses = [*self._said, *self._filters]
        if self._span is None or not amounts.cut_steps(*self._span):
            return self._matching(clauses, limit, below)
        found, size = list[int](), max(limit, _BATCH)
        while len(found) < limit and (hits := self._matching(clauses, size, below)):
            found += self._sifted(hits)
            below = hits[-1] if len(hits) == size else keys.LOWEST
        return found[:limit]

    def best(self, limit: int, after: Place | None = None) -> list[Place]:
        """The best of the hits, in order, those after a place alone."""
        begun = (after.tier, -after.key) if after else (-1, 0)
        return list(islice((each for each in self._ranked() if (each.tier, -each.key) > begun), limit))

    def _ranked(self) -> Iterator[Place]:
        """All hits, in order; who is in a better tier is in those below it, too. Asks no further than is looked at."""
        hits, placed = frozenset(self._keys), set[int]()
        for tier, found in enumerate((*(self._titled(way, hits) for way in _TIERS), self._keys)):
            for key in found:
                if key not in placed:
                    placed.add(key)
                    yield Place(tier, key)

    def _titled(self, way: Mapping[str, bool], hits: frozenset[int]) -> Iterator[int]:
        """Those of the hits that have what was typed in their titles, the newest first."""
        clauses = self._said if self._are_sifted else [*self._said, *self._filters]
        for size in (_BATCH, _MOST_RANKED) if hits else ():  # a page seldom needs more than the first of them
            found = self._matching(clauses, size, **way)
            yield from (key for key in found if key in hits)
            if len(found) < size:
                return

    @cached_property
    def _is_tallied(self) -> bool:
        """Whether the tallies alone say how many there are."""
        asked = self._query
        between = asked.lowest is not None or asked.highest is not None
        return not asked.search.strip() and not between and not self._conditions

    @cached_property
    def _tallied(self) -> groups.Tallied:
        within = [each.id for each in self._chosen]
        return groups.tallied(self._connection, within, self._query.year, self._query.band)

    @cached_property
    def _keys(self) -> list[int]:
        """The keys of the newest hits, at most one more than `MOST`."""
        if self._are_sifted:
            return list(self._kept)
        return self.newest(MOST + 1)

    @cached_property
    def _are_sifted(self) -> bool:
        """Whether so few facts have what was typed that the filters look at each: quicker than to ask for it all."""
        return bool(self._said and self._filters) and len(self._matching(self._said, MOST + 1)) <= MOST

    @cached_property
    def _kept(self) -> dict[int, int]:
        """What the filters keep of all that has what was typed, with the code of each."""
        return self._sifted(self._matching(self._said, MOST + 1))

    def _sifted(self, hits: Sequence[int]) -> dict[int, int]:
        return facts.sifted(self._connection, hits, {each.id for each in self._chosen}, self._span)

    def _matching(
        self,
        clauses: Sequence[Clause],
        limit: int,
        below: int = keys.HIGHEST,
        *,
        in_title: bool = False,
        whole: bool = False,
    ) -> list[int]:
        if self.is_senseless or not self._chosen:
            return []
        key = self._index.KEY
        where = [f"{key} >= :low", f"{key} < :below"]
        parameters = dict[str, Any](low=self._low, below=min(below, self._end), limit=limit)
        if clauses:
            where.append(self._index.MATCH)
            parameters["asked"] = self._index.asked(self._connection, clauses, in_title=in_title, whole=whole)
        for each in self._conditions:
            where.append(each.sql)
            parameters |= each.parameters
        found = f"SELECT {key} FROM search_words WHERE {' AND '.join(where)} ORDER BY {key} DESC LIMIT :limit"  # noqa: S608
        said = parameters.get("asked"), limit, below
        if said not in self._answers:  # where no other word begins so, what is begun and what is whole is one question
            self._answers[said] = self._index.found(self._connection, found, parameters)
        return self._answers[said]


def _fits(group: Named, query: Query) -> bool:
    return (
        query.kind in ("", group.kind) and query.source in ("", group.source) and query.account in ("", group.account)
    )


def _marks(chosen: Iterable[Named]) -> tuple[str, ...]:
    return tuple(f"{GROUP}{each.id}" for each in chosen)


def _said(phrases: Iterable[Phrase], chosen: Sequence[Named]) -> list[Clause]:
    """What was typed; not what every fact that is asked for has, by its kind, source or account."""
    every = [Clause(each, _marks(group for group in chosen if group.has(each))) for each in phrases]
    return [each for each in every if len(each.marks) < len(chosen)]


def _filters(every: Sequence[Named], chosen: Sequence[Named], span: tuple[int, int] | None) -> list[Clause]:
    filters = []
    if len(chosen) < len(every):
        filters.append(Clause(None, _marks(chosen)))
    if span:
        filters.append(Clause(None, tuple(f"{STEP}{each}" for each in amounts.steps(*span)) or (f"{STEP}none",)))
    return filters


def _counts(tallied: groups.Tallied, chosen: Iterable[Named], *, is_known: bool) -> Counts:
    """Adds up what has something in common; what there is most of comes first, and the newest year."""
    kinds, sources, accounts = Counter[str](), Counter[str](), Counter[str]()
    for group in chosen:
        if many := tallied.groups[group.id]:
            kinds[group.kind] += many
            sources[group.source] += many
            accounts[group.account] += many
    years, bands = sorted(tallied.years.items(), reverse=True), sorted(tallied.bands.items())
    del accounts[""]
    by_count = [dict(each.most_common()) for each in (kinds, sources, accounts)]
    in_order = [dict(years), {band: many for band, many in bands if band != amounts.NO_BAND}]
    said: list[Mapping[Any, int]] = [*by_count, *in_order]
    return Counts(*({value: many if is_known else None for value, many in each.items()} for each in said))
