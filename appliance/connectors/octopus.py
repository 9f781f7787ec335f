"""Octopus Energy: what was used by half-hours, the agreements, and what each tariff costs.

    GET /v1/accounts/A-1234ABCD/                                             meter points, meters, agreements
    GET /v1/electricity-meter-points/MPAN/meters/SERIAL/consumption/         pages, each with the next one's address
        ?order_by=period&page_size=25000&period_from=2026-01-01T00:00:00Z
    GET /v1/products/VAR-22-11-01/electricity-tariffs/E-1R-VAR-22-11-01-N/standard-unit-rates/

The API key is the name of basic authentication, without a password. Readings come days late, and some are put right:
two weeks are asked for again each time.

Source: Octopus Energy, REST API guides, "API Basics" and "API Endpoints".
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.content import InMemory
from appliance.errors import SourceError, UserError
from appliance.web import Answer, Web

TITLE = "Octopus Energy"
HELP = (
    "Your account number (A-...) stands on every bill; the API key on your account's page, under Personal details, "
    "API access."
)
RHYTHM_S = 86_400
FORMAT = "octopus_api"
READINGS_A_PAGE, PRICES_A_PAGE = 25_000, 1_500
LATE_DAYS, PRICED_DAYS = 14, 7
MOST_PAGES = 1_000
MOST_BYTES = 16 << 20
MOST_DIGESTS = 10
_ACCOUNT = re.compile(r"[A-Z]-[A-Z0-9]{4,12}")
_TARIFF = re.compile(r"([EG])-([0-9]R)-([A-Z0-9-]{2,70})-[A-P]")
_ABSENT = frozenset({HTTPStatus.NOT_FOUND})
_SUPPLIES = {"electricity_meter_points": ("electricity", "mpan"), "gas_meter_points": ("gas", "mprn")}


@dataclass(frozen=True)
class Options:
    """`gas_unit`: what the gas meter counts. `since`: the first day that is asked for, nothing for all there is."""

    account: str = field(default="", metadata={"title": "Account number", "help": "Such as A-1234ABCD."})
    key: str = field(default="", repr=False, metadata={"title": "API key", "secret": True})
    gas_unit: str = field(
        default="",
        metadata={
            "title": "What the gas meter counts",
            "choices": ("", "m3", "kWh"),
            "help": "Newer meters (SMETS2) count m3, those of the first generation (SMETS1) kWh. Without gas: nothing.",
        },
    )
    prices: str = field(default="yes", metadata={"title": "Prices, too", "choices": ("yes", "no")})
    since: str = field(default="", metadata={"title": "First day", "help": "Such as 2024-01-01; nothing for all."})
    address: str = field(default="https://api.octopus.energy", metadata={"title": "Address of the service"})

    def __post_init__(self) -> None:
        problems = []
        if not _ACCOUNT.fullmatch(self.account.strip()):
            problems.append(f"account={self.account!r}: write it as on the bill, such as A-1234ABCD")
        if not self.key.strip():
            problems.append("key: paste the API key from your account's page")
        for name, choices in (("gas_unit", ("", "m3", "kWh")), ("prices", ("yes", "no"))):
            if getattr(self, name) not in choices:
                problems.append(f"{name}={getattr(self, name)!r}: write one of {', '.join(filter(None, choices))}")
        if self.since and not _is_day(self.since):
            problems.append(f"since={self.since!r}: write a day such as 2024-01-01")
        if problem := asking.address_problem(self.address):
            problems.append(f"address: {problem}")
        if problems:
            raise UserError(problems)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2024-01-01")


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The account where it has changed, then what was used at each meter, then prices."""
    yield from _Run(options, kept, web).fetched()


@dataclass(frozen=True, slots=True)
class _Point:
    """One meter point of the account."""

    supply: str
    number: str
    direction: str
    serials: list[str]
    agreements: list[dict[str, Any]]

    @property
    def stated(self) -> dict[str, str]:
        return {"supply": self.supply, "direction": self.direction}


