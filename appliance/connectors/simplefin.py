"""SimpleFIN: the accounts of many banks, read by a server that the person has linked them to (the SimpleFIN Bridge).

    setup token = base64(claim address)
    POST claim address                             -> once: the access address, with a name and a password in it
    GET access address/accounts?version=2&pending=1
        &start-date=1700000000&end-date=1705184000 -> accounts with their payments, at most 90 days of them

A setup token is worth nothing once it was claimed: what it was exchanged for is sealed at once. Each span of days is
fetched again for a month, since banks book late.

Source: SimpleFIN Protocol 2.0.0, "POST /claim/:token", "GET /accounts", "Checklist"; the Bridge's developer guide,
"Limits" (90 days, 24 requests a day).
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from appliance import messages, parsing
from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.content import InMemory
from appliance.errors import SourceError, UserError
from appliance.web import Web

TITLE = "Banks by SimpleFIN"
HELP = (
    "Link your banks at https://bridge.simplefin.org, choose New app connection there, and paste the setup token that "
    "it shows. It can be used once."
)
RHYTHM_S = 43_200
DAY_S = 86_400
WINDOW_DAYS, LATE_DAYS = 60, 30
MOST_DAYS = 366 * 3
_LONGEST_ADDRESS, _MOST_BYTES = 2_000, 16 << 20
_LONGEST_WORDS, _MOST_COMPLAINTS = 300, 10


@dataclass(frozen=True)
class Options:
    """`token`: the setup token, or an access address. `days`: how far back the first time."""

    token: str = field(default="", repr=False, metadata={"title": "Setup token", "secret": True})
    days: int = field(default=365, metadata={"title": "Days back, the first time", "help": "Many banks give 90."})

    def __post_init__(self) -> None:
        problems = []
        if not self.token.strip():
            problems.append("token: paste the setup token that the SimpleFIN server shows")
        elif not _address(self.token):
            problems.append("token: this is no setup token; copy all of it from the SimpleFIN server")
        if not 1 <= self.days <= MOST_DAYS:
            problems.append(f"days={self.days}: write a number from 1 to {MOST_DAYS}")
        if problems:
            raise UserError(problems)


def _address(token: str) -> str:
    """The address in a token, or the token itself where it is one; "" where there is none."""
    token = "".join(token.split())
    if "://" not in token:
        try:
            token = base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return ""
    try:
        parts = urlsplit(token)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return token if is_good else ""


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The accounts with their payments, a span of days after the other, the oldest first."""
    mark = hashlib.sha256("".join(options.token.split()).encode()).hexdigest()
    state = dict(kept)
    if state.get("claimed") != mark:
        state = {"claimed": mark, "access": _claimed(options, web)}
        yield Fetched(None, dict(state))
    now_s = _now_s()
    begin_s = state["until_s"] - LATE_DAYS * DAY_S if "until_s" in state else now_s - options.days * DAY_S
    told = False
    for first_s, end_s in _windows(begin_s, now_s):
        body, said = _accounts(state["access"], first_s, end_s, web)
        remark = "" if told else _complaints(said)
        told = told or bool(remark)
        digest = hashlib.sha256(body).hexdigest()
        is_news = digest != state.get("last") and (end_s > now_s or _has_payments(said))
        state |= {"until_s": min(end_s, now_s), "last": digest}
        content = InMemory(f"accounts until {_day(min(end_s, now_s))}.json", body) if is_news else None
        yield Fetched(content, dict(state), format="simplefin", remark=remark)


def _now_s() -> int:
    return int(time.time())


def _windows(begin_s: int, now_s: int) -> Iterator[tuple[int, int]]:
    """Spans of days up to tomorrow; each begins where the one before ended, as the end is not in it."""
    end_s = now_s + DAY_S
    first_s = min(begin_s, now_s)
    while first_s < end_s:
        last_s = min(first_s + WINDOW_DAYS * DAY_S, end_s)
        yield first_s, last_s
        first_s = last_s


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


# ---- what a token is exchanged for ----


def _claimed(options: Options, web: Web) -> str:
    address = _address(options.token)
    if urlsplit(address).username:  # it is an access address already
        return address
    answer = web.ask("POST", address, data=b"", accepted=frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}))
    if answer.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        raise SourceError(
            f"{asking.host(address)} does not take this setup token: it was used already, or never given. If it was "
            "not you who used it, somebody else may read your accounts: disable it there. Make and give another one",
            permanent=True,
        )
    access = answer.body[:_LONGEST_ADDRESS].decode("utf-8", "replace").strip()
    if not _address(access) or not urlsplit(access).username:
        raise SourceError(f"{asking.host(address)} answered with something that is no access address; try again later")
    return access


def _accounts(access: str, first_s: int, end_s: int, web: Web) -> tuple[bytes, dict[str, Any]]:
    """An answer, and what it says."""
    parts = urlsplit(access)
    where = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, where, f"{parts.path.rstrip('/')}/accounts", "", ""))
    answer = web.get(
        url,
        auth=(unquote(parts.username or ""), unquote(parts.password or "")),
        most=_MOST_BYTES,
        params={"version": "2", "pending": "1", "start-date": str(first_s), "end-date": str(end_s)},
        accepted=frozenset({HTTPStatus.PAYMENT_REQUIRED}),
    )
    if answer.status == HTTPStatus.PAYMENT_REQUIRED:
        raise SourceError(f"{asking.host(url)} asks to be paid first: renew your subscription there", permanent=True)
    said = messages.parsed(answer.body)
    if not isinstance(said, dict) or not isinstance(said.get("accounts"), list):
        raise SourceError(f"{asking.host(url)} answered with something that is no list of accounts; try again later")
    if not said["accounts"] and any(code == "gen.auth" for code, _ in _errors(said)):
        raise SourceError(
            f"{asking.host(url)} refused the access: {_complaints(said)} Make a new token", permanent=True
        )
    return answer.body, said


# ---- what an answer says ----


def _has_payments(said: dict[str, Any]) -> bool:
    """A span without any says only what the others do: what stands on the accounts now."""
    return any(isinstance(each, dict) and each.get("transactions") for each in said["accounts"])


def _errors(said: dict[str, Any]) -> list[tuple[str, str]]:
    """What the server complains of: codes and words, of either version of the protocol."""
    every = [each for name in ("errlist", "errors") if isinstance(said.get(name), list) for each in said[name]]
    pairs = [
        (each.get("code"), each.get("msg") or each.get("message")) if isinstance(each, dict) else ("", each)
        for each in every
    ]
    return [(str(code or ""), parsing.tidy(str(words or ""))) for code, words in pairs]


def _complaints(said: dict[str, Any]) -> str:
    """The complaints as a person may read them: they are the server's own words, so nothing in them is trusted."""
    every = dict.fromkeys(words[:_LONGEST_WORDS] for _, words in _errors(said) if words)
    told = "; ".join(list(every)[:_MOST_COMPLAINTS])
    return f"SimpleFIN says: {told}." if told else ""
