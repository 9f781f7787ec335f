"""The part of Energy that says what each appliance on a plug and each register of the meter costs."""

from flask import Blueprint, render_template, request

from appliance import costs_apart
from services.dashboard import chosen, spans, supplied
from services.dashboard.bars import widths
from services.dashboard.wording import zone

pages = Blueprint("apart", __name__)


@pages.get("/energy/apart")
def part() -> str:
    """Of the days of a span that the meter told of; nothing where nothing is measured by itself."""
    store, known = chosen.store(), supplied.every()
    supply = supplied.asked(known) if known else None
    span = spans.preset(request.args.get("span", "month"), spans.day_of(request.args.get("at", "")), zone())
    cost = supplied.cost(store, supply, span, supplied.read_days(store, supply)) if supply else None
    if cost is None:
        return ""
    registers = costs_apart.by_role(store, cost, zone())
    kinds = (
        ("appliance", costs_apart.by_appliance(store, cost, zone())),
        ("register", registers if len(registers) > 2 else []),
    )
    groups = [(name, shares, widths(each.used for each in shares)) for name, shares in kinds if shares]
    return render_template("energy/apart.html", supply=supply, span=span, groups=groups) if groups else ""
