"""What a household's budgets, meters and absences come to now: the forecast of each supply, and findings to act on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from appliance import costs, energy, supplies
from appliance.budgets import watching
from appliance.budgets.forecast import WEEKS, Forecast, Known, Projection, forecast, together
from appliance.costs import Cost
from appliance.derive.rollups import QUARTER_MS
from appliance.devices.words import number, plain, quantity_of
from appliance.errors import UserError
from appliance.ingest.meter_places import span_ms
from appliance.kinds.energy import AWAY, BUDGET
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.supplies import Supply
from appliance.supplies.facts import standing
from appliance.tariffs import Usage

HOUR_MS = 3_600_000
_DAY_MS = 86_400_000
_BEFORE_AWAY_MS = 14 * _DAY_MS
_OLD_MS = 30 * _DAY_MS  # an absence that ended so long ago is looked at no more
_LEAK_DAYS, _LONGEST_LEAK_DAYS = 7, 448
_NEWEST_MS = 2 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should look at. `kind`: limit, forecast, silent, away or leak.

    `key` is the same for as long as it is the same thing, so that it is told once. `supply` is "" for all together.
    """

    kind: str
    key: str
    supply: str
    title: str
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """What a person wants to pay in a month at most; `projection` is what the month comes to, None where that is not
    known. `supply` is "" for all together.
    """

    fact: int
    supply: str
    limit: Decimal
    currency: str
    projection: Projection | None


@dataclass(frozen=True, slots=True)
class Watched:
    """The forecast of each supply that has one, each budget, and what was found.

    `told` says why nothing could be found of a supply, and `unseen` names these.
    """

    forecasts: tuple[tuple[Supply, Forecast], ...]
    budgets: tuple[Budget, ...]
    findings: tuple[Finding, ...]
    told: tuple[str, ...]
    unseen: frozenset[str] = frozenset()


def watched(store: Store, zone: tzinfo, now: datetime) -> Watched:
    """All of it as of an instant; days are those of `zone`."""
    today, forecasts, told = now.astimezone(zone).date(), list[tuple[Supply, Forecast]](), list[str]()
    unseen = set[str]()
    coming_in = [each for each in supplies.every(store, zone) if each.direction != "export"]
    findings = list[Finding]()
    for supply in coming_in:
        try:
            if month := _forecast(store, supply, zone, today):
                forecasts.append((supply, month))
            findings += _seen(store, supply, zone, now)
        except UserError as error:
            told += [f"{supply.name}: {problem}" for problem in error.problems]
            unseen.add(supply.name)
    budgets = list(_budgets(store, forecasts, today, zone))
    findings = [*(found for each in budgets if (found := _over(each, today))), *findings]
    return Watched(tuple(forecasts), tuple(budgets), tuple(findings), tuple(told), frozenset(unseen))


# ---- the month ----


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


def _budgets(store: Store, forecasts: Sequence[tuple[Supply, Forecast]], today: date, zone: tzinfo) -> Iterator[Budget]:
    with store.read() as connection:
        stated = standing(connection, BUDGET.name)
    for fact in stated:
        if span_ms(fact.at, zone)[0] > _ms(datetime(today.year, today.month, today.day, tzinfo=zone)):
            continue
        supply = fact.fields.get("supply", "")
        meant = [found for each, found in forecasts if supply in ("", each.supply)]
        priced = [each.amount for each in meant if each.amount and each.currency == fact.unit]
        whole = together(priced) if priced and len(priced) == len(meant) else None
        yield Budget(fact.id, supply, fact.amount or Decimal(0), fact.unit, whole)


def _over(budget: Budget, today: date) -> Finding | None:
    month = budget.projection
    if month is None:
        return None
    what, limit = budget.supply.capitalize() or "Energy", f"{number(budget.limit)} {budget.currency}"
    key = f"{budget.fact}:{plain(budget.limit)}:{today:%Y-%m}"
    if month.so_far > budget.limit:
        text = f"{what} has cost {month.so_far:.2f} {budget.currency} this month; the budget is {limit}."
        return Finding("limit", f"limit:{key}", budget.supply, "The month’s budget is spent", text)
    day = month.passes(budget.limit)
    if day is None:
        return None
    text = (
        f"{what} is likely to cost {month.expected:.2f} {budget.currency} this month ({month.low:.2f} to "
        f"{month.high:.2f}); the budget is {limit}, and is likely to be spent on day {day} of the month."
    )
    return Finding("forecast", f"forecast:{key}", budget.supply, "The month is likely to cost more", text)


