"""What a supply costs: the tariffs that held applied to what was used, by day, month and band, from what is known now.

Nothing is kept of it: a year is worked out anew in milliseconds, so that a reading or a price that was put right counts
at once. What was known at an instant can be worked out too, and so which days a revision changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from appliance import supplies
from appliance import tariffs as engine
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store.database import Store
from appliance.supplies import Supply, Term, Used
from appliance.tariffs import Capacity, Costs, Tariff, Tiers, changed_clocks
from appliance.tariffs.local import days as local_days


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A term and its costs, None where it is not known on which tariff it was. `unknown` are the indexes that the
    tariff follows and of which there are no prices.
    """

    term: Term
    costs: Costs | None
    unknown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The tariff's, "" where none is known."""
        return self.term.tariff.name if self.term.tariff else ""

    @property
    def unpriced(self) -> NDArray[np.bool_]:
        """Of each quarter-hour of the term, whether the tariff has no price for it."""
        found = np.zeros(self.term.end - self.term.first, np.bool_)
        if self.costs:
            found[self.costs.marks.no_rate - self.term.first] = True
            found[self.costs.marks.no_price - self.term.first] = True
        return found


@dataclass(frozen=True, slots=True)
class Day:
    """A local day (in part, where the span or a tariff ends within it): what was used and what it costs, None where no
    tariff is known. `missing`, `estimated` and `unpriced` are numbers of its quarter-hours: not or only partly read,
    read by nobody, and without a price under the tariff.
    """

    day: date
    used: Decimal
    amount: Decimal | None
    currency: str
    tariff: str
    missing: int
    estimated: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Band:
    """What one band of one charge comes to over the span, its versions together; a credit is negative."""

    tariff: str
    name: str
    band: str
    quantity: Decimal
    unit: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, eq=False)
class Cost:
    """What a supply costs in the quarter-hours [first, end), numbered since 1970 UTC. `told` are sentences for a
    person: what was assumed, and what is not known.
    """

    supply: Supply
    first: int
    end: int
    used: Used
    parts: tuple[Part, ...]
    told: tuple[str, ...]
    zone: str

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> what the span costs, of as much of it as has a tariff."""
        found: dict[str, Decimal] = {}
        for costs in self._costed:
            found[costs.currency] = found.get(costs.currency, Decimal(0)) + costs.total
        return found

    @cached_property
    def days(self) -> list[Day]:
        """Every local day of the span, in order."""
        return [day for part in self.parts for day in self._days(part)]

    @property
    def months(self) -> list[Day]:
        """The same by months, each called by its first day; one of each tariff that held in it."""

        def month_of(day: Day) -> tuple[date, str, str]:
            return day.day.replace(day=1), day.currency, day.tariff

        return [_added(key[0], list(group)) for key, group in groupby(self.days, month_of)]

    @property
    def bands(self) -> list[Band]:
        """What each charge and band comes to, in the tariffs' order."""
        found: dict[tuple[str, str, str, str], Band] = {}
        for part in self.parts:
            if part.costs is None:
                continue
            for line in part.costs.lines:
                said = part.name, line.name, line.band
                band = Band(*said, line.quantity, line.unit, line.amount, part.costs.currency)
                known = found.get((*said, line.unit))
                found[*said, line.unit] = _joined(known, band) if known else band
        return list(found.values())

    @property
    def _costed(self) -> Iterator[Costs]:
        return (part.costs for part in self.parts if part.costs)

    def _days(self, part: Part) -> Iterator[Day]:
        quarters, term = self.used.quarters, part.term
        inside = slice(term.first - quarters.first, term.end - quarters.first)
        starts = local_days(part.costs.zone if part.costs else self.zone, term.first, term.end - term.first)
        amounts = part.costs.by_day() if part.costs else {}
        columns = quarters.totals[inside], quarters.missing[inside], quarters.estimated[inside], part.unpriced
        sums = [np.add.reduceat(each, starts.starts, dtype=np.int64).tolist() for each in columns]
        currency = part.costs.currency if part.costs else ""
        for number, used, *counts in zip(starts.number.tolist(), *sums, strict=True):
            day = date(1970, 1, 1) + timedelta(days=number)
            yield Day(day, Decimal(used).scaleb(quarters.exponent), amounts.get(day), currency, part.name, *counts)


