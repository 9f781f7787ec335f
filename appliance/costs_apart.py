"""What parts of a supply cost that are measured by themselves: each register of its meter, each appliance on its plug.

A part costs what the supply would have cost less without it. In no quarter-hour that is more than came in: what an
appliance had from the sun is not in it. The rest is what is left, standing charges among it, so that all together is
exactly what the supply costs; it is below nothing where several parts used the same energy.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal

import numpy as np

from appliance import energy, supplies
from appliance import tariffs as engine
from appliance.costs import Cost
from appliance.store import series as series_store
from appliance.store import sources
from appliance.store.database import Store
from appliance.store.series import SeriesId
from appliance.supplies import Supply
from appliance.tariffs import Usage

REST = "everything else"
_QUANTITIES = ("electricity", "import", "energy")  # of a role; its other words say where
_PLUG = re.compile(r"(?:plug|appliance|socket|submetering[0-9]*)(?:\.(?!export)[^.]+)*")


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a supply: what it used of it and, of as much of the span as has a tariff, what that cost by currency.
    `counted` is what was measured of it in so many `quarters`; `source` and `role` are "" of the rest.
    """

    title: str
    source: str
    role: str
    counted: Decimal
    used: Decimal
    amounts: dict[str, Decimal]
    quarters: int
    usage: Usage = field(compare=False, repr=False)


def by_role(store: Store, cost: Cost, zone: tzinfo) -> list[Share]:
    """The registers of the supply's own meter, such as those of two tariffs, and the rest."""
    parts = energy.resolved(store, cost.supply.source, cost.supply.role)
    return _with_rest(cost, [_share(store, cost, each, each.role, zone) for each in parts])


def by_appliance(store: Store, cost: Cost, zone: tzinfo) -> list[Share]:
    """The appliances that counted something in the span, those that used most first, and the rest; nothing where there
    are none, or the supply is not electricity that comes in.
    """
    if (cost.supply.supply, cost.supply.direction) != ("electricity", "import"):
        return []
    with store.read() as connection:
        plugs = counting(series_store.every(connection), _PLUG)
        titles = {name: title for name, title, _ in sources.every(connection)}
    found = [_share(store, cost, each, name, zone) for each, name in _named(plugs, titles)]
    found = sorted((each for each in found if each.quarters), key=lambda each: -each.used)
    return _with_rest(cost, found) if found else []


def _named(plugs: Sequence[SeriesId], titles: Mapping[str, str]) -> Iterator[tuple[SeriesId, str]]:
    """What each is called: its source's title, and its own place where one source has several."""
    several = Counter(each.source for each in plugs)
    for each in plugs:
        title = titles.get(each.source, each.source)
        place = " ".join(part for part in each.role.split(".") if part not in _QUANTITIES)
        yield each, title if several[each.source] == 1 else f"{title}, {place}"


def saved(store: Store, cost: Cost, usage: Usage) -> dict[str, Decimal]:
    """Currency -> what a supply costs less where this was used instead, of as much of the span as has a tariff; nothing
    where a tariff counts in another unit.
    """
    found: dict[str, Decimal] = {}
    if any(part.term.tariff and part.costs and part.term.tariff.needed().unit != usage.unit for part in cost.parts):
        return found
    with store.read() as connection:
        for part in cost.parts:
            if part.term.tariff is None or part.costs is None:
                continue
            tariff, span = part.term.tariff.needed(), (part.term.first, part.term.end)
            prices = supplies.prices(connection, tariff, *span)
            without = engine.cost(tariff, usage, prices, *span)
            amount = part.costs.total - without.total
            found[without.currency] = found.get(without.currency, Decimal(0)) + amount
    return found


def less(usage: Usage, part: Usage) -> Usage:
    """`part` taken off, as far as there is anything to take it from."""
    exponent = min(usage.exponent, part.exponent)
    totals = usage.totals * 10 ** (usage.exponent - exponent)
    begin = part.first - usage.first
    inside = slice(max(begin, 0), begin + len(part.totals))
    off = part.totals[max(-begin, 0) :] * 10 ** (part.exponent - exponent)
    totals[inside] -= np.minimum(off[: len(totals[inside])], np.maximum(totals[inside], 0))
    return replace(usage, totals=totals, exponent=exponent)


def counting(every: Iterable[SeriesId], roles: re.Pattern[str]) -> list[SeriesId]:
    """The series of such roles that count energy."""
    return [e for e in every if roles.fullmatch(e.role) and e.kind in ("register", "delta") and e.unit == "kWh"]


def usage_of(store: Store, series: SeriesId, first: int, end: int, zone: tzinfo) -> Usage:
    """What a series that counts electricity counted in the quarters [first, end)."""
    own = Supply(series.source, "electricity", "import", series.source, series.role)
    return supplies.usage(store, own, first, end, zone).quarters


def _share(store: Store, cost: Cost, series: SeriesId, title: str, zone: tzinfo) -> Share:
    own = replace(cost.supply, source=series.source, role=series.role)
    usage = supplies.usage(store, own, cost.first, cost.end, zone).quarters
    without = less(cost.used.quarters, usage)
    used = cost.used.total - without.total()
    known = int((~usage.missing).sum())
    return Share(title, series.source, series.role, usage.total(), used, saved(store, cost, without), known, usage)


def _with_rest(cost: Cost, shares: list[Share]) -> list[Share]:
    """The same, and what they leave of the supply."""
    whole = cost.used.quarters.within(cost.first, cost.end)
    used = whole.total() - sum((each.used for each in shares), Decimal(0))
    amounts = {
        currency: total - sum((each.amounts.get(currency, Decimal(0)) for each in shares), Decimal(0))
        for currency, total in cost.totals.items()
    }
    return [*shares, Share(REST, "", "", used, used, amounts, int((~whole.missing).sum()), whole)]
