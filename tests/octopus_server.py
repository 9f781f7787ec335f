"""Octopus Energy's service, of our own: it speaks the documented interface, for a house that a test fills.

Source: Octopus Energy, REST API guides, "API Basics" and "API Endpoints".
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tests.web_server import Answered, Asked

KEY = "sk_live_that_nobody_may_read"
MPAN, EXPORT, MPRN = "1000000000000", "1000000000001", "1234567890"
IMPORTED, FLEXIBLE, OUTGOING, GAS = (
    "E-1R-AGILE-FLEX-22-11-25-N",
    "E-1R-VAR-22-11-01-N",
    "E-1R-OUTGOING-FIX-12M-19-05-13-N",
    "G-1R-VAR-22-11-01-N",
)
_LONDON = ZoneInfo("Europe/London")
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def written(moment: datetime) -> str:
    """As the service writes it: by the clock in London, with its offset."""
    return moment.astimezone(_LONDON).isoformat().replace("+00:00", "Z")


@dataclass
class House:
    """`used` are half-hours by meter point and meter, from `begin` on; `page` is the most that a page holds."""

    begin: datetime = field(default_factory=lambda: at("2026-03-28T00:00:00+00:00"))
    page: int = 100
    used: dict[str, list[str | None]] = field(default_factory=dict)
    prices: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    agreements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    address: str = ""

    def __call__(self, asked: Asked) -> Answered:
        wanted = base64.b64encode(f"{KEY}:".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {wanted}":
            return Answered(b'{"detail": "Invalid API key."}', 401)
        match asked.path.strip("/").split("/"):
            case ["v1", "accounts", "A-1234ABCD"]:
                return Answered(json.dumps(self._account()).encode())
            case ["v1", ("electricity-meter-points" | "gas-meter-points"), point, "meters", serial, "consumption"]:
                return self._list(asked, self._half_hours(f"{point}/{serial}", asked.params))
            case ["v1", "products", _, ("electricity-tariffs" | "gas-tariffs"), tariff, charge]:
                found = self.prices.get(f"{tariff}/{charge}")
                return self._list(asked, _in_force(found, asked.params)) if found else Answered(b"{}", 404)
        return Answered(b'{"detail": "Not found."}', 404)

    def _account(self) -> dict[str, Any]:
        def point(name: str, number: str, serials: list[str], **more: Any) -> dict[str, Any]:
            meters = [{"serial_number": serial} for serial in serials]
            return {name: number, "meters": meters, "agreements": self.agreements.get(number, []), **more}

        place = {
            "address_line_1": "10 Mill Lane",
            "postcode": "LB1 1AA",
            "electricity_meter_points": [
                point("mpan", MPAN, ["12L 1/a", "22L2"], is_export=False),
                point("mpan", EXPORT, ["22L2"], is_export=True),
            ],
            "gas_meter_points": [point("mprn", MPRN, ["E6S1"])],
        }
        return {"number": "A-1234ABCD", "properties": [place]}

    def _half_hours(self, meter: str, params: Mapping[str, str]) -> list[dict[str, Any]]:
        since = at(params["period_from"]) if "period_from" in params else self.begin
        rows = []
        for number, value in enumerate(self.used.get(meter, [])):
            begin = self.begin + number * timedelta(minutes=30)
            if value is not None and begin >= since:
                end = begin + timedelta(minutes=30)
                rows.append({"consumption": value, "interval_start": written(begin), "interval_end": written(end)})
        return rows if params.get("order_by") == "period" else rows[::-1]

    def _list(self, asked: Asked, rows: list[dict[str, Any]]) -> Answered:
        size, number = min(int(asked.params.get("page_size", "100")), self.page), int(asked.params.get("page", "1"))
        begin = (number - 1) * size

        def link(page: int, *, there: bool) -> str | None:
            query = urlencode({**asked.params, "page": str(page)})
            return f"{self.address}{asked.path}?{query}" if there else None

        shown = rows[begin : begin + size]
        said = {
            "count": len(rows),
            "next": link(number + 1, there=begin + size < len(rows)),
            "previous": link(number - 1, there=number > 1),
            "results": shown,
        }
        text = json.dumps(said)
        for row in shown:
            if "consumption" in row:  # a number, and with the digits that the test says
                text = text.replace(f'"consumption": "{row["consumption"]}"', f'"consumption": {row["consumption"]}')
        return Answered(text.encode())


def price(value: str, begin: str, end: str | None, method: str | None = None) -> dict[str, Any]:
    return {
        "value_exc_vat": float(value),
        "value_inc_vat": round(float(value) * 1.05, 5),
        "valid_from": begin,
        "valid_to": end,
        "payment_method": method,
    }


def agreement(tariff: str, begin: str, end: str | None = None) -> dict[str, Any]:
    return {"tariff_code": tariff, "valid_from": begin, "valid_to": end}


def _in_force(prices: list[dict[str, Any]], params: Mapping[str, str]) -> list[dict[str, Any]]:
    """The prices that are in force at some time of the span, the newest first."""
    since = at(params["period_from"]) if "period_from" in params else at("2000-01-01T00:00:00Z")
    until = at(params["period_to"]) if "period_to" in params else _EVER
    return [
        each
        for each in sorted(prices, key=lambda each: str(each["valid_from"]), reverse=True)
        if at(each["valid_from"]) < until and (each["valid_to"] is None or at(each["valid_to"]) > since)
    ]
