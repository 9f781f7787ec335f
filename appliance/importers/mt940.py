"""MT940 and MT942: SWIFT's customer statements, as banks hand them to customers, with what they say of each row.

    :20:T089413946000001                     a statement begins
    :25:50880050/0194774600888               its account
    :28C:00004/00001
    :60F:D070903EUR1234718,36                what stood on it: debit or credit, day, currency, amount
    :61:0709040904CR300,NTRFREF//BANKREF     value day, day booked, debit or credit (R before it: taken back), amount,
    SUPPLEMENT                               type, the customer's reference // the bank's
    :86:166?00GUTSCHRIFT?20SVWZ+RENT?32ANN   what it is: German subfields, Dutch /NAME/.../, or plain text
    :62F:D070904EUR1237628,23                what stands on it now; :64: is what can be spent, :65: what is to come
    -

An MT942 tells of the day so far: it has :34F: and :90D: in place of balances, and its rows are pending until a
statement has them. The library mt-940 reads the same fields, but keeps no place of a row, and stops at the first broken
one.

Source: SWIFT Standards MT, category 9, MT940 and MT942 field specifications; :86: by the German banks' (DK) DFÜ
agreement, annex 3, 8.2.3, and by the formats that Rabobank, ABN AMRO and ING publish.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from mmap import mmap

from appliance import parsing
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "MT940 or MT942 bank statement"

_LONGEST_ROW = 1 << 16  # bytes; SWIFT allows six lines of 65
_MEND = "Fetch the statement again from the bank, or correct it in the file and import it again"
_HEAD = re.compile(rb"(?:\A|[\r\n]|\{4:)\s*:20:")
_FIELDS = re.compile(rb"[\r\n]:(?:60[FM]|61|34F|62[FM]):")
_FIELD = re.compile(rb"(?:\A|(?<=[\r\n])|(?<=\{4:)):(\d\d[A-Z]?):")
_END = re.compile(rb"(?<=[\r\n])-(?:\}|XXX)?[ \t]*(?=[\r\n\x03]|\Z)")
_ROW = re.compile(
    r"(\d{6})(\d{4})?(R?[CD]|E[CD])([A-Z])?(\d{1,15}(?:[,.]\d{0,6})?)(?:([NSF][A-Z0-9]{3})([^\r\n]*))?(?:[\r\n]+(.*))?",
    re.S,
)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15}(?:[,.]\d{0,6})?)\s*")
_FLOOR = re.compile(r"([A-Z]{3})")
_TALLY = re.compile(r"(\d{1,5})([A-Z]{3})(\d{1,15}(?:[,.]\d{0,6})?)\s*")
_WITH_CURRENCY = re.compile(r"([A-Z]{2}\d\d[A-Z0-9]{8,30}) [A-Z]{3}")
_GERMAN = re.compile(r"(\d{3})\s*\?(?=\d\d)")
_SUBFIELD = re.compile(r"\?(\d\d)([^?]*(?:\?(?!\d\d)[^?]*)*)")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_DUTCH = re.compile(
    r"/(TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|ORDP|BENM|ISDT|PREF|ADDR|TRCD|RTRN|ACCW|ULTD|ULTB|PURP)/"
)
_BALANCES = {"60F": "opening", "60M": "interim", "62F": "closing", "62M": "interim", "64": "available", "65": "forward"}
_OPENING, _CLOSING = ("60F", "60M"), ("62F", "62M")


@dataclass(frozen=True)
class Options:
    """Nothing: a statement says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether a statement begins there and has one of its fields. Names say nothing."""
    return bool(_HEAD.search(head) and _FIELDS.search(head))


@dataclass(slots=True)
class _Field:
    """One field: its tag, its bytes, and where they lie in the file, the tag included."""

    tag: str
    raw: bytes
    span: Span

    @property
    def text(self) -> str:
        return parsing.decoded(self.raw)


def _fields(data: bytes | mmap) -> Iterator[_Field | None]:
    """The fields of a file in order; None where a statement ends."""
    found = _FIELD.search(data)
    while found:
        following = _FIELD.search(data, found.end())
        end = following.start() if following else len(data)
        closed = _END.search(data, found.end(), end)
        raw = data[found.end() : closed.start() if closed else end].rstrip(b"\r\n \t\x00")
        yield _Field(found[1].decode(), raw, Span(found.start(), found.end() - found.start() + len(raw)))
        if closed:
            yield None
        found = following


@dataclass
class _Statement:
    """What a statement has said so far."""

    account: str = ""
    currency: str = ""
    is_interim: bool = False
    opening: Decimal | None = None
    moved: Decimal = Decimal(0)
    is_whole: bool = True  # no row of it was rejected
    tallied: dict[str, tuple[int, Decimal]] = field(
        default_factory=lambda: {"D": (0, Decimal(0)), "C": (0, Decimal(0))}
    )


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """Each row with what is said of it, and the balances, in the file's order."""
    del options
    yield from _Reader(data).items()


