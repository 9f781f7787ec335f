"""The forms of the usual tariffs: what they ask for, and the tariff that comes of what a person typed.

A form has the shape of its unit prices (see `tariff_shapes`), and asks for what else a bill may have, folded
away (see `tariff_extras`). Whatever else a tariff may have, a file says.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from appliance import tariffs
from appliance.errors import UserError
from appliance.supplies import Supply
from appliance.tariffs import Tariff
from services.dashboard import tariff_extras, tariff_shapes
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import CUBIC_METRE, LIKELY_A_DAY, Reading
from services.dashboard.tariff_shapes import MOST_TIMES

PERIODS = ("day", "month", "year")
GAS_UNITS = ("kWh", CUBIC_METRE)
_RATE = re.compile(r"rates\[([0-2])\]")
_DAYS_A = {"day": 1, "month": 30, "year": 365}


# ---- what is asked for ----


def inputs(
    shape: str, supply: Supply, currency: str, indexes: Sequence[str], said: Mapping[str, str], wrong: Mapping[str, str]
) -> list[Input]:
    """The fields of a tariff's form, with what was said already and what is wrong of it."""
    of_gas = [Input("per", "Its prices are of a", "choice", "", GAS_UNITS, required=True)]
    found = [
        Input("supplier", "Supplier", "text", "", required=True),
        Input("name", "What the tariff is called", "text", "", required=True),
        *(of_gas if supply.supply == "gas" else ()),
        *tariff_shapes.inputs(shape, supply, currency, indexes),
        Input("standing", f"Standing charge ({currency})", "text", "", help="Paid whether anything is used or not."),
        Input("standing_period", "Charged each", "choice", "day", PERIODS),
        Input("vat", "VAT on it (%)", "decimal", "", help="Nothing where the prices have it in them."),
    ]  # fmt: skip
    return filled(found, said, wrong)


def more_prices(
    shape: str, supply: Supply, currency: str, said: Mapping[str, str], wrong: Mapping[str, str]
) -> list[tuple[str, list[Input], bool]]:
    """Of several prices, each one's title and fields, and whether anything is said of it (the first always is)."""
    numbers = range(1, MOST_TIMES + 1) if shape == "times" else ()
    return [
        (
            f"{('First', 'Second', 'Third')[number - 1]} price",
            filled(tariff_shapes.times(number, supply, currency), said, wrong),
            number == 1 or any(said.get(f"{name}_{number}") for name in ("band", "price")),
        )
        for number in numbers
    ]


def extra_inputs(supply: Supply, currency: str, said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    """The fields of what else a bill may have."""
    return filled(tariff_extras.inputs(supply, currency), said, wrong)


def agreed_inputs(currency: str, said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    """The fields of what was agreed about a tariff."""
    found = [
        Input("begins", "You are on it since", "date", "", required=True),
        Input("ends", "It ends on", "date", "", help="Until then the exit fee is asked; nothing where it has no end."),
        Input("exit_fee", f"Exit fee ({currency})", "text", "", help="What leaving before its end costs."),
        Input("notice_days", "Notice (days)", "numeric", ""),
    ]  # fmt: skip
    return filled(found, said, wrong)


def filled(inputs: Sequence[Input], said: Mapping[str, str], wrong: Mapping[str, str]) -> list[Input]:
    return [
        replace(each, value=said.get(each.name, each.value), problem=wrong.get(each.name, ""), type=_type(each))
        for each in inputs
    ]


def _type(each: Input) -> str:
    return "choice" if each.choices else each.type


# ---- what was typed ----


def tariff(shape: str, supply: Supply, zone: str, reading: Reading) -> Tariff | None:
    """The tariff that was typed; None where `reading` says what is wrong of it, each problem at its field."""
    unit_prices, places = tariff_shapes.charge(shape, reading)
    charges: list[dict[str, Any]] = [unit_prices]
    period = reading.said.get("standing_period", "") or "day"
    most = LIKELY_A_DAY * _DAYS_A.get(period, 1)
    if standing := reading.number("standing", most=most):
        places |= {f"charges[{len(charges)}].period": "standing_period", f"charges[{len(charges)}]": "standing"}
        charges.append({"kind": "standing", "price": standing, "period": period})
    for names, charge in tariff_extras.charges(reading):
        places |= {f"charges[{len(charges)}]{place}": name for place, name in names.items()}
        charges.append(charge)
    if vat := reading.number("vat"):
        places |= {f"charges[{len(charges)}]": "vat"}
        charges.append({"kind": "tax", "percent": vat})
    definition = {
        "inglenook_tariff": 1,
        "supplier": reading.text("supplier"),
        "name": reading.text("name"),
        "supply": supply.supply,
        "direction": supply.direction or "import",
        **({"per": reading.per} if supply.supply == "gas" else {}),
        "zone": zone,
        "currency": reading.currency,
        "charges": charges,
    }
    if supply.supply == "gas" and reading.said.get("per") not in GAS_UNITS:
        reading.wrong["per"] = "is needed: look on the bill"
    if reading.wrong:
        return None
    try:
        return tariffs.read(json.dumps(definition), "tariff")
    except UserError as error:
        reading.wrong |= _by_field(error, {**places, "supplier": "supplier", "name": "name"})
        return None


def _by_field(error: UserError, places: Mapping[str, str]) -> dict[str, str]:
    """Each problem of a tariff at the field that it is about; "" where it is about none."""
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        said = problem.removeprefix("tariff: ")
        place, _, reason = said.partition(": ")
        fields = [name for begin, name in places.items() if place.startswith(begin)]
        found.setdefault(fields[0] if fields else "", []).append(_in_words(reason) if fields else said)
    return {name: "; ".join(reasons) for name, reasons in found.items()}


def _in_words(reason: str) -> str:
    """A problem with its prices by their number on the form: rates[0] is the first."""
    return _RATE.sub(lambda found: f"the {('first', 'second', 'third')[int(found[1])]} price", reason)


def agreed(supply: Supply, supplier: str, tariff: str, reading: Reading) -> dict[str, str]:
    """What was agreed about a tariff, as the fields of its fact; `reading` says what is wrong."""
    begins, ends = reading.day("begins", needed=True), reading.day("ends")
    if begins and ends and ends < begins:
        reading.wrong["ends"] = "lies before the day on which it begins"
    fee = reading.number("exit_fee")
    if fee.startswith("-"):
        reading.wrong["exit_fee"] = "is what you would pay; write it without a minus"
    notice = reading.said.get("notice_days", "").strip()
    if notice and not re.fullmatch(r"\d{1,4}", notice, re.ASCII):
        reading.wrong["notice_days"] = "is a number of days, such as 30"
    said = {
        "party": supplier,
        "supply": supply.supply,
        "direction": supply.direction,
        "tariff": tariff,
        "at": begins,
        "fixed_until": ends,
        "notice_days": notice,
        "amount": fee,
        "unit": reading.currency if fee else "",
        "point": supply.point,
    }
    return {name: value for name, value in said.items() if value}
