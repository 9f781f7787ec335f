"""An energy company of our own that gives readings by Green Button Connect My Data, as OAuth 2 and ESPI have it.

Refresh tokens are good for once, and PKCE is held to. Source: NAESB REQ.21 (ESPI) 3.3; RFC 6749; RFC 7636, section 4.6.
"""

import base64
import hashlib
import html
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from tests import green_button
from tests.web_server import Answered, Asked

CLIENT, SECRET = "box-7", "a secret of the box : and company"

_PAGE = {"Content-Type": "text/html; charset=utf-8"}


@dataclass
class Company:
    """`hours` are Wh by the hour, `updated_s` when each was said; `preparing` is how often it says 202 first."""

    hours: list[int] = field(default_factory=list)
    updated_s: list[int] = field(default_factory=list)
    preparing: int = 0
    lasts_s: int = 3_600
    resource: str = "/DataCustodian/espi/1_1/resource/Batch/Subscription/5"
    is_named: bool = True
    address: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access: str = ""
    refresh: str = ""
    is_withdrawn: bool = False
    since: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answered:
        if asked.path == "/oauth/authorize":
            return self._authorize(asked)
        if asked.path == "/oauth/token" and asked.method == "POST":
            return self._token(asked)
        if asked.path == self.resource:
            return self._data(asked)
        return Answered(status=404)

    def _authorize(self, asked: Asked) -> Answered:
        """The customer has signed in, and allows it; one at a browser is asked first."""
        said = asked.params
        if said.get("client_id") != CLIENT or said.get("response_type") != "code":
            return Answered(b"no such client", 400)
        code = secrets.token_urlsafe(8)
        self.codes[code] = said
        back = f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}"
        if "text/html" in asked.headers.get("accept", ""):
            return Answered(
                f'<!doctype html><title>Power</title><a href="{html.escape(back)}">Allow</a>'.encode(), headers=_PAGE
            )
        return Answered(status=302, headers={"Location": back})

    def _token(self, asked: Asked) -> Answered:
        form = dict(parse_qsl(asked.body.decode()))
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        is_ours = asked.headers.get("authorization") == f"Basic {basic}"
        if not is_ours and (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return _refused("invalid_client", 401)
        if form["grant_type"] == "authorization_code":
            return self._given() if self._is_good(form) else _refused("invalid_grant", 400)
        if self.is_withdrawn or form.get("refresh_token") != self.refresh:
            return _refused("invalid_grant", 400)
        return self._given()

    def _is_good(self, form: dict[str, str]) -> bool:
        said = self.codes.pop(form.get("code", ""), None)
        if said is None or said["redirect_uri"] != form.get("redirect_uri"):
            return False
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return "code_challenge" not in said or said["code_challenge"] == challenge

    def _given(self) -> Answered:
        self.access, self.refresh = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        said = {
            "access_token": self.access,
            "refresh_token": self.refresh,
            "token_type": "Bearer",
            "expires_in": self.lasts_s,
            "scope": "FB=4_5_15",
        }
        if self.is_named:
            said["resourceURI"] = f"{self.address}{self.resource.replace('/Batch/', '/')}"
        return Answered(json.dumps(said).encode())

    def _data(self, asked: Asked) -> Answered:
        if self.is_withdrawn or asked.headers.get("authorization") != f"Bearer {self.access}":
            return Answered(b"", 401)
        self.since.append(asked.params.get("updated-min", ""))
        if self.preparing:
            self.preparing -= 1
            return Answered(b"", 202, {"Retry-After": "600"})
        since_s = _seconds(self.since[-1]) if self.since[-1] else 0
        first = next((hour for hour, at_s in enumerate(self.updated_s) if at_s >= since_s), len(self.hours))
        return Answered(green_button.hours(self.hours[first:], first))


def _refused(error: str, status: int) -> Answered:
    return Answered(json.dumps({"error": error}).encode(), status)


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())
