"""What a household's budgets, meters and absences come to now: the forecast of each supply, and findings to act on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from appliance import energy, supplies
from appliance.budgets import watching
from appliance.budgets.month import Budget, Month, month
from appliance.derive.rollups import QUARTER_MS
from appliance.devices.words import number, plain, quantity_of
from appliance.errors import UserError
from appliance.ingest.meter_places import span_ms
from appliance.kinds.energy import AWAY
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.supplies import Supply
from appliance.supplies.facts import standing
from appliance.tariffs import Usage

HOUR_MS = 3_600_000
_IN_DAYS_HOURS = 72
_DAY_MS = 86_400_000
_BEFORE_AWAY_MS = 14 * _DAY_MS
_OLD_MS = 30 * _DAY_MS  # an absence that ended so long ago is looked at no more
_LEAK_DAYS, _LONGEST_LEAK_DAYS = 7, 448
_NEWEST_MS = 2 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that somebody should look at. `kind`: limit, forecast, silent, away or leak.

    `key` is the same for as long as it is the same thing, so that it is told once. `supply` is the name of one, or of a
    budget the kind, "" for all together.
    """

    kind: str
    key: str
    supply: str
    title: str
    text: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """This month, and what was found. `told` says why nothing could be found of a supply, and `unseen` names these."""

    month: Month
    findings: tuple[Finding, ...]
    told: tuple[str, ...]
    unseen: frozenset[str]


def watched(store: Store, zone: tzinfo, now: datetime) -> Watched:
    """All of it as of an instant; days are those of `zone`."""
    this, today = month(store, zone, now), now.astimezone(zone).date()
    findings = [found for each in this.budgets if (found := _over(each, today))]
    told, unseen = list(this.told), set(this.unseen)
    for supply in this.supplies:
        if supply.name in unseen:
            continue
        try:
            findings += _seen(store, supply, zone, now)
        except UserError as error:
            told += [f"{supply.name}: {problem}" for problem in error.problems]
            unseen.add(supply.name)
    return Watched(this, tuple(findings), tuple(told), frozenset(unseen))


def _over(budget: Budget, today: date) -> Finding | None:
    whole = budget.projection
    if whole is None:
        return None
    what, limit = budget.supply.capitalize() or "Energy", _limit(budget)
    key = f"{budget.fact}:{plain(budget.limit)}:{today:%Y-%m}"
    if whole.so_far > budget.limit:
        verb = "has cost" if budget.is_money else "has come to"
        text = f"{what} {verb} {_amount(whole.so_far, budget)} this month; the budget is {limit}."
        return Finding("limit", f"limit:{key}", budget.supply, "The month’s budget is spent", text)
    day = whole.passes(budget.limit)
    if day is None:
        return None
    verb = "cost" if budget.is_money else "come to"
    low, high = (_amount(each, budget) for each in (whole.low, whole.high))
    text = (
        f"{what} is likely to {verb} {_amount(whole.expected, budget)} this month ({low} to {high}); the budget is "
        f"{limit}, and is likely to be spent on day {day} of the month."
    )
    return Finding("forecast", f"forecast:{key}", budget.supply, "The month is likely to cost more", text)


def _limit(budget: Budget) -> str:
    return f"{number(budget.limit)} {budget.unit}" if budget.is_money else quantity_of(budget.limit, budget.unit)


def _amount(value: Decimal, budget: Budget) -> str:
    return f"{value:.2f} {budget.unit}" if budget.is_money else quantity_of(round(value, 1), budget.unit)


# ---- what happens at home ----


def _seen(store: Store, supply: Supply, zone: tzinfo, now: datetime) -> Iterator[Finding]:
    where, now_ms = f"{supply.source}/{supply.role}", _ms(now)
    if quiet := _silent(store, supply, now_ms):
        text = f"{supply.name} was last heard of on {_said(quiet.since, zone)}. Look at its meter, cable and power."
        key = f"silent:{where}:{quiet.since:%Y-%m-%dT%H:%M}"
        yield Finding("silent", key, supply.name, "A meter is silent", text, quiet.since)
    if supply.supply == "water" and (flow := _leak(store, supply, zone, now_ms)):
        litres = f"{number(round(flow.least * 1000, 1))} litres"
        text = (
            f"{supply.name} has not stopped since {_said(flow.since, zone)}, {_ago(flow.hours)} ago: {litres} "
            "ran in the quietest hour. Look for a tap, a cistern or a pipe that leaks."
        )
        begun = "long" if flow.hours >= _LONGEST_LEAK_DAYS * 24 - 1 else f"{flow.since:%Y-%m-%dT%H:%M}"
        key = f"leak:{where}:{begun}"
        yield Finding("leak", key, supply.name, "Water may leak", text, flow.since)
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


def _ago(hours: int) -> str:
    return f"{hours} hours" if hours < _IN_DAYS_HOURS else f"{hours // 24} days"


def _said(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d at %H:%M}"
