"""Green Button Connect My Data: an energy company gives readings to whom its customer allows it, by OAuth 2.

    consent    the company's page, with code_challenge=SHA-256(verifier) -> back here with a code
    POST token address: grant_type=authorization_code, code, code_verifier
               -> {"access_token", "refresh_token", "expires_in", "resourceURI": ".../Batch/Subscription/5"}
    GET .../Batch/Subscription/5?updated-min=2026-01-01T00:00:00Z      -> Green Button XML; 202: it is being prepared
    POST token address: grant_type=refresh_token -> other tokens, where the access token is over

A refresh token may be good for once alone: what it was exchanged for is sealed at once. What a company prepares (202)
it finds again by the address that it was asked at, so it is asked at the same one until it has it.

Source: NAESB REQ.21 (ESPI) 3.3, authorization and "Batch" resources; RFC 6749, sections 4.1 and 6 (OAuth 2); RFC 7636
(PKCE).
"""

import base64
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.content import InMemory
from appliance.errors import SourceError, UserError
from appliance.web import Answer, Web

TITLE = "Energy company by Green Button Connect"
HELP = (
    "Register this box as a third party with your energy company (Green Button Connect My Data): it gives a client "
    "number, a secret and the two addresses. Then choose Allow, and sign in at the company."
)
RHYTHM_S = 86_400
DAY_S = 86_400
LATE_DAYS = 3
SOON_S = 60
USUAL_S = 3_600
PREPARED_S = 1_800.0
_NOT_ALLOWED = "the energy company has not been asked yet, or its permission is over: choose Allow, and sign in there"
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_OVER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LONGEST_ADDRESS, _LONGEST_CODE = 4_000, 60


@dataclass(frozen=True)
class Options:
    """What the company gave when the box was registered. `resource`: only where its answer does not say it."""

    authorization: str = field(default="", metadata={"title": "Address of its page for permission"})
    exchange: str = field(default="", metadata={"title": "Address where codes are exchanged (token endpoint)"})
    client: str = field(default="", metadata={"title": "Client number (client_id)"})
    client_secret: str = field(default="", repr=False, metadata={"title": "Client’s secret", "secret": True})
    scope: str = field(
        default="", metadata={"title": "Scope", "help": "As the company says, such as FB=4_5_15;IntervalDuration=3600."}
    )
    resource: str = field(
        default="", metadata={"title": "Address of the data", "help": "Only where the company names one of its own."}
    )
    sent_in: str = field(
        default="header",
        metadata={"title": "How its secret is sent", "choices": ("header", "form"), "help": "Most take the header."},
    )
    pkce: str = field(
        default="yes",
        metadata={"title": "With PKCE", "choices": ("yes", "no"), "help": "Only a few companies refuse it."},
    )

    def __post_init__(self) -> None:
        given = {"authorization": self.authorization, "exchange": self.exchange}
        given |= {"resource": self.resource} if self.resource else {}
        problems = [f"{name}: {problem}" for name, said in given.items() if (problem := asking.address_problem(said))]
        if not self.client.strip():
            problems.append("client: write the client number that the company gave")
        for name, choices in (("sent_in", ("header", "form")), ("pkce", ("yes", "no"))):
            if getattr(self, name) not in choices:
                problems.append(f"{name}={getattr(self, name)!r}: write one of {', '.join(choices)}")
        if problems:
            raise UserError(problems)


# ---- permission ----


def consent(options: Options, answer_to: str, token: str, verifier: str) -> str:
    """The company's page."""
    said = {"response_type": "code", "client_id": options.client.strip(), "redirect_uri": answer_to, "state": token}
    if options.scope.strip():
        said["scope"] = options.scope.strip()
    if options.pkce == "yes":
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        said |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    address = asking.whole_address(options.authorization)
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(said)}"


def consented(options: Options, answer_to: str, code: str, verifier: str, web: Web) -> Kept:
    """The tokens, for the code that came back."""
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": answer_to}
    if options.pkce == "yes":
        said["code_verifier"] = verifier
    return _exchanged(options, said, {}, web)