class _Reader:
    """One pass over a file."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data, self._lines = data, parsing.Lines(data)
        self._statement = _Statement()
        self._source: Source | None = None
        self._count = self._statements = 0

    def items(self) -> Iterator[Item]:
        row: _Field | None = None
        for each in _fields(self._data):
            if row is not None:
                if each is not None and each.tag == "86":
                    yield from self._row(row, each)
                    row = None
                    continue
                yield from self._row(row, None)
                row = None
            if each is not None and each.tag == "61":
                row = each
            elif each is not None:
                yield from self._said(each)
        if row is not None:
            yield from self._row(row, None)
        if not self._count:
            yield Warned("The file holds no transactions.")

    def _said(self, each: _Field) -> Iterator[Item]:
        if each.tag == "20":
            self._statement = _Statement()
            self._statements += 1
        elif each.tag == "25":
            self._statement.account = _WITH_CURRENCY.sub(r"\1", parsing.tidy(each.text)).replace(" ", "")[:100]
        elif each.tag == "34F":
            self._statement.is_interim = True
            if found := _FLOOR.match(each.text):
                self._statement.currency = found[1]
        elif each.tag in _BALANCES:
            yield from self._balance(each)
        elif each.tag in ("90D", "90C") and self._statement.is_interim:
            yield from self._tally(each)

    def _enter(self) -> Iterator[Source]:
        name = self._statement.account or "mt940"
        if self._source is None or self._source.name != name:
            self._source = Source(name)
            yield self._source

    # ---- balances ----

    def _balance(self, each: _Field) -> Iterator[Item]:
        statement, found = self._statement, _BALANCE.match(each.text)
        try:
            if found is None:
                raise ValueError(f"{each.text[:40]!r} is none")
            at, amount = _day(found[2]), _amount(found[4]) * (1 if found[1] == "C" else -1)
        except ValueError as error:
            statement.is_whole = False
            yield Warned(f"The balance on line {self._lines.at(each.span.first)} could not be read: {error}.")
            return
        statement.currency = found[3]
        type_ = _BALANCES[each.tag]
        yield from self._enter()
        yield Record(
            kind="money.balance",
            at=at,
            title=f"{type_.capitalize()} balance",
            span=each.span,
            account=statement.account,
            amount=amount,
            unit=found[3],
            fields={"type": type_},
        )
        if each.tag in _OPENING:
            statement.opening, statement.moved = amount, Decimal(0)
        elif each.tag in _CLOSING and statement.opening is not None and statement.is_whole:
            yield from self._checked(each, amount - statement.opening)

    def _checked(self, closing: _Field, wanted: Decimal) -> Iterator[Warned]:
        """Whether the rows lead from the opening to the closing balance."""
        statement = self._statement
        if wanted != statement.moved:
            line = self._lines.at(closing.span.first)
            yield Warned(
                f"The statement that ends on line {line} does not add up: its rows come to {statement.moved:f} "
                f"{statement.currency}, its balances differ by {wanted:f}. Rows may be missing; fetch it again."
            )

    def _tally(self, each: _Field) -> Iterator[Warned]:
        """MT942's own count and sum of its debits or credits."""
        found = _TALLY.match(each.text)
        many, total = self._statement.tallied[each.tag[-1]]
        try:
            said = (int(found[1]), _amount(found[3])) if found else (many, total)
        except ValueError:
            said = (0, Decimal(0))
        if self._statement.is_whole and said != (many, total):
            what = "debits" if each.tag[-1] == "D" else "credits"
            yield Warned(
                f"The report says {parsing.tidy(each.text)[:40]} of its {what}, and {many} of {total:f} were read."
            )

    # ---- rows ----

    def _row(self, row: _Field, said: _Field | None) -> Iterator[Item]:
        self._count += 1
        last = said or row
        span = Span(row.span.first, last.span.first + last.span.length - row.span.first)
        yield from self._enter()
        try:
            if span.length > _LONGEST_ROW:
                raise ValueError("it is longer than any row, so the file is damaged")
            yield self._record(row.text, said.text if said else "", span)
        except ValueError as error:
            self._statement.is_whole = False
            yield Rejected(span, self._lines.at(span.first), f"transaction {self._count}", f"{error}. {_MEND}")

    def _record(self, row: str, said: str, span: Span) -> Record:
        found = _ROW.match(row)
        if found is None:
            raise ValueError(f"{parsing.tidy(row)[:60]!r} is not how a row is written")
        value_day, mark = _day(found[1]), found[3]
        at = _near(value_day, found[2]) if found[2] else value_day
        amount = _amount(found[5]) * (1 if mark in ("C", "RD", "EC") else -1)
        fields = {"trntype": found[6] or "", "dtavail": value_day.isoformat() if value_day != at else ""}
        reference, _, bank_reference = (found[7] or "").partition("//")
        supplement = parsing.tidy(found[8] or "")
        party, memo = _told(said, fields)
        fields["refnum"] = _reference(reference)
        if supplement:
            fields["supplement"] = supplement[:200]
        statement = self._statement
        if mark[0] == "R":
            fields["reversal"] = "yes"
        if statement.is_interim or mark[0] == "E":
            fields["status"] = "pending"
        statement.moved += amount
        many, total = statement.tallied["C" if amount >= 0 else "D"]
        statement.tallied["C" if amount >= 0 else "D"] = many + 1, total + abs(amount)
        return Record(
            kind="money.transaction",
            at=at,
            title=party or memo[:100] or supplement or fields["refnum"] or found[6] or "Transaction",
            span=span,
            party=party,
            account=statement.account,
            amount=amount,
            unit=statement.currency,
            memo=memo,
            supplier_id=_reference(bank_reference),
            fields={name: value for name, value in fields.items() if value},
        )


