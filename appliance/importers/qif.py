"""QIF: what Quicken, and after it many banks and programs, write of accounts: a line a field, a caret ends each.

    !Account            an account that follows: N its name, T its type
    NJoint
    TBank
    ^
    !Type:Bank          its transactions
    D03/12/26           day; T amount (U the same); N number; P payee; M memo; A address; L category or [account]
    T-12.50             S, E and $: parts of it, each with category, memo and amount; C: cleared
    PBaker
    ^
    !Type:Invst         N action, Y security, I price, Q how many, O commission, T amount

A file says neither its bank nor its currency, often no account, and never whether 03/12 is December: that is settled by
all of its dates together, else by a person (`dates`); a file that no date settles is taken as its marks are mostly
used, which is said.

Source: Intuit, "Quicken Interchange Format (QIF)", as in Quicken 2005's help.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from mmap import mmap

from appliance import parsing
from appliance.errors import UserError
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "QIF (Quicken) account file"

ORDERS = ("", "day-first", "month-first", "year-first")
_LONGEST = 1 << 16  # bytes of one transaction
_MEND = "Correct it in the file and import the file again"
_HEADING = re.compile(rb"(?:\A|[\r\n])\s*!(?:Type:|Account|Option:|Clear:)", re.I)
_LINE = re.compile(rb"[^\r\n]+")
_DATE = re.compile(r"\s*(\d{1,4})\s*[-/.]\s*(\d{1,2})\s*([-/.']|/')\s*(\d{1,4})\s*")
_TRANSACTIONS = frozenset({"bank", "cash", "ccard", "oth a", "oth l", "invst", "invoice"})
_LISTS = {"cat": "categories", "class": "classes", "memorized": "memorized payees", "security": "securities",
          "prices": "prices", "budget": "budgets", "template": "templates", "tax": "taxes"}  # fmt: skip
_PAID = frozenset(
    {"buy", "buyx", "cvrshrt", "cvrshrtx", "margint", "margintx", "miscexp", "miscexpx", "xout", "contrib"}
)
_GOT = frozenset({"sell", "sellx", "shtsell", "shtsellx", "div", "divx", "intinc", "intincx", "cglong", "cglongx",
                  "cgmid", "cgmidx", "cgshort", "cgshortx", "miscinc", "miscincx", "rtrncap", "rtrncapx", "xin",
                  "withdrw", "cash"})  # fmt: skip


@dataclass(frozen=True)
class Options:
    """`dates`: how its dates are written, where they do not settle it. `currency`: what its amounts are in."""

    dates: str = field(default="", metadata={"title": "How dates are written", "choices": ORDERS})
    currency: str = field(default="", metadata={"title": "Currency"})

    def __post_init__(self) -> None:
        problems = []
        if self.dates not in ORDERS:
            problems.append(f"dates={self.dates!r}: write one of {', '.join(ORDERS[1:])}")
        if self.currency and not re.fullmatch("[A-Z]{3}", self.currency):
            problems.append(f"currency={self.currency!r} is no currency code; write three capitals, such as EUR")
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Whether there is a heading of QIF's among the first lines. Names say nothing."""
    found = _HEADING.search(head)
    return found is not None and not head[: found.start()].strip(b"\xef\xbb\xbf \t\r\n")


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """Each transaction, in the file's order."""
    yield from _Reader(data, options).items()


