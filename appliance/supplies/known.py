"""The tariffs that a store knows, as facts with versions, and the prices that they follow."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
from sqlalchemy import Connection

from appliance import tariffs as engine
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.supply_facts import RATE, TARIFF
from appliance.store import as_it_stood, sources
from appliance.store import series as series_store
from appliance.store.records import Stored, moment
from appliance.store.series import Columns, SeriesId
from appliance.supplies import octopus
from appliance.supplies.facts import standing
from appliance.supplies.listed import Supply
from appliance.tariffs import Dynamic, Prices, Standing, Tariff

PRICE = re.compile(r"(?:electricity|gas)(?:\.(?:import|export))?\.price")
"""The roles of series of prices with tax; those of Octopus name the direction."""

NO_STANDING = "its standing charge is not known, only the price of a kWh; import Octopus's standing charges of it too"

_OCTOPUS = "octopus "  # begins the names of its sources of prices
_UNIT = re.compile(r"([A-Z]{3}|p)/kWh")
_LENGTH = re.compile(r" (?:quarter-hourly|half-hourly|hourly)$")


@dataclass(frozen=True, slots=True)
class KnownTariff:
    """A tariff of the store: the fact that states it, since when the store knows it so (an ISO instant), and what it
    is. `problem` says why a definition cannot be read; `tariff` is None then. `lacks` says which of its prices nobody
    brought, so that it would cost too little.
    """

    fact: int
    recorded: str
    supplier: str
    name: str
    code: str
    supply: str
    direction: str
    tariff: Tariff | None
    problem: str = ""
    lacks: str = ""

    def is_for(self, supply: Supply) -> bool:
        """Whether it prices what that supply measures."""
        return self.supply == supply.supply and self.direction == (supply.direction or "import")

    def needed(self) -> Tariff:
        """The tariff itself; UserError where its definition cannot be read."""
        if self.tariff is None:
            raise UserError(f"tariff {self.name!r} (fact {self.fact}) cannot be read: {self.problem}")
        return self.tariff


def tariffs(connection: Connection, as_of: datetime | None = None) -> list[KnownTariff]:
    """Every tariff that stands, or stood at an instant: those that are facts, then those that rates make up."""
    return [*_stated(connection, as_of), *_of_rates(connection, as_of)]


def _stated(connection: Connection, as_of: datetime | None) -> list[KnownTariff]:
    found = []
    for fact in standing(connection, TARIFF, as_of):
        tariff, problem = _read(fact.fields.get("definition", ""))
        supply, direction = fact.fields.get("supply", ""), fact.fields.get("direction", "")
        found.append(
            KnownTariff(
                fact=fact.id,
                recorded=fact.since,
                supplier=tariff.supplier if tariff else fact.party,
                name=fact.title,
                code=(tariff.code if tariff else "") or fact.account,
                supply=tariff.supply if tariff else supply,
                direction=(tariff.direction if tariff else direction) or "import",
                tariff=tariff,
                problem=problem,
            )
        )
    return found


def _of_rates(connection: Connection, as_of: datetime | None) -> Iterator[KnownTariff]:
    """The tariffs of which Octopus published the rates, as facts or as a series of prices."""
    rates: dict[str, list[Stored]] = {}
    for fact in standing(connection, RATE, as_of):
        if fact.party == octopus.SUPPLIER:
            rates.setdefault(fact.account, []).append(fact)
    priced = {each.source for each in _price_series(connection)} if rates else set()
    for code, own in rates.items():
        source = _OCTOPUS + code
        made = octopus.tariff(code, own, source if source in priced else "")
        if made is not None:
            first, recorded = min(each.id for each in own), max(each.since for each in own)
            said = made.supplier, made.name, made.code, made.supply, made.direction
            has_standing = made.direction == "export" or any(isinstance(each, Standing) for each in made.charges)
            yield KnownTariff(first, recorded, *said, tariff=made, lacks="" if has_standing else NO_STANDING)


def tariff_named(
    connection: Connection, name: str, supply: Supply, as_of: datetime | None = None
) -> KnownTariff | None:
    """The tariff of that code, name or fact for a supply, or of any part of it that only one has, as it was known at an
    instant: None where it was not. UserError, with those that there are, where none is called so.
    """
    found = _named(connection, name, supply)
    return found if as_of is None else next((e for e in tariffs(connection, as_of) if e.fact == found.fact), None)


def _named(connection: Connection, name: str, supply: Supply) -> KnownTariff:
    fitting = [each for each in tariffs(connection) if each.is_for(supply)]
    wanted = name.casefold()
    exact = [each for each in fitting if wanted in (each.code.casefold(), each.name.casefold(), str(each.fact))]
    found = exact or [each for each in fitting if wanted in f"{each.supplier} {each.name} {each.code}".casefold()]
    if len(found) == 1:
        return found[0]
    if not found and (why := why_none_yet(connection, name)):
        raise UserError(why)
    if not fitting:
        raise UserError(f"no tariff of {supply.supply} ({supply.direction or 'import'}) is known; import one first")
    what = "several tariffs are called so; name one" if found else f"no tariff is called {name!r}; there are"
    raise UserError(f"{what}: {', '.join(f'{each.name} ({each.code or each.fact})' for each in found or fitting)}")


def why_none_yet(connection: Connection, name: str) -> str:
    """Why there is no tariff of a name, where the prices of a kWh are here; "" where they are not."""
    wanted, priced = name.casefold(), [each.source for each in _price_series(connection)]
    codes = sorted({each.removeprefix(_OCTOPUS) for each in priced if each.startswith(_OCTOPUS)})
    found = [each for each in codes if wanted and wanted in each.casefold()]
    return f"{found[0]}: {NO_STANDING}" if found else ""


@lru_cache(maxsize=1024)
def _read(definition: str) -> tuple[Tariff | None, str]:
    try:
        return engine.read(definition, "its definition"), ""
    except UserError as error:
        return None, "; ".join(error.problems)


# ---- the prices that a tariff follows ----


def indexes(connection: Connection) -> list[str]:
    """The names of the series of prices that there are, as a tariff names the one that it follows."""
    return sorted({_LENGTH.sub("", each.source) for each in _price_series(connection)})


def prices(
    connection: Connection, tariff: Tariff, first: int, end: int, as_of: datetime | None = None
) -> dict[str, Prices]:
    """The prices of each index that a tariff follows, in the quarter-hours [first, end), as far as they are known.

    An index is named by the source of its series (`entsoe 10YBE----------2`) or by what that is called; where a source
    has prices of several lengths, the shorter one's hold.
    """
    wanted = followed(tariff)
    if not wanted:
        return {}
    every = _price_series(connection)
    titles = {name: title for name, title, _ in sources.every(connection)}
    at_us = moment(as_of)[0] if as_of else None
    found = {}
    for index in wanted:
        names = index.casefold()
        own = [each for each in every if names in (_stem(each.source), _stem(titles.get(each.source, "")))]
        if own:
            found[index] = _priced(connection, own, first, end, at_us)
    return found


def followed(tariff: Tariff) -> set[str]:
    """The indexes that a tariff follows."""
    return {each.index for each in tariff.charges if isinstance(each, Dynamic)}


def _price_series(connection: Connection) -> list[SeriesId]:
    """Those whose prices are a kWh, the longest first."""
    every = [each for each in series_store.every(connection) if PRICE.fullmatch(each.role) and _UNIT.match(each.unit)]
    return sorted(every, key=lambda each: -each.seconds)


def _stem(name: str) -> str:
    """A source's name without the length of its intervals."""
    return _LENGTH.sub("", name).casefold()


