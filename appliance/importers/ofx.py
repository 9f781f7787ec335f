"""OFX: statements of bank accounts and credit cards, and the bank rows inside investment statements.

One reader takes OFX 1.x (SGML: a value ends at the next tag, close tags of values are optional) and 2.x (XML), since
what banks write is often neither. The file is never parsed as a tree: a few tags are looked for, and what lies between
`<STMTTRN>` and its end is one transaction.

    <OFX> <SIGNONMSGSRSV1> <SONRS> <FI> <ORG>1                        the bank's own name
    <BANKMSGSRSV1> <STMTTRNRS> <STMTRS> <CURDEF>2                     the statement's currency
      <BANKACCTFROM> <BANKID>3 <ACCTID>4 <ACCTTYPE>5 </BANKACCTFROM>
      <BANKTRANLIST> <STMTTRN> <TRNTYPE> <DTPOSTED> <TRNAMT> <FITID> <NAME> <MEMO> </STMTTRN> ... </BANKTRANLIST>
      <LEDGERBAL> <BALAMT> <DTASOF> </LEDGERBAL> <AVAILBAL> ...           what stood on the account, kept as a balance

Source: OFX 1.6 and 2.2, sections 2.2 and 2.3 (headers), 3.2.8 (dates), 3.2.9 (amounts), 5.2 (currencies), 11.3.1
(accounts), 11.4.2.2 (LEDGERBAL, AVAILBAL), 11.4.3 (STMTTRN), 13.9.2.2 (INVBANKTRAN).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from mmap import mmap

from appliance import parsing
from appliance.errors import UserError
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "OFX or QFX bank statement"

_LONGEST_TRANSACTION = 1 << 20  # bytes; a longer one is a damaged file, not a payment
_LONGEST_BALANCE = 1 << 12
_MEND = "Correct it in the file and import the file again"


@dataclass(frozen=True)
class Options:
    """`currency`: what the amounts are in, where a statement names none (ISO 4217, such as EUR)."""

    currency: str = field(default="", metadata={"title": "Currency, where the file names none"})

    def __post_init__(self) -> None:
        if self.currency and not re.fullmatch("[A-Z]{3}", self.currency):
            raise UserError(f"currency={self.currency!r} is no currency code; write three capitals, such as EUR")


# ---- what kind of file ----

_HEADER = re.compile(rb"\s*(?:OFXHEADER\s*:|<\?OFX\s|(?:<\?xml[^>]*>\s*)?<\?OFX\s)", re.I)
_BODY = re.compile(rb"<OFX[\s>]", re.I)
_MESSAGES = re.compile(rb"<(?:SIGNON|BANK|CREDITCARD|INVSTMT)MSGSRSV1\s*>|<(?:CC|INV)?STMTRS\s*>|<STMTTRN\s*>", re.I)
_DECLARED = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)|^\s*(?:ENCODING:[ \t]*(UTF-?8|UNICODE)"
    rb"|CHARSET:[ \t]*([\w.-]+))",
    re.I | re.M,
)
_UTF16 = re.compile(rb"^(?:\xff\xfe|\xfe\xff)|<\0[?O]\0|\0<\0[?O]", re.I)
_HEADER_BYTES = 4096


def identify(head: bytes, name: str) -> bool:
    """Whether there is an OFX header, or the OFX element with a message that belongs in it. Names say nothing."""
    plain = head.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return bool(_HEADER.match(plain) or (_BODY.search(plain) and _MESSAGES.search(plain)))


def _declared_encoding(head: bytes) -> str:
    """The codec that the header names, or "": `CHARSET:1252`, `ENCODING:UTF-8`, or XML's `encoding="..."`."""
    found = _DECLARED.search(head[:_HEADER_BYTES])
    if found is None or found[2]:
        return ""
    code = (found[1] or found[3]).decode("ascii", "replace")
    if code.startswith("8859"):
        return f"iso-{code}"
    return f"cp{code}" if code.isdigit() else code


# ---- the account that a statement is about ----


@dataclass(frozen=True, slots=True)
class _Statement:
    """What stands before a statement's transactions. `named` holds its account's elements, in lower case."""

    bank: str = ""
    currency: str = ""
    card: bool = False
    named: dict[str, str] = field(default_factory=dict)

    def account(self) -> "_Account":
        fields = dict(self.named)
        number, code = fields.pop("acctid", ""), fields.get("bankid") or fields.get("brokerid", "")
        issuer, sort = self.bank or code, fields.get("accttype", "card" if self.card else "account").lower()
        return _Account(
            source=Source(_joined(" ", issuer or "ofx", number), _joined(" ", issuer, sort, number)),
            number=number,
            key=number if self.card else _joined("/", code, number),
            currency=self.currency,
            fields=fields,
        )


