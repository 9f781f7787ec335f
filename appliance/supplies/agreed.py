"""Agreements: who sells a supply, on which tariff, from when until when, and what leaving costs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import Connection

from appliance.derive.rollups import QUARTER_MS
from appliance.ingest.supply_facts import AGREEMENT
from appliance.supplies.facts import ends_ms, standing
from appliance.supplies.known import KnownTariff, tariffs
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


def agreements(connection: Connection, supply: Supply, zone: tzinfo, as_of: datetime | None = None) -> list[Agreement]:
    """Those of a supply, by when they begin: of its meter point where both sides name one, else of what is supplied."""
    found = []
    for fact in standing(connection, AGREEMENT, as_of):
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


@dataclass(frozen=True, slots=True)
class Term:
    """The quarter-hours [first, end), numbered since 1970 UTC, on one agreement and tariff, where they are known."""

    first: int
    end: int
    agreement: Agreement | None
    tariff: KnownTariff | None


def terms(
    connection: Connection, supply: Supply, first: int, end: int, zone: tzinfo, as_of: datetime | None = None
) -> list[Term]:
    """Which agreement and tariff held when in [first, end), without a gap. Of two agreements that hold, it is the one
    that began last.
    """
    agreed = agreements(connection, supply, zone, as_of)
    spans = [(_quarter(each.first_ms, 0), _quarter(each.end_ms, end)) for each in agreed]
    edges = sorted({first, end, *(edge for span in spans for edge in span if first < edge < end)})
    known = tariffs(connection, as_of)
    found: list[Term] = []
    for begins, ends in pairwise(edges):
        holding = [each for each, span in zip(agreed, spans, strict=True) if span[0] <= begins < span[1]]
        agreement = holding[-1] if holding else None
        if found and found[-1].agreement == agreement:
            found[-1] = replace(found[-1], end=ends)
        else:
            tariff = _tariff_of(agreement, supply, known) if agreement else None
            found.append(Term(begins, ends, agreement, tariff))
    return found


def _quarter(at_ms: int | None, otherwise: int) -> int:
    return otherwise if at_ms is None else -(-at_ms // QUARTER_MS)


def _tariff_of(agreement: Agreement, supply: Supply, known: Sequence[KnownTariff]) -> KnownTariff | None:
    """The tariff that an agreement names, by its code, else by its name; of its own supplier where several have it."""
    wanted = agreement.tariff.casefold()
    fitting = [each for each in known if each.is_for(supply)]
    by_code = [each for each in fitting if each.code.casefold() == wanted]
    found = by_code or [each for each in fitting if each.name.casefold() == wanted]
    own = [each for each in found if each.supplier.casefold() == agreement.supplier.casefold()]
    return next(iter(own or found), None)
