"""Itemised phone bills as CSV: each call, text and use of data, under whatever names its network gives the columns.

    Mobile number,07700 900123                            what stands before the heading is about the whole
    Date,Time,Number dialled,Destination,Duration,Cost (£)
    03/02/2026,18:04:11,01632 960001,Landline,00:12:30,0.350
    03/02/2026,18:20,Text,,1,Included

There is no specification. The names are those under which networks such as EE, O2, Vodafone, Three, BT, Verizon,
T-Mobile, KPN and Orange list use (`columns`), and lengths are mm:ss, hh:mm:ss, words or seconds (`values`). A file may
have several headings, one for each sort of use. Which comes first in 03/02/2026, and which mark stands before decimals,
is settled by all rows together, else asked for. Numbers are kept as they are written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from appliance import delimited, parsing, tables
from appliance.config import is_zone
from appliance.content import Data
from appliance.delimited import Row
from appliance.errors import UserError
from appliance.importers.phone_bill import values
from appliance.importers.phone_bill.columns import Columns, may_head
from appliance.records import Item, Record, Rejected, Source, Span, Warned
from appliance.tables import cells

TITLE = "Itemised phone bill (CSV)"

ORDERS = ("", "day-first", "month-first", "year-first")
DURATIONS = ("", "seconds", "minutes")
_MOST_BEFORE = 40  # rows before the heading
_PIECE = 1 << 20
_MEND = "Correct it in the file and import the file again"
_OWN = re.compile(r"(?:mobile|phone|line|telephone|your) ?(?:number|no\.?)|msisdn|rufnummer|cli", re.I)
_NUMBER = re.compile(r"\+?[0-9][0-9 ()/-]{6,20}")
_TOTAL = re.compile(r"(?:grand |sub-?)?total|vat|summe|totaal|gesamt", re.I)


@dataclass(frozen=True)
class Options:
    """`dates`, `durations`: how those are written, where the file does not settle it. `zone`: of its local times.
    `currency` and `account` (the own number), where the file names none."""

    dates: str = field(default="", metadata={"title": "How dates are written", "choices": ORDERS})
    durations: str = field(default="", metadata={"title": "What a bare duration counts", "choices": DURATIONS})
    zone: str = field(default="", metadata={"title": "Time zone of the file's times"})
    currency: str = field(default="", metadata={"title": "Currency, where the file names none"})
    account: str = field(default="", metadata={"title": "My number, where the file names none"})

    def __post_init__(self) -> None:
        problems = []
        if self.dates not in ORDERS:
            problems.append(f"dates={self.dates!r}: write one of {', '.join(ORDERS[1:])}")
        if self.durations not in DURATIONS:
            problems.append(f"durations={self.durations!r}: write one of {', '.join(DURATIONS[1:])}")
        if self.zone and not is_zone(self.zone):
            problems.append(f"zone={self.zone!r} is no time zone; write one such as Europe/London")
        if self.currency and not re.fullmatch("[A-Z]{3}", self.currency):
            problems.append(f"currency={self.currency!r} is no currency code; write three capitals, such as EUR")
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Whether one of the first rows is a heading of calls. Names say nothing."""
    if not head or head.lstrip()[:1] in (b"<", b"{", b"[", b"%"):
        return False
    mark = _delimiter(head)
    return mark != "" and any(Columns(row.cells).is_of_calls for row in _first(head, mark))


def _delimiter(head: bytes) -> str:
    """What parts the cells of the first heading of calls, "" where there is none."""
    return next((mark for mark in ",;\t|" if any(Columns(row.cells).is_of_calls for row in _first(head, mark))), "")


def _first(head: bytes, mark: str) -> list[Row]:
    rows = delimited.rows([head[: 1 << 14]], mark)
    return [row for row, _ in zip(rows, range(_MOST_BEFORE), strict=False)]