@dataclass(frozen=True, slots=True)
class _Account:
    """What every record of a statement says alike."""

    source: Source
    number: str
    key: str
    currency: str
    fields: dict[str, str]


def _joined(mark: str, *words: str) -> str:
    return mark.join(filter(None, words))


_BOUNDARY = re.compile(
    rb"<(?:(/?STMTTRN)\s*>"
    rb"|(/?(?:CC|INV)?STMT(?:TRN)?RS|/?(?:BANK|INV)TRANLIST|/?INVBANKTRAN|/?(?:LEDGER|AVAIL)BAL|SUBACCTFUND"
    rb"|/?(?:BANK|CC|INV)ACCTFROM|/(?:BANK|CREDITCARD|INVSTMT)MSGSRSV1|/OFX)\s*>"
    rb"|(ORG|CURDEF|BANKID|BROKERID|BRANCHID|ACCTID|ACCTTYPE|ACCTKEY)\s*>\s*(?:<!\[CDATA\[)?([^<\]]{0,200})"
    rb"|(!--))",
    re.I,
)
_TRANSACTION, _STRUCTURE, _VALUE, _COMMENT = 1, 2, 4, 5
_BALANCES = {b"LEDGERBAL": "ledger", b"AVAILBAL": "available"}


def _boundaries(data: bytes | mmap) -> Iterator[re.Match[bytes]]:
    """The tags that divide a file, outside comments. A comment that nothing closes is taken for text."""
    position, closable = 0, True
    while boundary := _BOUNDARY.search(data, position):
        position = boundary.end()
        if boundary.lastindex != _COMMENT:
            yield boundary
        elif closable:
            end = data.find(b"-->", position)
            closable, position = end >= 0, max(end, position)


