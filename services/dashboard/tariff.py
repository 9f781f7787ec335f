"""My tariff: which supply it is for, what was agreed, the tariffs that are known, and their prices from a day on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import supplies, tariffs
from appliance.content import InMemory
from appliance.errors import UserError
from appliance.ingest import importing, stating
from appliance.ingest.supply_facts import AGREEMENT, SUPPLY, TARIFF
from appliance.kinds import FieldsError
from appliance.store import records
from appliance.store.imports import Report
from appliance.supplies import Agreement, KnownTariff, Supply
from appliance.tariffs import Tariff
from services.dashboard import chosen, fields, supplied, tariff_forms, tariff_prices
from services.dashboard.fields import Input
from services.dashboard.tariff_prices import Price
from services.dashboard.tariff_reading import MARKED, Reading
from services.dashboard.tariff_shapes import SHAPES
from services.dashboard.wording import zone

FORMAT = "tariff_file"
NO_FILE = "Choose a file first: nothing came with the form."
MIXED = "A tariff of that supplier is called so already: change its price instead, or give this one another name."

pages = Blueprint("tariff", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A tariff of the list: its prices today, all that it ever stated, and whether a person may change them here."""

    known: KnownTariff
    prices: Sequence[Price]
    history: Sequence[Price]
    may_change: bool


@pages.get("/tariff")
def page() -> str:
    return _page([])


def _page(problems: Sequence[str], **more: Any) -> str:
    store, known = chosen.store(), supplied.every()
    if not known:
        return render_template("tariff/page.html", supply=None, elsewhere=supplied.elsewhere(), problems=problems)
    supply, today = supplied.asked(known), _today()
    with store.read() as connection:
        agreed = supplies.agreements(connection, supply, zone())
        there = [each for each in supplies.tariffs(connection) if each.is_for(supply)]
        stated = {each.fact for each in there if _is_stated(connection, each.fact)}
    shown = [_shown(each, today, may_change=each.fact in stated) for each in there]
    current = _current(agreed)
    return render_template(
        "tariff/page.html",
        supply=supply,
        supplies=[(supplied.key(each), each.name) for each in known],
        here_supply=supplied.key(supply),
        current=current,
        mine=next((each for each in shown if current and _is_named(each.known, current)), None),
        agreed=agreed[::-1],
        tariffs=shown,
        shapes=SHAPES,
        problems=problems,
        **{"supply_inputs": _supply_inputs(supply, {}, {}), **more},
    )


def _shown(known: KnownTariff, today: date, *, may_change: bool) -> Shown:
    if known.tariff is None:
        return Shown(known, (), (), may_change=False)
    return Shown(known, tariff_prices.on(known.tariff, today), tariff_prices.every(known.tariff), may_change)


def _is_stated(connection: Any, fact: int) -> bool:
    """Whether a tariff is a fact of its own, and not put together of the rates that a supplier publishes."""
    found = records.one(connection, fact)
    return found is not None and found.kind == TARIFF


def _current(agreed: Sequence[Agreement]) -> Agreement | None:
    """What is in force today: of several what began last."""
    now_ms = int(datetime.now(zone()).timestamp() * 1000)
    holding = [
        each
        for each in agreed
        if (each.first_ms is None or each.first_ms <= now_ms) and (each.end_ms is None or now_ms < each.end_ms)
    ]
    return holding[-1] if holding else None


def _is_named(known: KnownTariff, agreement: Agreement) -> bool:
    return agreement.tariff.casefold() in (known.code.casefold(), known.name.casefold())


def _today() -> date:
    return datetime.now(zone()).date()


def _back() -> Response:
    return redirect(url_for("tariff.page", supply=request.form.get("supply", ""), **chosen.link()), 303)


def _supply() -> Supply:
    known = supplied.every()
    return supplied.asked(known) if known else abort(404, "There is no supply here yet. Import its readings first.")


# ---- a supply ----