class _Reader:
    """Two passes: the first learns how dates are written, the second yields."""

    def __init__(self, data: bytes | mmap, options: Options) -> None:
        self._data, self._options = data, options
        self._lines = parsing.Lines(data)
        self._type, self._account, self._account_type = "", "", ""
        self._source: Source | None = None
        self._passed_over: dict[str, int] = {}
        self._count = 0
        self._order, self._is_sure = self._settled()

    def items(self) -> Iterator[Item]:
        if not self._is_sure:
            yield Warned(
                f"Every date of this file could be day first or month first; they were taken as {self._order}. Where "
                "that is wrong, undo the import and import the file with dates=day-first or dates=month-first."
            )
        entry: list[bytes] = []
        first = end = -1
        for line in _LINE.finditer(self._data):
            raw = line[0].strip()
            if not raw:
                continue
            if raw.startswith(b"!"):
                yield from self._cut(entry, first, end)
                entry, first = [], -1
                self._head(parsing.decoded(raw[1:]).strip().lower())
                continue
            first = line.start() if first < 0 else first
            end = line.end()
            if raw == b"^":
                yield from self._entry(entry, Span(first, end - first))
                entry, first = [], -1
            elif end - first <= _LONGEST:
                entry.append(raw)
        yield from self._cut(entry, first, end)
        for what, many in self._passed_over.items():
            yield Warned(f"The file lists {many} {what} too, which are not taken in.")
        if not self._count:
            yield Warned("The file holds no transactions.")
        elif not self._options.currency:
            yield Warned("A QIF file names no currency; state it for this source: currency=EUR, say.")

    def _head(self, heading: str) -> None:
        if heading.startswith("type:"):
            self._type = heading[5:].strip()
        elif heading == "account":
            self._type = "account"

    def _cut(self, entry: list[bytes], first: int, end: int) -> Iterator[Item]:
        """What is left where no caret ends it: the last transaction of a file that was cut off."""
        if entry and self._type in _TRANSACTIONS:
            yield from self._enter()
            self._count += 1
            yield self._rejected(Span(first, end - first), "no ^ ends it, so its end may be missing")

    def _entry(self, entry: list[bytes], span: Span) -> Iterator[Item]:
        if self._type == "account":
            said = {each[:1]: parsing.tidy(parsing.decoded(each[1:])) for each in entry}
            self._account, self._account_type = said.get(b"N", "")[:100], said.get(b"T", "")
        elif self._type in _TRANSACTIONS:
            yield from self._enter()
            self._count += 1
            if span.length > _LONGEST:
                yield self._rejected(span, "it is longer than any transaction, so the file is damaged")
                return
            try:
                yield self._record(entry, span)
            except ValueError as error:
                yield self._rejected(span, str(error))
        else:
            what = _LISTS.get(self._type, "entries of another kind")
            self._passed_over[what] = self._passed_over.get(what, 0) + 1

    def _enter(self) -> Iterator[Source]:
        name = self._account or "qif"
        if self._source is None or self._source.name != name:
            self._source = Source(name)
            yield self._source

    def _rejected(self, span: Span, reason: str) -> Rejected:
        return Rejected(span, self._lines.at(span.first), f"transaction {self._count}", f"{reason}. {_MEND}")

    # ---- one transaction ----

    def _record(self, entry: list[bytes], span: Span) -> Record:
        said: dict[str, str] = {}
        parts: list[dict[str, str]] = []
        address: list[str] = []
        for raw in entry:
            text = parsing.decoded(raw)
            mark, value = text[0], parsing.tidy(text[1:])
            if mark == "S":
                parts.append({"S": value})
            elif mark in "E$%" and parts:
                parts[-1][mark] = value
            elif mark == "A":
                address.append(value)
            elif mark == "X":
                continue  # of invoices: Quicken's own bookkeeping
            else:
                said.setdefault(mark, value)
        at = _day(said.get("D", ""), self._order)
        is_invested = self._type == "invst"
        amount = _amount(said.get("T") or said.get("U") or said.get("$", ""), may_lack=is_invested)
        action = said.get("N", "") if is_invested else ""
        if is_invested:
            amount = _moved(action.casefold(), amount)
        category = said.get("L", "")
        fields = {
            "category": category if not category.startswith("[") else "",
            "transfer": category[1:].rstrip("]") if category.startswith("[") else "",
            "accttype": self._account_type or self._type,
            "cleared": {"*": "cleared", "c": "cleared", "x": "reconciled", "r": "reconciled"}.get(
                said.get("C", "").lower(), ""
            ),
            "checknum": "" if is_invested else said.get("N", ""),
            "payee.addr1": ", ".join(filter(None, address)),
            "splits": _splits(parts),
            "action": action,
            "security": said.get("Y", ""),
            "price": said.get("I", "") if is_invested else "",
            "units": said.get("Q", "") if is_invested else "",
            "commission": said.get("O", "") if is_invested else "",
        }
        party = said.get("P", "")
        memo = said.get("M", "")
        title = " ".join(filter(None, (action, fields["security"]))) or party or memo or category or "Transaction"
        return Record(
            kind="money.transaction",
            at=at,
            title=title,
            span=span,
            party=party,
            account=self._account,
            amount=amount,
            unit=self._options.currency,
            memo=memo,
            fields={name: value for name, value in fields.items() if value},
        )

    # ---- dates ----

    def _settled(self) -> tuple[str, bool]:
        """How dates are written, and whether that is sure."""
        if self._options.dates:
            return self._options.dates, True
        orders, marks = set(ORDERS[1:]), set[str]()
        for line in re.finditer(rb"(?:\A|[\r\n])D([^\r\n]{6,20})", self._data):
            found = _DATE.fullmatch(parsing.decoded(line[1]))
            if found and (possible := {order for order in orders if _parts(found, order)}):
                orders = possible
                marks.add(found[3])
            if len(orders) == 1:
                return orders.pop(), True
        if "day-first" not in orders or not marks:
            return sorted(orders)[0], len(orders) < len(ORDERS) - 1 or not marks
        return ("month-first" if marks <= {"/", "'", "/'"} else "day-first"), False


def _parts(found: re.Match[str], order: str) -> date | None:
    first, second, third = found[1], found[2], found[4]
    year, month, day = {
        "day-first": (third, second, first),
        "month-first": (third, first, second),
        "year-first": (first, second, third),
    }[order]
    if (order == "year-first") != (len(first) == 4) or len(day) > 2 or len(month) > 2 or len(year) == 3:
        return None
    number = int(year)
    if len(year) < 3:  # an apostrophe marks a year after 1999
        number += 2000 if "'" in found[3] or number < 70 else 1900
    try:
        return date(number, int(month), int(day))
    except ValueError:
        return None


def _day(text: str, order: str) -> date:
    found = _DATE.fullmatch(text)
    day = _parts(found, order) if found else None
    if day is None:
        raise ValueError(f"the date {text[:40]!r} is not a day of the calendar, {order}")
    return day


# ---- amounts ----


def _amount(text: str, *, may_lack: bool) -> Decimal | None:
    return None if may_lack and not text else parsing.amount(text)


def _moved(action: str, amount: Decimal | None) -> Decimal | None:
    """What an investment's action moves of money: files write what was paid without a sign."""
    if amount is None or action in _GOT:
        return amount
    return -abs(amount) if action in _PAID else None


def _splits(parts: list[dict[str, str]]) -> str:
    """The parts of a transaction in a line: "Food 10.00 (lunch); Rent 20.00"."""
    said = []
    for each in parts:
        note = f" ({each['E']})" if each.get("E") else ""
        said.append(f"{each['S']} {each.get('$', '')}{note}".strip())
    return "; ".join(said)