class _Reader:
    """One pass over a file: which statement we are in, and which transaction is open."""

    def __init__(self, data: bytes | mmap, options: Options) -> None:
        self._data = data
        self._options = options
        self._encoding = _declared_encoding(data[:_HEADER_BYTES])
        self._lines = parsing.Lines(data)
        self._statement = _Statement(currency=options.currency)
        self._account: _Account | None = None
        self._source: Source | None = None
        self._count = 0
        self._whole = False
        self._without_currency: set[str] = set()

    def items(self) -> Iterator[Item]:
        opened = balance = -1  # where the transaction or the balance that we are in begins
        for boundary in _boundaries(self._data):
            part = boundary.lastindex
            if balance >= 0 and part in (_TRANSACTION, _STRUCTURE):
                yield from self._balance(balance, boundary)
                balance = -1
            if part == _TRANSACTION:
                closing = self._data[boundary.start() + 1] == 47  # "/"
                if opened >= 0:
                    yield from self._transaction(opened, boundary.end() if closing else boundary.start())
                opened = -1 if closing else boundary.start()
            elif part == _STRUCTURE:
                if opened >= 0:
                    yield from self._transaction(opened, boundary.start())
                    opened = -1
                tag = boundary[_STRUCTURE].upper()
                balance = boundary.start() if tag in _BALANCES else -1
                self._enter(tag)
            elif opened < 0:  # inside a transaction these are its own: the account of the other side
                self._learn(boundary[_VALUE - 1].lower().decode("ascii"), boundary[_VALUE])
        yield from self._end(opened)

    def _enter(self, tag: bytes) -> None:
        if tag in (b"STMTRS", b"CCSTMTRS", b"INVSTMTRS"):
            card, bank = tag == b"CCSTMTRS", self._statement.bank
            self._say(_Statement(bank=bank, currency=self._options.currency, card=card))
        elif tag in (b"BANKACCTFROM", b"CCACCTFROM", b"INVACCTFROM"):
            self._say(replace(self._statement, card=tag == b"CCACCTFROM", named={}))
        elif tag == b"/OFX":
            self._whole = True

    def _learn(self, name: str, raw: bytes) -> None:
        value = parsing.tidy(parsing.decoded(raw, self._encoding))
        if not value:
            return
        if name == "org":
            self._say(replace(self._statement, bank=value))
        elif name == "curdef":
            self._say(replace(self._statement, currency=value.upper()))
        else:
            self._say(replace(self._statement, named=self._statement.named | {name: value}))

    def _say(self, statement: _Statement) -> None:
        self._statement, self._account = statement, None

    def _enter_account(self) -> Iterator[Source]:
        """The source of what comes, where that is another one than before."""
        if self._account is None:
            self._account = self._statement.account()
            if self._account.source != self._source:
                self._source = self._account.source
                yield self._source

    def _balance(self, first: int, boundary: re.Match[bytes]) -> Iterator[Item]:
        """The balance that begins there and ends with its own tag, or before another."""
        closing = (boundary[_STRUCTURE] or b"").startswith(b"/")
        raw = self._data[first : boundary.end() if closing else boundary.start()][:_LONGEST_BALANCE].rstrip()
        elements, account = _elements(parsing.decoded(raw, self._encoding)), self._statement.account()
        yield from self._enter_account()
        try:
            at, value = _moment(elements.get("dtasof", "")), parsing.amount(elements.get("balamt", ""))
        except ValueError as error:
            yield Warned(f"The balance on line {self._lines.at(first)} could not be read: {error}.")
            return
        type_ = _BALANCES[raw[1:].partition(b">")[0].strip().upper()]
        yield Record(
            kind="money.balance",
            at=at,
            title=f"{type_.capitalize()} balance",
            span=Span(first, len(raw)),
            account=account.number,
            account_key=account.key,
            amount=value,
            unit=account.currency,
            fields={"type": type_},
        )

    def _transaction(self, first: int, end: int) -> Iterator[Item]:
        """The transaction in these bytes, after its source where that changes."""
        self._count += 1
        raw = self._data[first : min(end, first + _LONGEST_TRANSACTION)]
        yield from self._enter_account()
        account = self._account or self._statement.account()
        if first + len(raw) < end:
            yield self._rejected(Span(first, end - first), "it is over a megabyte long, so the file is damaged")
            return
        raw = raw.rstrip()
        yield self._row(raw, Span(first, len(raw)), account)

    def _row(self, raw: bytes, span: Span, account: _Account) -> Record | Rejected:
        elements = _elements(parsing.decoded(raw, self._encoding))
        problems: list[str] = []
        at = value = None
        try:
            at = _moment(elements.pop("dtposted", ""))
        except ValueError as error:
            problems.append(self._placed(error, b"DTPOSTED", raw, span))
        try:
            value = parsing.amount(elements.pop("trnamt", ""))
        except ValueError as error:
            problems.append(self._placed(error, b"TRNAMT", raw, span))
        if problems:
            return self._rejected(span, " and ".join(problems))
        record = _record(elements, at, value, span, account)
        if not record.unit:
            self._without_currency.add(account.source.title)
        return record

    def _placed(self, error: ValueError, tag: bytes, raw: bytes, span: Span) -> str:
        """The error with the line of the element that it is about."""
        found = re.search(rb"<" + tag + rb"\s*>", raw, re.I)
        line = self._lines.at(span.first) + parsing.line_ends(raw[: found.start()] if found else b"")
        return f"line {line}: {error}"

    def _rejected(self, span: Span, reason: str, next_step: str = _MEND) -> Rejected:
        return Rejected(span, self._lines.at(span.first), f"transaction {self._count}", f"{reason}. {next_step}")

    def _end(self, opened: int) -> Iterator[Item]:
        if opened >= 0:
            self._count += 1
            rest = Span(opened, len(self._data) - opened)
            yield self._rejected(rest, "the file ends in the middle of it", "Fetch the file again from the bank")
        if not self._whole:
            yield Warned("The file ends before </OFX>, so its end may be missing; fetch it again from the bank.")
        if not self._count:
            yield Warned("The file holds no transactions.")
        for title in sorted(self._without_currency):
            yield Warned(f"The statement of {title} names no currency; state it for this source: currency=EUR, say.")


# ---- one transaction ----

_ELEMENT = re.compile(r"<([A-Za-z][\w.\-]*)\s*>([^<]*+(?:<(?!/?[A-Za-z][\w.\-]*\s*>)[^<]*+)*+)")
_CDATA = re.compile(r"<!\[CDATA\[((?:(?!<!\[CDATA\[|\]\]>).)*+)\]\]>", re.S)
_REMARK = re.compile(r"<!--(?:(?!<!--|-->).)*+-->", re.S)
_AGGREGATES = {
    "payee": frozenset({"name", "addr1", "addr2", "addr3", "city", "state", "postalcode", "country", "phone"}),
    "bankacctto": frozenset({"bankid", "branchid", "acctid", "accttype", "acctkey"}),
    "ccacctto": frozenset({"acctid", "acctkey"}),
    "currency": frozenset({"currate", "cursym"}),
    "origcurrency": frozenset({"currate", "cursym"}),
}