def extract(data: Data, options: Options) -> Iterator[Item]:
    """Each call, text and use of data, in the file's order."""
    mark = _delimiter(data[: 1 << 16])
    if not mark:
        if len(data):
            yield Rejected(Span(0, len(data)), 1, "file", f"no row of it heads a list of calls. {_MEND}")
        return
    yield from _Reader(data, mark, options).items()


class _Reader:
    """Two passes: the first learns how dates and amounts are written, the second yields."""

    def __init__(self, data: Data, mark: str, options: Options) -> None:
        self._data, self._mark, self._options = data, mark, options
        self._order = options.dates.replace("-", " ")
        self._decimal = ""
        self._columns = Columns(())
        self._besides: list[str] = []
        self._zone = ZoneInfo(options.zone) if options.zone else UTC
        self._is_local = self._is_unsure = self._lacks_currency = False
        self._account = options.account
        self._source: Source | None = None
        self._count = 0
        self._settle()

    def _rows(self) -> Iterator[Row]:
        pieces = (self._data[at : at + _PIECE] for at in range(0, len(self._data), _PIECE))
        columns: Columns | None = None
        for row in delimited.rows(pieces, self._mark):
            if row.is_blank and not row.problem:
                continue
            heading = Columns(row.cells) if may_head(row) else None
            if heading is not None and heading.is_of_calls:
                columns = self._columns = heading
            elif columns is not None:
                yield row
            elif not self._account:
                self._account = _own_number(row)

    def _settle(self) -> None:
        """How its dates are written, by all of them, and its amounts."""
        dates, costs = set[str](), set[str]()
        for row in self._rows():
            dates.add(self._columns.cell(row, "date"))
            costs.add(self._columns.cell(row, "cost"))
        self._order = self._order or cells.order_of_all(dates)
        self._decimal = cells.decimal_of_all(each for each in costs if not values.is_free(each))

    def items(self) -> Iterator[Item]:
        for row in self._rows():
            if not row.problem and _is_besides(row, self._columns):
                self._besides.append(" ".join(cell.strip() for cell in row.cells if cell.strip()))
                continue
            self._count += 1
            try:
                if row.problem:
                    raise ValueError(row.problem)
                record = self._record(row)
            except ValueError as error:
                yield Rejected(_span(row), row.line, f"row {row.line}", f"{error}. {_MEND}")
                continue
            if self._source is None or record.account != (self._source.title or ""):
                self._source = Source(record.account or "phone bill", record.account)
                yield self._source
            yield record
        yield from self._warnings()

    def _warnings(self) -> Iterator[Warned]:
        if self._besides:
            more = f", and {len(self._besides) - 5} more such rows" if len(self._besides) > 5 else ""
            yield Warned(f"The file says besides: {'; '.join(each[:80] for each in self._besides[:5])}{more}.")
        if self._is_local and not self._options.zone:
            yield Warned("Its times are without a zone, and were taken as UTC; state it: zone=Europe/London, say.")
        if self._is_unsure:
            yield Warned("Its durations state no unit, and were taken as seconds; state durations=minutes if they are.")
        if self._lacks_currency:
            yield Warned("The file names no currency; state it for this source: currency=GBP, say.")
        if not self._count:
            yield Warned("The file lists no calls, texts or data.")

    # ---- one row ----

    def _record(self, row: Row) -> Record:
        said = self._columns.said(row)
        at = self._at(row, said["date"], said["time"])
        amount, currency = values.cost(said["cost"], self._decimal, self._columns.unit.get("cost", ""))
        currency = currency or values.CURRENCIES.get(self._columns.unit.get("cost", ""), "") or self._options.currency
        self._lacks_currency |= amount is not None and not currency
        account = said["account"] or self._account
        sort = values.sort_of(said["type"], said["number"], said["duration"])
        shared = self._columns.rest(row) | {
            "roaming": "yes" if values.is_roaming(" ".join((said["type"], said["place"], said["from"]))) else "",
            "destination": said["place"],
            "used_in": said["from"],
            "tax": said["tax"],
            "allowance": said["allowance"],
        }
        if sort == "call":
            kind, title, fields = self._call(said)
        elif sort == "data":
            kind, title, fields = self._data_use(said)
        else:
            kind, title, fields = self._message(sort, said)
        return Record(
            kind=kind,
            at=at,
            title=title,
            span=_span(row),
            party=said["party"],
            account=account,
            amount=amount,
            unit=currency if amount is not None else "",
            memo=_joined(said["type"], said["place"]),
            supplier_id=said["id"],
            fields={name: text for name, text in (fields | shared).items() if text},
            detail=at.isoformat() if isinstance(at, datetime) and sort == "data" else "",
        )

    def _call(self, said: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
        length = self._seconds(said["duration"])
        fields = {
            "direction": values.direction(said["direction"], f"{said['type']} {_begun(said['place'])}"),
            "number": said["number"],
            "seconds": str(length) if length is not None else "",
        }
        return "phone.call", said["number"] or said["place"] or said["type"] or "Call", fields

    def _message(self, sort: str, said: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
        way = values.direction(said["direction"], said["type"])
        fields = {"direction": way.replace("missed", ""), "number": said["number"], "type": sort}
        return "phone.message", said["number"] or said["type"] or sort, fields

    def _data_use(self, said: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
        units = self._columns.unit
        volume = values.megabytes(said["volume"], units.get("volume", ""), self._decimal) if said["volume"] else None
        volume = (
            values.megabytes(said["duration"], units.get("duration", ""), self._decimal) if volume is None else volume
        )
        fields = {
            "volume": f"{volume:f}" if volume is not None else "",
            "stated": said["volume"] or said["duration"],
            "number": said["number"],
        }
        return "phone.data_use", said["type"] or said["number"] or "Data", fields

    def _seconds(self, text: str) -> int | None:
        unit = self._columns.unit.get("duration", "")
        if not unit and values.is_bare(text):
            unit = self._options.durations
            self._is_unsure |= not unit
        return values.seconds(text, unit)

    def _at(self, row: Row, day: str, hour: str) -> date | datetime:
        if not day:
            raise ValueError("it states no date")
        at = tables.day_of(day, self._order) if self._order or not _is_either(day) else _either(day)
        if hour and not isinstance(at, datetime):
            hour = hour if hour[-1] not in "AaPp" else _TO_HALF.sub(r"\1 \2M", hour)
            at = datetime.combine(at, tables.time_of(hour))
        if isinstance(at, datetime) and at.tzinfo is None:
            self._is_local = True
            at = at.replace(tzinfo=self._zone)
        return at


_TO_HALF = re.compile(r"^([0-9:]+)\s*([AaPp])$")


def _joined(type_: str, place: str) -> str:
    return f"{type_} · {place}" if type_ and place and type_ != place else type_ or place


def _is_either(day: str) -> bool:
    """Whether it is a date that can be read in more than one order."""
    return cells.is_day(day) and not cells.order_of_all([day])


def _either(day: str) -> date:
    raise ValueError(f"the date {day[:20]!r} could be day first or month first; state dates=day-first or month-first")


def _is_besides(row: Row, columns: Columns) -> bool:
    """Whether a row is a total or a heading of a part, and no use."""
    day = columns.cell(row, "date")
    if not day:
        return True
    said = [cell for cell in map(str.strip, row.cells) if cell]
    return _TOTAL.match(said[0]) is not None or (len(said) <= 2 and not any(map(str.isdigit, day)))


def _own_number(row: Row) -> str:
    """The number that a row before the heading says is the own."""
    said = [cell.strip() for cell in row.cells if cell.strip()]
    if len(said) >= 2 and _OWN.search(said[0]) and _NUMBER.fullmatch(said[1]):
        return parsing.tidy(said[1])
    return ""


def _begun(place: str) -> str:
    """The first word of where a call went, which some networks say "Incoming" in."""
    return place.partition(" ")[0]


def _span(row: Row) -> Span:
    return Span(row.first, max(row.length, 1))
