"""Tesco Clubcard: what Tesco hands back on a data request, each shop with its receipt.

    {"Customer Profile And Contact Data": {...},
     "Purchase": [[                                     1
       {"timeStamp": "2025-01-11 10:22:33", "storeName": "...", "storeId": "5121", "purchaseType": "instore",
        "basketValueGross": "18.65", "overallBasketSavings": "1.20", "basketValueNet": "17.45",
        "paymentType": [{"type": "...", "category": "...", "amount": "17.45"}],
        "product": [{"name": "...", "quantity": "1", "price": "2.20", "weightInGrams": "400", ...}]}], ...],
     "Order": [[...], ...]}                             2

1 a list of lists: shops of now, archived ones, clothing; a plain list in the newer file, which calls it `purchases`,
with `timestamp`, `payment` and `items`. 2 online orders, without products in the older file; `orders` in the newer.

Amounts are texts or numbers, "NA" is nothing. A shop is one order of what was paid, and each product a purchase with
the bytes of its shop. Whether a price is of one piece, of all or of a kilogram is settled by what the basket comes to;
where nothing does, products have their price without an amount. Times have no zone; an archived shop has midnight,
which says its day.

Source: Tesco's own, of its page for data portability; there is no specification.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from appliance import json_rows, parsing
from appliance.config import is_zone
from appliance.errors import UserError
from appliance.json_rows import EACH, Path, Row
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "Tesco Clubcard data (JSON)"

_LISTS = frozenset({"Purchase", "Order", "purchases", "orders"})
_WHOLE = frozenset({"requestId", "customerId"})
_TIMES = ("timeStamp", "timestamp", "orderDate", "date", "deliveryDate", "placedDate")
_TOTALS = ("basketValueNet", "basketValueGross", "totalPrice", "total", "orderTotal")
_PRODUCTS = ("product", "items", "products", "orderItems")
_PAID = ("paymentType", "payment", "payments")
_NUMBERS = ("orderId", "orderNumber", "orderNo", "receiptId")
_OWN = frozenset((*_TIMES, *_TOTALS[:1], *_PRODUCTS, *_PAID))
_NOTHING = frozenset({"", "na", "n/a", "null", "none"})
_NEAR = Decimal("0.02")
_FIRST = re.compile(rb'\s*\{\s*"')
_MARKS = (b'"basketValueNet"', b'"basketValueGross"', b'"Customer Profile And Contact Data"', b'"overallBasketSavings"')
_MEND = "Ask Tesco for the file again, or correct it and import it again"


@dataclass(frozen=True)
class Options:
    """`zone`: of the file's times, which state none."""

    zone: str = field(default="", metadata={"title": "Time zone of the file's times"})

    def __post_init__(self) -> None:
        if self.zone and not is_zone(self.zone):
            raise UserError(f"zone={self.zone!r} is no time zone; write one such as Europe/London")


def identify(head: bytes, name: str) -> bool:
    """Whether it is JSON with Tesco's own names. Names of files say nothing."""
    plain = head.removeprefix(b"\xef\xbb\xbf")
    return bool(_FIRST.match(plain)) and any(mark in plain for mark in _MARKS)


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each shop and what was bought in it, in the file's order."""
    yield from _Reader(options).items(pieces)


