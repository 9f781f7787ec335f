"""What this month will come to, by supply, and what a person wants it to come to at most."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from appliance import costs, costs_together, supplies
from appliance.budgets.forecast import WEEKS, Forecast, Known, Projection, forecast, together
from appliance.costs import Cost
from appliance.costs_together import SEVERAL
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms, span_ms
from appliance.ingest.supply_facts import UNITS
from appliance.kinds.energy import BUDGET
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.supplies import Supply
from appliance.supplies.facts import standing

Forecasts = Sequence[tuple[Supply, Forecast]]


@dataclass(frozen=True, slots=True)
class Budget:
    """What a month may come to at most: `limit` in a currency, or in the `unit` of a supply (kWh, m3).

    `supply` is electricity, gas, heat or water, "" for all together. `projection` is what the month comes to, None
    where that is not known: `lacking` names the supplies of which it is not, where others are, and `is_unclear` says
    that several meters count the same and nobody said which of them are supplies.
    """

    fact: int
    supply: str
    limit: Decimal
    unit: str
    projection: Projection | None
    lacking: tuple[str, ...] = ()
    is_unclear: bool = False

    @property
    def is_money(self) -> bool:
        return self.unit not in UNITS


@dataclass(frozen=True, slots=True)
class Month:
    """The forecast of each supply that has one, and each budget that holds.

    `told` says why there can be none of a supply, and `unseen` names these.
    """

    supplies: tuple[Supply, ...]
    forecasts: tuple[tuple[Supply, Forecast], ...]
    budgets: tuple[Budget, ...]
    told: tuple[str, ...]
    unseen: frozenset[str]


def month(store: Store, zone: tzinfo, now: datetime) -> Month:
    """The month of an instant; days are those of `zone`."""
    today, forecasts, told = now.astimezone(zone).date(), list[tuple[Supply, Forecast]](), list[str]()
    coming_in = tuple(each for each in supplies.every(store, zone) if each.direction != "export")
    unseen = set[str]()
    for supply in coming_in:
        try:
            if found := _forecast(store, supply, zone, today):
                forecasts.append((supply, found))
        except UserError as error:
            told += [f"{supply.name}: {problem}" for problem in error.problems]
            unseen.add(supply.name)
    unclear = costs_together.unclear(coming_in)
    budgets = tuple(_budget(each, forecasts, unclear) for each in _holding(store, today, zone))
    return Month(coming_in, tuple(forecasts), budgets, tuple(told), frozenset(unseen))


def _forecast(store: Store, supply: Supply, zone: tzinfo, today: date) -> Forecast | None:
    first = min(today.replace(day=1), today - timedelta(days=7 * WEEKS))
    found = costs.cost(store, supply, zone, first, today)
    currency = next(iter(found.totals)) if len(found.totals) == 1 else ""
    return forecast(_whole_days(found), today, supply.unit, currency)


def _whole_days(found: Cost) -> list[Known]:
    """The days of which every quarter-hour was measured; what has no price has no amount."""
    days: dict[date, list[costs.Day]] = {}
    for each in found.days:
        days.setdefault(each.day, []).append(each)
    known = []
    for day, parts in days.items():
        if any(part.missing for part in parts):
            continue
        amounts = [None if part.unpriced else part.amount for part in parts]
        paid = [each for each in amounts if each is not None]
        whole = sum(paid, Decimal(0)) if len(paid) == len(amounts) else None
        known.append(Known(day, sum((part.used for part in parts), Decimal(0)), whole))
    return known


def _holding(store: Store, today: date, zone: tzinfo) -> Iterator[Stored]:
    """The budgets of today: of several of one supply in one unit, that which began last."""
    midnight_ms, _ = day_ms(today, zone)
    with store.read() as connection:
        stated = standing(connection, BUDGET.name)
    begun = [each for each in stated if span_ms(each.at, zone)[0] <= midnight_ms]
    yield from {(each.fields.get("supply", ""), each.unit): each for each in begun}.values()


def _budget(fact: Stored, forecasts: Forecasts, unclear: Mapping[Supply, str]) -> Budget:
    supply, limit = fact.fields.get("supply", ""), fact.amount or Decimal(0)
    is_unclear = any(why == SEVERAL and supply in ("", each.supply) for each, why in unclear.items())
    known, lacking = list[Projection](), list[str]()
    for each, found in forecasts:
        if each in unclear or supply not in ("", each.supply):
            continue
        amount = found.used if fact.unit == found.unit else found.amount if fact.unit == found.currency else None
        if amount is None:
            lacking.append(each.name)
        else:
            known.append(amount)
    whole = together(known) if known and not lacking and not is_unclear else None
    return Budget(fact.id, supply, limit, fact.unit, whole, tuple(lacking), is_unclear)
