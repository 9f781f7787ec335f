"""CAMT.052, .053 and .054: ISO 20022's account reports, statements and notifications.

    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"> <BkToCstmrStmt>
      <Stmt>                                    .052: <Rpt>, .054: <Ntfctn>
        <Acct> <Id> <IBAN>1 </Id> <Ccy> </Acct>
        <Bal> <Tp> <CdOrPrtry> <Cd>OPBD2 </Tp> <Amt Ccy="EUR"> <CdtDbtInd> <Dt> </Bal>
        <Ntry> <Amt Ccy="EUR">3 <CdtDbtInd>CRDT4 <RvslInd> <Sts>BOOK5 <BookgDt> <ValDt> <AcctSvcrRef>6
          <NtryDtls> <TxDtls> <Refs> <AmtDtls> <RltdPties> <RmtInf> </TxDtls> </NtryDtls>
        </Ntry>

1 or <Othr><Id>, 2 OPBD, CLBD, ITBD, PRCD, CLAV, FWAV, ..., 3 without a sign, 4 what it does to the account, so that
what is taken back (<RvslInd>) needs no other, 5 BOOK, PDNG or INFO, in later versions in a <Cd>, 6 the bank's own id.

An entry is one fact: it is what moved on the account. Where it has several details (a collection), they are kept in it.
Entries for information move nothing, and are rejected as such. Every version of the messages and any prefix is read.

Source: ISO 20022, Bank-to-Customer Cash Management, camt.052/053/054.001.02 to .001.13.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from appliance import markup, parsing
from appliance.markup import BrokenError, Element
from appliance.records import Item, Record, Rejected, Source, Span, Warned

TITLE = "CAMT bank statement (ISO 20022 XML)"

_MEND = "Fetch the statement again from the bank, or correct it in the file and import it again"
_MESSAGE = re.compile(rb"<(?:[\w.-]+:)?(?:BkToCstmrStmt|BkToCstmrAcctRpt|BkToCstmrDbtCdtNtfctn)[\s>]")
_SPACE = re.compile(rb"urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.")
_STATEMENTS = frozenset({"Stmt", "Rpt", "Ntfctn"})
_MOST_DETAILS = 20  # of one entry, in its fields; the others are in the original
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
    "INFO": "ledger",
}
_SIGNS = {"CRDT": 1, "DBIT": -1}


@dataclass(frozen=True)
class Options:
    """Nothing: a statement says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is one of the three messages. Names say nothing."""
    plain = head.replace(b"\0", b"")
    return bool(_MESSAGE.search(plain) or (_SPACE.search(plain) and b"<" in plain[:200]))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each entry and each balance, in the file's order."""
    del options
    reader = _Reader()
    whole = ["Acct", "Bal", "Ntry", "TxsSummry"]
    try:
        for element in markup.elements(pieces, whole, opened=_STATEMENTS, ended=_STATEMENTS):
            yield from reader.items(element)
    except BrokenError as error:
        yield from reader.broken(error)
    if not reader.count:
        yield Warned("The file holds no entries.")


