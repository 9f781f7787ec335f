"""Which supply of a store an energy page speaks of, and what is known of it."""

from collections.abc import Sequence
from datetime import date, datetime

from flask import abort, g, request

from appliance import costs, supplies
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.store.database import HOME, Store
from appliance.supplies import Supply
from services.dashboard import chosen
from services.dashboard.box import box
from services.dashboard.spans import Span
from services.dashboard.wording import zone

ALL = "all"  # stands for all supplies where one is chosen
FIRST_CHOICE = (("electricity", "import"), ("gas", ""))


def every() -> list[Supply]:
    """The supplies of the store that the page speaks of, in an order that stays: what most homes have comes first."""
    found: dict[str, list[Supply]] = g.setdefault("supplies", {})
    if chosen.name() not in found:
        found[chosen.name()] = sorted(supplies.every(chosen.store(), zone()), key=_order)
    return found[chosen.name()]


def _order(supply: Supply) -> int:
    kind = supply.supply, supply.direction
    return FIRST_CHOICE.index(kind) if kind in FIRST_CHOICE else len(FIRST_CHOICE)


def key(supply: Supply) -> str:
    """What names it in an address: its fact, or the series that suggests it."""
    return f"{supply.role}@{supply.source}" if supply.fact is None else str(supply.fact)


def asked(known: Sequence[Supply]) -> Supply:
    """The supply that a request names, the first one where it names none."""
    said = request.values.get("supply", "")
    if not said and known:
        return known[0]
    found = [each for each in known if said == key(each)]
    return found[0] if found else abort(404, "There is no such supply here. Load the page again.")


def read_days(store: Store, supply: Supply) -> tuple[date, date] | None:
    """The first and the last local day of which a supply's meter told, by today; None where it told nothing."""
    try:
        first, end = supplies.extent(store, supply)
    except UserError:
        return None
    today = datetime.now(zone()).date()
    return costs.day_of(first, zone()), min(costs.day_of(end - 1, zone()), today)


def cost(store: Store, supply: Supply, span: Span, read: tuple[date, date] | None) -> Cost | None:
    """What a supply costs of as much of a span as its meter told of; None where it told nothing of it."""
    if read is None:
        return None
    first, last = max(span.first_day, read[0]), min(span.last_day, read[1])
    return costs.cost(store, supply, zone(), first, last) if first <= last else None


def measured() -> Store:
    """The store whose readings a page reckons with: the chosen one, or the other one where only that has supplies."""
    other = {"home": box().stores.home, "mine": box().stores.unless_shut(chosen.own())}
    return chosen.store() if every() else other.get(elsewhere()) or chosen.store()


def elsewhere() -> str:
    """The other store of this person that has supplies, where this one has none: "home", "mine" or ""."""
    store = box().stores.unless_shut(chosen.own()) if chosen.name() == HOME else box().stores.home
    if store is None or not supplies.every(store, zone()):
        return ""
    return "home" if store.name == HOME else "mine"
