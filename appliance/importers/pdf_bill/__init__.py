"""PDFs: each is a paper whose text can be searched, and where it is an energy bill, that bill too.

The text is taken out of the file in bounds of work and memory (`text`). What a bill states is lifted by patterns that
are declared as data, a table a language in `patterns/` (`lifting`): supplier, amount, period, account, meter point and
what the meter showed. What was lifted names its pattern; what a bill states in two ways is not taken, and said. Text in
a PDF lies at no bytes that a person would know again, so each fact is of the whole file.

Source: ISO 32000-1, sections 7.5 (file structure) and 9.10 (extraction of text); the tables of patterns are ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from appliance import parsing
from appliance.content import Data
from appliance.errors import UserError
from appliance.importers.pdf_bill import lifting
from appliance.importers.pdf_bill.lifting import Lifted
from appliance.records import Item, Record, Rejected, Source, Span, Warned

if TYPE_CHECKING:
    from appliance.importers.pdf_bill import text

TITLE = "PDF: papers, and bills for energy and water"

ORDERS = ("", "day-first", "month-first")
_LONGEST_MEMO = 100_000  # characters, as a field of many lines may have
_BEGIN = re.compile(rb"%PDF-[0-9]")
_WORD = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True)
class Options:
    """`dates`: which comes first in a date such as 03/04/2026, where a bill's language does not settle it."""

    dates: str = field(default="", metadata={"title": "How dates are written", "choices": ORDERS})

    def __post_init__(self) -> None:
        if self.dates not in ORDERS:
            raise UserError(f"dates={self.dates!r}: write one of {', '.join(ORDERS[1:])}")


def identify(head: bytes, name: str) -> bool:
    """Whether a PDF begins in the first kilobyte, as readers allow. Names say nothing."""
    begun = _BEGIN.search(head[:1024])
    return begun is not None and b"<" not in head[: begun.start()]


def extract(data: Data, options: Options) -> Iterator[Item]:
    """The paper as a `document`, and the bill that it is."""
    from appliance.importers.pdf_bill import text  # pypdf is loaded only for a PDF

    if not len(data):
        yield Warned("The file is empty.")
        return
    span = Span(0, len(data))
    try:
        paper = text.of(bytes(data))
    except text.UnreadableError as error:
        yield Rejected(span, 1, "file", str(error))
        return
    yield from (Warned(said) for said in paper.left_out)
    lifted = lifting.lift(paper.text, options.dates)
    yield Source("papers", "Papers")
    yield _document(paper, lifted, span)
    if len(paper.text) > _LONGEST_MEMO:
        yield Warned(f"Only the first {_LONGEST_MEMO:,} characters of its text can be searched.")
    if lifted is None:
        return
    yield from (Warned(said) for said in lifted.doubts)
    missing = [what for what, said in _needed(lifted).items() if said is None]
    if missing:
        yield Warned(
            f"It looks like a bill for energy or water, but {', '.join(missing)} could not be told: it is kept as a "
            "document only. Add the bill by hand where you need it."
        )
        return
    yield _bill(lifted, span)


def _needed(lifted: Lifted) -> dict[str, object | None]:
    return {
        "the supplier": lifted.texts.get("party"),
        "the amount": lifted.amounts.get("amount"),
        "the day of the bill": lifted.days.get("at"),
    }


def _document(paper: "text.Paper", lifted: Lifted | None, span: Span) -> Record:
    title = paper.title or next((line for line in paper.text.splitlines() if _WORD.search(line)), "")
    said = {"pages": str(paper.pages), "language": lifted.language if lifted else ""}
    at: date | datetime | None = (lifted.days.get("at") if lifted else None) or paper.made
    return Record(
        kind="document",
        at=at,
        title=parsing.tidy(title)[:200] or "PDF",
        span=span,
        party=lifted.texts.get("party", "") if lifted else "",
        memo=paper.text[:_LONGEST_MEMO],
        fields={name: value for name, value in said.items() if value},
    )


def _beside(lifted: Lifted) -> dict[str, Decimal]:
    """The amounts beside what is to pay; what is not charged for these days, such as a debt or a credit, is told."""
    amounts = dict(lifted.amounts)
    to_pay, charges = amounts.pop("amount"), amounts.pop("charges", None)
    return amounts | ({"adjustments": to_pay - charges} if charges is not None and to_pay != charges else {})


def _bill(lifted: Lifted, span: Span) -> Record:
    texts = dict(lifted.texts)
    party, account = texts.pop("party"), texts.pop("account", "")
    amounts = {name: f"{value:f}" for name, value in _beside(lifted).items()}
    days = {name: day.isoformat() for name, day in lifted.days.items() if name != "at"}
    number = texts.get("number", "")
    return Record(
        kind="energy.bill",
        at=lifted.days["at"],
        title=" ".join(filter(None, (party, number))),
        span=span,
        party=party,
        account=account,
        amount=lifted.amounts["amount"],
        unit=lifted.currency,
        supplier_id=number,
        fields=texts | amounts | days | {"lifted_by": lifted.by},
    )
