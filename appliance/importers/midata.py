"""midata: the file of a UK current account that comparison sites accept, a year of payments by the banks' own layout.

     Date,Type,Merchant/Description,Debit/Credit,Balance
    01/08/2016,ATM,CASH NW,-£132.76,+£679.68          day first; amounts with their sign and a pound; parts are masked
    14/08/2016,))),TFL TRAVEL CH,-£41.40,+£3853.57    a type of the bank's own: here, contactless
                                                      blank, then what the account has besides:
    Arranged overdraft limit,26/10/2016,£0.00

Banks write it with any line ends, in Windows-1252 or UTF-8, the newest row first or last. It names no account: state
one. The balance behind each row is kept beside it, and told where it does not follow from the one before; the last of
each day is a balance of the account.

Source: HM Treasury and the PCA providers, "midata personal current account comparison: file content standard" (2015).
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from appliance import delimited, parsing
from appliance.delimited import Header, Row
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "midata current account (UK)"

_NAMES = ("date", "type", "merchant/description", "debit/credit", "balance")
_HEADING = re.compile(
    r"\s*date\s*,\s*type\s*,\s*merchant\s*/?\s*description\s*,\s*debit\s*/\s*credit\s*,\s*balance", re.I
)
_DAY = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_ACCOUNT = "Current account"
_AHEAD = 1_000  # rows that are held until the order shows, or the day of the next payment
_MEND = "Fetch the file again from the bank, or correct the row and import it again"


@dataclass(frozen=True)
class Options:
    """`account`: which account it is, since the file does not say."""

    account: str = field(default="", metadata={"title": "Account, which the file does not name"})


def identify(head: bytes, name: str) -> bool:
    """Whether the first line is the layout's heading. Names say nothing."""
    return bool(_HEADING.match(parsing.decoded(head[:400]).lstrip("\ufeff")))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each payment, in the file's order; behind the last of a day its balance; then what is said besides."""
    yield Source(options.account or "midata", _ACCOUNT)
    followed = _Followed()
    items = _rows(pieces, options.account or _ACCOUNT, followed)
    ahead, newest_first = list[Item](), None
    while newest_first is None and len(ahead) < _AHEAD and (item := next(items, None)):
        ahead.append(item)
        newest_first = followed.is_newest_first
    yield from _with_balances(itertools.chain(ahead, items), newest_first=bool(newest_first))
    yield from followed.warnings()


def _rows(pieces: Iterator[bytes], account: str, followed: "_Followed") -> Iterator[Item]:
    rows = (row for row in delimited.rows(pieces) if not row.is_blank)
    header = Header(next(rows, Row([], 0, 0, 1)).cells)
    count = 0
    for row in rows:
        if row.problem or not _is_besides(row):
            count += 1
            payment = _payment(row, header, account)
            if isinstance(payment, Record):
                followed.take(payment, row.line)
            yield payment
        else:
            yield Warned(f"The file says besides: {' '.join(cell.strip() for cell in row.cells if cell.strip())}.")
    if not count:
        yield Warned("The file holds no payments.")


def _is_besides(row: Row) -> bool:
    """What the account has besides payments has words where a payment has its day."""
    first = row.cells[0].strip() if row.cells else ""
    return bool(first) and not any(letter.isdigit() for letter in first) and len(row.cells) <= 3


def _payment(row: Row, header: Header, account: str) -> Record | Rejected:
    said = {name: parsing.tidy(header.cell(row, name)) for name in _NAMES}
    span = Span(row.first, max(row.length, 1))
    try:
        if row.problem:
            raise ValueError(row.problem)
        at, amount = _day(said["date"]), _amount(said["debit/credit"])
        balance = _amount(said["balance"]) if said["balance"] else None
    except ValueError as error:
        return Rejected(span, row.line, f"row {row.line}", f"{error}. {_MEND}")
    what = said["merchant/description"]
    fields = {"trntype": said["type"], "balance": f"{balance:f}" if balance is not None else ""}
    return Record(
        kind="money.transaction",
        at=at,
        title=what or said["type"] or "Payment",
        span=span,
        party=what,
        account=account,
        amount=amount,
        unit="GBP",
        memo=said["type"],
        fields={name: text for name, text in fields.items() if text},
    )


def _with_balances(items: Iterator[Item], *, newest_first: bool) -> Iterator[Item]:
    """The same, and behind the last payment of a day (the first, where the newest comes first) what then stood."""
    last: Record | None = None
    behind: list[Item] = []  # what stands behind that payment and states no balance
    for item in items:
        stated = item if isinstance(item, Record) and "balance" in item.fields else None
        if stated is None and len(behind) < _AHEAD:
            behind.append(item)
            continue
        is_other = last is None or stated is None or stated.at != last.at
        if last is not None and is_other and not newest_first:
            yield _balance(last)
        yield from behind
        yield item
        if stated is not None and is_other and newest_first:
            yield _balance(stated)
        last, behind = stated, []
    if last is not None and not newest_first:
        yield _balance(last)
    yield from behind


def _balance(payment: Record) -> Record:
    """What stood on the account behind a payment; a later export has more of its last day."""
    return Record(
        kind="money.balance",
        at=payment.at,
        title="Ledger balance",
        span=payment.span,
        account=payment.account,
        amount=Decimal(payment.fields["balance"]),
        unit=payment.unit,
        supplier_id=f"balance of {payment.at}",
        fields={"type": "ledger"},
    )


class _Followed:
    """Whether each balance follows from the one beside it, read from whichever end the file is written."""

    def __init__(self) -> None:
        self.is_newest_first: bool | None = None
        self._last: tuple[Record, Decimal, Decimal] | None = None
        self._broken = {False: 0, True: 0}  # by whether the newest row comes first, how many do not follow
        self._lines = {False: 0, True: 0}  # and the line of the first of them

    def take(self, payment: Record, line: int) -> None:
        """One more payment; one that states no balance says nothing."""
        if "balance" not in payment.fields or payment.amount is None:
            return
        amount, balance = payment.amount, Decimal(payment.fields["balance"])
        if self._last is not None:
            above, above_amount, above_balance = self._last
            down, up = above_balance + amount == balance, balance + above_amount == above_balance
            for newest_first, follows in ((False, down), (True, up)):
                if not follows:
                    self._broken[newest_first] += 1
                    self._lines[newest_first] = self._lines[newest_first] or line
            if self.is_newest_first is None and isinstance(payment.at, date) and isinstance(above.at, date):
                if payment.at != above.at:
                    self.is_newest_first = payment.at < above.at
                elif down != up:
                    self.is_newest_first = up
        self._last = payment, amount, balance

    def warnings(self) -> Iterator[Warned]:
        """What does not follow, in the order in which most does."""
        order = min(self._broken, key=lambda newest_first: self._broken[newest_first])
        if count := self._broken[order]:
            yield Warned(
                f"The balance on line {self._lines[order]} does not follow from the row beside it"
                + (f", nor do {count - 1} others" if count > 1 else "")
                + ": rows may be missing. Fetch the file again from the bank."
            )


def _day(text: str) -> date:
    found = _DAY.fullmatch(text)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the date {text[:40]!r} is not a day of the calendar, day first") from None


def _amount(text: str) -> Decimal:
    return parsing.amount(text.replace("£", "").replace("GBP", "").replace("\N{REPLACEMENT CHARACTER}", "").strip())