def _elements(text: str) -> dict[str, str]:
    """A transaction's text -> its values by lower-case name, an aggregate's as `payee.city`; empty ones left out.

    Close tags are not needed to know where an aggregate ends: its names are not those of a transaction's own elements.
    """
    if "<!" in text:
        text = _CDATA.sub(lambda section: section[1].replace("&", "&amp;").replace("<", "&lt;"), _REMARK.sub("", text))
    elements: dict[str, str] = {}
    inside, names = "", frozenset[str]()
    for tag, raw in _ELEMENT.findall(text):
        name = tag.lower()
        value = raw.strip()
        if "&" in value or not value.isprintable():
            value = parsing.tidy(value)
        if name in _AGGREGATES and not value:
            inside, names = f"{name}.", _AGGREGATES[name]
        elif value:
            elements.setdefault(inside + name if name in names else name, value)
    return elements


def _record(elements: dict[str, str], at: date | None, value: Decimal | None, span: Span, account: _Account) -> Record:
    party = elements.pop("name", "") or elements.get("payee.name", "")
    memo = elements.pop("memo", "")
    return Record(
        kind="money.transaction",
        at=at,
        title=party or memo or elements.get("trntype", ""),
        span=span,
        party=party,
        account=account.number,
        account_key=account.key,
        amount=value,
        unit=_unit(elements) or account.currency,
        memo=memo,
        supplier_id=elements.pop("fitid", ""),
        fields=account.fields | elements,
    )


def _unit(elements: dict[str, str]) -> str:
    """What the amount is in, where that is not the statement's currency. CURRENCY says what the amounts beside it are
    in; ORIGCURRENCY only what they were before the bank converted them (section 5.2)."""
    return (elements.get("currency.cursym") or elements.get("currency", "")).upper()


_MOMENT = re.compile(r"([0-9]{8})(?:([0-9]{2})([0-9]{2})([0-9]{2})?(?:[.:,]([0-9]{1,6})[0-9]*)?)?\s*(?:\[([^\]]*)\]?)?")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?:\.([0-9]{1,2})|:?([0-9]{2}))?(?::(.*))?")


@lru_cache(maxsize=8192)
def _moment(text: str) -> date | datetime:
    """`YYYYMMDD[HHMMSS[.XXX]][[-5:EST]]` -> a date where only that is said, else a datetime in the zone that is said,
    GMT where none is (section 3.2.8.2). ValueError, with the reason for a person, where it is no such moment."""
    if not text:
        raise ValueError("it states no date")
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise ValueError(f"the date {text[:40]!r} is not written as YYYYMMDD")
    day = parsing.compact_day(text)
    zone = _zone(parts[6] or "")
    if parts[2] is None or zone is None:
        return day
    try:
        clock = (int(parts[2]), int(parts[3]), int(parts[4] or 0), int((parts[5] or "0").ljust(6, "0")))
        return datetime(day.year, day.month, day.day, *clock, tzinfo=zone)
    except ValueError:
        raise ValueError(f"the time in {text!r} is not a time of day") from None


def _zone(text: str) -> timezone | None:
    """`-5:EST`, `+5.5`, `+5.30:IST`, `-0330` -> the zone; None where it cannot be known, so that only the day is."""
    if text.strip().upper() in ("", "GMT", "UTC", "Z"):
        return UTC
    parts = _ZONE.fullmatch(text.strip())
    if parts is None:
        return None
    minutes = int(parts[2]) * 60 + _zone_minutes(parts[3], parts[4])
    if minutes > 14 * 60:
        return None
    offset = timedelta(minutes=-minutes if parts[1] == "-" else minutes)
    return timezone(offset, parts[5].strip()) if parts[5] and parts[5].strip() else timezone(offset)


def _zone_minutes(fraction: str | None, minutes: str | None) -> int:
    """The part of a zone after its hours: a fraction of an hour ("5", "75"), or minutes ("30", "45", as some write)."""
    if fraction in ("30", "45"):
        return int(fraction)
    return int(Decimal(f"0.{fraction or 0}") * 60) + int(minutes or 0)


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """A `Source` for each account, every STMTTRN as a `Record` of `money.transaction` or a `Rejected`, and balances."""
    if _UTF16.search(data[:_HEADER_BYTES]):
        whole = Span(0, len(data))
        yield Rejected(whole, 1, "file", "the file is written in UTF-16; save it as UTF-8 and import it again")
        return
    yield from _Reader(data, options).items()