# ---- what happens at home ----


def _seen(store: Store, supply: Supply, zone: tzinfo, now: datetime) -> Iterator[Finding]:
    where, now_ms = f"{supply.source}/{supply.role}", _ms(now)
    if quiet := _silent(store, supply, now_ms):
        text = f"{supply.name} was last heard of on {_said(quiet.since, zone)}. Look at its meter, cable and power."
        yield Finding("silent", f"silent:{where}:{quiet.since:%Y-%m-%dT%H:%M}", supply.name, "A meter is silent", text)
    if supply.supply == "water" and (flow := _leak(store, supply, zone, now_ms)):
        litres = f"{number(round(flow.least * 1000, 1))} litres"
        text = (
            f"{supply.name} has not stopped since {_said(flow.since, zone)}, {flow.hours:,} hours ago: {litres} "
            "ran in the quietest of them. Look for a tap, a cistern or a pipe that leaks."
        )
        yield Finding("leak", f"leak:{where}:{flow.since:%Y-%m-%dT%H:%M}", supply.name, "Water may leak", text)
    if supply.supply in ("electricity", "gas", "water"):
        yield from _away(store, supply, zone, now_ms)


def _silent(store: Store, supply: Supply, now_ms: int) -> watching.Silent | None:
    """Whether the series that was heard last is silent."""
    parts = energy.resolved(store, supply.source, supply.role)
    with store.read() as connection:
        ends = [(found[1], part) for part in parts if (found := series_store.extent(connection, part))]
        if not ends:
            return None
        last_ms, part = max(ends, key=lambda each: each[0])
        newest = series_store.read(connection, part, last_ms - _NEWEST_MS, None)
    return watching.silent(newest.at_ms + 1000 * newest.seconds, part.seconds, now_ms)


def _leak(store: Store, supply: Supply, zone: tzinfo, now_ms: int) -> watching.Leak | None:
    """Water that runs: as far back as it did, so that a leak of weeks is still the one that it was."""
    days = _LEAK_DAYS
    while True:
        usage = _usage(store, supply, zone, now_ms - days * _DAY_MS, now_ms)
        flow = watching.leak(usage)
        is_whole = flow is None or _ms(flow.since) >= (usage.first + watching.HOUR) * QUARTER_MS
        if is_whole or days >= _LONGEST_LEAK_DAYS:
            return flow
        days *= 4


def _away(store: Store, supply: Supply, zone: tzinfo, now_ms: int) -> Iterator[Finding]:
    with store.read() as connection:
        stated = standing(connection, AWAY.name)
    for fact in stated:
        left_ms, back_ms = _absence(fact, zone, now_ms)
        if left_ms >= back_ms or back_ms < now_ms - _OLD_MS:
            continue
        usage = _usage(store, supply, zone, left_ms - _BEFORE_AWAY_MS, back_ms)
        found = watching.away(usage, left_ms // QUARTER_MS, back_ms // QUARTER_MS)
        if found:
            used, usual = (quantity_of(round(each, 2), usage.unit) for each in (found.used, found.usual))
            text = (
                f"In {found.hours:,} hours from {_said(found.since, zone)} on more was used than the house uses alone: "
                f"{used} in all while you were away, where {usual} are usual."
            )
            key = f"away:{fact.id}:{supply.source}/{supply.role}"
            yield Finding("away", key, supply.name, f"{supply.name} was used while you were away", text, found.since)


def _absence(fact: Stored, zone: tzinfo, now_ms: int) -> tuple[int, int]:
    """Whole hours in which nobody was at home; of bare days those between them."""
    until = fact.fields.get("until", "")
    left_ms = -(-span_ms(fact.at, zone)[1] // HOUR_MS) * HOUR_MS
    back_ms = min(span_ms(until, zone)[0], now_ms) if until else now_ms
    return left_ms, back_ms // HOUR_MS * HOUR_MS


def _usage(store: Store, supply: Supply, zone: tzinfo, from_ms: int, to_ms: int) -> Usage:
    return supplies.usage(store, supply, from_ms // QUARTER_MS, to_ms // QUARTER_MS, zone).quarters


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _said(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d at %H:%M}"
