"""Tables that no importer knows: what their columns may mean, guessed from real rows for a person to confirm.

A `Layout` says how a table is to be read: which column is what, how days and amounts are written. It is kept by the
shape of the table's header, and recognised by that the next time. Nothing is read by a guess alone.
"""

from appliance.tables.cells import amount_of, day_of, time_of
from appliance.tables.guessing import Guess, guessed
from appliance.tables.layout import DECIMALS, MEANINGS, ORDERS, READINGS, SIGNS, Layout, layout_from, shape
from appliance.tables.mending import mended

__all__ = [
    "DECIMALS",
    "MEANINGS",
    "ORDERS",
    "READINGS",
    "SIGNS",
    "Guess",
    "Layout",
    "amount_of",
    "day_of",
    "guessed",
    "layout_from",
    "mended",
    "shape",
    "time_of",
]
