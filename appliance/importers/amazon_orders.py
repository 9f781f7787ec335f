"""Amazon's order history, as Amazon's data export has it (`Retail.OrderHistory.1.csv`): a row a thing that was bought.

    "Website","Order ID","Order Date","Purchase Order Number","Currency","Unit Price","Unit Price Tax",
    "Shipping Charge","Total Discounts","Total Owed","Shipment Item Subtotal","Shipment Item Subtotal Tax",
    "ASIN","Product Condition",
    "Quantity","Payment Instrument Type","Order Status",...,"Ship Date",...,"Product Name",...
    "Amazon.co.uk","026-1234567-1234567","2026-02-03T18:04:11Z","Not Applicable","GBP","8.32","1.67","0","'-1.00'",
    "8.99","8.32","1.67","B00EXAMPLE","New","1","Visa - 1234","Closed",...

Amounts stand in quotes of their own where they are long or below nothing ("'1,234.56'", "\"1,234.56\""); what there is
nothing to say of is "Not Available" or "Not Applicable". Newer files call `Total Owed` `Total Amount`; the reports of
before 2023 have days as 02/03/26, `Title`, `Item Total` and `Purchase Price Per Unit`; digital orders have `Title`,
`OurPrice` and `Order ID`. "Shipment Item Subtotal" is of a whole shipment and repeated in each of its rows, so it is
never taken for what a row costs.

Source: the columns are Amazon's own, of exports by "Request my data"; there is no specification.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from appliance import delimited, parsing
from appliance.config import is_zone
from appliance.delimited import Header, Row
from appliance.errors import UserError
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "Amazon order history (CSV)"

ORDERS = ("", "day-first", "month-first")
_ID = ("Order ID", "OrderID", "Order Id")
_NAME = ("Product Name", "Title", "ProductName")
_DAY = ("Order Date", "OrderDate")
_TOTAL = ("Total Owed", "Total Amount", "Item Total", "Our Price", "OurPrice", "Total Charged")
_UNIT = ("Unit Price", "Purchase Price Per Unit")
_ITEMS = ("ASIN", "ASIN/ISBN")
_SITE = ("Website", "Marketplace")
_CURRENCY = ("Currency", "Base Currency Code", "OurPriceCurrencyCode")
_QUANTITY, _TAX = ("Quantity",), ("Unit Price Tax",)
_MANY = ("Quantity", "Original Quantity", "Quantity Ordered")
_EVERY: tuple[tuple[str, ...], ...] = (
    *(_ID, _NAME, _DAY, _TOTAL, _UNIT, _ITEMS),
    *(_SITE, _CURRENCY, _QUANTITY, _TAX, _MANY),
)
_TAKEN = frozenset(map(delimited.plain, (*_ID, *_NAME, *_DAY, "Currency", "Website", "Quantity", *_ITEMS)))
_NOTHING = frozenset({"not available", "not applicable", "n/a", ""})
_SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{2}|[0-9]{4})")
_CODE = re.compile("[A-Z]{3}")
_LONGEST = 500  # characters of a field
_MEND = "Correct it in the file and import the file again"


@dataclass(frozen=True)
class Options:
    """`currency`, where the file names none. `dates`: which comes first in 02/03/26, where the site does not settle it.
    `zone`: of times without an offset."""

    currency: str = field(default="", metadata={"title": "Currency, where the file names none"})
    dates: str = field(default="", metadata={"title": "How dates are written", "choices": ORDERS})
    zone: str = field(default="", metadata={"title": "Time zone of times without one"})

    def __post_init__(self) -> None:
        problems = []
        if self.currency and not re.fullmatch("[A-Z]{3}", self.currency):
            problems.append(f"currency={self.currency!r} is no currency code; write three capitals, such as EUR")
        if self.dates not in ORDERS:
            problems.append(f"dates={self.dates!r}: write one of {', '.join(ORDERS[1:])}")
        if self.zone and not is_zone(self.zone):
            problems.append(f"zone={self.zone!r} is no time zone; write one such as Europe/London")
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Whether the first row has the columns of orders at Amazon. Names say nothing."""
    if b"order" not in head[:4096].lower().replace(b"\0", b""):
        return False
    rows = delimited.head_rows(head[:8192])
    header = Header(rows[0].cells) if rows else Header(())
    if any(row.problem for row in rows[:1]):
        return False
    has = [any(each in header for each in names) for names in (_ID, _NAME, _DAY, _ITEMS)]
    return all(has) and (any(each in header for each in _TOTAL) or "Unit Price" in header)


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each row, in the file's order."""
    rows = _rows(pieces)
    yield Source("amazon", "Amazon orders")
    yield from _Reader(Header(next(rows, Row([], 0, 0, 1)).cells), options).items(rows)


def _rows(pieces: Iterator[bytes]) -> Iterator[Row]:
    return (row for row in delimited.rows(pieces) if row.problem or not row.is_blank)


