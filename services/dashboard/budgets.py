"""Budget: what the month will come to, what it may come to at most, and the days on which nobody is at home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from flask import Blueprint, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance import budgets
from appliance.budgets import Budget, Forecast, Month
from appliance.devices.words import quantity_of
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.ingest.supply_facts import unit_of
from appliance.kinds import FieldsError
from appliance.kinds.energy import AWAY, BUDGET
from appliance.store.records import Stored
from appliance.supplies.facts import standing
from services.dashboard import chosen, facts, fields, supplied, tariff_forms
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import Reading
from services.dashboard.wording import cost, local_date, zone

ALL = "all together"
NAMES = ("electricity", "gas", "heat", "water", ALL)
UNITS = "kWh, or m³ of water"
AWAYS = 10
FULL = 1000  # how wide a budget's bar is
ENDED = "it was ended on the page Budget"
TAKEN_OUT = "it was taken out on the page Budget"

pages = Blueprint("budgets", __name__)


@dataclass(frozen=True, slots=True)
class Held:
    """A budget as the page draws it. `state`: spent, over, close, within or unknown; `day` is when it is likely to be
    spent. The bar's places are out of FULL.
    """

    budget: Budget
    state: str
    day: date | None = None
    so_far: float = 0
    low: float = 0
    high: float = 0
    limit: float = 0

    @property
    def most(self) -> str:
        """The limit in words, as in € 60.00 or 2,500 kWh."""
        budget = self.budget
        return cost(budget.limit, budget.unit) if budget.is_money else quantity_of(budget.limit, budget.unit)


@dataclass(frozen=True, slots=True)
class Part:
    """What the page says of one supply, or of all together: the forecast of each series, and its budgets."""

    name: str
    forecasts: Sequence[tuple[str, Forecast]]
    budgets: Sequence[Held]


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which nobody is at home, as they were said; `state`: coming, now or over."""

    fact: int
    left: str
    back: str
    state: str


@pages.get("/budgets")
def page() -> str:
    return _page()


@pages.post("/budgets")
def keep() -> Response | tuple[str, int]:
    """Sets a budget from this month on; of a supply that has one in the same unit, another limit."""
    posted = fields.posted()
    reading = Reading(posted, g.household.currency)
    amount, name = reading.number("amount", needed=True), posted.get("supply", "")
    if name not in NAMES:
        reading.wrong["supply"] = "is needed; choose one"
    if posted.get("unit") not in (g.household.currency, UNITS):
        reading.wrong["unit"] = "is needed; choose one"
    supply = "" if name == ALL else name
    unit = unit_of(supply) if posted.get("unit") == UNITS else g.household.currency
    try:
        reading.refuse()
        _keep(supply, amount, unit)
    except UserError as error:
        wrong = error.of if isinstance(error, FieldsError) else {}
        return _page(error.problems, said=posted, wrong=wrong), 422
    return _back()


def _keep(supply: str, amount: str, unit: str) -> None:
    store, who, today = chosen.store(), g.person.name, _today()
    now = datetime.now(UTC)
    held = [each for each in budgets.month(store, zone(), now).budgets if (each.supply, each.unit) == (supply, unit)]
    if held and held[0].limit == Decimal(amount):
        return
    if held:
        stating.correct(store, held[0].fact, {"amount": amount}, who, zone=zone())
        return
    said = {"at": today.replace(day=1).isoformat(), "amount": amount, "unit": unit, "supply": supply}
    stating.add(store, BUDGET.name, said, who, zone=zone())


@pages.post("/budgets/<int:fact>")
def change(fact: int) -> Response | tuple[str, int]:
    """Another limit of a budget."""
    held, posted = _fact(fact, BUDGET.name), fields.posted()
    reading = Reading(posted, held.unit)
    amount = reading.number("amount", needed=True)
    try:
        if reading.wrong:
            raise UserError(f"“{posted.get('amount', '')[:20]}” {reading.wrong['amount']}")
        if Decimal(amount) != held.amount:
            stating.correct(chosen.store(), fact, {"amount": amount}, g.person.name, zone=zone())
    except UserError as error:
        return _page(error.problems), 422
    return _back()


@pages.post("/budgets/<int:fact>/end")
def end(fact: int) -> Response:
    stating.withdraw(chosen.store(), _fact(fact, BUDGET.name).id, g.person.name, ENDED)
    return _back()


# ---- days away ----


