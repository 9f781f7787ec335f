"""A bank's rows and balances in OFX -> facts.

A STMTTRN has a DTPOSTED; a STMTTRNP, which is pending, has a DTTRAN in its place.

Source: OFX 2.2, sections 5.2 (currencies), 11.4.2.2 (BANKTRANLIST, LEDGERBAL, AVAILBAL), 11.4.3 (STMTTRN, STMTTRNP),
13.9.2.7 (INVBAL), 13.9.2.9 (INV401KBAL).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from appliance import parsing, statements
from appliance.importers.ofx.accounts import Account
from appliance.importers.ofx.elements import moment
from appliance.records import Record, Span

T = TypeVar("T")

BALANCES = {
    "LEDGERBAL": ("ledger", "balamt"),
    "AVAILBAL": ("available", "balamt"),
    "INVBAL": ("available", "availcash", "marginbalance", "shortbalance", "buypower"),
    "INV401KBAL": ("value", "total", "cashbal", "pretax", "aftertax", "match", "profitsharing", "rollover",
                   "othervest", "othernonvest"),
}  # fmt: skip
"""Each with its type, the element that says how much, and those that are kept beside it."""


class RowError(ValueError):
    """What is wrong with a row, by the names of the elements that are."""

    def __init__(self, of: dict[str, str]) -> None:
        self.of = of
        super().__init__(" and ".join(of.values()))


def stated(elements: dict[str, str], name: str, read: Callable[[str], T], problems: dict[str, str]) -> T | None:
    """Takes an element out; None where it cannot be read, which `problems` then says."""
    try:
        return read(elements.pop(name, ""))
    except ValueError as error:
        problems[name] = str(error)
        return None


def transaction(elements: dict[str, str], span: Span, account: Account) -> Record:
    """A STMTTRN or STMTTRNP; RowError where it is not certain."""
    problems: dict[str, str] = {}
    is_pending = "dttran" in elements and "dtposted" not in elements
    at = stated(elements, "dttran" if is_pending else "dtposted", moment, problems)
    value = stated(elements, "trnamt", parsing.amount, problems)
    if problems:
        raise RowError(problems)
    party = elements.pop("name", "") or elements.get("payee.name", "")
    memo = elements.pop("memo", "")
    if is_pending:
        elements["status"] = "pending"
    return Record(
        kind="money.transaction",
        at=at,
        title=party or memo or elements.get("trntype", ""),
        span=span,
        party=party,
        account=account.number,
        account_key=account.key,
        amount=value,
        unit=unit(elements) or account.currency,
        memo=memo,
        supplier_id=elements.pop("fitid", ""),
        fields=account.fields | elements,
    )


def unit(elements: dict[str, str]) -> str:
    """What the amount is in, where that is not the statement's currency. CURRENCY says what the amounts beside it are
    in; ORIGCURRENCY only what they were before the bank converted them (section 5.2)."""
    return (elements.get("currency.cursym") or elements.get("currency", "")).upper()


def covered(days: Sequence[str], span: Span, account: Account) -> Record | None:
    """The days that a list of rows covers; None where they are not its first and its last."""
    with suppress(ValueError):
        first, last = map(moment, days)
        named = {"account": account.number, "account_key": account.key, "unit": account.currency}
        return statements.covered(first, last, span, **named)
    return None


def balance(tag: str, elements: dict[str, str], as_of: str, span: Span, account: Account) -> Record:
    """A balance; of an investment account, `as_of` when, the cash in it, and of a pension plan (a 401(k)) what all of
    it is worth. ValueError where it is not certain."""
    type_, amount, *more = BALANCES[tag]
    return Record(
        kind="money.balance",
        at=moment(elements.get("dtasof", as_of)),
        title="Value of what is held" if type_ == "value" else f"{type_.capitalize()} balance",
        span=span,
        account=account.number,
        account_key=account.key,
        amount=parsing.amount(elements.get(amount, "")),
        unit=account.currency,
        fields={"type": type_} | {name: elements[name] for name in more if name in elements},
    )
