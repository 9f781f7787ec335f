"""The statements of an MT940 file: their accounts, balances and rows, and whether these add up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from appliance import parsing, statements
from appliance.content import Data
from appliance.importers.mt940 import details
from appliance.importers.mt940.details import Told
from appliance.importers.mt940.fields import Field, amount, booked, day, fields, is_in_dos_letters, span
from appliance.records import Item, Record, Rejected, Source, Span, Warned

_LONGEST_ROW = 1 << 16  # bytes; SWIFT allows six lines of 65
_MOST_SAID = 1_000  # fields 86 of one row
_MEND = "Fetch the statement again from the bank, or correct it in the file and import it again"
_ROW = re.compile(
    r"\s*(\d{6})\s*(\d{4})?\s*(R[CD]|E[CD]|[CD])\s*([A-Z])?\s*([\d.,']{1,24})\s*(?:(?!NONREF)([NSF][A-Z0-9 ]{3}))?"
    r"([^\r\n]*)(?:[\r\n]+(.*))?",
    re.S,
)
_BALANCE = re.compile(r"\s*([CD])\s*(\d{6})\s*([A-Z]{3})\s*([\d.,']{1,24})")
_FLOOR = re.compile(r"\s*([A-Z]{3})")
_TALLY = re.compile(r"\s*(\d{1,9})\s*([A-Z]{3})?\s*([\d.,']{1,24})")
_SUPPLEMENT = 500
_BALANCES = {"60F": "opening", "60M": "interim", "62F": "closing", "62M": "interim", "64": "available", "65": "forward"}
_OPENING, _CLOSING = ("60F", "60M"), ("62F", "62M")
_SIDES = {"D": "debits", "C": "credits"}


@dataclass(slots=True)
class _Statement:
    """What a statement has said so far."""

    account: str = ""
    bank: str = ""
    currency: str = ""
    is_interim: bool = False
    opening: Decimal | None = None
    begins: date | None = None
    moved: Decimal = Decimal(0)
    rejected: int = 0
    tallied: dict[str, list[Decimal]] = field(default_factory=lambda: {"D": [], "C": []})
    expected: dict[str, list[Decimal]] = field(default_factory=lambda: {"D": [], "C": []})

    @property
    def key(self) -> str:
        """The account with what makes it unique."""
        return f"{self.bank}/{self.account}" if self.bank else ""

    def enter_account(self, said: str) -> None:
        """A `:25:`, or a `:25P:` with the bank's BIC on its second line."""
        lines = said.splitlines()
        self.account = parsing.one_line(lines[0] if lines else "").replace(" ", "")[:100]
        self.bank = parsing.one_line(lines[1])[:20] if len(lines) > 1 else ""

    def enter_currency(self, code: str) -> None:
        """Some banks write the currency behind the account's number in one message, and not in another."""
        self.currency = code
        bare = self.account.removesuffix(code).rstrip("/")
        if bare and bare != self.account and (bare[-1].isdigit() or self.account[len(bare)] == "/"):
            self.account = bare


class _Stood(NamedTuple):
    """What stood on an account."""

    account: str
    at: date
    amount: Decimal
    currency: str


