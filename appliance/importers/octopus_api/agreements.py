"""The agreements of one meter point: which tariff from when on."""

from collections.abc import Mapping
from typing import Any

from appliance.importers.octopus_api.values import SUPPLIER, moment, until, utc
from appliance.json_cursor import text
from appliance.records import Record, Source, Span


class Point:
    """One meter point of an account."""

    def __init__(self, supply: str, said: Mapping[str, Any], of: Mapping[str, Any], account: str) -> None:
        self._number = text(said.get("mpan")) or text(said.get("mprn"))
        self._account = account
        meters = said["meters"] if isinstance(said.get("meters"), list) else []
        serials = [text(each.get("serial_number")) for each in meters if isinstance(each, dict)]
        lines = (f"address_line_{number}" for number in (1, 2, 3))
        address = [text(of.get(name)) for name in (*lines, "town", "county", "postcode")]
        self._fields = {
            "supply": supply,
            "direction": ("export" if said.get("is_export") is True else "import") if supply == "electricity" else "",
            "point": self._number,
            "meters": ", ".join(filter(None, serials)),
            "address": ", ".join(filter(None, address)),
        }
        self.source = Source(f"octopus {account or 'account'}", f"{SUPPLIER} {account}".strip())

    def agreement(self, said: Mapping[str, Any], span: Span) -> Record:
        tariff = text(said.get("tariff_code"))
        if not tariff:
            raise ValueError("it names no tariff")
        begin, end = moment(said.get("valid_from")), until(said.get("valid_to"))
        return Record(
            kind="energy.agreement",
            at=begin,
            title=f"{tariff} for {self._fields['supply']} {self._number}".strip(),
            span=span,
            party=SUPPLIER,
            account=self._account,
            memo=f"until {end}" if end else "",
            supplier_id=f"{self._number} {tariff} {utc(begin)}",
            fields={name: value for name, value in {**self._fields, "tariff": tariff, "until": end}.items() if value},
        )
