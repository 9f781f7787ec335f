"""Energy: what the household's energy costs, by day, month and line of the bill, and what is missing to know it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from flask import Blueprint, render_template, request

from appliance import costs, costs_together
from appliance.costs import Changed, Cost, Day
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.supplies import Supply
from services.dashboard import bars, chosen, spans, supplied
from services.dashboard.spans import Span
from services.dashboard.wording import zone

PRESETS = ("day", "week", "month", "year")
LOOKED_BACK = 30  # days
MOST_CHANGED = 100

pages = Blueprint("energy", __name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A supply among the others: what was used and what that costs by currency, up to which day, whether a tariff is
    missing for some of its days, and how many quarter-hours were not read or have no price.
    """

    key: str
    supply: Supply
    used: Decimal
    totals: dict[str, Decimal]
    until: date
    lacks_tariff: bool
    missing: int
    unpriced: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What a month comes to: its words, what was used and what that costs by currency, and up to which day."""

    title: str
    used: Decimal
    totals: dict[str, Decimal]
    until: date


@pages.get("/energy")
def page() -> str:
    store, known = chosen.store(), supplied.every()
    if not known:
        return render_template("energy/page.html", supply=None, elsewhere=supplied.elsewhere())
    supply = supplied.asked(known)
    read = supplied.read_days(store, supply)
    span = _span(read[1] if read else datetime.now(zone()).date())
    found = supplied.cost(store, supply, span, read)
    return render_template(
        "energy/page.html",
        supply=supply,
        supplies=[(supplied.key(each), each.name) for each in known],
        here_supply=supplied.key(supply),
        months=_months(store, supply, read),
        read=read,
        span=span,
        presets=PRESETS,
        beside={name: span.beside(step, zone()) for name, step in (("earlier", -1), ("later", 1))},
        cost=found,
        days=(shown := _shown(found, span)),
        bars=bars.of(shown, by="month" if span.name == "year" else "day"),
        lacks=_lacks(found),
        assumes_gas=bool(found and supply.supply == "gas" and found.used.assumptions),
        since=_since(),
    )


@pages.get("/energy/all")
def together() -> str:
    """What all supplies cost together, each on its own line."""
    store, known = chosen.store(), supplied.every()
    if not known:
        return render_template("energy/page.html", supply=None, elsewhere=supplied.elsewhere())
    read = [days for each in known if (days := supplied.read_days(store, each))]
    first, last = min((each[0] for each in read), default=None), max((each[1] for each in read), default=None)
    span = _span(last or datetime.now(zone()).date())
    found = costs_together.together(store, known, zone(), span.first_day, span.last_day)
    return render_template(
        "energy/together.html",
        supplies=[(supplied.key(each), each.name) for each in known],
        here_supply=supplied.ALL,
        read=(first, last) if first and last else None,
        span=span,
        presets=PRESETS,
        beside={name: span.beside(step, zone()) for name, step in (("earlier", -1), ("later", 1))},
        found=found,
        rows=[_row(each) for each in found.costs],
        left_out=[(supplied.key(supply), supply.name, why) for supply, why in found.left_out],
        unclear=bool(costs_together.unclear(known)),
    )


@pages.get("/energy/changed")
def changed() -> str:
    """The part of the page that says of which days something else is known now than on another day."""
    store, known = chosen.store(), supplied.every()
    supply = supplied.asked(known) if known else None
    read, since = supplied.read_days(store, supply) if supply else None, _since()
    days: list[Changed] = []
    if supply and read:
        midnight = datetime(since.year, since.month, since.day, tzinfo=zone())
        days = costs.changed(store, supply, zone(), midnight.astimezone(UTC))
    revised = [each for each in days if each.was_known]
    return render_template(
        "energy/changed.html",
        since=since,
        unit=supply.unit if supply else "",
        here_supply=supplied.key(supply) if supply else "",
        revised=revised[-MOST_CHANGED:][::-1],
        more=max(0, len(revised) - MOST_CHANGED),
        added=len(days) - len(revised),
        spent=_added(revised),
    )


def _since() -> date:
    """The day from whose beginning on revisions are told, by today."""
    today = datetime.now(zone()).date()
    said = request.args.get("since", "")
    return min(spans.day_of(said), today) if said else today - timedelta(days=LOOKED_BACK)


def _span(newest: date) -> Span:
    name, at = request.args.get("span") or "month", request.args.get("at", "")
    if name not in PRESETS:
        raise UserError(f"“{name[:20]}” is not a span here; there are {', '.join(PRESETS)}")
    return spans.preset(name, spans.day_of(at) if at else newest, zone())


def _row(cost: Cost) -> Row:
    """A supply's line among the others."""
    days = cost.days
    return Row(
        supplied.key(cost.supply),
        cost.supply,
        sum((each.used for each in days), Decimal(0)),
        cost.totals,
        days[-1].day,
        any(each.amount is None for each in days),
        sum(each.missing for each in days),
        sum(each.unpriced for each in days),
    )


def _months(store: Store, supply: Supply, read: tuple[date, date] | None) -> list[Sum]:
    """This month so far and the last one, as far as they were read."""
    this = spans.preset("month", datetime.now(zone()).date(), zone())
    before = spans.preset("month", this.first_day - spans.ONE_DAY, zone())
    both = supplied.cost(store, supply, spans.days(before.first_day, this.last_day, zone()), read)
    days = both.days if both else []
    by_month = (
        (title, [each for each in days if span.first_day <= each.day <= span.last_day])
        for title, span in (("This month so far", this), (before.title, before))
    )
    return [_sum(title, own) for title, own in by_month if own]


def _sum(title: str, days: list[Day]) -> Sum:
    totals: dict[str, Decimal] = {}
    for each in days:
        if each.amount is not None:
            totals[each.currency] = totals.get(each.currency, Decimal(0)) + each.amount
    return Sum(title, sum((each.used for each in days), Decimal(0)), totals, days[-1].day)


def _shown(found: Cost | None, span: Span) -> list[Day]:
    """The rows of the table: months of a year, else days."""
    if found is None:
        return []
    return found.months if span.name == "year" else found.days


def _lacks(found: Cost | None) -> str:
    """What is missing to know the cost: "agreement", "tariff" or "prices"; "" where nothing is."""
    if found is None:
        return ""
    unknown = [part.term for part in found.parts if part.term.tariff is None]
    if unknown:
        return "tariff" if any(term.agreement for term in unknown) else "agreement"
    return "prices" if any(part.costs and len(part.costs.marks.no_price) for part in found.parts) else ""


def _added(days: list[Changed]) -> dict[str, Decimal]:
    """Currency -> by how much more all of them cost now."""
    found: dict[str, Decimal] = {}
    for each in days:
        if each.before is not None and each.after is not None:
            found[each.currency] = found.get(each.currency, Decimal(0)) + each.after - each.before
    return found
