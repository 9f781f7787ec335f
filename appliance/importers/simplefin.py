"""SimpleFIN: the accounts of several banks with their payments, as a SimpleFIN server answers.

    {"errlist": [{"code": "con.auth", "msg": "..."1}],
     "connections": [{"conn_id": "CON-1"2, "name": "My Bank - Jill", "org_url": "https://mybank.com"}],
     "accounts": [{"id": "2930002"3, "conn_id": "CON-1"2, "name": "Savings", "currency": "USD", "balance": "100.23",
       "available-balance": "75.23", "balance-date": 978366153, "transactions": [
         {"id": "12394832938403"4, "posted": 793090572, "transacted_at": 793080000, "amount": "-33.43",
          "description": "Uncle Frank's Bait Shop", "payee": "Uncle Frank", "memo": "", "pending": true5, "mcc": "5941",
          "extra": {"category": "food"}}]}]}

1 shown to the person; version 1 of the protocol has texts in "errors". 2 says the bank; version 1 has an "org" in each
account. 3 is unique at one bank, 4 in one account. 5 not booked yet: "posted" may be 0 then. All times are in seconds
since 1970. Of investments the Bridge gives "holdings" besides.

Source: SimpleFIN Protocol 1.0.7 and 2.0.0, "Account Set" to "Transaction". Payee, memo, holdings are the Bridge's own.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from appliance import parsing
from appliance.content import Data
from appliance.json_cursor import BrokenError, Cursor, text, to_its_end
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "SimpleFIN accounts (JSON)"

_ACCOUNTS = re.compile(rb'"accounts"\s*:\s*\[\s*(?:\]|\{)')
_BESIDE = re.compile(rb'"(?:errors|errlist|connections)"\s*:')
_OWN = re.compile(rb'"balance-date"|"sfin[-_]url"|"accounts"\s*:\s*\[\s*\]')
_SECONDS = re.compile(r"-?[0-9]{1,11}(?:\.[0-9]{1,9})?")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_MOST_ERRORS = 100
_LONGEST_ERROR = 300
_MOST_EXTRA = 20
_BALANCES = {"balance": "ledger", "available-balance": "available"}
_LISTS = ("transactions", "holdings")
_MEND = "fetch it again, and where it stays so tell your bank or the SimpleFIN server"


@dataclass(frozen=True)
class Options:
    """Nothing: the file says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is an account set. Names say nothing."""
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    return begins and all(pattern.search(head) for pattern in (_ACCOUNTS, _BESIDE, _OWN))


def extract(data: Data, options: Options) -> Iterator[Item]:
    """A `Source` for each account, its balances, and each of its transactions as a record or a `Rejected`."""
    del options
    reader = _Reader(data)
    yield from to_its_end(reader.cursor, reader.items(), _MEND)


@dataclass(slots=True)
class _Account:
    """What is said of an account around its lists; where each list and each balance stands."""

    said: dict[str, Any] = field(default_factory=dict)
    balances: dict[str, Span] = field(default_factory=dict)
    lists: dict[str, int] = field(default_factory=dict)


class _Reader:
    """One pass over an account set, and a look ahead at its banks."""

    def __init__(self, data: Data) -> None:
        self.cursor = Cursor(data)
        self._lines = parsing.Lines(data)
        self._banks: dict[str, Mapping[str, Any]] = {}
        self._count = 0

    def items(self) -> Iterator[Item]:
        self._banks = self._connections()
        for name, _ in self.cursor.members():
            if name == "accounts":
                yield from self._accounts()
            elif name in ("errors", "errlist"):
                yield from self._errors()
        if not self._count:
            yield Warned("The file holds no transactions.")

    def _connections(self) -> dict[str, Mapping[str, Any]]:
        """The banks by the ids of their connections, which may stand behind the accounts."""
        begin, found = self.cursor.at, dict[str, Mapping[str, Any]]()
        if self.cursor.data.find(b'"connections"') < 0:
            return found
        try:
            for name, _ in self.cursor.members():
                if name == "connections":
                    said = self.cursor.value()
                    every = said if isinstance(said, list) else []
                    found = {text(each.get("conn_id")): each for each in every if isinstance(each, dict)}
                    break
        except BrokenError:
            pass  # it is said where it is met again
        self.cursor.at = begin
        return found

    def _errors(self) -> Iterator[Warned]:
        said = self.cursor.value()
        for each in said[:_MOST_ERRORS] if isinstance(said, list) else []:
            if words := error_words(each):
                yield Warned(f"The server says: {words}")

    # ---- accounts ----

    def _accounts(self) -> Iterator[Item]:
        if self.cursor.begins() != "[":
            return
        for first in self.cursor.elements():
            try:
                account = self._account()
            except BrokenError as error:
                yield self._broken(first, "an account", error)
                continue
            end = self.cursor.at
            yield from self._of(account)
            self.cursor.at = end

    def _broken(self, first: int, where: str, error: BrokenError) -> Rejected:
        self.cursor.at = first
        self._count += 1
        span = Span(first, self.cursor.recover() - first)
        return Rejected(span, self._lines.at(first), where, f"it cannot be read: {error.reason}; {_MEND}")

    def _account(self) -> _Account:
        cursor, account = self.cursor, _Account()
        for name, first in cursor.members():
            if name in _LISTS and cursor.begins() == "[":
                account.lists[name] = cursor.at
                if self._is_cut():
                    break  # its rows are read as far as they go
                continue
            account.said[name] = cursor.value()
            if name in _BALANCES:
                account.balances[name] = Span(first, cursor.at - first)
        return account

    def _is_cut(self) -> bool:
        """Passes over the list here; whether it does not end."""
        try:
            self.cursor.skip()
        except BrokenError:
            return True
        return False

    def _of(self, account: _Account) -> Iterator[Item]:
        """The items of an account in the file's order, whatever stands first in it."""
        place = _Place(account.said, self._banks.get(text(account.said.get("conn_id")), {}))
        yield place.source
        for name in sorted(account.balances | account.lists, key=lambda each: _first(account, each)):
            if name in account.balances:
                yield self._balance(name, account, place)
            else:
                yield from self._rows(name, account, place)

    def _balance(self, name: str, account: _Account, place: "_Place") -> Record | Warned:
        type_ = _BALANCES[name]
        try:
            at, amount = _moment(account.said.get("balance-date")), _amount(account.said[name])
        except ValueError as error:
            return Warned(f"The {type_} balance of {place.source.title} could not be read: {error}.")
        return Record(
            kind="money.balance",
            at=at,
            title=f"{type_.capitalize()} balance",
            span=account.balances[name],
            amount=amount,
            fields={"type": type_},
            **place.columns,
        )

    def _rows(self, name: str, account: _Account, place: "_Place") -> Iterator[Item]:
        self.cursor.at = account.lists[name]
        made = _transaction if name == "transactions" else _holding
        word = name.removesuffix("s")
        for number, first in enumerate(self.cursor.elements(), 1):
            where = f"{word} {number} of {place.source.title}"
            try:
                said = self.cursor.value()
            except BrokenError as error:
                yield self._broken(first, where, error)
                continue
            self._count += 1
            span = Span(first, self.cursor.at - first)
            try:
                if not isinstance(said, dict):
                    raise ValueError("it says nothing by name")
                yield made(said, span, account.said, place)
            except ValueError as error:
                yield Rejected(span, self._lines.at(first), where, f"{error}; {_MEND}")


