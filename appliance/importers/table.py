"""Any delimited table, by a layout that a person confirmed: which column is what, and how days and amounts are written.

    Boekdatum;Naam tegenpartij;Omschrijving;Bedrag;Af/Bij
    03-01-2026;Bakkerij Jansen;Brood;12,50;Af

Each row is one fact, or one reading of a series. What it does not say is stated in the layout (`appliance.tables`);
what cannot be read as the layout says is rejected, never read in another way. Local times are in the `zone`; of
readings in the hour that comes twice in autumn those that come first are of the earlier one, and what is said to be in
the hour that spring leaves out is rejected.

Source: RFC 4180 for the rows; a layout is ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance import delimited, tables
from appliance.config import is_zone
from appliance.delimited import Header, Row
from appliance.errors import UserError
from appliance.records import Item, Readings, Record, Rejected, Source, Span, Warned
from appliance.tables import Layout
from appliance.tables.layout import IN_WORDS, OUT_WORDS

TITLE = "Table (CSV) whose columns you name"
STATED_ONLY = True  # it is never recognised by its content alone

_EXPONENT = -6
_MOST_A_BLOCK = 50_000
_MEND = "Correct it in the file, or the layout, and read it again"


@dataclass(frozen=True)
class Options:
    """`layout`: how the table is read, as the page Import writes it. `zone`: of times without an offset."""

    layout: str = field(default="", metadata={"title": "Layout of the table"})
    zone: str = field(default="", metadata={"title": "Time zone of the file's times"})

    def __post_init__(self) -> None:
        problems = []
        if self.layout:
            problems += tables.layout_from(self.layout).lacks
        if self.zone and not is_zone(self.zone):
            problems.append(f"zone={self.zone!r} is no time zone; write one such as Europe/London")
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Never: a person, or a layout that is kept, says what a table is."""
    del head, name
    return False


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each row of the table, as the layout says."""
    if not options.layout:
        yield Warned("Nothing was read: say what the columns of this table are, on its page under Import.")
        return
    yield from _Reader(tables.layout_from(options.layout), options.zone).items(pieces)


_TEXTS = ("title", "party", "unit", "account", "supplier_id", "quality")


class _Reader:
    """One pass over a table."""

    def __init__(self, layout: Layout, zone: str) -> None:
        self._layout = layout
        self._zone = ZoneInfo(zone) if zone else UTC
        self._has_zone, self._is_local = bool(zone), False
        self._last: dict[str, datetime] = {}
        self._header, self._unnamed = Header(()), ""
        self._source: Source | None = None
        columns = layout.columns
        self._places = {what: columns.index(what) for what in columns}
        self._texts = [(name, self._places[name]) for name in _TEXTS if name in self._places]
        self._memos, self._fields = (
            [place for place, each in enumerate(columns) if each == what] for what in ("memo", "field")
        )
        self._least = max((place for place, what in enumerate(columns) if what), default=0) // 2 + 1
        self._block: list[tuple[int, int, int]] = []
        self._block_of: tuple[str, str, str] = ("", "", "")
        self._block_span = Span(0, 0)

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        for row in delimited.rows(pieces, self._layout.delimiter):
            if row.line <= self._layout.header or (row.is_blank and not row.problem):
                if row.line == self._layout.header:
                    self._header = Header(row.cells)
                continue
            try:
                if row.problem:
                    raise ValueError(row.problem)
                made = list(self._read(row))
            except ValueError as error:
                yield from self._flushed()
                yield Rejected(_span(row), row.line, f"row {row.line}", f"{error}. {_MEND}")
            else:
                yield from made
        yield from self._flushed()
        if self._is_local and not self._has_zone:
            yield Warned(
                "Its times are without a zone, and were taken as UTC; state the zone: zone=Europe/London, say."
            )

    def _read(self, row: Row) -> Iterator[Item]:
        if len(row.cells) < self._least:
            raise ValueError(f"it has {len(row.cells)} cells, and the table has {len(self._layout.columns)} columns")
        if self._layout.is_readings:
            yield from self._reading(row)
        else:
            record = self._record(row)
            yield from self._of(record.account)
            yield record

    def _of(self, account: str) -> Iterator[Item]:
        """The source of what comes, where that is another one than before."""
        self._unnamed = self._unnamed or f"table {tables.shape(self._header.names, self._layout.delimiter)[:8]}"
        name = account or self._unnamed
        if self._source is None or self._source.name != name:
            yield from self._flushed()
            self._source = Source(name)
            yield self._source

    # ---- facts ----

    def _record(self, row: Row) -> Record:
        said = dict.fromkeys(_TEXTS, "") | {name: self._at_place(row, place) for name, place in self._texts}
        notes = [self._at_place(row, place) for place in self._memos]
        fields = {
            self._header.names[place] if place < len(self._header.names) else f"column {place + 1}": value
            for place in self._fields
            if (value := self._at_place(row, place))
        }
        memo = " · ".join(filter(None, notes))
        return Record(
            kind=self._layout.kind,
            at=self._at(row, "at", "time", ""),
            title=said["title"] or said["party"] or memo,
            span=_span(row),
            party=said["party"],
            account=said["account"] or self._layout.account,
            amount=self._amount(row),
            unit=said["unit"].upper() if len(said["unit"]) == 3 else said["unit"] or self._layout.unit,
            memo=memo,
            supplier_id=said["supplier_id"],
            fields=fields | ({"status": said["quality"]} if said["quality"] else {}),
        )

    def _amount(self, row: Row) -> Decimal:
        layout = self._layout
        if "amount" not in layout.columns:
            paid = [(sign, self._cell(row, name)) for sign, name in ((-1, "out"), (1, "in"))]
            stated = [sign * abs(tables.amount_of(cell, layout.decimal)) for sign, cell in paid if cell]
            if not stated:
                raise ValueError("it states no amount")
            return sum(stated, Decimal(0))
        text = self._cell(row, "amount")
        if not text:
            raise ValueError("it states no amount")
        value = tables.amount_of(text, layout.decimal)
        if layout.sign == "turned round":
            return -value
        if layout.sign == "by a word":
            word = self._cell(row, "sign")
            if word.casefold() not in OUT_WORDS | IN_WORDS:
                raise ValueError(f"the word {word[:20]!r} says neither out nor in")
            return -abs(value) if word.casefold() in OUT_WORDS else abs(value)
        return value

    # ---- readings ----

    def _reading(self, row: Row) -> Iterator[Item]:
        layout = self._layout
        word = self._cell(row, "role")
        role = layout.roles.get(word, layout.role) if word else layout.role
        if not role:
            raise ValueError(f"what {word[:40]!r} measures was not said")
        unit = self._cell(row, "unit") or layout.unit
        if not unit:
            raise ValueError("it states no unit")
        value = tables.amount_of(self._cell(row, "amount") or self._none(), layout.decimal)
        account = self._cell(row, "account").strip('="') or layout.account
        start = self._instant(row, "at", "time", f"{account} {role}")
        seconds = layout.seconds
        if "until" in layout.columns:
            seconds = round((self._end(row, start) - start).total_seconds())
            if seconds <= 0:
                raise ValueError("it ends before it begins")
        yield from self._of(account)
        key = role, _UNITS.get(unit.casefold(), unit), self._cell(row, "quality")
        if not self._block or key != self._block_of or len(self._block) >= _MOST_A_BLOCK:
            yield from self._flushed()
            self._block_of, self._block_span = key, _span(row)
        scaled = int(value.scaleb(-_EXPONENT))
        self._block.append((round(start.timestamp() * 1000), seconds, scaled))
        self._block_span = Span(self._block_span.first, row.first + row.length - self._block_span.first)

    def _none(self) -> str:
        raise ValueError("it states no value")

    def _end(self, row: Row, start: datetime) -> datetime:
        """The end of an interval: of two local times that may be meant, the first behind its start."""
        said = self._said(row, "until", "until_time")
        if not isinstance(said, datetime):
            said = datetime(said.year, said.month, said.day)
        if said.tzinfo is not None:
            return said.astimezone(UTC)
        ends = [said.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        return next((end for end in ends if end > start), ends[0])

    def _flushed(self) -> Iterator[Readings]:
        if self._block:
            at_ms, seconds, values = zip(*self._block, strict=True)
            role, unit, quality = self._block_of
            yield Readings(role, unit, _EXPONENT, at_ms, seconds, values, self._block_span, quality)
            self._block = []

    # ---- cells ----

    def _cell(self, row: Row, meaning: str) -> str:
        return self._at_place(row, self._places.get(meaning, -1))

    def _at_place(self, row: Row, place: int) -> str:
        return row.cells[place].strip() if 0 <= place < len(row.cells) else ""

    def _said(self, row: Row, day: str, hour: str) -> date | datetime:
        at = tables.day_of(self._cell(row, day), self._layout.order)
        text = self._cell(row, hour)
        if text and not isinstance(at, datetime):
            return datetime.combine(at, tables.time_of(text))
        return at

    def _at(self, row: Row, day: str, hour: str, series: str) -> date | datetime:
        at = self._said(row, day, hour)
        return self._aware(at, series) if isinstance(at, datetime) else at

    def _instant(self, row: Row, day: str, hour: str, series: str) -> datetime:
        at = self._said(row, day, hour)
        at = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day)
        return self._aware(at, series).astimezone(UTC)

    def _aware(self, at: datetime, series: str) -> datetime:
        """A local time in its zone; of one that comes twice, the later where the rows have been there already."""
        if at.tzinfo is not None:
            return at
        self._is_local = True
        earlier, later = (at.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if earlier.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != at:
            raise ValueError(f"there is no {at:%H:%M} on {at:%Y-%m-%d} in {self._zone}: the clocks were put forward")
        last = self._last.get(series)
        found = earlier
        if (
            earlier.utcoffset() != later.utcoffset()
            and last is not None
            and earlier <= last < later + timedelta(hours=1)
        ):
            found = later
        self._last[series] = found.astimezone(UTC)
        return found


_UNITS: Mapping[str, str] = {
    "kwh": "kWh",
    "kw": "kW",
    "m³": "m3",
    "m3": "m3",
    "wh": "Wh",
    "l": "l",
    "°c": "°C",
    "g/kwh": "g/kWh",
}


def _span(row: Row) -> Span:
    return Span(row.first, max(row.length, 1))