class _Reader:
    """What was said so far of the statement that we are in."""

    def __init__(self) -> None:
        self.count = 0
        self._source: Source | None = None
        self._last = 1
        self._begin()

    def _begin(self) -> None:
        self._account = self._currency = self._bank = ""
        self._opening: Decimal | None = None
        self._closing: Decimal | None = None
        self._moved, self._booked = Decimal(0), 0
        self._is_whole = True

    def items(self, element: Element) -> Iterator[Item]:
        self._last = element.line
        if element.is_open:
            self._begin()
        elif element.name in _STATEMENTS:
            yield from self._checked()
        elif element.name == "Acct":
            self._account = _account(element)
            self._currency = element.said("Ccy")
            self._bank = parsing.tidy(element.said("Svcr", "FinInstnId", "Nm"))
        elif element.name == "Bal":
            yield from self._balance(element)
        elif element.name == "Ntry":
            yield from self._entry(element)

    def broken(self, error: BrokenError) -> Iterator[Item]:
        """What is left where the file ends too early: the entry that it was in, and what to do."""
        inside = error.inside
        if inside is not None and inside.name == "Ntry" and error.offset > inside.first:
            self.count += 1
            span = Span(inside.first, error.offset - inside.first)
            yield Rejected(span, inside.line, f"entry {self.count}", f"{error.reason}. {_MEND}")
        yield Warned(
            f"The file could be read up to line {self._last} and no further: {error.reason}. Fetch it again from the "
            "bank; what it has until there is taken in."
        )

    def _enter(self) -> Iterator[Source]:
        name = self._account or "camt"
        if self._source is None or self._source.name != name:
            self._source = Source(name, " ".join(filter(None, (self._bank, name))))
            yield self._source

    # ---- balances ----

    def _balance(self, element: Element) -> Iterator[Item]:
        code = (
            element.said("Tp", "CdOrPrtry", "Cd")
            or element.said("Tp", "CdOrPrtry", "Prtry")
            or element.said("Tp", "Cd")
        )
        try:
            amount, currency = self._amount(element)
            at = _moment(element.find("Dt"))
        except ValueError as error:
            self._is_whole = False
            yield Warned(f"The balance on line {element.line} could not be read: {error}.")
            return
        type_ = _BALANCES.get(code, "ledger")
        yield from self._enter()
        yield Record(
            kind="money.balance",
            at=at,
            title=f"{type_.capitalize()} balance",
            span=Span(element.first, element.length),
            account=self._account,
            amount=amount,
            unit=currency,
            fields={"type": type_},
        )
        if code in ("OPBD", "PRCD"):
            self._opening = amount
        elif code == "CLBD":
            self._closing = amount

    def _checked(self) -> Iterator[Warned]:
        """Whether what is booked leads from the opening to the closing balance."""
        if self._opening is None or self._closing is None or not self._is_whole:
            return
        if (wanted := self._closing - self._opening) != self._moved:
            yield Warned(
                f"The statement that ends on line {self._last} does not add up: its entries come to {self._moved:f} "
                f"{self._currency}, its balances differ by {wanted:f}. Entries may be missing; fetch it again."
            )

    # ---- entries ----

    def _entry(self, element: Element) -> Iterator[Item]:
        self.count += 1
        yield from self._enter()
        span = Span(element.first, element.length)
        status = (element.said("Sts", "Cd") or element.said("Sts", "Prtry") or element.said("Sts")).upper()
        try:
            record = self._record(element, span, status)
        except ValueError as error:
            self._is_whole = False
            yield Rejected(span, element.line, f"entry {self.count}", f"{error}. {_MEND}")
            return
        if status == "INFO":
            yield Rejected(span, element.line, f"entry {self.count}", "it is for information only, and moved nothing")
            return
        if record.fields.get("status") != "pending":
            self._moved += record.amount or 0
        yield record

    def _record(self, element: Element, span: Span, status: str) -> Record:
        amount, currency = self._amount(element)
        booked, valued = element.find("BookgDt"), element.find("ValDt")
        at = _moment(booked or valued)
        details = [each for part in element.every("NtryDtls") for each in part.every("TxDtls")]
        detail = details[0] if details else Element("TxDtls", {}, 0, 0)
        party, fields = _parties(detail, amount) if len(details) < 2 else ("", {})
        memo = _told(detail) if len(details) < 2 else ""
        info = parsing.tidy(element.said("AddtlNtryInf"))
        memo = " ".join(dict.fromkeys(filter(None, (memo, info)))) if len(details) < 2 else info
        fields |= _references(detail if len(details) < 2 else Element("TxDtls", {}, 0, 0))
        fields |= {
            "trntype": _code(element.find("BkTxCd")),
            "dtavail": _valued(valued, at),
            "refnum": parsing.tidy(element.said("NtryRef")),
            "reversal": "yes" if element.said("RvslInd").lower() in ("true", "1") else "",
            "status": "pending" if status == "PDNG" else "",
            "parts": _parts(details) if len(details) > 1 else "",
            "charges": _charges(element),
        }
        return Record(
            kind="money.transaction",
            at=at,
            title=party or memo[:100] or fields.get("trntype") or "Transaction",
            span=span,
            party=party,
            account=self._account,
            amount=amount,
            unit=currency,
            memo=memo,
            supplier_id=parsing.tidy(element.said("AcctSvcrRef") or detail.said("Refs", "AcctSvcrRef"))[:100],
            fields={name: value for name, value in fields.items() if value},
        )

    def _amount(self, element: Element) -> tuple[Decimal, str]:
        """The amount with its sign, and its currency."""
        stated = element.find("Amt")
        sign = _SIGNS.get(element.said("CdtDbtInd").upper())
        if stated is None or sign is None:
            raise ValueError("it states no amount" if stated is None else "it says neither CRDT nor DBIT")
        text = stated.text.strip()
        if not re.fullmatch(r"[+-]?\d{1,18}(?:\.\d{0,6})?", text):
            raise ValueError(f"the amount {text[:40]!r} is not a number")
        currency = stated.attributes.get("Ccy", "") or self._currency
        self._currency = self._currency or currency
        return sign * parsing.amount(text.rstrip(".")), currency


def _account(element: Element) -> str:
    said = element.said("Id", "IBAN") or element.said("Id", "Othr", "Id") or element.said("Id", "PrtryAcct", "Id")
    return parsing.tidy(said).replace(" ", "")[:100]