def _first(account: _Account, name: str) -> int:
    return account.balances[name].first if name in account.balances else account.lists[name]


def error_words(said: object) -> str:
    """What a server complains of, as a person may read it; "" where it says nothing."""
    words = text(said.get("msg") or said.get("message") or said.get("code")) if isinstance(said, dict) else text(said)
    return words[:_LONGEST_ERROR]


# ---- one account's bank, and its rows ----


class _Place:
    """The account as each of its rows names it."""

    def __init__(self, said: Mapping[str, Any], connection: Mapping[str, Any]) -> None:
        org = said["org"] if isinstance(said.get("org"), dict) else {}
        bank = text(org.get("name") or connection.get("org_name") or connection.get("name") or said.get("conn_name"))
        where = _host(text(connection.get("org_url"))) or _host(text(org.get("domain") or org.get("url")))
        where = where or text(connection.get("org_id") or org.get("id") or said.get("conn_id"))
        number, name = text(said.get("id")), text(said.get("name"))
        key = "/".join(filter(None, (where, number or name)))
        self.source = Source(f"simplefin {key or 'account'}", " ".join(filter(None, (bank or where, name or number))))
        self.columns: dict[str, Any] = {
            "account": name or number,
            "account_key": key,
            "unit": _currency(text(said.get("currency"))),
        }


