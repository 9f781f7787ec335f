"""A comparison as rows of a table and as one JSON object, exact."""

import dataclasses
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from appliance.switching.offers import Comparison, Offer

COLUMNS = (
    "supply", "rank", "supplier", "tariff", "code", "agreed_now", "yearly", "low", "high", "exit_fee", "first_year",
    "saving", "saving_low", "saving_high", "currency", "used", "unit", "from", "to", "prices_of", "what_if",
)  # fmt: skip
"""Of a table that a spreadsheet reads: a row a tariff."""


def rows(found: Comparison) -> Iterator[dict[str, Any]]:
    """A row a tariff, cheapest first, each with what it stands on."""
    stands_on = {
        "currency": found.currency,
        "used": plain(found.used),
        "unit": found.supply.unit,
        "from": found.first_day.isoformat(),
        "to": found.last_day.isoformat(),
        "prices_of": found.on.isoformat(),
        "what_if": found.what_if,
    }
    for rank, offer in enumerate(found.offers, 1):
        yield {"supply": found.supply.name, "rank": rank, **_offer(offer), **stands_on}


def document(found: Comparison) -> dict[str, Any]:
    """All of it, amounts as decimal strings and days as ISO dates."""
    supply = found.supply
    return {
        "supply": supply.name,
        "source": supply.source,
        "role": supply.role,
        "prices_of": found.on.isoformat(),
        "from": found.first_day.isoformat(),
        "to": found.last_day.isoformat(),
        "days": found.days,
        "days_read": found.days_read,
        "rough": found.is_rough,
        "used": plain(found.used),
        "unit": supply.unit,
        "currency": found.currency,
        "what_if": found.what_if,
        "staying": _whole(found.staying) if found.staying else None,
        "offers": [_whole(each) for each in found.offers],
        "left_out": [dataclasses.asdict(each) for each in found.left_out],
        "assumptions": list(found.assumptions),
    }


def _offer(offer: Offer) -> dict[str, Any]:
    said = {name: getattr(offer, name) for name in ("yearly", "low", "high", "exit_fee", "first_year")}
    savings = {name: getattr(offer, name) for name in ("saving", "saving_low", "saving_high")}
    amounts = {name: None if value is None else plain(value) for name, value in {**said, **savings}.items()}
    named = {"supplier": offer.supplier, "tariff": offer.name, "code": offer.code, "agreed_now": offer.is_current}
    return {**named, **amounts}


def _whole(offer: Offer) -> dict[str, Any]:
    lines = [{name: _said(value) for name, value in dataclasses.asdict(line).items()} for line in offer.lines]
    return {"fact": offer.fact, **_offer(offer), "lines": lines, "remarks": list(offer.remarks)}


def _said(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def plain(value: Decimal) -> str:
    """The number in figures, without noughts at its end."""
    said = format(value, "f")
    return said.rstrip("0").rstrip(".") if "." in said else said
