"""Compare: the household's own last year on every tariff that is known, cheapest first, against staying."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation

from flask import Blueprint, Response, render_template, request

from appliance import switching
from appliance.errors import UserError
from appliance.switching import Comparison, Offer, WhatIf
from services.dashboard import chosen, supplied
from services.dashboard.wording import zone

FULL = 1000  # how wide the dearest tariff's bar is
BATTERY, MOVED = "battery", "moved"
LONGEST = 12  # characters of a number
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes a text that begins so for a formula

pages = Blueprint("compare", __name__)


@pages.get("/compare")
def page() -> str | tuple[str, int]:
    known = supplied.every()
    if not known:
        return render_template("compare/page.html", supply=None, elsewhere=supplied.elsewhere())
    supply = supplied.asked(known)
    found, problems = None, list[str]()
    try:
        found = switching.compare(chosen.store(), supply, zone(), what_if=_what_if())
    except UserError as error:
        problems = list(error.problems)
    return render_template(
        "compare/page.html",
        supply=supply,
        supplies=[(supplied.key(each), each.name) for each in known],
        here_supply=supplied.key(supply),
        found=found,
        problems=problems,
        widths=_widths(found.offers) if found else [],
        would_save=_would_save(found),
        asked={name: request.args.get(name, "")[:LONGEST] for name in (BATTERY, MOVED)},
        may_suppose=(supply.supply, supply.direction) == ("electricity", "import"),
        made=datetime.now(zone()).date(),
    )


@pages.get("/compare.csv")
def table() -> Response:
    """The comparison for a spreadsheet, exact."""
    known, what_if = supplied.every(), _what_if()
    if not known:
        raise UserError("there is nothing to compare yet; import the readings of a supply first")
    found = switching.compare(chosen.store(), supplied.asked(known), zone(), what_if=what_if)
    written = io.StringIO()
    writer = csv.DictWriter(written, switching.COLUMNS)
    writer.writeheader()
    for row in switching.rows(found):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    response = Response("\ufeff" + written.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="tariffs-{found.on}.csv"'
    return response


def _what_if() -> WhatIf:
    """What the request supposes: a battery of so many kWh, so many kWh of each day moved."""
    return WhatIf(battery_kwh=_kwh(BATTERY), moved_kwh=_kwh(MOVED))


def _kwh(name: str) -> Decimal:
    said = request.args.get(name, "").strip().replace(",", ".")
    try:
        if len(said) > LONGEST:
            raise InvalidOperation
        return Decimal(said or 0)
    except InvalidOperation:
        raise UserError(f"“{said[:LONGEST]}” is no number of kWh; write it in figures, such as 5") from None


def _cell(value: object) -> object:
    """A text that no spreadsheet takes for a formula; numbers stay."""
    is_text = isinstance(value, str) and value.startswith(DANGEROUS)
    return f"'{value}" if is_text and not _is_number(str(value)) else value


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()


def _would_save(found: Comparison | None) -> Offer | None:
    """The cheapest other tariff, where it surely saves something in the first year."""
    best = found.best if found and not found.is_rough else None
    return best if best and best.saving_low is not None and best.saving_low > 0 else None


def _widths(offers: Sequence[Offer]) -> list[float]:
    """How long each offer's bar is, by what its first year costs."""
    most = max((each.first_year for each in offers), default=Decimal(0))
    return [round(FULL * max(0.0, float(each.first_year / most)), 1) if most > 0 else 0 for each in offers]
