"""The switch check: what the household's own last year would cost on every tariff that it could have.

`compare` says so for one supply, `rows` and `document` write it for others to read.
"""

from appliance.switching.check import compare
from appliance.switching.instead import WhatIf
from appliance.switching.offers import Comparison, LeftOut, Line, Offer
from appliance.switching.written import COLUMNS, document, rows

__all__ = ["COLUMNS", "Comparison", "LeftOut", "Line", "Offer", "WhatIf", "compare", "document", "rows"]
