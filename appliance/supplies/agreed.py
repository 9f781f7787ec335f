"""Agreements: who sells a supply, on which tariff, from when until when, and what leaving costs."""

from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

from sqlalchemy import Connection

from appliance.ingest.supply_facts import AGREEMENT
from appliance.supplies.facts import ends_ms, standing
from appliance.supplies.listed import Supply


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed about a supply, in force in [first_ms, end_ms), milliseconds since 1970 UTC (None: open)."""

    fact: int
    supplier: str
    tariff: str  # its name or code
    product: str
    customer: str
    point: str
    first_ms: int | None
    end_ms: int | None
    fixed_until: date | None
    notice_days: int | None
    exit_fee: Decimal | None
    currency: str


def agreements(connection: Connection, supply: Supply, zone: tzinfo) -> list[Agreement]:
    """Those of a supply, by when they begin: of its meter point where both sides name one, else of what is supplied."""
    found = []
    for fact in standing(connection, AGREEMENT):
        said = fact.fields
        if not _is_of(said, supply):
            continue
        fixed, notice = said.get("fixed_until", ""), said.get("notice_days", "")
        found.append(
            Agreement(
                fact=fact.id,
                supplier=fact.party,
                tariff=said.get("tariff", ""),
                product=said.get("product", ""),
                customer=fact.account,
                point=said.get("point", ""),
                first_ms=(ends := ends_ms(fact.at, said.get("until", ""), zone))[0],
                end_ms=ends[1],
                fixed_until=date.fromisoformat(fixed) if fixed else None,
                notice_days=int(notice) if notice else None,
                exit_fee=fact.amount,
                currency=fact.unit,
            )
        )
    return found


def _is_of(said: dict[str, str], supply: Supply) -> bool:
    if said.get("point") and supply.point:
        return said["point"] == supply.point
    direction = said.get("direction") or "import"
    return said.get("supply") in (None, "", supply.supply) and direction == (supply.direction or "import")