@pages.post("/budgets/away")
def leave() -> Response | tuple[str, int]:
    """Days on which nobody is at home."""
    posted = fields.posted()
    reading = Reading(posted, "")
    left, back = reading.day("left", needed=True), reading.day("back")
    if left and back and back < left:
        reading.wrong["back"] = "lies before the day on which you leave"
    try:
        reading.refuse()
        said = {"at": left, **({"until": back} if back else {})}
        stating.add(chosen.store(), AWAY.name, said, g.person.name, zone=zone())
    except UserError as error:
        return _page(error.problems, said=posted, wrong=reading.wrong), 422
    return _back("away")


@pages.post("/budgets/away/<int:fact>/back")
def come_back(fact: int) -> Response | tuple[str, int]:
    """Says that somebody is at home again since today."""
    try:
        stating.correct(
            chosen.store(), _fact(fact, AWAY.name).id, {"until": _today().isoformat()}, g.person.name, zone=zone()
        )
    except UserError as error:
        return _page(error.problems), 422
    return _back("away")


@pages.post("/budgets/away/<int:fact>/remove")
def remove(fact: int) -> Response:
    stating.withdraw(chosen.store(), _fact(fact, AWAY.name).id, g.person.name, TAKEN_OUT)
    return _back("away")


def _fact(fact: int, kind: str) -> Stored:
    """A fact of that kind, and of no other: these forms change nothing else."""
    return facts.existing(
        fact, "There is no such budget or absence here. It may have been ended; load the page again.", kind
    )


def _back(part: str = "") -> Response:
    return redirect(url_for("budgets.page", _anchor=part or None, **chosen.link()), 303)


def _today() -> date:
    return datetime.now(zone()).date()


# ---- what the page shows ----


def _page(
    problems: Sequence[str] = (), *, said: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None
) -> str:
    store, today = chosen.store(), _today()
    found = budgets.month(store, zone(), datetime.now(UTC))
    with store.read() as connection:
        aways = standing(connection, AWAY.name)
    known = supplied.every()
    return render_template(
        "budgets/page.html",
        supply=known[0] if known else None,
        here_supply=supplied.key(known[0]) if known else None,
        elsewhere="" if known else supplied.elsewhere(),
        parts=_parts(found, today),
        told=found.told,
        month=today.strftime("%B"),
        days_left=(_next_month(today) - today).days,
        yesterday=today - timedelta(days=1) if today.day > 1 else None,
        inputs=_inputs(said or {}, wrong or {}),
        away_inputs=_away_inputs(said or {}, wrong or {}),
        aways=[_absence(each, today) for each in aways[::-1][:AWAYS]],
        method=budgets.METHOD,
        problems=problems,
    )


def _parts(found: Month, today: date) -> list[Part]:
    """The supplies that there are, in an order that stays, and then all of them together where that has a budget."""
    others = {each.supply for each in found.budgets} - {"", *NAMES}
    parts = []
    for name in (*NAMES[:-1], *sorted(others), ALL):
        supply = "" if name == ALL else name
        forecasts = [(each.name, month) for each, month in found.forecasts if each.supply == name]
        held = [_held(each, today) for each in found.budgets if each.supply == supply]
        is_there = any(each.supply == name for each in found.supplies)
        if forecasts or held or is_there:
            parts.append(Part(name, forecasts, held))
    return parts


def _held(budget: Budget, today: date) -> Held:
    whole, limit = budget.projection, budget.limit
    if whole is None:
        return Held(budget, "unknown")
    day = whole.passes(limit)
    if whole.so_far > limit:
        state = "spent"
    elif day is not None:
        state = "over"
    else:
        state = "close" if whole.high > limit else "within"
    ends = (whole.so_far, whole.low, whole.high, limit)
    widest = max(ends)
    places = [round(FULL * max(0.0, float(each / widest)), 1) for each in ends]
    return Held(budget, state, today.replace(day=day) if day else None, *places)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _absence(fact: Stored, today: date) -> Absence:
    left, back = local_date(fact.at), local_date(fact.fields.get("until", ""))
    state = "over" if back and back <= today else "coming" if left and left > today else "now"
    return Absence(fact.id, fact.at, fact.fields.get("until", ""), state)


def _inputs(said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    currency = g.household.currency
    found = [
        Input("supply", "What for", "choice", ALL, NAMES, required=True),
        Input("amount", "A month at most", "decimal", "", required=True, help="In figures, such as 80."),
        Input("unit", "Counted in", "choice", currency, (currency, UNITS), required=True),
    ]  # fmt: skip
    return tariff_forms.filled(found, said, wrong)


def _away_inputs(said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    found = [
        Input("left", "You leave on", "date", "", required=True),
        Input("back", "You are back on", "date", "", help="Nothing while you do not know yet."),
    ]  # fmt: skip
    return tariff_forms.filled(found, said, wrong)
