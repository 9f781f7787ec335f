"""What else a bill may have beside unit prices, a standing charge and VAT: levies, a price of the peak, a discount."""

from collections.abc import Iterator
from typing import Any

from appliance.supplies import Supply
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import Reading
from services.dashboard.tariff_shapes import unit_of

PERIODS = ("day", "month", "year")

Charge = tuple[dict[str, str], dict[str, Any]]
"""Place in the charge -> the field that states it, and the charge."""


def inputs(supply: Supply, currency: str) -> list[Input]:
    """The fields; a peak is electricity's that is drawn."""
    unit = unit_of(supply, currency)
    peak = [
        Input("peak", f"Monthly peak ({currency} a kW and year)", "text", "", help="A capacity tariff."),
        Input("peak_months", "Mean of the peaks of so many months", "numeric", "", help="Such as 12; nothing for one."),
        Input("peak_least", "A peak counts as at least (kW)", "decimal", "", help="Such as 2.5."),
    ]
    return [
        Input("levy", f"Levies and energy tax ({unit})", "text", "", help="On every one, at any time; before VAT."),
        *(peak if (supply.supply, supply.direction) == ("electricity", "import") else ()),
        Input("discount", f"Taken off ({currency})", "text", "", help="A discount that is given again and again."),
        Input("discount_period", "Taken off each", "choice", "", PERIODS),
    ]


def charges(reading: Reading) -> Iterator[Charge]:
    """The charges that were typed, and which place in each is which field; `reading` says what is wrong."""
    if levy := reading.unit_price("levy"):
        yield {"": "levy"}, {"kind": "levy", "price": levy}
    if peak := reading.number("peak"):
        charge: dict[str, Any] = {"kind": "capacity", "price": peak, "period": "year"}
        if months := reading.said.get("peak_months", "").strip():
            if months.isdecimal() and 1 <= int(months[:3]) <= 12:
                charge["months"] = int(months)
            else:
                reading.wrong["peak_months"] = "is a number of months from 1 to 12"
        if least := reading.number("peak_least"):
            charge["minimum"] = least
        yield {".months": "peak_months", ".minimum": "peak_least", "": "peak"}, charge
    if discount := reading.number("discount"):
        period = reading.said.get("discount_period") or "year"
        yield {"": "discount"}, {"kind": "discount", "amount": discount, "period": period}
