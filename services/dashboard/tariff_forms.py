"""The forms of the usual tariffs: what they ask for, and the tariff that comes of what a person typed.

A form has three shapes: one price; day and night by hours; a price that follows a market. Whatever else a tariff may
have, a file says.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from appliance import tariffs
from appliance.errors import UserError
from appliance.kinds import FieldsError
from appliance.supplies import Supply
from appliance.tariffs import Tariff
from services.dashboard.fields import Input

SHAPES = {
    "one": ("One price", "A kWh costs the same at any time."),
    "day-night": ("Day and night", "Some hours are cheaper, such as at night."),
    "market": ("A price that changes", "It follows a market, by the hour, the half-hour or the quarter-hour."),
}
PERIODS = ("day", "month", "year")
SMALL_COINS = {"EUR": "ct", "GBP": "p", "USD": "ct", "CHF": "Rp", "AUD": "c", "CAD": "c", "NZD": "c"}
LIKELY_UNIT_PRICE, LIKELY_A_DAY = Decimal(3), Decimal(10)
"""In a currency of SMALL_COINS, what is beyond was most likely meant in those."""

_NUMBER = re.compile(r"(-?)(\d{1,9}(?:[.,]\d{1,10})?)(?: ?(p|ct|c|cents?|rp))?", re.ASCII | re.IGNORECASE)
_DAYS_A = {"day": 1, "month": 30, "year": 365}
MARKED = "Something is missing or not right: see the fields that are marked."
_NEEDED = "is needed"
_NO_NUMBER = "is no number; write it in figures, such as 0.2734"


@dataclass
class Reading:
    """What was typed, and what is wrong of it by the name of its field."""

    said: Mapping[str, str]
    currency: str
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        found = " ".join(self.said.get(name, "").split())
        if not found:
            self.wrong[name] = _NEEDED
        return found

    def number(self, name: str, *, needed: bool = False, most: Decimal | None = None) -> str:
        """A number in whole units of the currency, "" where none is stated; 24.1p, or 24.1 ct, is 0.241."""
        text = self.said.get(name, "").strip()
        if not text:
            if needed:
                self.wrong[name] = _NEEDED
            return ""
        found = _NUMBER.fullmatch(text.strip("€£$ "))
        if not found:
            self.wrong[name] = _NO_NUMBER
            return ""
        sign, digits, coin = found.groups()
        value = Decimal(sign + digits.replace(",", ".")).scaleb(-2 if coin else 0)
        if most is not None and abs(value) > most and self.currency in SMALL_COINS:
            self.wrong[name] = (
                f"{text} {self.currency} is more than anybody pays; where it is a hundredth of that, write "
                f"{digits}{SMALL_COINS[self.currency]}"
            )
        return format(value, "f")

    def day(self, name: str, *, needed: bool = False) -> str:
        text = self.said.get(name, "").strip()
        if not text and not needed:
            return ""
        try:
            found = date.fromisoformat(text)
        except ValueError:
            self.wrong[name] = "is no day; write one such as 2025-03-31" if text else _NEEDED
            return ""
        if not 1900 <= found.year <= 2199:
            self.wrong[name] = "lies between 1900 and 2199"
        return found.isoformat()

    def refuse(self) -> None:
        """FieldsError where anything is wrong."""
        if self.wrong:
            raise FieldsError(self.wrong, [MARKED])


# ---- what is asked for ----


def inputs(
    shape: str, supply: Supply, currency: str, indexes: Sequence[str], said: Mapping[str, str], wrong: Mapping[str, str]
) -> list[Input]:
    """The fields of a tariff's form, with what was said already and what is wrong of it."""
    unit = f"{currency} a {supply.unit.replace('m3', 'm³')}"
    coin = f", or 27.34{SMALL_COINS[currency]}" if currency in SMALL_COINS else ""
    as_on_a_bill = f"As on the bill: 0.2734{coin}."
    prices = {
        "one": [Input("price", f"Price ({unit})", "text", "", required=True, help=as_on_a_bill)],
        "day-night": [
            Input("day_price", f"Price by day ({unit})", "text", "", required=True, help=as_on_a_bill),
            Input("night_price", f"Price at night ({unit})", "text", "", required=True),
            Input("night_from", "Night begins", "time", "23:00", required=True),
            Input("night_until", "Night ends", "time", "07:00", required=True),
            Input(
                "weekend", "Saturdays and Sundays", "choice", "as other days", ("as other days", "at the night price")
            ),
        ],
        "market": [
            Input(
                "index", "It follows", "choice", indexes[0] if len(indexes) == 1 else "", tuple(indexes), required=True
            ),
            Input(
                "factor", "Times", "decimal", "", help="What the market’s price is multiplied by; nothing where by 1."
            ),
            Input("addition", f"Plus ({unit})", "text", "", help=f"What the supplier adds. {as_on_a_bill}"),
        ],
    }[shape]
    found = [
        Input("supplier", "Supplier", "text", "", required=True),
        Input("name", "What the tariff is called", "text", "", required=True),
        *prices,
        Input("standing", f"Standing charge ({currency})", "text", "", help="Paid whether anything is used or not."),
        Input("standing_period", "Charged each", "choice", "day", PERIODS),
        Input("vat", "VAT on it (%)", "decimal", "", help="Nothing where the prices have it in them."),
    ]  # fmt: skip
    return filled(found, said, wrong)


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
    unit_prices, places = _unit_prices(shape, reading)
    charges: list[dict[str, Any]] = [unit_prices]
    period = reading.said.get("standing_period", "") or "day"
    most = LIKELY_A_DAY * _DAYS_A.get(period, 1)
    if standing := reading.number("standing", most=most):
        places |= {f"charges[{len(charges)}].period": "standing_period", f"charges[{len(charges)}]": "standing"}
        charges.append({"kind": "standing", "price": standing, "period": period})
    if vat := reading.number("vat"):
        places |= {f"charges[{len(charges)}]": "vat"}
        charges.append({"kind": "tax", "percent": vat})
    definition = {
        "inglenook_tariff": 1,
        "supplier": reading.text("supplier"),
        "name": reading.text("name"),
        "supply": supply.supply,
        "direction": supply.direction or "import",
        "zone": zone,
        "currency": reading.currency,
        "charges": charges,
    }
    if reading.wrong:
        return None
    try:
        return tariffs.read(json.dumps(definition), "tariff")
    except UserError as error:
        reading.wrong |= _by_field(error, {**places, "supplier": "supplier", "name": "name"})
        return None


