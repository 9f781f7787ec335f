"""What a meter showed as a day began or ended: to lay beside the readings of a bill."""

from datetime import date, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from appliance import energy
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.supplies import Supply

_NEAR_MS = 2 * 86_400_000


def shown(store: Store, supply: Supply, day: date, zone: tzinfo, *, at_end: bool = False) -> Decimal | None:
    """What the supply's one register showed as a local day began (or ended), in its own unit: on the straight line
    between its readings around then, two days from it at most. None where it has none, or several registers.
    """
    try:
        parts = energy.resolved(store, supply.source, supply.role)
    except UserError:
        return None
    if len(parts) != 1 or parts[0].kind != "register":
        return None
    at_ms = day_ms(day, zone)[1 if at_end else 0]
    with store.read() as connection:
        near = series_store.read(connection, parts[0], at_ms - _NEAR_MS, at_ms + _NEAR_MS)
    place = int(np.searchsorted(near.at_ms, at_ms))
    if place < len(near) and near.at_ms[place] == at_ms:
        return energy.decimal(int(near.values[place]), parts[0].exponent)
    if place in (0, len(near)):
        return None
    (begin, end), (low, high) = near.at_ms[place - 1 : place + 1].tolist(), near.values[place - 1 : place + 1].tolist()
    return energy.decimal(low + (high - low) * (at_ms - begin) // (end - begin), parts[0].exponent)


def gas_volume(store: Store, supply: Supply, first: date, last: date, zone: tzinfo) -> Decimal | None:
    """How many m3 of gas its meter counted from the first to the last local day; None where it counts none."""
    try:
        parts = energy.resolved(store, supply.source, supply.role)
    except UserError:
        return None
    if supply.supply != "gas" or parts[0].unit != "m3":
        return None
    found = energy.stepped(store, parts, day_ms(first, zone)[0], day_ms(last, zone)[1], ZoneInfo(str(zone)), "day")
    return Decimal(int(found.totals.sum())).scaleb(found.exponent)