def _host(address: str) -> str:
    """mybank.com, of https://www.mybank.com/ too."""
    try:
        host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _currency(said: str) -> str:
    """A currency's code, or the name of one of a company's own (miles, points), which is an address that tells more."""
    if _CURRENCY.fullmatch(said):
        return said.upper()
    return said.rstrip("/").rpartition("/")[2][:40]


def _transaction(said: Mapping[str, Any], span: Span, _: object, place: _Place) -> Record:
    is_pending = said.get("pending") is True
    posted, made = said.get("posted"), said.get("transacted_at")
    if is_pending and text(posted) in ("", "0"):
        if not text(made):
            raise ValueError("it is pending and has no date yet: it comes again when it is booked")
        posted = made
    title, payee, memo = (text(said.get(name)) for name in ("description", "payee", "memo"))
    fields = {"status": "pending" if is_pending else "", "mcc": text(said.get("mcc")), **_extra(said.get("extra"))}
    if text(made) not in ("", "0", text(posted)):
        fields["dtuser"] = _moment(made).isoformat().replace("+00:00", "Z")
    return Record(
        kind="money.transaction",
        at=_moment(posted),
        title=title or payee or memo or "Transaction",
        span=span,
        party=payee,
        amount=_amount(said.get("amount")),
        memo=memo,
        supplier_id=text(said.get("id")),
        fields={name: value for name, value in fields.items() if value},
        **place.columns,
    )


def _holding(said: Mapping[str, Any], span: Span, account: Mapping[str, Any], place: _Place) -> Record:
    symbol, name = text(said.get("symbol")), text(said.get("description"))
    if not (symbol or name):
        raise ValueError("it does not say what is held")
    value = said.get("market_value")
    fields = {
        "security": name or symbol,
        "symbol": symbol,
        "units": text(said.get("shares")),
        "cost": text(said.get("cost_basis")),
    }
    columns = place.columns | {"unit": _currency(text(said.get("currency"))) or place.columns["unit"]}
    return Record(
        kind="money.holding",
        at=_moment(account.get("balance-date")),
        title=name or symbol,
        span=span,
        amount=_amount(value) if text(value) else None,
        supplier_id=text(said.get("id")),
        fields={name: value for name, value in fields.items() if value},
        **columns,
    )


def _extra(said: object) -> dict[str, str]:
    """What a server says besides, as it calls it."""
    if not isinstance(said, dict):
        return {}
    found = ((parsing.tidy(str(name))[:60], text(value)[:200]) for name, value in list(said.items())[:_MOST_EXTRA])
    return {name: value for name, value in found if name and value}


def _moment(said: object) -> datetime:
    """Seconds since 1970."""
    seconds = text(said)
    if not seconds:
        raise ValueError("it states no date")
    if not _SECONDS.fullmatch(seconds):
        raise ValueError(f"its date {seconds[:40]!r} is not a number of seconds since 1970")
    if seconds.strip("-0.") == "":
        raise ValueError("it has no date yet")
    return datetime.fromtimestamp(int(Decimal(seconds)), UTC)


def _amount(said: object) -> Decimal:
    return parsing.amount(text(said))
