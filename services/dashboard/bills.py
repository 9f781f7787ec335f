"""Bills: what suppliers ask beside what we reckon, why they differ, and what to do; typed and corrected here."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import billing
from appliance.billing import Check, EnergyBill, Unchecked
from appliance.errors import UserError
from appliance.ingest import stating
from appliance.kinds import FieldsError
from appliance.kinds.energy import BILL
from appliance.store.records import Stored
from services.dashboard import bill_forms, chosen, facts, fields, proposed, supplied
from services.dashboard.facts import LONGEST_WHY
from services.dashboard.wording import zone

MOST_SHOWN = 60  # of a year
NO_WHY = "Say why it is withdrawn: a word is enough, and you will know it next year."

pages = Blueprint("bills", __name__)


@pages.get("/bills")
def page() -> str:
    store, known = chosen.store(), supplied.every()
    with store.read() as connection:
        years = billing.years(connection)
        year = _year(years)
        there = billing.bills(connection, year) if years else []
    found = billing.every(supplied.measured(), zone(), there[-MOST_SHOWN:])[::-1]
    return render_template(
        "bills/page.html",
        here_supply=supplied.key(supplied.asked(known)) if known else "",
        has_readings=bool(known or supplied.elsewhere()),
        years=years,
        year=year,
        bills=found,
        more=max(0, len(there) - MOST_SHOWN),
        sums=_sums(found),
    )


def _year(years: Sequence[int]) -> int:
    """The year that is asked for, the last one that has a bill where none is."""
    said = request.args.get("year", "")
    if said and (not said.isascii() or not said.isdecimal() or int(said[:9]) not in years):
        abort(404, "There is no bill of that year here. Choose another year.")
    return int(said[:9]) if said else next(iter(years), 0)


def _sums(found: Sequence[Check | Unchecked]) -> dict[str, Decimal]:
    """Currency -> by how much more the bills ask than we reckon, together; rounding is none."""
    sums: dict[str, Decimal] = {}
    for each in found:
        if isinstance(each, Check) and not each.is_right:
            sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.difference
    return sums


# ---- one bill ----


@pages.get("/bills/<int:fact>")
def one(fact: int) -> str:
    return _one(fact, [])


def _one(fact: int, problems: Sequence[str]) -> str:
    record, bill = _bill(fact)
    with chosen.store().read() as connection:
        twice = billing.shared(connection, bill)
    [found] = billing.every(supplied.measured(), zone(), [bill])
    shown = _checked(found) if isinstance(found, Check) else {"check": None, "problem": found.problem}
    return render_template("bills/one.html", record=record, bill=bill, twice=twice, problems=problems, **shown)


def _checked(found: Check) -> dict[str, Any]:
    return {"check": found, "letter": billing.letter(found, g.person.name), "unread": _unread(found)}


def _unread(found: Check) -> dict[str, list[date]]:
    """The days of which our own readings are estimated, and those of which some are missing."""
    days = found.cost.days
    return {
        "estimated": [each.day for each in days if each.estimated],
        "missing": [each.day for each in days if each.missing],
    }


def _bill(fact: int) -> tuple[Stored, EnergyBill]:
    record = facts.existing(fact, "There is no such bill in this store, or it was withdrawn.", BILL.name)
    with chosen.store().read() as connection:
        return record, billing.bill(connection, fact)


# ---- typed, corrected, withdrawn ----


@pages.get("/bills/add")
def form() -> str:
    said = {"unit": g.household.currency} | proposed.said(BILL)
    return _form(None, fields.empty(BILL, said), [])


@pages.post("/bills/add")
def add() -> Response | tuple[str, int]:
    said = bill_forms.read(fields.typed(fields.empty(BILL)))
    try:
        bill_forms.refuse(said)
        made = stating.add(chosen.store(), BILL.name, said, g.person.name, zone=zone())
    except UserError as error:
        return _form(None, fields.empty(BILL, fields.posted(), _wrong(error)), error.problems), 422
    return _to(made.id)


@pages.get("/bills/<int:fact>/correct")
def correction(fact: int) -> str:
    record, _ = _bill(fact)
    return _form(record, fields.filled(BILL, record), [])


@pages.post("/bills/<int:fact>/correct")
def correct(fact: int) -> Response | tuple[str, int]:
    record, _ = _bill(fact)
    inputs = fields.filled(BILL, record)
    said = bill_forms.read(fields.changed(inputs))
    try:
        bill_forms.refuse(fields.held(record) | said)
        stating.correct(chosen.store(), fact, said, g.person.name, _why(), zone())
    except UserError as error:
        return _form(record, fields.filled(BILL, record, fields.posted(), _wrong(error)), error.problems), 422
    return _to(fact)


def _form(record: Stored | None, inputs: list[fields.Input], problems: Sequence[str]) -> str:
    sections = bill_forms.sections(inputs)
    return render_template("bills/form.html", record=record, sections=sections, why=_why(), problems=problems)


def _wrong(error: UserError) -> Mapping[str, str]:
    return error.of if isinstance(error, FieldsError) else {}


@pages.post("/bills/<int:fact>/withdraw")
def withdraw(fact: int) -> Response | tuple[str, int]:
    record, _ = _bill(fact)
    if not _why():
        return _one(fact, [NO_WHY]), 422
    try:
        stating.withdraw(chosen.store(), fact, g.person.name, _why())
    except UserError as error:
        return _one(fact, error.problems), 422
    return redirect(url_for("facts.one", fact=record.id, **chosen.link()), 303)


def _to(fact: int) -> Response:
    return redirect(url_for("bills.one", fact=fact, **chosen.link()), 303)


def _why() -> str:
    return request.form.get("why", "").strip()[:LONGEST_WHY]
