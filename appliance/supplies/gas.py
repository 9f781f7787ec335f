"""Gas by volume -> energy: by how much energy a cubic metre holds, which the bill says and which changes.

    kWh = m3 * volume correction * calorific value in MJ/m3 / 3.6

Source: The Gas (Calculation of Thermal Energy) Regulations 1996 (SI 1996/439): regulation 12 and schedule, the volume
correction factor 1.02264 of a meter for homes.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection

from appliance.ingest.supply_facts import GAS_QUALITY
from appliance.supplies.facts import ends_ms, standing
from appliance.supplies.listed import Supply

USUAL_CORRECTION, USUAL_MJ = Decimal("1.02264"), Decimal(39)
ASSUMED = (
    f"nobody said how much energy the gas holds: {USUAL_MJ} MJ/m³ and a correction of {USUAL_CORRECTION} are assumed"
)
ASSUMED_BEFORE = "how much energy the gas held before is not known: what was said first is assumed"
_MJ_IN_A_KWH = Fraction(18, 5)


@dataclass(frozen=True, slots=True)
class GasQuality:
    """From `first_ms` on (milliseconds since 1970 UTC), a metered cubic metre is so many kWh, exactly."""

    first_ms: int
    kwh_per_m3: Fraction


USUAL = GasQuality(0, Fraction(USUAL_MJ) * Fraction(USUAL_CORRECTION) / _MJ_IN_A_KWH)


def qualities(connection: Connection, supply: Supply, zone: tzinfo, as_of: datetime | None = None) -> list[GasQuality]:
    """What was said of the gas of a supply (by an instant), by when it began to hold; empty where nobody did."""
    found = [
        GasQuality(ends_ms(fact.at, "", zone)[0] or 0, _per_m3(fact.fields))
        for fact in standing(connection, GAS_QUALITY, as_of)
        if fact.fields.get("point", "") in ("", supply.point)
    ]
    return sorted(found, key=lambda each: each.first_ms)


def _per_m3(said: dict[str, str]) -> Fraction:
    value = Fraction(Decimal(said["calorific_value"]))
    if said.get("calorific_unit") == "kWh/m3":
        return value * Fraction(Decimal(said.get("correction") or 1))
    return value * Fraction(Decimal(said.get("correction") or USUAL_CORRECTION)) / _MJ_IN_A_KWH
