"""What one tariff costs: the prices of one of its charges."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from appliance.gathering import Column, Gathering, Number, Table
from appliance.importers.octopus_api.values import (
    HOUR_S,
    SUPPLIER,
    Stated,
    UnstatedError,
    milliseconds,
    moment,
    number,
    seconds_between,
    until,
    utc,
)
from appliance.json_cursor import text
from appliance.parsing import AMOUNT_DECIMALS
from appliance.records import Provenance, Record, Source, Span

CHARGES = {
    "standard-unit-rates": ("unit rate", "p/kWh"),
    "day-unit-rates": ("day rate", "p/kWh"),
    "night-unit-rates": ("night rate", "p/kWh"),
    "standing-charges": ("standing charge", "p/day"),
}
_OF_TARIFF = re.compile(r"/(?:electricity|gas)-tariffs/([A-Za-z0-9_-]{5,80})/([a-z-]+)/")


class Prices:
    """The rows of one tariff and charge: each a fact, or a reading of two series where it is for an hour or less."""

    def __init__(self, stated: Stated, links: str) -> None:
        found = _OF_TARIFF.search(links)
        self._tariff = stated.tariff or (found[1] if found else "")
        self._charge, self._unit = CHARGES.get(stated.charge or (found[2] if found else ""), ("", ""))
        self._supply = stated.supply or ("gas" if self._tariff.startswith("G-") else "electricity")
        self._direction = stated.direction if self._supply == "electricity" else ""
        self._source = Source(f"octopus {self._tariff}", f"{SUPPLIER} {self._tariff}")
        of = f"{self._supply}.{self._direction}" if self._direction else self._supply
        role = f"{of}.price" + ("" if self._charge == "unit rate" else f".{self._charge.partition(' ')[0]}")
        self._table = Table(self._source, [Column(role, self._unit), Column(f"{role}_without_tax", self._unit)])

    def read(self, said: Mapping[str, Any], span: Span, out: Gathering) -> None:
        """Adds what a row states. ValueError where it cannot be read, NoValueError where there is no price."""
        if not (self._tariff and self._charge):
            raise UnstatedError(
                "the file does not say of which tariff and charge it is: state tariff=E-1R-... and charge="
                f"{' or '.join(CHARGES)}"
            )
        begin, price = moment(said.get("valid_from")), number(said, "value_inc_vat")
        bare = number(said, "value_exc_vat") if text(said.get("value_exc_vat")) else None
        method = text(said.get("payment_method")).replace("_", " ").lower()
        end = text(said.get("valid_to"))
        seconds = seconds_between(begin, moment(end)) if end else 0
        if 0 < seconds <= HOUR_S and not method and self._unit == "p/kWh":
            out.add(self._table, milliseconds(begin), seconds, (price, bare), span.first, span.first + span.length)
            return
        fields = {
            "until": until(end),
            "without_tax": f"{_decimal(bare):f}" if bare else "",
            "payment_method": method,
        }
        out.add_fact(self._source, self._fact(begin, _decimal(price), fields, span))

    def _fact(self, begin: datetime, price: Decimal, said: Mapping[str, str], span: Span) -> Record:
        method, end = said["payment_method"], said["until"]
        fields = {"supply": self._supply, "direction": self._direction, "charge": self._charge, **said}
        return Record(
            kind="energy.rate",
            at=begin,
            title=f"{self._tariff} {self._charge}" + (f" by {method}" if method else ""),
            span=span,
            party=SUPPLIER,
            account=self._tariff,
            amount=price if -int(price.as_tuple().exponent) <= AMOUNT_DECIMALS else round(price, AMOUNT_DECIMALS),
            unit=self._unit,
            memo=f"until {end}" if end else "",
            provenance=Provenance.EVERYBODY,
            supplier_id=" ".join(filter(None, (self._tariff, self._charge, method, utc(begin)))),
            fields={name: value for name, value in fields.items() if value},
        )


def _decimal(value: Number) -> Decimal:
    return Decimal(value[0]).scaleb(-value[1])