def _reference(text: str) -> str:
    said = parsing.tidy(text)[:100]
    return "" if said == "NONREF" else said


# ---- what is said of a row ----


def _told(said: str, fields: dict[str, str]) -> tuple[str, str]:
    """The other party and what it was for, from field 86; what else it says goes into `fields`."""
    if _GERMAN.match(said.lstrip()):
        return _german(said, fields)
    if len(_DUTCH.findall(said)) > 1:
        return _dutch(said, fields)
    return "", parsing.tidy(re.sub(r"[\r\n]+", " ", said))


def _german(said: str, fields: dict[str, str]) -> tuple[str, str]:
    """`?20` to `?29` and `?60` to `?63` are what it was for, in pieces; `?32` and `?33` the other party."""
    text = re.sub(r"[\r\n]+", "", said.lstrip())
    fields["gvc"] = text[:3]
    parts: dict[str, str] = {}
    for number, value in _SUBFIELD.findall(text):
        parts[number] = parts.get(number, "") + value
    purpose = "".join(parts.get(str(number), "") for number in (*range(20, 30), *range(60, 64)))
    purpose = purpose if "SVWZ+" in purpose else purpose.replace("MTLG:", "SVWZ+", 1)
    party = parsing.tidy(parts.get("32", "") + parts.get("33", ""))
    fields["bankacctto.bankid"], fields["bankacctto.acctid"] = parts.get("30", "").strip(), parts.get("31", "").strip()
    fields["posting"] = parsing.tidy(parts.get("00", ""))
    pieces = _SEPA.split(purpose)
    sepa = {name: parsing.tidy(value) for name, value in zip(pieces[1::2], pieces[2::2], strict=True)}
    for name, value in sepa.items():
        if name != "SVWZ":
            fields[name.lower()] = value
    memo = " ".join(filter(None, [parsing.tidy(pieces[0]), sepa.get("SVWZ", "")]))
    return party, memo or fields["posting"]


def _dutch(said: str, fields: dict[str, str]) -> tuple[str, str]:
    """`/NAME/...` is the other party, `/REMI/...` what it was for."""
    pieces = _DUTCH.split(re.sub(r"[\r\n]+", "", said))
    parts: dict[str, str] = {}
    for name, value in zip(pieces[1::2], pieces[2::2], strict=True):
        parts.setdefault(name, parsing.tidy(value.strip("/")))
    fields["bankacctto.acctid"], fields["bankacctto.bankid"] = parts.get("IBAN", ""), parts.get("BIC", "")
    for name in ("EREF", "MARF", "CSID", "PREF", "ISDT", "TRTP", "RTRN"):
        if parts.get(name):
            fields[name.lower()] = parts[name]
    memo = " ".join(filter(None, [parsing.tidy(pieces[0]), parts.get("REMI", "")]))
    return parts.get("NAME", ""), memo


# ---- days and amounts ----


def _day(text: str) -> date:
    """YYMMDD: of this century until 2079, as SWIFT counts."""
    year = int(text[:2])
    try:
        return date(year + (2000 if year < 80 else 1900), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise ValueError(f"the date {text!r} is not a day of the calendar") from None


def _near(value_day: date, text: str) -> date:
    """MMDD, in the year that lies nearest to the value day: entries of January have values of December."""
    days = []
    for year in (value_day.year - 1, value_day.year, value_day.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise ValueError(f"the day booked, {text!r}, is not a day of the calendar")
    return min(days, key=lambda each: abs((each - value_day).days))


def _amount(text: str) -> Decimal:
    return parsing.amount(text.replace(",", ".").rstrip(".") or "0")
