"""The statements of a CAMT file: their accounts, balances and entries, and whether these add up."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from appliance import markup, parsing, statements
from appliance.importers.camt.entries import Said, amount_of, entry, first, moment
from appliance.markup import Begun, Broken, Ended, Row
from appliance.records import Item, Record, Rejected, Source, Span, Warned

_MEND = "Fetch the statement again from the bank, or correct it in the file and import it again"
_STATEMENTS = ("Stmt", "Rpt", "Ntfctn")
_PAGES = ("MsgPgntn", "StmtPgntn", "RptPgntn", "NtfctnPgntn")
_ROWS = ("FrToDt", "Acct", "Bal", "TxsSummry", "Ntry", *_PAGES)
_BALANCES = {
    "OPBD": "opening",
    "PRCD": "opening",
    "CLBD": "closing",
    "ITBD": "interim",
    "OPAV": "available",
    "CLAV": "available",
    "ITAV": "available",
    "FWAV": "forward",
    "XPCD": "forward",
}


@dataclass(slots=True)
class _Statement:
    """What was said so far of the statement that we are in. Sums are by currency."""

    account: str = ""
    currency: str = ""
    bank: str = ""
    owner: str = ""
    line: int = 1
    is_day_by_day: bool = True  # it lists all that was booked on its days
    period: Row | None = None  # its days, which stand before its account
    begins: date | datetime | None = None
    opening: dict[str, Decimal] = field(default_factory=dict)
    closing: dict[str, Decimal] = field(default_factory=dict)
    moved: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    entries: list[tuple[Decimal, bool]] = field(default_factory=list)  # amounts, and whether they are booked
    rejected: int = 0
    summary: Said = field(default_factory=dict)
    is_whole: bool = True  # it is on one page


class Reader:
    """One pass over a file."""

    def __init__(self) -> None:
        self._count = 0
        self._is_whole = True  # the message is one page
        self._source: Source | None = None
        self._statement = _Statement()
        self._unknown: dict[str, int] = {}
        self._without_currency: dict[str, None] = {}

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        for part in markup.rows(pieces, _ROWS, _STATEMENTS, ("TxDtls",)):
            if isinstance(part, Row):
                yield from self._row(part)
            elif isinstance(part, Begun):
                whole_days = part.name == "Stmt"
                self._statement = _Statement(line=part.line, is_whole=self._is_whole, is_day_by_day=whole_days)
            elif isinstance(part, Ended):
                self._statement.line = part.line
                yield from self._checked()
                self._statement = _Statement(is_whole=self._is_whole)
            else:
                yield from self._broken(part)
        yield from self._end()

    def _row(self, row: Row) -> Iterator[Item]:
        if row.name == "Ntry":
            yield from self._entry(row)
            return
        said = _said(row)
        if row.name == "Bal":
            yield from self._balance(row, said)
        elif row.name == "Acct":
            self._enter_account(said)
            yield from self._period()
        elif row.name == "FrToDt":
            self._statement.period = row
        elif row.name == "TxsSummry":
            self._statement.summary = said
        elif first(said, "LastPgInd").lower() in ("false", "0") or first(said, "PgNb").lstrip("0") not in ("", "1"):
            self._statement.is_whole = False
            self._is_whole = self._is_whole and row.name != "MsgPgntn"

    def _enter_account(self, said: Said) -> None:
        statement = self._statement
        number = first(said, "Id/IBAN", "Id/Othr/Id", "Id/BBAN", "Id/PrtryAcct/Id", "Id/UPIC", "Prxy/Id", "Nm")
        statement.account = parsing.tidy(number).replace(" ", "")[:100]
        statement.currency = first(said, "Ccy").upper()
        statement.bank = parsing.tidy(first(said, "Svcr/FinInstnId/Nm", "Svcr/FinInstnId/NmAndAdr/Nm"))[:100]
        statement.owner = parsing.tidy(first(said, "Ownr/Nm", "Ownr/Pty/Nm"))

    def _enter(self) -> Iterator[Source]:
        name = self._statement.account or "camt"
        if self._source is None or self._source.name != name:
            self._source = Source(name, " ".join(filter(None, (self._statement.bank, name))))
            yield self._source

    # ---- the days that it covers ----

    def _period(self) -> Iterator[Item]:
        """Those that a statement names; where they cannot be read, those between its balances."""
        row = self._statement.period
        if row is None:
            return
        said = _said(row)
        try:
            begins, ends = (moment(said, end if end in said else f"{end}Tm") for end in ("FrDt", "ToDt"))
        except ValueError:
            self._statement.period = None
            return
        is_midnight = isinstance(ends, datetime) and ends.time() == time(0) and ends.date() > statements.day(begins)
        yield from self._covered(begins, ends - timedelta(days=1) if is_midnight else ends, row)

    def _covered(self, begins: date | datetime, ends: date | datetime, row: Row) -> Iterator[Item]:
        statement = self._statement
        named = {"account": statement.account, "unit": statement.currency}
        said = statements.covered(begins, ends, Span(row.first, row.length), **named)
        if said and statement.is_day_by_day:
            yield from self._enter()
            yield said

    # ---- balances ----

    def _balance(self, row: Row, said: Said) -> Iterator[Item]:
        code = first(said, "Tp/CdOrPrtry/Cd", "Tp/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Prtry").upper()
        type_, statement = _BALANCES.get(code), self._statement
        if type_ is None:
            self._unknown[code or "unnamed"] = self._unknown.get(code or "unnamed", 0) + 1
            return
        try:
            amount, unit = amount_of(said, statement.currency)
            at = moment(said, "Dt")
        except ValueError as error:
            yield Warned(f"The balance on line {row.line} could not be read: {error}.")
            return
        yield from self._enter()
        yield Record(
            kind="money.balance",
            at=at,
            title=f"{type_.capitalize()} balance",
            span=Span(row.first, row.length),
            account=statement.account,
            amount=amount,
            unit=unit,
            fields={"type": type_, "code": code},
        )
        if code == "OPBD" or (code == "PRCD" and unit not in statement.opening):
            statement.opening[unit], statement.begins = amount, at
        elif code == "CLBD":
            statement.closing[unit] = amount
            if statement.begins is not None and statement.period is None:
                yield from self._covered(statement.begins, at, row)

    # ---- entries ----

    def _entry(self, row: Row) -> Iterator[Item]:
        self._count += 1
        statement, span = self._statement, Span(row.first, row.length)
        yield from self._enter()
        try:
            record, status = entry(row, span, statement.account, statement.currency)
        except ValueError as error:
            statement.rejected += 1
            yield self._rejected(span, row.line, f"{error}. {_MEND}")
            return
        amount = record.amount or Decimal(0)
        is_booked = status in ("BOOK", "")
        statement.entries.append((amount, is_booked))
        if status == "INFO":
            yield self._rejected(span, row.line, "it is for information only, and moved nothing")
            return
        if is_booked:
            statement.moved[record.unit] += amount
        if not record.unit:
            self._without_currency[statement.account] = None
        yield record

    def _rejected(self, span: Span, line: int, reason: str) -> Rejected:
        return Rejected(span, line, f"entry {self._count}", reason)

    # ---- whether it adds up ----

    def _checked(self) -> Iterator[Warned]:
        if self._statement.is_whole:
            yield from self._checked_balances()
            yield from self._checked_summary()

    def _checked_balances(self) -> Iterator[Warned]:
        """Whether what is booked leads from the opening to the closing balance."""
        statement = self._statement
        for unit in statement.opening.keys() & statement.closing.keys():
            wanted, moved = statement.closing[unit] - statement.opening[unit], statement.moved[unit]
            if wanted != moved:
                yield Warned(
                    f"The statement that ends on line {statement.line} does not add up: its entries come to {moved:f} "
                    f"{unit}, its balances differ by {wanted:f}. {self._why()}"
                )

    def _checked_summary(self) -> Iterator[Warned]:
        """Whether there are as many entries, and of as much, as the statement itself counts."""
        statement, said = self._statement, self._statement.summary
        for path, what, sign in _SUMMED:
            chosen = [each for each in statement.entries if sign == 0 or (each[0] > 0) == (sign > 0)]
            booked = [each for each in chosen if each[1]]
            number, total = first(said, f"{path}/NbOfNtries"), first(said, f"{path}/Sum")
            counts = {len(chosen), len(booked)}
            if sign == 0:
                counts |= {each + statement.rejected for each in counts}
            if number.isdigit() and int(number) not in counts and (sign == 0 or not statement.rejected):
                yield Warned(
                    f"The statement that ends on line {statement.line} counts {int(number)} {what}, and has "
                    f"{len(chosen)}. {self._why()}"
                )
            elif total and not statement.rejected and not _is_sum(total, chosen, booked):
                yield Warned(
                    f"The statement that ends on line {statement.line} says that its {what} come to {total[:40]}, and "
                    f"they come to {sum(abs(each) for each, _ in chosen):f}. {self._why()}"
                )

    def _why(self) -> str:
        if self._statement.rejected:
            return f"{self._statement.rejected} of them could not be read."
        return "Entries may be missing; fetch it again from the bank."

    # ---- what is broken, and the end ----

    def _broken(self, part: Broken) -> Iterator[Item]:
        if part.row == "Ntry":
            self._count += 1
            self._statement.rejected += 1
        if part.length and (part.row in ("Ntry", "") or part.is_final):
            where = f"entry {self._count}" if part.row == "Ntry" else "the rest of the file"
            where = where if part.row == "Ntry" or part.is_final else "between two entries"
            yield Rejected(Span(part.first, part.length), part.line, where, f"{part.reason}. {_MEND}")
        elif part.length:
            yield Warned(f"What {part.row} says on line {part.line} could not be read: {part.reason}.")
        if part.is_final:
            yield Warned(
                f"The file could be read up to line {part.line} and no further: {part.reason}. Fetch it again from the "
                "bank; what it has until there is taken in."
            )

    def _end(self) -> Iterator[Warned]:
        for code, times in self._unknown.items():
            yield Warned(f"What a balance called {code[:40]!r} means is not known: it is left out ({times}).")
        for account in self._without_currency:
            yield Warned(f"Entries of {account or 'an account'} name no currency.")
        if not self._count:
            yield Warned("The file holds no entries.")


_SUMMED = (("TtlNtries", "entries", 0), ("TtlCdtNtries", "credits", 1), ("TtlDbtNtries", "debits", -1))


def _is_sum(total: str, *entries: list[tuple[Decimal, bool]]) -> bool:
    try:
        stated = parsing.amount(total)
    except ValueError:
        return True
    return any(stated == sum(abs(each) for each, _ in some) for some in entries)


def _said(row: Row) -> Said:
    found: Said = {}
    for path, text in row.values:
        if text:
            found.setdefault(path, []).append(text)
    return found
