"""Finding meters: what is plugged in, on the broker and on the network is listened to, and what is heard is offered.

Nothing is written to any of them, but where a person allows to ask: some meters speak only when they are spoken to.
"""

from appliance.finding.looking import Wanted, find, prove
from appliance.finding.needs import Answer, Needs, answered, asks
from appliance.finding.offers import PURPOSES, Found, Nothing, Offer, Step, config_of

__all__ = [
    "PURPOSES",
    "Answer",
    "Found",
    "Needs",
    "Nothing",
    "Offer",
    "Step",
    "Wanted",
    "answered",
    "asks",
    "config_of",
    "find",
    "prove",
]