class _Run:
    def __init__(self, options: Options, kept: Kept, web: Web) -> None:
        self._options, self._web = options, web
        self._base = f"{asking.whole_address(options.address).rstrip('/')}/v1"
        self._kept: dict[str, Any] = {"account": kept.get("account", ""), "read": {}, "priced": {}}
        for name in ("read", "priced"):
            self._kept[name] = {key: dict(state) for key, state in kept.get(name, {}).items()}

    def fetched(self) -> Iterator[Fetched]:
        answer = self._asked(f"{self._base}/accounts/{quote(self._options.account.strip())}/", _ABSENT)
        if answer.status in _ABSENT:
            raise SourceError(
                f"{asking.host(self._base)} has no account {self._options.account} for this key", permanent=True
            )
        points = list(_points(asking.json_of(answer), asking.host(self._base)))
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest != self._kept["account"]:
            self._kept["account"] = digest
            yield self._file(f"account {self._options.account}.json", answer.body, {})
        for point in points:
            yield from self._used(point)
        if self._options.prices == "yes":
            for point in points:
                yield from self._priced(point)

    def _file(self, name: str, body: bytes, options: Mapping[str, str]) -> Fetched:
        return Fetched(InMemory(name, body), self._copy(), format=FORMAT, options=options)

    def _copy(self) -> Kept:
        return {
            name: {key: dict(state) for key, state in each.items()} if isinstance(each, dict) else each
            for name, each in self._kept.items()
        }

    def _asked(self, url: str, accepted: frozenset[int] = frozenset(), **params: str) -> Answer:
        auth = (self._options.key.strip(), "")
        return self._web.get(url, auth=auth, params=params or None, accepted=accepted, most=MOST_BYTES)

    def _pages(self, url: str, **params: str) -> Iterator[tuple[bytes, list[Mapping[str, Any]]]]:
        """The pages of a list; nothing where there is no such list."""
        asked: dict[str, str] = params
        for _ in range(MOST_PAGES):
            answer = self._asked(url, _ABSENT, **asked)
            if answer.status in _ABSENT:
                return
            said = asking.json_of(answer)
            results = said.get("results") if isinstance(said, dict) else None
            if not isinstance(results, list):
                raise SourceError(f"{asking.host(url)} answered with something that is no list; try again later")
            yield answer.body, [each for each in results if isinstance(each, dict)]
            url, asked = str(said.get("next") or ""), {}
            if not url:
                return
            if not asking.is_of(url, self._base):
                raise SourceError(
                    f"{asking.host(self._base)} leads to {asking.host(url)}, which is not asked", permanent=True
                )

    # ---- what was used ----

    def _used(self, point: _Point) -> Iterator[Fetched]:
        if point.supply == "gas" and not self._options.gas_unit:
            remark = "Gas is not fetched: say what its meter counts, m3 (most do) or kWh (SMETS1)."
            yield Fetched(None, self._copy(), remark=remark)
            return
        stated = {**point.stated, "point": point.number}
        if point.supply == "gas":
            stated["unit"] = self._options.gas_unit
        for serial in point.serials:
            yield from self._meter(point, serial, stated)

    def _meter(self, point: _Point, serial: str, stated: Mapping[str, str]) -> Iterator[Fetched]:
        state = self._kept["read"].setdefault(f"{point.number}/{serial}", {})
        url = f"{self._base}/{point.supply}-meter-points/{quote(point.number)}/meters/{quote(serial, safe='')}"
        since = f"{self._options.since}T00:00:00Z" if self._options.since else ""
        if state.get("until"):
            since = _earlier(state["until"], LATE_DAYS)
        params = {"order_by": "period", "page_size": str(READINGS_A_PAGE), **({"period_from": since} if since else {})}
        known, digests = state.get("digests", []), list[str]()
        for body, results in self._pages(f"{url}/consumption/", **params):
            digests.append(_digest(results))
            ends = [end for each in results if (end := _moment(each.get("interval_end")))]
            if not ends or digests[-1] in known:
                continue
            until = max(ends)
            state |= {"digests": digests[-MOST_DIGESTS:], "until": max(until, state.get("until", ""))}
            yield self._file(f"{point.supply} {point.number} until {until[:10]}.json", body, stated)

    # ---- what it costs ----

    def _priced(self, point: _Point) -> Iterator[Fetched]:
        for agreement in point.agreements:
            tariff = str(agreement.get("tariff_code") or "")
            found = _TARIFF.fullmatch(tariff)
            if found is None:
                continue
            product = f"{self._base}/products/{found[3]}/{point.supply}-tariffs/{tariff}"
            day_and_night = ("day-unit-rates", "night-unit-rates")
            for charge in (*(day_and_night if found[2] == "2R" else ("standard-unit-rates",)), "standing-charges"):
                yield from self._charge(point, agreement, tariff, charge, f"{product}/{charge}/")

    def _charge(
        self, point: _Point, agreement: Mapping[str, Any], tariff: str, charge: str, url: str
    ) -> Iterator[Fetched]:
        begin, end = _moment(agreement.get("valid_from")), _moment(agreement.get("valid_to"))
        state = self._kept["priced"].setdefault(f"{tariff}/{charge}/{begin[:10]}", {})
        if state.get("until") and state.get("until") == end:
            return  # it has ended, and all of it is here
        now = _utc(datetime.fromtimestamp(_now_s(), UTC))
        since = max(begin, _earlier(state["asked"], PRICED_DAYS)) if state.get("asked") else begin
        params = {"page_size": str(PRICES_A_PAGE), "period_from": since, **({"period_to": end} if end else {})}
        stated = {**point.stated, "tariff": tariff, "charge": charge}
        digests = []
        for body, results in self._pages(url, **{name: value for name, value in params.items() if value}):
            digests.append(_digest(results))
            if results and digests[-1] not in state.get("digests", []):
                yield self._file(f"{tariff} {charge}.json", body, stated)
        state |= {"asked": now, "digests": digests[-MOST_DIGESTS:], "until": end if end and end < now else ""}
        is_first_without = not digests and not state.get("is_without")
        state["is_without"] = not digests
        remark = f"{asking.host(url)} publishes no {charge.replace('-', ' ')} of {tariff}." if is_first_without else ""
        yield Fetched(None, self._copy(), remark=remark)