class _Reader:
    def __init__(self, options: Options) -> None:
        self._zone = ZoneInfo(options.zone) if options.zone else UTC
        self._has_zone = bool(options.zone)
        self._is_local = False
        self._besides: dict[str, None] = {}
        self._count = self._unsettled = 0

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        yield Source("tesco", "Tesco Clubcard")
        for row in json_rows.rows(pieces, self._is_shop):
            span = Span(row.first, row.length)
            if row.problem:
                if row.length:
                    yield Rejected(span, row.line, "the rest of the file", f"{row.problem}. {_MEND}")
                yield Warned(f"The file could be read up to line {row.line} and no further: {row.problem}.")
                continue
            self._count += 1
            try:
                yield from self._shop(row, span)
            except ValueError as error:
                yield Rejected(span, row.line, f"{row.path[0].lower()} {self._count}", f"{error}. {_MEND}")
        yield from self._warnings()

    def _is_shop(self, path: Path, mark: str) -> bool:
        if len(path) == 1 and path[0] not in _LISTS:
            self._besides[path[0][:60]] = None
        return mark == "{" and len(path) > 1 and path[0] in _LISTS and all(each == EACH for each in path[1:])

    def _warnings(self) -> Iterator[Warned]:
        if self._unsettled:
            yield Warned(
                f"The prices in {self._unsettled} of the shops come to another sum than the shop: its products have "
                "their price and no amount."
            )
        if self._is_local and not self._has_zone:
            yield Warned("Its times are without a zone, and were taken as UTC; state it: zone=Europe/London, say.")
        if self._besides:
            yield Warned(f"Not taken in from the file: {', '.join(list(self._besides)[:10])}.")
        if not self._count:
            yield Warned("The file holds no purchases.")

    # ---- one shop ----

    def _shop(self, row: Row, span: Span) -> list[Record]:
        said = json_rows.loaded(row.raw)
        at, total = self._at(said), _amount(_first(said, _TOTALS))
        store = _text(said.get("storeName"))
        number = _text(_first(said, _NUMBERS)) or " ".join(
            filter(None, (_text(_first(said, _TIMES)), _text(said.get("storeId")) or store))
        )
        products = _listed(_first(said, _PRODUCTS))
        made = self._products(products, said, total)
        order = Record(
            kind="shop.order",
            at=at,
            title=f"Tesco {store or _text(said.get('purchaseType') or said.get('type'))}".strip(),
            span=span,
            party="Tesco",
            amount=total,
            unit="GBP" if total is not None else "",
            memo=number,
            fields=_named(
                number=number,
                items="\n".join(_text(each.get("name")) or "?" for each in products),
                discount=_text(_first(said, ("overallBasketSavings", "savings", "totalSavings"))),
                paid_with=", ".join(_paid(each) for each in _listed(_first(said, _PAID))),
                **{key: _text(value) for key, value in said.items() if key not in _OWN},
            ),
        )
        return [order, *(self._purchase(product, amount, order, number) for product, amount in made)]

    def _products(
        self, products: list[Mapping[str, Any]], said: Mapping[str, Any], total: Decimal | None
    ) -> list[tuple[Mapping[str, Any], Decimal | None]]:
        """Each product with what it cost: its price, or that of each piece or by weight, whichever comes to the sum."""
        prices = [_amount(each.get("price")) for each in products]
        pieces = [_amount(each.get("quantity")) or Decimal(1) for each in products]
        gross = _amount(said.get("basketValueGross"))
        wanted = [each for each in (gross, total) if each is not None]
        weights = [_amount(each.get("weight")) or Decimal(1) for each in products]
        each, weighed = _times(prices, pieces), _times(_times(prices, pieces), weights)
        for way in (each, prices, weighed):
            come_to = sum(filter(None, way), Decimal(0))
            if any(abs(come_to - value) <= _NEAR for value in wanted):
                return list(zip(products, way, strict=True))
        if each == prices == weighed:
            return list(zip(products, prices, strict=True))
        self._unsettled += bool(products)
        return [(product, None) for product in products]

    def _purchase(self, product: Mapping[str, Any], amount: Decimal | None, order: Record, number: str) -> Record:
        name = _text(product.get("name")) or "Not named"
        own = {key: _text(value) for key, value in product.items() if key not in ("name", "quantity")}
        return Record(
            kind="shop.purchase",
            at=order.at,
            title=name,
            span=order.span,
            party=order.party,
            amount=amount,
            unit="GBP" if amount is not None else "",
            memo=number,
            fields=_named(item=name, quantity=_text(product.get("quantity")), order=number, **own),
        )

    def _at(self, said: Any) -> date | datetime:
        if not isinstance(said, dict):
            raise ValueError("it is no object")
        text = _text(_first(said, _TIMES))
        if not text:
            raise ValueError("it states no time")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"its time {text[:40]!r} is none that Tesco writes") from None
        if at.tzinfo is not None:
            return at
        if at.time() == time():
            return at.date()
        self._is_local = True
        return at.replace(tzinfo=self._zone)


# ---- values ----


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((said[name] for name in names if said.get(name) not in (None, "")), None)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of the one object that stands for it."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = parsing.tidy(str(value))[:1000]
    return "" if text.casefold() in _NOTHING else text


def _amount(value: Any) -> Decimal | None:
    """An amount as it is written, None for nothing; ValueError, with the reason, where it is none."""
    text = _text(value).replace("£", "")
    return parsing.amount(text) if text else None


def _times(prices: list[Decimal | None], many: list[Decimal]) -> list[Decimal | None]:
    return [price if price is None else round(price * each, 4) for price, each in zip(prices, many, strict=True)]


def _paid(said: Mapping[str, Any]) -> str:
    return " ".join(filter(None, (_text(said.get(name)) for name in ("type", "category", "amount"))))


def _named(**said: str) -> dict[str, str]:
    return {name: text for name, text in said.items() if text}
