"""Tariffs: their model, their file and what usage costs under them, exactly. It knows no store and does no I/O.

`read` and `write` are a tariff's file; `cost` gives the `Costs` of a `Usage` by quarter-hours.
"""

from appliance.tariffs.charges import (
    KINDS,
    Capacity,
    Charge,
    Discount,
    Dynamic,
    Levy,
    Rate,
    Rates,
    Season,
    Standing,
    Tax,
    Tier,
    Tiers,
    Times,
)
from appliance.tariffs.costing import cost
from appliance.tariffs.costs import Bill, BillLine, Costs, Line, Marks
from appliance.tariffs.format import read, write
from appliance.tariffs.tariff import Tariff
from appliance.tariffs.usage import Prices, Usage

__all__ = [
    "KINDS",
    "Bill",
    "BillLine",
    "Capacity",
    "Charge",
    "Costs",
    "Discount",
    "Dynamic",
    "Levy",
    "Line",
    "Marks",
    "Prices",
    "Rate",
    "Rates",
    "Season",
    "Standing",
    "Tariff",
    "Tax",
    "Tier",
    "Tiers",
    "Times",
    "Usage",
    "cost",
    "read",
    "write",
]
