"""Items of a JSON file, by a mapping that a person wrote: what they are, and where in one each thing stands.

    {"data": {"payments": [{"booked": "2026-03-01", "value": {"minor": -1250, "currency": "EUR"},
                            "merchant": {"name": "Mill Bakery"}, "id": "p1"}, ...]}}

The mapping is `appliance.json_mapping`'s. Each item is one fact, or one reading of a series. What it does not say is
not guessed: what cannot be read as the mapping says is rejected. Local times are in the `zone`, by the clock there.

Source: RFC 8259 for the file; a mapping is ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from appliance import gathering, json_mapping, json_rows, kinds, parsing, tables, wall_times
from appliance.errors import UserError
from appliance.gathering import NO_VALUE, Column, Gathering, NoValueError, Place, Table, interval_name
from appliance.json_cursor import BrokenError, Cursor, text
from appliance.json_mapping import ANY, JsonMapping, Way
from appliance.json_rows import EACH, Path, Row
from appliance.messages import Number
from appliance.records import Item, Record, Source, Span, Warned
from appliance.tables.layout import IN_WORDS, OUT_WORDS
from appliance.wall_times import LocalClock, Walk, ZoneOptions, zone_problem

TITLE = "JSON whose fields you name"
STATED_ONLY = True  # it is never recognised by its content alone

_MEND = "ask for the file again, or mend the mapping and read it again"
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?")
_LONGEST_FIELD = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"seconds": 1, "milliseconds": 1000}


@dataclass(frozen=True)
class Options(ZoneOptions):
    """`mapping`: how the items are read, as TOML. `zone`: of times without an offset."""

    mapping: str = field(default="", metadata={"title": "Mapping of the items", "lines": True})

    def __post_init__(self) -> None:
        problems = [problem] if (problem := zone_problem(self.zone)) else []
        if self.mapping:
            try:
                json_mapping.read(self.mapping)
            except UserError as error:
                problems += error.problems
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Never: a person says what a file is."""
    del head, name
    return False


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each item of the file, as the mapping says."""
    if not options.mapping:
        yield Warned("Nothing was read: state how this file is read: mapping=..., as its help shows.")
        return
    yield from _Reader(json_mapping.read(options.mapping), options.zone).items(pieces)


def _leads_to(way: Way, path: Path) -> bool:
    """Whether a place in a file is that of an item: lists on the way are gone through."""
    names = [name for name in path if name != EACH]
    is_item = path[-1:] == (EACH,) or (way[-1:] == (ANY,) and bool(path))
    return (
        is_item and len(names) == len(way) and all(one in (ANY, other) for one, other in zip(way, names, strict=True))
    )


class _Reader:
    """One pass over a file."""

    def __init__(self, mapping: JsonMapping, zone: str) -> None:
        self._mapping, self._out = mapping, Gathering()
        self._clock = LocalClock(zone, "UTC")
        self._walks: dict[str, Walk] = {}
        self._tables: dict[tuple[str, ...], Table] = {}
        self._is_local = False
        self._usual = _usual_title(mapping.kind)

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        way = self._mapping.items
        for number, row in enumerate(
            json_rows.rows(pieces, lambda path, mark: mark == "{" and _leads_to(way, path)), 1
        ):
            self._row(row, number)
            if self._out.is_ready:
                yield from self._out.taken()
        is_empty = self._out.is_empty
        yield from self._out.closed() if is_empty else self._out.ended()
        if is_empty:
            yield Warned(f"The file holds no items{' at ' + '.'.join(way) if way else ''}.")
        if self._is_local and self._clock.assumed:
            yield Warned(
                "Its times are without a zone, and were taken as UTC; state the zone: zone=Europe/London, say."
            )

    def _row(self, row: Row, number: int) -> None:
        place = Place(f"item {number:,}", row.line, row.first, row.length)
        if row.problem:
            if row.length:
                where = place if row.path else Place("the rest of the file", row.line, row.first, row.length)
                self._out.reject(where, f"{row.problem}; {_MEND}")
            return
        try:
            said = Cursor(row.raw).value()
            if self._mapping.is_readings:
                self._reading(said, row)
            else:
                record = self._record(said, Span(row.first, row.length))
                self._out.add_fact(self._source(record.account), record)
        except NoValueError:
            self._out.reject(place, NO_VALUE)
        except BrokenError as error:
            self._out.reject(place, f"it cannot be read: {error.reason}; {_MEND}")
        except ValueError as error:
            self._out.reject(place, f"{error}; {_MEND}")

    def _source(self, account: str) -> Source:
        name = " ".join(filter(None, (self._mapping.source or "json", account)))
        return Source(name)

    # ---- facts ----

    def _record(self, said: Any, span: Span) -> Record:
        mapping = self._mapping
        texts = {name: self._text(said, name) for name in ("title", "party", "account", "unit", "memo", "id")}
        fields = {name: _shown(json_mapping.found(said, way))[:_LONGEST_FIELD] for name, way in mapping.fields.items()}
        unit = texts["unit"]
        return Record(
            kind=mapping.kind,
            at=self._at(said) if "at" in mapping.columns else None,
            title=texts["title"] or texts["party"] or texts["memo"].partition("\n")[0][:100] or self._usual,
            span=span,
            party=texts["party"],
            account=texts["account"],
            amount=self._amount(said) if "amount" in mapping.columns else None,
            unit=unit.upper() if len(unit) == 3 else unit,
            memo=texts["memo"],
            supplier_id=texts["id"],
            fields={name: value for name, value in fields.items() if value},
        )

    def _text(self, said: Any, name: str) -> str:
        way = self._mapping.columns.get(name)
        stated = _shown(json_mapping.found(said, way)) if way else ""
        return stated or self._mapping.constants.get(name, "")

    def _amount(self, said: Any) -> Decimal:
        found = json_mapping.found(said, self._mapping.columns["amount"])
        if not isinstance(found, str) or not found.strip():
            raise ValueError("it states no amount")
        value = self._number(found).scaleb(-self._mapping.minor)
        if value != round(value, parsing.AMOUNT_DECIMALS):
            raise ValueError(f"the amount {found[:40]!r} has more than {parsing.AMOUNT_DECIMALS} decimals")
        if self._mapping.is_turned:
            return -value
        if self._mapping.sign:
            word = _shown(json_mapping.found(said, self._mapping.sign)).casefold()
            if word not in OUT_WORDS | IN_WORDS:
                raise ValueError(f"the word {word[:20]!r} says neither out nor in")
            return -abs(value) if word in OUT_WORDS else abs(value)
        return value

    def _number(self, found: str) -> Decimal:
        if not isinstance(found, Number):
            return tables.amount_of(found, self._mapping.decimal)
        if not _NUMBER.fullmatch(found):
            raise ValueError(f"the amount {found[:40]!r} is too large to be true")
        value = Decimal(found)
        if abs(value) > parsing.MAX_INT64:
            raise ValueError(f"the amount {found[:40]!r} is too large to be true")
        return value

    # ---- readings ----

    def _reading(self, said: Any, row: Row) -> None:
        texts = {name: self._text(said, name) for name in ("role", "unit", "quality", "account")}
        for name in ("role", "unit"):
            if not texts[name]:
                raise ValueError(f"it states no {name}")
        begin = self._instant(said, "at", texts["role"])
        seconds = int(self._mapping.constants.get("seconds", "0"))
        if "until" in self._mapping.columns:
            seconds = round((self._instant(said, "until", f"{texts['role']} until") - begin).total_seconds())
            if seconds <= 0:
                raise ValueError("it ends before it begins")
        found = json_mapping.found(said, self._mapping.columns["amount"])
        number = gathering.number(found, "," if self._is_comma(found) else ".") if isinstance(found, str) else None
        if number is None:
            raise NoValueError
        table = self._table(texts["account"], texts["role"], texts["unit"], seconds)
        at_ms, end = (begin - _EPOCH) // timedelta(milliseconds=1), row.first + row.length
        self._out.add(table, at_ms, seconds, ((number[0], number[1]),), row.first, end, texts["quality"])

    def _is_comma(self, found: object) -> bool:
        return self._mapping.decimal == "comma" and not isinstance(found, Number)

    def _table(self, account: str, role: str, unit: str, seconds: int) -> Table:
        key = (account, role, unit, interval_name(seconds) if seconds else "")
        if key not in self._tables:
            source = self._source(" ".join(filter(None, (account, key[3]))))
            self._tables[key] = Table(source, [Column(role, unit, -self._mapping.minor)])
        return self._tables[key]

    # ---- times ----

    def _instant(self, said: Any, name: str, series: str) -> datetime:
        at = self._at(said, name, series)
        if isinstance(at, datetime):
            return at
        return self._aware(datetime(at.year, at.month, at.day), series)

    def _at(self, said: Any, name: str = "at", series: str = "") -> date | datetime:
        found = json_mapping.found(said, self._mapping.columns[name])
        stated, times = text(found), self._mapping.times
        if not stated:
            raise ValueError("it states no date")
        if times in _PER_SECOND:
            return _since_1970(stated, _PER_SECOND[times])
        if times != "iso":
            at = tables.day_of(stated, times)
            return self._aware(at, series) if isinstance(at, datetime) and at.tzinfo is None else at
        if len(stated) == len("2026-03-01"):
            return _local(wall_times.stamp(stated)[0]).date()
        local_ms, ahead_ms = wall_times.stamp(stated)
        if ahead_ms is None:
            return self._aware(_local(local_ms), series)
        return _local(local_ms).replace(tzinfo=timezone(timedelta(milliseconds=ahead_ms)))

    def _aware(self, at: datetime, series: str) -> datetime:
        """A local time in its zone; of one that comes twice the pass that the rows are in."""
        self._is_local = True
        local_ms = (at - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
        at_ms = self._walks.setdefault(series, Walk(self._clock)).instant(local_ms)
        ahead = timedelta(milliseconds=local_ms - at_ms)
        return at.replace(tzinfo=timezone(ahead) if ahead else UTC)


def _local(local_ms: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(milliseconds=local_ms)


def _since_1970(stated: str, per_second: int) -> datetime:
    if not _NUMBER.fullmatch(stated):
        raise ValueError(f"its time {stated[:40]!r} is not a number of {'milli' if per_second > 1 else ''}seconds")
    try:
        return _EPOCH + timedelta(microseconds=int(Decimal(stated) * 1_000_000 / per_second))
    except OverflowError:
        raise ValueError(f"its time {stated[:40]!r} is too far away to be true") from None


def _shown(found: object) -> str:
    """A value as a person reads it; the texts of a list one after the other."""
    if isinstance(found, list):
        return ", ".join(filter(None, map(text, found)))
    return text(found)


def _usual_title(kind: str) -> str:
    known = kinds.every().get(kind)
    return known.title if known else kind
