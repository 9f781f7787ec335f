"""One pass over an OFX file: which statement we are in, and which row or balance is open.

The file is never parsed as a tree: tags that divide it are looked for, and what lies between a row's tag and its end is
one row. A row that nothing closes ends where the next begins.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from appliance import parsing
from appliance.content import Data
from appliance.importers.ofx import investments, rows
from appliance.importers.ofx.accounts import Account, Statement
from appliance.importers.ofx.elements import elements
from appliance.importers.ofx.investments import LONE, POSITIONS, TRADES, Security
from appliance.importers.ofx.rows import BALANCES, RowError
from appliance.records import Item, Record, Rejected, Source, Span, Warned

_LONGEST_ROW = 1 << 20  # bytes; a longer one is a damaged file, not a payment
_LONGEST_BALANCE = 1 << 12
_MEND = "Correct it in the file and import the file again"
_STATEMENTS = ("STMTRS", "CCSTMTRS", "INVSTMTRS")
_ACCOUNTS = ("BANKACCTFROM", "CCACCTFROM", "INVACCTFROM")


def _dividing(row: str, structure: str, value: str) -> re.Pattern[bytes]:
    """A pattern of the tags that divide a file: a row's, of what is around rows, of values; and of a comment."""
    return re.compile(
        rf"<(?:(/?(?:{row}))\s*>|({structure})\s*>|({value})\s*>\s*(?:<!\[CDATA\[)?([^<\]]{{0,200}})|(!--))".encode(),
        re.I,
    )


_STRUCTURES = (
    r"/?(?:CC|INV)?STMT(?:TRN)?RS|/?(?:BANK|INV)TRANLISTP?|/?INVBANKTRAN|/?(?:LEDGER|AVAIL)BAL|SUBACCTFUND"
    r"|/?(?:BANK|CC|INV)ACCTFROM|/(?:BANK|CREDITCARD|INVSTMT)MSGSRSV1|/OFX"
)
_VALUES = "ORG|CURDEF|BANKID|BROKERID|BRANCHID|ACCTID|ACCTTYPE|ACCTKEY|DTSTART|DTEND"
_OF_BANKS = _dividing("STMTTRNP?", _STRUCTURES, _VALUES)
_OF_INVESTMENTS = _dividing(
    "|".join(("STMTTRNP?", *TRADES, *POSITIONS)),
    "|".join((_STRUCTURES, "/?INVPOSLIST|/?INVBAL|/?BALLIST|/?INVOOLIST|OO|/?INV401K(?:BAL)?", *LONE)),
    f"{_VALUES}|DTASOF",
)
_POSITION = re.compile(rb"<(?:POS|INVPOS)", re.I)
_ROW, _STRUCTURE, _VALUE, _COMMENT = 1, 2, 4, 5