def _moment(element: Element | None) -> date | datetime:
    """A day, or a time in the zone in which it was said; a time without a zone is only a day."""
    day, time = (element.said("Dt"), element.said("DtTm")) if element else ("", "")
    try:
        if day:
            return date.fromisoformat(day[:10])
        at = datetime.fromisoformat(time)
    except ValueError:
        raise ValueError(f"the date {(day or time)[:40]!r} is not a day of the calendar") from None
    return at if at.tzinfo else at.date()


def _valued(element: Element | None, at: date | datetime) -> str:
    try:
        valued = _moment(element)
    except ValueError:
        return ""
    day = valued.date() if isinstance(valued, datetime) else valued
    return "" if day == (at.date() if isinstance(at, datetime) else at) else day.isoformat()


def _parties(detail: Element, amount: Decimal) -> tuple[str, dict[str, str]]:
    """The other party: who was paid where money went out, who paid where it came in."""
    parties = detail.find("RltdPties") or Element("RltdPties", {}, 0, 0)
    agents = detail.find("RltdAgts") or Element("RltdAgts", {}, 0, 0)
    role = "Cdtr" if amount < 0 else "Dbtr"
    other = parties.find(role) or Element(role, {}, 0, 0)
    name = parsing.tidy(other.said("Nm") or other.said("Pty", "Nm") or other.said("Agt", "FinInstnId", "Nm"))
    ultimate = parties.find(f"Ultmt{role}")
    account = parties.find(f"{role}Acct")
    agent = agents.find(f"{role}Agt", "FinInstnId")
    fields = {
        "bankacctto.acctid": _account(account) if account else "",
        "bankacctto.bankid": (agent.said("BICFI") or agent.said("BIC")) if agent else "",
        "ultimate": parsing.tidy(ultimate.said("Nm") or ultimate.said("Pty", "Nm")) if ultimate else "",
        "creditor_id": parsing.tidy(other.said("Id", "PrvtId", "Othr", "Id")),
    }
    return name, fields


def _references(detail: Element) -> dict[str, str]:
    refs = detail.find("Refs") or Element("Refs", {}, 0, 0)
    found = {
        "eref": refs.said("EndToEndId"),
        "mref": refs.said("MndtId"),
        "instruction": refs.said("InstrId"),
        "checknum": refs.said("ChqNb"),
    }
    exchange = (
        detail.find("AmtDtls", "InstdAmt") or detail.find("AmtDtls", "CntrValAmt") or detail.find("AmtDtls", "TxAmt")
    )
    if exchange and (stated := exchange.find("Amt")) and exchange.find("CcyXchg"):
        found["origcurrency.cursym"] = stated.attributes.get("Ccy", "")
        found["origcurrency.amount"] = stated.text.strip()
        found["origcurrency.currate"] = exchange.said("CcyXchg", "XchgRate")
    found["return_reason"] = detail.said("RtrInf", "Rsn", "Cd")
    return {name: parsing.tidy(value) for name, value in found.items() if value and value != "NOTPROVIDED"}


def _told(detail: Element) -> str:
    """What it was for, as it was written, and by its structured references."""
    told = [parsing.tidy(each.text) for part in detail.every("RmtInf") for each in part.every("Ustrd")]
    for part in detail.every("RmtInf"):
        for each in part.every("Strd"):
            told += [parsing.tidy(each.said("CdtrRefInf", "Ref")), parsing.tidy(each.said("AddtlRmtInf"))]
            told += [parsing.tidy(number.said("Nb")) for number in each.every("RfrdDocInf")]
    told.append(parsing.tidy(detail.said("AddtlTxInf")))
    return " ".join(dict.fromkeys(filter(None, told)))


def _code(element: Element | None) -> str:
    if element is None:
        return ""
    domain = [element.said("Domn", "Cd"), element.said("Domn", "Fmly", "Cd"), element.said("Domn", "Fmly", "SubFmlyCd")]
    return parsing.tidy("/".join(filter(None, domain)) or element.said("Prtry", "Cd"))


def _parts(details: list[Element]) -> str:
    """The details of a collection in lines: amount, party, what for."""
    lines = []
    for each in details[:_MOST_DETAILS]:
        stated = each.find("Amt") or each.find("AmtDtls", "TxAmt", "Amt")
        amount = f"{stated.text.strip()} {stated.attributes.get('Ccy', '')}".strip() if stated else ""
        party = _parties(each, Decimal(-1))[0] or _parties(each, Decimal(1))[0]
        lines.append(" · ".join(filter(None, (amount, party, _told(each)))))
    if len(details) > _MOST_DETAILS:
        lines.append(f"and {len(details) - _MOST_DETAILS} more")
    return "; ".join(filter(None, lines))


def _charges(element: Element) -> str:
    stated = (
        element.find("Chrgs", "TtlChrgsAndTaxAmt")
        or element.find("Chrgs", "Rcrd", "Amt")
        or element.find("Chrgs", "Amt")
    )
    return f"{stated.text.strip()} {stated.attributes.get('Ccy', '')}".strip() if stated else ""