def _unit_prices(shape: str, reading: Reading) -> tuple[dict[str, Any], dict[str, str]]:
    """The charge of the shape, and which place in it is which field."""
    if shape == "market":
        charge = {"kind": "dynamic", "index": reading.text("index")}
        for name, most in (("factor", None), ("addition", LIKELY_UNIT_PRICE)):
            if value := reading.number(name, most=most):
                charge[name] = value
        return charge, {f"charges[0].{name}": name for name in ("index", "factor", "addition")}
    if shape == "one":
        price = reading.number("price", needed=True, most=LIKELY_UNIT_PRICE)
        return {"kind": "rates", "rates": [{"band": "all day", "price": price}]}, {"charges[0]": "price"}
    by_day = reading.number("day_price", needed=True, most=LIKELY_UNIT_PRICE)
    by_night = reading.number("night_price", needed=True, most=LIKELY_UNIT_PRICE)
    times: list[dict[str, Any]] = [{"from": reading.text("night_from"), "until": reading.text("night_until")}]
    if reading.said.get("weekend") == "at the night price":
        times.append({"days": ["saturday", "sunday"]})
    rates = [{"band": "night", "price": by_night, "times": times}, {"band": "day", "price": by_day}]
    return {"kind": "rates", "rates": rates}, {
        "charges[0].rates[0].price": "night_price",
        "charges[0].rates[1].price": "day_price",
        "charges[0].rates[0].times[0].from": "night_from",
        "charges[0].rates[0].times[0].until": "night_until",
        "charges[0]": "night_from",
    }


def _by_field(error: UserError, places: Mapping[str, str]) -> dict[str, str]:
    """Each problem of a tariff at the field that it is about; "" where it is about none."""
    found: dict[str, list[str]] = {}
    for problem in error.problems:
        said = problem.removeprefix("tariff: ")
        place, _, reason = said.partition(": ")
        fields = [name for begin, name in places.items() if place.startswith(begin)]
        found.setdefault(fields[0] if fields else "", []).append(reason if fields else said)
    return {name: "; ".join(reasons) for name, reasons in found.items()}


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