@pages.post("/tariff/supply")
def keep_supply() -> Response | tuple[str, int]:
    """Declares a supply that its series suggest, by a name and the number of its meter point."""
    supply, posted = _supply(), fields.posted()
    said = {
        "title": posted.get("title", ""),
        "supply": supply.supply,
        "direction": supply.direction,
        "source": supply.source,
        "role": supply.role,
        "point": posted.get("point", ""),
    }
    try:
        made = stating.add(chosen.store(), SUPPLY, said, g.person.name, zone=zone())
    except UserError as error:
        wrong = error.of if isinstance(error, FieldsError) else {}
        return _page(list(error.problems), supply_inputs=_supply_inputs(supply, posted, wrong)), 422
    return redirect(url_for("tariff.page", supply=made.id, **chosen.link()), 303)


def _supply_inputs(supply: Supply, said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    found = [
        Input("title", "What you call it", "text", supply.name, required=True),
        Input("point", "Meter point’s number", "text", "", help="On the bill: MPAN, MPRN, EAN or NMI. It may wait."),
    ]
    return tariff_forms.filled(found, said, wrong)


# ---- a tariff ----


@pages.get("/tariff/add/<shape>")
def form(shape: str) -> str:
    return _form(shape, {}, {})


@pages.post("/tariff/add/<shape>")
def add(shape: str) -> Response | tuple[str, int]:
    """Keeps a tariff, and what was agreed about it where the person is on it."""
    supply, posted = _supply(), fields.posted()
    reading = Reading(posted, g.household.currency, supply.supply)
    if shape not in SHAPES:
        abort(404, "There is no such form. Choose one of those on the page My tariff.")
    made = tariff_forms.tariff(shape, supply, zone().key, reading)
    is_mine = posted.get("mine") == "yes"
    agreed = tariff_forms.agreed(supply, *_named(posted), reading) if is_mine else {}
    if made is not None and _is_there(made.supplier, made.name, supply):
        reading.wrong["name"] = MIXED
    if made is None or reading.wrong:
        return _form(shape, posted, reading.wrong, [MARKED]), 422
    try:
        _keep(made, supply, agreed)
    except UserError as error:
        return _form(shape, posted, {}, error.problems), 422
    return _back()


def _keep(made: Tariff, supply: Supply, agreed: Mapping[str, str]) -> None:
    said = {
        "title": made.name,
        "party": made.supplier,
        "supply": supply.supply,
        "direction": supply.direction,
        "definition": tariffs.write(made),
    }
    store, who = chosen.store(), g.person.name
    stating.add(store, TARIFF, {name: value for name, value in said.items() if value}, who, zone=zone())
    if agreed:
        stating.add(store, AGREEMENT, agreed, who, zone=zone())


def _named(posted: Mapping[str, str]) -> tuple[str, str]:
    return " ".join(posted.get("supplier", "").split()), " ".join(posted.get("name", "").split())


def _is_there(supplier: str, name: str, supply: Supply) -> bool:
    with chosen.store().read() as connection:
        known = [each for each in supplies.tariffs(connection) if each.is_for(supply)]
    wanted = supplier.casefold(), name.casefold()
    return any(wanted == (each.supplier.casefold(), each.name.casefold()) for each in known)


def _form(shape: str, said: Mapping[str, str], wrong: Mapping[str, str], problems: Sequence[str] = ()) -> str:
    supply, currency = _supply(), g.household.currency
    if shape not in SHAPES:
        abort(404, "There is no such form. Choose one of those on the page My tariff.")
    with chosen.store().read() as connection:
        indexes = supplies.indexes(connection)
    return render_template(
        "tariff/form.html",
        supply=supply,
        here_supply=supplied.key(supply),
        shape=shape,
        title=SHAPES[shape][0],
        indexes=indexes,
        inputs=tariff_forms.inputs(shape, supply, currency, indexes, said, wrong),
        more_prices=tariff_forms.more_prices(shape, supply, currency, said, wrong),
        extra_inputs=(extras := tariff_forms.extra_inputs(supply, currency, said, wrong)),
        has_extras=any(each.value or each.problem for each in extras),
        agreed_inputs=tariff_forms.agreed_inputs(currency, said, wrong),
        is_mine=said.get("mine", "yes" if not said else "") == "yes",
        problems=[*problems, *filter(None, [wrong.get("")])],
    )


@pages.post("/tariff/file")
def upload() -> Response | tuple[str, int]:
    """Imports a file of tariffs, of our own form."""
    file = next((each for each in request.files.getlist("file") if each.filename), None)
    if file is None:
        return _page([NO_FILE]), 422
    content = InMemory(file.filename or "", file.stream.read())
    try:
        report = importing.import_content(chosen.store(), content, format=FORMAT, zone=g.household.zone)
    except UserError as error:
        return _page(error.problems), 422
    return (_page(_rejected(report)), 422) if report.rejected else _back()


def _rejected(report: Report) -> list[str]:
    """Each tariff that could not be read, with why."""
    return [f"{each.place or f'line {each.line}'}: {each.reason}" for each in report.rejects]


# ---- what was agreed ----


@pages.get("/tariff/<int:fact>/mine")
def agreement(fact: int) -> str:
    return _agreement(fact, {"begins": _today().isoformat()}, {})


@pages.post("/tariff/<int:fact>/mine")
def agree(fact: int) -> Response | tuple[str, int]:
    """Keeps that the person is on a tariff that is known."""
    supply, known, posted = _supply(), _known(fact), fields.posted()
    reading = Reading(posted, g.household.currency)
    said = tariff_forms.agreed(supply, known.supplier, known.code or known.name, reading)
    try:
        reading.refuse()
        stating.add(chosen.store(), AGREEMENT, said, g.person.name, zone=zone())
    except UserError as error:
        return _agreement(fact, posted, reading.wrong, error.problems), 422
    return _back()


def _agreement(fact: int, said: Mapping[str, str], wrong: Mapping[str, str], problems: Sequence[str] = ()) -> str:
    supply = _supply()
    return render_template(
        "tariff/mine.html",
        known=_known(fact),
        supply=supply,
        here_supply=supplied.key(supply),
        inputs=tariff_forms.agreed_inputs(g.household.currency, said, wrong),
        problems=problems,
    )


def _known(fact: int) -> KnownTariff:
    with chosen.store().read() as connection:
        found = [each for each in supplies.tariffs(connection) if each.fact == fact]
    return found[0] if found else abort(404, "There is no such tariff here. It may have been withdrawn.")


# ---- other prices ----


@pages.get("/tariff/<int:fact>/prices")
def prices(fact: int) -> str:
    return _prices(fact, _from_day(request.args.get("from", "")), {}, {})


@pages.post("/tariff/<int:fact>/prices")
def change(fact: int) -> Response | tuple[str, int]:
    """Another version of a tariff, whose prices are others from a day on."""
    known, posted = _known(fact), fields.posted()
    reading = Reading(posted, known.needed().currency)
    day = reading.day("from", needed=True)
    values: dict[str, Decimal] = {}
    if day:
        for price in tariff_prices.on(known.needed(), date.fromisoformat(day)):
            if said := reading.number(price.field, needed=True):
                values[price.field] = Decimal(said)
    try:
        reading.refuse()
        changed = tariff_prices.changed(known.needed(), date.fromisoformat(day), values)
        why = f"other prices from {day}"
        stating.correct(chosen.store(), fact, {"definition": tariffs.write(changed)}, g.person.name, why, zone())
    except UserError as error:
        return _prices(fact, _from_day(day), posted, reading.wrong, error.problems), 422
    return _back()


def _from_day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return _today()


def _prices(
    fact: int, day: date, said: Mapping[str, str], wrong: Mapping[str, str], problems: Sequence[str] = ()
) -> str:
    known, supply = _known(fact), _supply()
    tariff = known.needed()
    currency = tariff.currency
    there = [
        Input(each.field, _price_title(each, currency), "text", format(each.value, "f"), required=True)
        for each in tariff_prices.on(tariff, day)
    ]
    from_day = [replace(Input("from", "From", "date", day.isoformat(), required=True), help=FROM_HELP)]
    return render_template(
        "tariff/prices.html",
        known=known,
        supply=supply,
        here_supply=supplied.key(supply),
        from_day=tariff_forms.filled(from_day, said, wrong),
        inputs=tariff_forms.filled(there, said, wrong),
        problems=problems,
    )


FROM_HELP = "Days before keep the price they had. To put a price right, name the day on which it began."


def _price_title(price: Price, currency: str) -> str:
    if price.per == "%":
        return f"{price.title} (%)"
    return f"{price.title} ({currency} a {price.per.replace('m3', 'm³')})" if price.per else price.title