def _priced(connection: Connection, own: Iterable[SeriesId], first: int, end: int, at_us: int | None) -> Prices:
    values, known = np.zeros(max(0, end - first), np.int64), np.zeros(max(0, end - first), np.bool_)
    every = list(own)
    exponent = min(_exponent(each) for each in every)
    for series in every:
        columns = _columns(connection, series, first * QUARTER_MS - 1000 * series.seconds, end * QUARTER_MS, at_us)
        shares = np.maximum(columns.seconds * 1000 // QUARTER_MS, 1)
        owner = np.repeat(np.arange(len(columns)), shares)
        place = (
            columns.at_ms[owner] // QUARTER_MS + np.arange(len(owner)) - np.repeat(np.cumsum(shares) - shares, shares)
        )
        place -= first
        inside = (place >= 0) & (place < len(values))
        values[place[inside]] = columns.values[owner][inside] * 10 ** (_exponent(series) - exponent)
        known[place[inside]] = True
    return Prices(first, values, exponent, known, _currency(every[0]))


def _columns(connection: Connection, series: SeriesId, from_ms: int, to_ms: int, at_us: int | None) -> Columns:
    if at_us is None:
        return series_store.read(connection, series, from_ms, to_ms)
    return as_it_stood.read(connection, series, at_us, from_ms, to_ms)[0]


def _currency(series: SeriesId) -> str:
    unit = series.unit.partition("/")[0]
    return "GBP" if unit == "p" else unit


def _exponent(series: SeriesId) -> int:
    return series.exponent - (2 if series.unit.startswith("p/") else 0)