def cost(
    store: Store,
    supply: Supply,
    zone: tzinfo,
    first_day: date | None = None,
    last_day: date | None = None,
    tariff: str = "",
    as_of: datetime | None = None,
) -> Cost:
    """What a supply costs from the first to the last day, both in `zone`; all that was read where none is named.

    `tariff`: as if it had been on that one all the time, else as agreed. `as_of`: from what was known at an instant.
    UserError where there is no such tariff, or nothing to cost.
    """
    begin, until = _span(store, supply, zone, first_day, last_day)
    with store.read() as connection:
        if tariff:
            terms = [Term(begin, until, None, supplies.tariff_named(connection, tariff, supply, as_of))]
        else:
            terms = supplies.terms(connection, supply, begin, until, zone, as_of)
        looked = _looked_at([each.tariff.tariff for each in terms if each.tariff], begin, until, zone)
    used = _so_far(supplies.usage(store, supply, *looked, zone, as_of))
    with store.read() as connection:
        parts = [_part(connection, term, used, as_of) for term in terms]
        told = [*used.assumptions, *_unread(used, begin, until, zone), *_below_nought(used, begin, until, zone)]
        told += [sentence for part in parts for sentence in _told(connection, part, zone)]
    return Cost(supply, begin, until, used, tuple(parts), tuple(dict.fromkeys(told)), str(zone))


@dataclass(frozen=True, slots=True)
class Changed:
    """A day of which something else is known now: what was used and what it cost, before and after. `was_known`:
    it was costed then too, from no fewer readings; else they only came in since.
    """

    day: date
    used_before: Decimal
    used: Decimal
    before: Decimal | None
    after: Decimal | None
    currency: str
    was_known: bool

    @property
    def why(self) -> str:
        """What was put right: the readings, the prices, or both in what cannot be told apart."""
        return "prices" if self.used == self.used_before else "readings"


def changed(
    store: Store,
    supply: Supply,
    zone: tzinfo,
    since: datetime,
    first_day: date | None = None,
    last_day: date | None = None,
    tariff: str = "",
) -> list[Changed]:
    """The days whose use or cost is another now than it was known to be at an instant, and no other; see `cost`."""
    now = cost(store, supply, zone, first_day, last_day, tariff)
    span = day_of(now.first, zone), day_of(now.end - 1, zone)
    before = {(each.day, each.currency): each for each in _merged(cost(store, supply, zone, *span, tariff, since).days)}
    found = []
    for day in _merged(now.days):
        then = before.get((day.day, day.currency)) or replace(day, used=Decimal(0), amount=None)
        if (then.used, then.amount) != (day.used, day.amount):
            was_known = then.missing <= day.missing and (then.amount is not None or day.amount is None)
            said = then.used, day.used, then.amount, day.amount, day.currency
            found.append(Changed(day.day, *said, was_known))
    return found