def _exchanged(options: Options, said: dict[str, str], kept: Kept, web: Web) -> dict[str, Any]:
    """What is to be kept for a code or a refresh token."""
    client, secret, auth = options.client.strip(), options.client_secret.strip(), None
    if options.sent_in == "header" and secret:
        auth = (client, secret)
    else:
        said = {**said, "client_id": client, **({"client_secret": secret} if secret else {})}
    answer = web.ask("POST", asking.whole_address(options.exchange), data=said, auth=auth, accepted=_REFUSED)
    if answer.status in _REFUSED:
        raise SourceError(f"{asking.host(answer.url)}: {_NOT_ALLOWED}{_why(answer)}", permanent=True)
    found = asking.json_of(answer)
    if not isinstance(found, dict) or not found.get("access_token"):
        raise SourceError(f"{asking.host(answer.url)} gave no token for the permission; try again later")
    lasts_s = str(found.get("expires_in") or USUAL_S)
    return {
        **kept,
        "access": str(found["access_token"]),
        "refresh": str(found.get("refresh_token") or kept.get("refresh", "")),
        "ends_s": _now_s() + (int(lasts_s) if lasts_s.isascii() and lasts_s.isdigit() else USUAL_S),
        "resource": str(found.get("resourceURI") or kept.get("resource", ""))[:_LONGEST_ADDRESS],
    }


def _why(answer: Answer) -> str:
    """The reason in RFC 6749's words (section 5.2), which are no person's but may help the company."""
    try:
        said = asking.json_of(answer)
    except SourceError:
        return ""
    code = str(said.get("error", "")) if isinstance(said, dict) else ""
    return f" ({code})" if code.replace("_", "").isalnum() and len(code) < _LONGEST_CODE else ""


# ---- readings ----


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """What is new since the last time, and the days before it again: readings are put right later."""
    if not kept.get("access"):
        raise SourceError(_NOT_ALLOWED, permanent=True)
    state = dict(kept)
    asked = state.get("asked") or {"since": _since(state), "at_s": _now_s()}
    address = _resource(options, state)
    if _now_s() > state.get("ends_s", 0) - SOON_S and state.get("refresh"):
        state = _refreshed(options, state, web)
        yield Fetched(None, dict(state))
    answer = _data(address, asked["since"], state, web)
    if answer.status == HTTPStatus.UNAUTHORIZED and state.get("refresh"):
        state = _refreshed(options, state, web)
        yield Fetched(None, dict(state))
        answer = _data(address, asked["since"], state, web)
    if answer.status in _OVER:
        raise SourceError(_NOT_ALLOWED, permanent=True)
    if answer.status == HTTPStatus.ACCEPTED:
        yield Fetched(None, {**state, "asked": asked})
        raise SourceError(
            f"{asking.host(address)} is preparing the readings; they are fetched when it has them",
            retry_after_s=asking.retry_after_s(answer) or PREPARED_S,
        )
    yield _news(answer, state, asked)


def _news(answer: Answer, state: dict[str, Any], asked: dict[str, Any]) -> Fetched:
    """The readings, where they are others than the last time."""
    begins = answer.body[:100].lstrip(b"\xef\xbb\xbf \r\n\t")
    if answer.body and not (begins.startswith(b"<") and b"naesb.org/espi" in answer.body):
        raise SourceError(f"{asking.host(answer.url)} answered with something that is no Green Button; try again later")
    digest = hashlib.sha256(answer.body).hexdigest()
    is_news = b"IntervalReading" in answer.body and digest != state.get("last")
    state = {name: value for name, value in state.items() if name != "asked"}
    state |= {"until_s": asked["at_s"], "last": digest}
    day = datetime.fromtimestamp(asked["at_s"], UTC).strftime("%Y-%m-%d")
    content = InMemory(f"readings until {day}.xml", answer.body) if is_news else None
    return Fetched(content, state, format="green_button")


def _refreshed(options: Options, state: Kept, web: Web) -> dict[str, Any]:
    return _exchanged(options, {"grant_type": "refresh_token", "refresh_token": state["refresh"]}, state, web)


def _data(address: str, since: str, state: Kept, web: Web) -> Answer:
    return web.get(
        address,
        headers={"Authorization": f"Bearer {state['access']}", "Accept": "application/atom+xml"},
        params={"updated-min": since} if since else None,
        accepted=_OVER,
    )


def _resource(options: Options, state: Kept) -> str:
    """Where the readings are: all of a subscription at once."""
    address = options.resource or state.get("resource", "")
    if asking.address_problem(address):
        raise SourceError("the company does not say where the readings are: write their address", permanent=True)
    parts = urlsplit(asking.whole_address(address))
    path = parts.path
    if "/Batch/" not in path:
        path = path.replace("/resource/Subscription/", "/resource/Batch/Subscription/")
    return urlunsplit(parts._replace(path=path))


def _since(state: Kept) -> str:
    """A whole day, so that a company that prepares what it is asked for is asked for the same; "" the first time."""
    if "until_s" not in state:
        return ""
    day_s = (state["until_s"] // DAY_S - LATE_DAYS) * DAY_S
    return datetime.fromtimestamp(day_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _now_s() -> int:
    return int(time.time())