class Reader:
    """One pass over a file."""

    def __init__(self, data: Data, encoding: str = "") -> None:
        self._data = data
        self._is_dos = not encoding and is_in_dos_letters(data)
        self._encoding = "cp850" if self._is_dos else encoding
        self._lines = parsing.Lines(data)
        self._statement = _Statement()
        self._source: Source | None = None
        self._page: _Stood | None = None  # what the page before closed with
        self._count = 0
        self._without_currency: dict[str, None] = {}

    def items(self) -> Iterator[Item]:
        row: list[Field] = []  # a :61: and what is said of it
        for each in fields(self._data):
            if row and each is not None and each.tag in ("86", "NS"):
                row[_MOST_SAID:] = [each]  # of more, what is between is beyond what is read
                continue
            if row:
                yield from self._row(row)
                row = []
            if each is not None and each.tag == "61":
                row = [each]
            elif each is not None:
                yield from self._said(each)
        if row:
            yield from self._row(row)
        yield from self._end()

    def _end(self) -> Iterator[Warned]:
        if self._is_dos:
            yield Warned(
                "The letters of this file are those of DOS, and were read as code page 850. Where some came out wrong, "
                "state another for this source: encoding=cp852, say."
            )
        for account in self._without_currency:
            yield Warned(f"The statement of {account or 'an account'} states no balance, and so no currency.")
        if not self._count:
            yield Warned("The file holds no transactions.")

    def _text(self, raw: bytes) -> str:
        return parsing.decoded(raw, self._encoding)

    def _said(self, each: Field) -> Iterator[Item]:
        if each.tag == "20":
            self._statement = _Statement()
        elif each.tag in ("25", "25P"):
            self._statement.enter_account(self._text(each.raw))
        elif each.tag == "34F":
            self._statement.is_interim = True
            if found := _FLOOR.match(self._text(each.raw)):
                self._statement.enter_currency(found[1])
        elif each.tag in _BALANCES:
            yield from self._balance(each)
        elif each.tag in ("90D", "90C") and self._statement.is_interim:
            yield from self._tally(each)

    def _enter(self) -> Iterator[Source]:
        name = self._statement.key or self._statement.account or "mt940"
        if self._source is None or self._source.name != name:
            self._source = Source(name)
            yield self._source

    # ---- balances ----

    def _balance(self, each: Field) -> Iterator[Item]:
        statement, text = self._statement, self._text(each.raw)
        found = _BALANCE.match(text)
        try:
            if found is None:
                raise ValueError(f"{parsing.one_line(text)[:40]!r} is not how one is written")
            at, value = day(found[2]), amount(found[4]) * (1 if found[1] == "C" else -1)
        except ValueError as error:
            statement.opening = None
            yield Warned(f"The balance on line {self._lines.at(each.first)} could not be read: {error}.")
            return
        statement.enter_currency(found[3])
        if each.tag in _OPENING:
            statement.opening, statement.moved, statement.rejected = value, Decimal(0), 0
        stood = _Stood(statement.account, at, value, found[3])
        if each.tag != "60M" or stood != self._page:  # else it is the balance that the page before ended with
            yield from self._enter()
            yield self._balance_record(each, stood)
        if each.tag == "60F":
            statement.begins = at
        elif each.tag == "62F":
            yield from self._covered(each, stood)
        self._page = stood if each.tag == "62M" else None
        if each.tag in _CLOSING and statement.opening is not None:
            yield from self._checked(each, value - statement.opening)

    def _balance_record(self, each: Field, stood: "_Stood") -> Record:
        type_ = _BALANCES[each.tag]
        return Record(
            kind="money.balance",
            at=stood.at,
            title=f"{type_.capitalize()} balance",
            span=span(each, each),
            account=stood.account,
            account_key=self._statement.key,
            amount=stood.amount or Decimal(0),
            unit=stood.currency,
            fields={"type": type_},
        )

    def _covered(self, each: Field, closing: _Stood) -> Iterator[Record]:
        """The days between a statement's own balances."""
        begins, named = self._statement.begins, {"account_key": self._statement.key, "unit": closing.currency}
        if begins is None:
            return
        if said := statements.covered(begins, closing.at, span(each, each), account=closing.account, **named):
            yield said

    def _checked(self, closing: Field, wanted: Decimal) -> Iterator[Warned]:
        """Whether the rows lead from the opening to the closing balance."""
        statement = self._statement
        if wanted != statement.moved:
            line = self._lines.at(closing.first)
            yield Warned(
                f"The statement that ends on line {line} does not add up: its rows come to {statement.moved:f} "
                f"{statement.currency}, its balances differ by {wanted:f}. {self._why()}"
            )

    def _why(self) -> str:
        if many := self._statement.rejected:
            return f"{many} of its rows could not be read."
        return "Rows may be missing; fetch it again from the bank."

    def _tally(self, each: Field) -> Iterator[Warned]:
        """MT942's own count and sum of its debits or credits, with or without what is only expected."""
        text, side = self._text(each.raw), each.tag[-1]
        tallied, expected = self._statement.tallied[side], self._statement.expected[side]
        try:
            found = _TALLY.match(text)
            if found is None:
                raise ValueError
            said = int(found[1]), amount(found[3])
        except ValueError:
            yield Warned(f"What line {self._lines.at(each.first)} says of all {_SIDES[side]} could not be read.")
            return
        if said not in [(len(some), sum(some)) for some in (tallied, tallied + expected)]:
            yield Warned(
                f"The report that ends on line {self._lines.at(each.first)} counts {said[0]} {_SIDES[side]} of "
                f"{said[1]:f}, and has {len(tallied + expected)} of {sum(tallied + expected):f}. {self._why()}"
            )

    # ---- rows ----

    def _row(self, row: list[Field]) -> Iterator[Item]:
        self._count += 1
        where = span(row[0], row[-1])
        yield from self._enter()
        try:
            if where.length > _LONGEST_ROW:
                raise ValueError("it is longer than any row, so the file is damaged")
            yield self._record(self._text(row[0].raw), self._told(row[1:]), where)
        except ValueError as error:
            self._statement.rejected += 1
            yield Rejected(where, self._lines.at(where.first), f"transaction {self._count}", f"{error}. {_MEND}")

    def _told(self, said: list[Field]) -> Told:
        if not said:
            return Told()
        if said[0].tag == "NS":
            return details.told_otherwise(self._text(said[0].raw))
        return details.told("\n".join([self._text(each.raw) for each in said]))

    def _record(self, row: str, told: Told, where: Span) -> Record:
        found = _ROW.match(row)
        if found is None:
            raise ValueError(f"{parsing.one_line(row)[:60]!r} is not how a row is written")
        value_day, at_said, mark, _, figures, type_, references, supplement = found.groups()
        counted = day(value_day)
        at = booked(counted, at_said) if at_said and at_said != "0000" else counted
        value = amount(figures)
        if mark not in ("C", "RD", "EC"):
            value = -value
        self._note(mark, value)
        own, bank_own, more = _references(references or "", supplement or "")
        statement = self._statement
        fields = told.fields
        party, more = _note_account(told.party, own, more, fields)
        fields["trntype"] = type_.strip() if type_ else ""
        fields["dtavail"] = "" if counted == at else counted.isoformat()
        fields["reversal"] = "yes" if mark[0] == "R" else ""
        fields["status"] = "pending" if statement.is_interim or mark[0] == "E" else ""
        fields["supplement"] = more
        if not statement.currency:
            self._without_currency[statement.account] = None
        return Record(
            kind="money.transaction",
            at=at,
            title=party or told.memo[:100] or more or fields.get("refnum") or fields["trntype"] or "Transaction",
            span=where,
            party=party,
            account=statement.account,
            account_key=statement.key,
            amount=value or Decimal(0),
            unit=statement.currency,
            memo=told.memo,
            supplier_id=bank_own,
            fields={name: text for name, text in fields.items() if text},
        )

    def _note(self, mark: str, value: Decimal) -> None:
        statement, side = self._statement, "D" if value < 0 else "C"
        if mark[0] == "E":
            statement.expected[side].append(abs(value))
        else:
            statement.moved += value
            if statement.is_interim:
                statement.tallied[side].append(abs(value))


def _references(said: str, supplement: str) -> tuple[str, str, str]:
    """The customer's reference, the bank's, and what supplements them."""
    own, _, bank_own = said.partition("//")
    more = parsing.one_line(supplement)[:_SUPPLEMENT] if supplement else ""
    return details.reference(own), details.reference(bank_own), more


def _note_account(party: str, own: str, more: str, fields: dict[str, str]) -> tuple[str, str]:
    """The party, and what else supplements a row: some banks write the other's account as the customer's reference
    (and then the name below), or below."""
    account, name = (own, more) if details.is_iban(own) else (more, "")
    if not details.is_iban(account):
        if own and not fields.get("refnum"):
            fields["refnum"] = own
        return party, more
    fields["bankacctto.acctid"] = fields.get("bankacctto.acctid") or account
    return party or name, ""