def day_of(quarter: int, zone: tzinfo) -> date:
    """The local day that a quarter-hour is in."""
    return datetime.fromtimestamp(quarter * QUARTER_MS // 1000, zone).date()


def _span(store: Store, supply: Supply, zone: tzinfo, first_day: date | None, last_day: date | None) -> tuple[int, int]:
    """The quarters of whole local days."""
    if first_day is None or last_day is None:
        first, end = supplies.extent(store, supply)
        first_day, last_day = first_day or day_of(first, zone), last_day or day_of(end - 1, zone)
    if last_day < first_day:
        raise UserError(f"{last_day} is before {first_day}; name the earlier day first")
    return day_ms(first_day, zone)[0] // QUARTER_MS, day_ms(last_day, zone)[1] // QUARTER_MS


def _looked_at(known: Iterable[Tariff | None], begin: int, end: int, zone: tzinfo) -> tuple[int, int]:
    """The span of which the use must be known: whole months and a year before, where tiers or peaks look so far."""
    if not any(isinstance(charge, Tiers | Capacity) for each in known if each for charge in each.charges):
        return begin, end
    first, last = day_of(begin, zone), day_of(end - 1, zone)
    month_after = (last.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (
        day_ms(first.replace(year=first.year - 1, day=1), zone)[0] // QUARTER_MS,
        day_ms(month_after, zone)[0] // QUARTER_MS,
    )


def _so_far(used: Used) -> Used:
    """The same; what is still to come today is not missing."""
    now = int(datetime.now(UTC).timestamp()) * 1000 // QUARTER_MS
    missing = used.quarters.missing.copy()
    missing[max(0, now - used.quarters.first) :] = False
    volume = replace(used.volume, missing=missing) if used.volume else None
    return replace(used, quarters=replace(used.quarters, missing=missing), volume=volume)


def _part(connection: Connection, term: Term, used: Used, as_of: datetime | None) -> Part:
    if term.tariff is None:
        return Part(term, None)
    tariff = term.tariff.needed()
    prices = supplies.prices(connection, tariff, term.first, term.end, as_of)
    unknown = tuple(sorted(supplies.followed(tariff) - prices.keys()))
    return Part(term, engine.cost(tariff, used.per(tariff), prices, term.first, term.end), unknown)


def _unread(used: Used, begin: int, end: int, zone: tzinfo) -> Iterator[str]:
    missing = np.flatnonzero(used.quarters.missing[begin - used.quarters.first : end - used.quarters.first]) + begin
    if len(missing):
        yield f"not read, or only in part: {_quarters(missing, zone)}; what was used then is not in the costs"


def _below_nought(used: Used, begin: int, end: int, zone: tzinfo) -> Iterator[str]:
    below = np.flatnonzero(used.quarters.totals[begin - used.quarters.first : end - used.quarters.first] < 0) + begin
    if len(below):
        yield (
            f"less than nothing was used in {_quarters(below, zone)}, and is taken off: something was fed in, or the "
            "meter was another one from then on"
        )


def _quarters(which: NDArray[np.int64], zone: tzinfo) -> str:
    """As in 3 quarter-hours from 2026-01-01 to 2026-01-02."""
    first, last = day_of(int(which[0]), zone), day_of(int(which[-1]), zone)
    days = f"on {first}" if first == last else f"from {first} to {last}"
    return f"1 quarter-hour {days}" if len(which) == 1 else f"{len(which):,} quarter-hours {days}"


def _told(connection: Connection, part: Part, zone: tzinfo) -> Iterator[str]:
    term = part.term
    days = f"from {day_of(term.first, zone)} to {day_of(term.end - 1, zone)}"
    if term.tariff is not None and part.costs is not None:
        yield from part.costs.marks.remarks
        yield from changed_clocks.remarks(term.tariff.needed(), term.first, term.end)
        if _is_elsewhere(part.costs.zone, str(zone), term):
            yield f"the days and times of {part.name} are those of {part.costs.zone}, not of {zone}"
        if term.tariff.lacks:
            yield f"{part.name} costs too little here: {term.tariff.lacks}"
        if len(unpriced := np.flatnonzero(part.unpriced) + term.first):
            yield f"without a price under {part.name}: {_quarters(unpriced, zone)}; they cost nothing here"
        if part.unknown and (there := supplies.indexes(connection)):
            yield f"the prices that are here are called {', '.join(there)}"
    elif term.agreement is not None:
        why = supplies.why_none_yet(connection, term.agreement.tariff)
        yield why or f"the tariff {term.agreement.tariff!r}, agreed {days}, is not known; import it"
    else:
        yield f"no agreement is known {days}, so that nothing is costed then"


def _is_elsewhere(there: str, here: str, term: Term) -> bool:
    """Whether the days of another zone begin at other times than those here."""
    count = term.end - term.first
    return not np.array_equal(local_days(there, term.first, count).starts, local_days(here, term.first, count).starts)


def _joined(one: Band, other: Band) -> Band:
    return replace(one, quantity=one.quantity + other.quantity, amount=one.amount + other.amount)


def _merged(days: list[Day]) -> list[Day]:
    """One of each day and currency, whatever tariffs held on it."""
    found: dict[tuple[date, str], list[Day]] = {}
    for each in days:
        found.setdefault((each.day, each.currency), []).append(each)
    return [_added(day, group) for (day, _), group in found.items()]


def _added(day: date, group: list[Day]) -> Day:
    amounts = [each.amount for each in group if each.amount is not None]
    return replace(
        group[0],
        day=day,
        used=sum((each.used for each in group), Decimal(0)),
        amount=sum(amounts, Decimal(0)) if amounts else None,
        missing=sum(each.missing for each in group),
        estimated=sum(each.estimated for each in group),
        unpriced=sum(each.unpriced for each in group),
    )