class _Reader:
    def __init__(self, header: Header, options: Options) -> None:
        self._header, self._options = header, options
        self._blank = [""] * len(header.names)
        self._places = {names: header.places(*names) for names in _EVERY}
        self._others = [
            (name, at) for at, name in enumerate(header.names) if name and delimited.plain(name) not in _TAKEN
        ]
        self._zone = ZoneInfo(options.zone) if options.zone else UTC
        self._lacks_currency = self._is_local = False

    def items(self, rows: Iterator[Row]) -> Iterator[Item]:
        count = 0
        for row in rows:
            count += 1
            span = Span(row.first, max(row.length, 1))
            try:
                if row.problem:
                    raise ValueError(row.problem)
                yield self._record(row, span)
            except ValueError as error:
                yield Rejected(span, row.line, f"row {row.line}", f"{error}. {_MEND}")
        if self._lacks_currency:
            yield Warned("The file names no currency; state it for this source: currency=GBP, say.")
        if self._is_local:
            yield Warned("Its times are without a zone, and were taken as UTC; state it: zone=Europe/London, say.")
        if not count:
            yield Warned("The file holds no orders.")

    def _record(self, row: Row, span: Span) -> Record:
        if len(row.cells) * 2 < len(self._header.names):
            raise ValueError(f"it has {len(row.cells)} cells, and the heading {len(self._header.names)}")
        cells = [*map(_said, row.cells), *self._blank[len(row.cells) :]]
        name, order, asin = (self._first(cells, names) for names in (_NAME, _ID, _ITEMS))
        if not (name or asin):
            raise ValueError("it names no product")
        site, amount, code = self._first(cells, _SITE), self._amount(cells), self._first(cells, _CURRENCY).upper()
        currency = code if _CODE.fullmatch(code) else self._currency(cells)
        self._lacks_currency |= amount is not None and not currency
        fields = {"item": name or asin, "quantity": self._first(cells, _MANY), "order": order, "asin": asin}
        return Record(
            kind="shop.purchase",
            at=self._at(cells, site),
            title=(name or asin)[:_LONGEST],
            span=span,
            party=site or "Amazon",
            amount=amount,
            unit=currency if amount is not None else "",
            memo=order,
            fields={key: text[:_LONGEST] for key, text in fields.items() if text}
            | {key: cells[place][:_LONGEST] for key, place in self._others if cells[place]},
        )

    def _first(self, cells: list[str], names: tuple[str, ...]) -> str:
        """The first of these columns that says something."""
        for place in self._places[names]:
            if cells[place]:
                return cells[place]
        return ""

    def _amount(self, cells: list[str]) -> Decimal | None:
        """What the row costs: its total, else its price for as many as there are."""
        if total := self._first(cells, _TOTAL):
            return _money(total)
        price = self._first(cells, _UNIT)
        if not price:
            return None
        many = self._first(cells, _QUANTITY)
        tax = self._first(cells, _TAX)
        return (_money(price) + (_money(tax) if tax else 0)) * (int(many) if re.fullmatch("[0-9]{1,4}", many) else 1)

    def _currency(self, cells: list[str]) -> str:
        """By the sign of its amounts, else as a person states."""
        shown = self._first(cells, _TOTAL) + self._first(cells, _UNIT)
        signs = {"£": "GBP", "€": "EUR", "₹": "INR"}
        return next((code for sign, code in signs.items() if sign in shown), self._options.currency)

    def _at(self, cells: list[str], site: str) -> date | datetime:
        text = self._first(cells, _DAY).strip("'\"")
        if not text:
            raise ValueError("it states no date")
        if "/" in text and (slashed := _SLASHED.fullmatch(text)):
            return _slashed(slashed, self._options.dates or ("month-first" if site.lower() == "amazon.com" else ""))
        said = f"{text[:-3].rstrip(' ')}+00:00" if text.endswith("UTC") else text
        with suppress(ValueError):
            if len(said) == 10:
                return date.fromisoformat(said)
            at = datetime.fromisoformat(said)
            if at.tzinfo is None:
                self._is_local |= not self._options.zone
                at = at.replace(tzinfo=self._zone)
            return at
        raise ValueError(f"the date {text[:40]!r} is none that Amazon writes")


@lru_cache(maxsize=4096)
def _said(cell: str) -> str:
    """What a cell says, as a person reads it; nothing for "Not Available"."""
    text = parsing.tidy(cell)
    return "" if text.casefold() in _NOTHING else text


def _slashed(found: re.Match[str], order: str) -> date:
    one, two, year = int(found[1]), int(found[2]), int(found[3])
    if not order and one <= 12 and two <= 12 and one != two:
        raise ValueError(
            f"the date {found[0]!r} could be day first or month first; state dates=day-first or dates=month-first"
        )
    is_month_first = order == "month-first" or (not order and two > 12)
    try:
        return date(year + 2000 if year < 100 else year, *((one, two) if is_month_first else (two, one)))
    except ValueError:
        raise ValueError(f"the date {found[0]!r} is not a day of the calendar") from None


@lru_cache(maxsize=4096)
def _money(text: str) -> Decimal:
    """An amount in whatever quotes and with whatever sign of a currency."""
    bare = re.sub(r"[\"'“”‘’£$€₹\s]|[A-Z]{3}", "", text)
    return parsing.amount(
        re.sub(r"(?<=[0-9]),(?=[0-9]{3}(?:[,.]|$))", "", bare) if "." in bare or "'" in text else bare
    )
