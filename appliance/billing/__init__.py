"""Bills of energy checked: each made again, line by line, of our readings and the tariff that held, and laid beside
what the supplier asks, with the difference explained in plain words.
"""

from appliance.billing.bills import EnergyBill, Shared, bill, bills, shared, years
from appliance.billing.causes import Cause
from appliance.billing.checks import Check, Compared, Unchecked, check, every
from appliance.billing.letters import letter

__all__ = [
    "Cause",
    "Check",
    "Compared",
    "EnergyBill",
    "Shared",
    "Unchecked",
    "bill",
    "bills",
    "check",
    "every",
    "letter",
    "shared",
    "years",
]
