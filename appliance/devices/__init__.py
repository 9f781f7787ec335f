"""The devices behind the series: which served them and when, what happened at them, what is missing, what was typed.

A series belongs to a role; a device serves it for an episode. Nothing here is stored: it is found in the lineage of the
readings, in what rules made of the registers, in the ledger of gaps, and in what people say.
"""

from appliance.ingest.meter_places import HISTORY, whole


def quantity(role: str) -> str:
    """What a series counts, whichever tariff or log of the meter it is of: `electricity.import` of `.t1`, too."""
    return whole(role.removesuffix(HISTORY)).removesuffix(HISTORY)