def _digest(results: list[Mapping[str, Any]]) -> str:
    """What a page says, without the links in it."""
    return hashlib.sha256(json.dumps(results).encode()).hexdigest()[:32]


def _points(said: Any, host: str) -> Iterator[_Point]:
    """The meter points of an account."""
    if not isinstance(said, dict) or not isinstance(said.get("properties"), list):
        raise SourceError(f"{host} answered with something that is no account; try again later")
    for place in said["properties"]:
        for name, (supply, number) in _SUPPLIES.items():
            for each in _objects(place, name):
                is_export = each.get("is_export") is True
                direction = ("export" if is_export else "import") if supply == "electricity" else ""
                serials = [str(meter.get("serial_number") or "") for meter in _objects(each, "meters")]
                agreements = list(_objects(each, "agreements"))
                if each.get(number):
                    yield _Point(supply, str(each[number]), direction, [*filter(None, serials)], agreements)


def _objects(said: Any, name: str) -> list[dict[str, Any]]:
    every = said.get(name) if isinstance(said, dict) else None
    return [each for each in every if isinstance(each, dict)] if isinstance(every, list) else []


def _moment(said: Any) -> str:
    """A time as the service is asked for it, in UTC; "" where it is none."""
    try:
        at = datetime.fromisoformat(str(said or ""))
        return _utc(at) if at.tzinfo else ""
    except (ValueError, OverflowError):
        return ""


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _earlier(moment: str, days: int) -> str:
    return _utc(datetime.fromisoformat(moment) - timedelta(days=days))


def _now_s() -> int:
    return int(time.time())