class Reader:
    """See the module. `currency` is what amounts are in where a statement names none."""

    def __init__(self, data: Data, encoding: str, currency: str) -> None:
        self._data, self._encoding, self._currency = data, encoding, currency
        self._lines = parsing.Lines(data)
        self._dividing = _OF_BANKS
        self._statement = Statement(currency=currency)
        self._account: Account | None = None
        self._source: Source | None = None
        self._securities: dict[str, Security] | None = None
        self._counts = Counter[str]()
        self._orders = 0
        self._sort = ""
        self._whole = False
        self._without_currency: set[str] = set()

    def items(self) -> Iterator[Item]:
        """A `Source` for each account, each of its rows, and its balances."""
        opened = balance = -1  # where the row or the balance that we are in begins
        for boundary in self._boundaries():
            part = boundary.lastindex
            if balance >= 0 and part in (_ROW, _STRUCTURE):
                yield from self._balance(balance, boundary)
                balance = -1
            if part == _ROW:
                closing = self._data[boundary.start() + 1] == 47  # "/"
                if opened >= 0:
                    yield from self._row(opened, boundary.end() if closing else boundary.start())
                opened = -1 if closing else boundary.start()
            elif part == _STRUCTURE:
                tag = boundary[_STRUCTURE].upper().decode("ascii")
                if opened >= 0 and not self._is_within(opened, tag):
                    yield from self._row(opened, boundary.start())
                    opened = -1
                if tag in LONE and opened < 0:
                    opened = boundary.start()
                if opened < 0:
                    balance = boundary.start() if tag in BALANCES else -1
                    self._enter(tag)
            elif opened < 0:  # inside a row these are its own: the account of the other side
                name = boundary[_VALUE - 1].lower().decode("ascii")
                self._learn(name, boundary[_VALUE])
                if name == "dtend":
                    yield from self._covered(boundary)
        yield from self._end(opened)

    def _boundaries(self) -> Iterator[re.Match[bytes]]:
        """The tags that divide a file, outside comments. A comment that nothing closes is taken for text."""
        position, closable = 0, True
        while boundary := self._dividing.search(self._data, position):
            position = boundary.end()
            if boundary.lastindex != _COMMENT:
                yield boundary
            elif closable:
                end = self._data.find(b"-->", position)
                closable, position = end >= 0, max(end, position)

    def _is_within(self, opened: int, tag: str) -> bool:
        """Whether a tag belongs to the row that is open: a transaction of an investment account has such of its own."""
        of = self._data[opened + 1 : opened + 8].upper()
        if of == b"STMTTRN":
            return False
        is_lone = of in (b"INVTRAN", b"INVPOS>")
        return tag.removeprefix("/") in ("INVACCTFROM", "SUBACCTFUND") or (tag in LONE and not is_lone)

    # ---- around rows ----

    def _enter(self, tag: str) -> None:
        if tag in _STATEMENTS:
            self._dividing = _OF_INVESTMENTS if tag == "INVSTMTRS" else _OF_BANKS
            self._say(Statement(bank=self._statement.bank, currency=self._currency, card=tag == "CCSTMTRS"))
        elif tag == "/INVSTMTRS":
            self._dividing = _OF_BANKS
        elif tag in _ACCOUNTS:
            self._say(replace(self._statement, card=tag == "CCACCTFROM", named={}))
        elif tag == "OO":
            self._orders += 1
        elif tag == "/OFX":
            self._whole = True

    def _learn(self, name: str, raw: bytes) -> None:
        value = parsing.tidy(parsing.decoded(raw, self._encoding))
        if not value:
            return
        if name == "org":
            self._say(replace(self._statement, bank=value))
        elif name == "curdef":
            self._say(replace(self._statement, currency=value.upper()))
        elif name in ("dtstart", "dtend"):
            self._statement = replace(self._statement, covered=(*self._statement.covered, value)[-2:])
        elif name == "dtasof":  # of later ones each is a balance's own
            self._statement = replace(self._statement, as_of=self._statement.as_of or value)
        else:
            self._say(replace(self._statement, named=self._statement.named | {name: value}))

    def _say(self, statement: Statement) -> None:
        self._statement, self._account = statement, None

    def _enter_account(self) -> Iterator[Source]:
        """The source of what comes, where that is another one than before."""
        if self._account is None:
            self._account = self._statement.account()
            if self._account.source != self._source:
                self._source = self._account.source
                yield self._source

    def _covered(self, end: re.Match[bytes]) -> Iterator[Item]:
        """The days that the list of rows covers, which stand before them; nothing where they cannot be read."""
        covered, account = self._statement.covered, self._statement.account()
        self._statement = replace(self._statement, covered=())
        said = Span(end.start(), len(end[0].rstrip()))
        if period := rows.covered(covered, said, account):
            yield from self._enter_account()
            yield period

    def _balance(self, first: int, boundary: re.Match[bytes]) -> Iterator[Item]:
        """The balance that begins there and ends with its own tag, or before another."""
        closing = (boundary[_STRUCTURE] or b"").startswith(b"/")
        raw = self._data[first : boundary.end() if closing else boundary.start()][:_LONGEST_BALANCE].rstrip()
        said, account = elements(parsing.decoded(raw, self._encoding)), self._statement.account()
        yield from self._enter_account()
        tag = raw[1:].partition(b">")[0].strip().upper().decode("ascii")
        try:
            yield rows.balance(tag, said, self._statement.as_of, Span(first, len(raw)), account)
        except ValueError as error:
            yield Warned(f"The balance on line {self._lines.at(first)} could not be read: {error}.")

    # ---- rows ----

    def _row(self, first: int, end: int) -> Iterator[Item]:
        """The row in these bytes, after its source where that changes."""
        self._counted(first)
        raw = self._data[first : min(end, first + _LONGEST_ROW)]
        yield from self._enter_account()
        account = self._account or self._statement.account()
        if first + len(raw) < end:
            yield self._rejected(Span(first, end - first), "it is over a megabyte long, so the file is damaged")
            return
        raw = raw.rstrip()
        span = Span(first, len(raw))
        try:
            record = self._record(raw, span, account)
        except RowError as error:
            yield self._rejected(span, " and ".join(self._placed(*each, raw, span) for each in error.of.items()))
            return
        if not record.unit:
            self._without_currency.add(account.source.title)
        yield record

    def _record(self, raw: bytes, span: Span, account: Account) -> Record:
        said = elements(parsing.decoded(raw, self._encoding))
        if raw[1:8] == b"STMTTRN" or self._dividing is _OF_BANKS:
            return rows.transaction(said, span, account)
        tag = raw[1 : raw.index(b">")].strip().upper().decode("ascii")
        if tag.startswith("STMTTRN"):
            return rows.transaction(said, span, account)
        if self._securities is None:
            self._securities = investments.securities(self._data, self._encoding)
        if tag in (*POSITIONS, "INVPOS"):
            return investments.position(said, self._statement.as_of, span, account, self._securities)
        return investments.trade(tag, said, span, account, self._securities)

    def _placed(self, name: str, reason: str, raw: bytes, span: Span) -> str:
        """What is wrong, with the line of the element that it is about."""
        found = re.search(rb"<" + name.upper().encode() + rb"\s*>", raw, re.I)
        line = self._lines.at(span.first) + parsing.line_ends(raw[: found.start()] if found else b"")
        return f"line {line}: {reason}"

    def _rejected(self, span: Span, reason: str, next_step: str = _MEND) -> Rejected:
        where = f"{self._sort} {self._counts[self._sort]}"
        return Rejected(span, self._lines.at(span.first), where, f"{reason}. {next_step}")

    def _counted(self, first: int) -> None:
        is_held = self._dividing is _OF_INVESTMENTS and _POSITION.match(self._data, first)
        self._sort = "holding" if is_held else "transaction"
        self._counts[self._sort] += 1

    def _end(self, opened: int) -> Iterator[Item]:
        if opened >= 0:
            self._counted(opened)
            rest = Span(opened, len(self._data) - opened)
            yield self._rejected(rest, "the file ends in the middle of it", "Fetch the file again from the bank")
        if not self._whole:
            yield Warned("The file ends before </OFX>, so its end may be missing; fetch it again from the bank.")
        if not self._counts:
            yield Warned("The file holds no transactions.")
        if self._orders:
            orders = "an open order" if self._orders == 1 else f"{self._orders} open orders"
            yield Warned(f"The file lists {orders} too; orders are not taken in, since nothing moved yet.")
        for title in sorted(self._without_currency):
            yield Warned(f"The statement of {title} names no currency; state it for this source: currency=EUR, say.")
