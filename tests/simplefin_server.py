"""A SimpleFIN server of our own: it speaks the protocol in either version, for accounts that a test fills.

Source: SimpleFIN Protocol 1.0.7 and 2.0.0, "HTTP Endpoints".
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.web_server import Answered, Asked


@dataclass
class Bank:
    """One account, by days as seconds since 1970. `address` is set once it is served."""

    version: int = 2
    payments: list[dict[str, Any]] = field(default_factory=list)
    complaints: list[dict[str, str]] = field(default_factory=list)
    balance: str = "100.23"
    balance_s: int = 1_782_820_800
    address: str = ""
    is_paid: bool = True
    claimed: list[str] = field(default_factory=list)
    user: str = "user123"
    password: str = field(default_factory=lambda: f"pass {secrets.token_hex(4)}/@")
    spans: list[tuple[int, int]] = field(default_factory=list)

    def token(self) -> str:
        """A setup token, which can be claimed once."""
        return base64.b64encode(f"{self.address}/simplefin/claim/{secrets.token_hex(8)}".encode()).decode()

    def __call__(self, asked: Asked) -> Answered:
        if asked.path.startswith("/simplefin/claim/"):
            return self._claim(asked)
        if asked.path == "/simplefin/accounts" and asked.method == "GET":
            return self._accounts(asked)
        return Answered(status=404)

    def _claim(self, asked: Asked) -> Answered:
        if asked.method != "POST" or asked.path in self.claimed:
            return Answered(b"Forbidden", 403)
        self.claimed.append(asked.path)
        scheme, _, host = self.address.partition("://")
        password = self.password.replace(" ", "%20").replace("/", "%2F").replace("@", "%40")
        return Answered(f"{scheme}://{self.user}:{password}@{host}/simplefin\n".encode())

    def _accounts(self, asked: Asked) -> Answered:
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {wanted}":
            return Answered(b"Forbidden", 403)
        if not self.is_paid:
            return Answered(b"Payment required", 402)
        begin, end = int(asked.params["start-date"]), int(asked.params["end-date"])
        assert end - begin <= 90 * 86_400, "the Bridge gives 90 days at most"
        self.spans.append((begin, end))
        pending = asked.params.get("pending") == "1"
        found = [each for each in self.payments if self._is_wanted(each, begin, end, pending=pending)]
        return Answered(json.dumps(self._account_set(found)).encode())

    def _is_wanted(self, payment: dict[str, Any], begin: int, end: int, *, pending: bool) -> bool:
        at = payment["posted"] or payment["transacted_at"]
        return begin <= at < end and (pending or not payment.get("pending"))

    def _account_set(self, payments: list[dict[str, Any]]) -> dict[str, Any]:
        account = {
            "id": "ACT-1",
            "name": "Everyday 4321",
            "currency": "USD",
            "balance": self.balance,
            "balance-date": self.balance_s,
            "transactions": payments,
        }
        if self.version == 1:
            org = {"domain": "millunion.example", "name": "Mill Union", "sfin-url": self.address}
            return {"errors": [each["msg"] for each in self.complaints], "accounts": [{"org": org, **account}]}
        bank = {"conn_id": "CON-1", "name": "Mill Union - Ann", "org_url": "https://millunion.example"}
        return {"errlist": self.complaints, "connections": [bank], "accounts": [{"conn_id": "CON-1", **account}]}
