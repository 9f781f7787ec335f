"""midata: the file of a UK current account that comparison sites accept, a year of payments by the banks' own layout.

     Date,Type,Merchant/Description,Debit/Credit,Balance
    01/08/2016,ATM,CASH NW,-£132.76,+£679.68          day first; amounts with their sign and a pound; parts are masked
    14/08/2016,))),TFL TRAVEL CH,-£41.40,+£3853.57    a type of the bank's own: here, contactless
                                                      blank, then what the account has besides:
    Arranged overdraft limit,26/10/2016,£0.00

Banks write it with any line ends, in Windows-1252 or UTF-8, the newest row first or last. It names no account: state
one.
The balance behind each row is kept beside it, and told where it does not follow from the one before.

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
_MEND = "Fetch the file again from the bank, or correct the row and import it again"


@dataclass(frozen=True)
class Options:
    """`account`: which account it is, since the file does not say."""

    account: str = field(default="", metadata={"title": "Account, which the file does not name"})


def identify(head: bytes, name: str) -> bool:
    """Whether the first line is the layout's heading. Names say nothing."""
    return bool(_HEADING.match(parsing.decoded(head[:400]).lstrip("\ufeff")))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each payment, in the file's order; what stands behind the blank line is said."""
    yield Source(options.account or "midata", "Current account")
    rows = (row for row in delimited.rows(pieces) if not row.is_blank)
    header = Header(next(rows, Row([], 0, 0, 1)).cells)
    balances: list[tuple[Decimal, Decimal, int]] = []
    count = 0
    for row in rows:
        if row.problem or not _is_besides(row):
            count += 1
            item = _payment(row, header, options, balances)
            yield item
        else:
            yield Warned(f"The file says besides: {' '.join(cell.strip() for cell in row.cells if cell.strip())}.")
    yield from _followed(balances)
    if not count:
        yield Warned("The file holds no payments.")


def _is_besides(row: Row) -> bool:
    """What the account has besides payments has words where a payment has its day."""
    first = row.cells[0].strip() if row.cells else ""
    return bool(first) and not any(letter.isdigit() for letter in first) and len(row.cells) <= 3


def _payment(
    row: Row, header: Header, options: Options, balances: list[tuple[Decimal, Decimal, int]]
) -> Record | Rejected:
    said = {name: parsing.tidy(header.cell(row, name)) for name in _NAMES}
    span = Span(row.first, max(row.length, 1))
    try:
        if row.problem:
            raise ValueError(row.problem)
        at, amount = _day(said["date"]), _amount(said["debit/credit"])
        balance = _amount(said["balance"]) if said["balance"] else None
    except ValueError as error:
        return Rejected(span, row.line, f"row {row.line}", f"{error}. {_MEND}")
    if balance is not None:
        balances.append((amount, balance, row.line))
    what = said["merchant/description"]
    fields = {"trntype": said["type"], "balance": f"{balance:f}" if balance is not None else ""}
    return Record(
        kind="money.transaction",
        at=at,
        title=what or said["type"] or "Payment",
        span=span,
        party=what,
        account=options.account,
        amount=amount,
        unit="GBP",
        memo=said["type"],
        fields={name: text for name, text in fields.items() if text},
    )


def _followed(balances: list[tuple[Decimal, Decimal, int]]) -> Iterator[Warned]:
    """Whether each balance follows from the one before it, read from whichever end the file is written."""
    pairs = list(itertools.pairwise(balances))
    down = [later for earlier, later in pairs if earlier[1] + later[0] != later[1]]
    up = [later for earlier, later in pairs if later[1] + earlier[0] != earlier[1]]
    broken = min(down, up, key=len)
    if broken:
        yield Warned(
            f"The balance on line {broken[0][2]} does not follow from the row beside it"
            + (f", nor do {len(broken) - 1} others" if len(broken) > 1 else "")
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
