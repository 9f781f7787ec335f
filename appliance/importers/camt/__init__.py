"""CAMT.052, .053 and .054: ISO 20022's account reports, statements and notifications.

    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"> <BkToCstmrStmt>
      <Stmt>                                    .052: <Rpt>, .054: <Ntfctn>
        <Acct> <Id> <IBAN>1 </Id> <Ccy> </Acct>
        <Bal> <Tp> <CdOrPrtry> <Cd>OPBD2 </Tp> <Amt Ccy="EUR"> <CdtDbtInd> <Dt> </Bal>
        <TxsSummry> <TtlNtries> <NbOfNtries> ... </TxsSummry>
        <Ntry> <Amt Ccy="EUR">3 <CdtDbtInd>CRDT4 <RvslInd> <Sts>BOOK5 <BookgDt> <ValDt> <AcctSvcrRef>6
          <NtryDtls> <TxDtls> <Refs> <AmtDtls> <RltdPties> <RmtInf> </TxDtls> </NtryDtls>
        </Ntry>

1 or <Othr><Id>, 2 OPBD, CLBD, ITBD, PRCD, CLAV, FWAV, ..., 3 without a sign, 4 what it does to the account, so that
what is taken back (<RvslInd>) needs no other, 5 BOOK, PDNG, FUTR or INFO, in later versions in a <Cd>, 6 the bank's id.

An entry is one fact: it is what moved on the account, so that facts add up to what its balances say. Where it has
several details (a collection), each is kept in it, in a line. Entries for information move nothing, and are rejected as
such. A time without a zone is only a day: many banks write midnight for it. Every version of the messages and any
prefix is read; version 1 has the details in the entry itself, and its number in the message's name.

Source: ISO 20022, Bank-to-Customer Cash Management, camt.052/053/054.001.01 to .001.13; External Code Sets (balance
types and entry statuses).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from appliance import markup
from appliance.importers.camt.statement import Reader
from appliance.records import Item

TITLE = "CAMT bank statement (ISO 20022 XML)"

_MESSAGE = re.compile(rb"<(?:[\w.-]+:)?BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)(?:V[0-9]{2})?[\s>]")
_SPACE = re.compile(rb"[\"']urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.")


@dataclass(frozen=True)
class Options:
    """Nothing: a statement says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is XML with one of the three messages. Names say nothing."""
    plain = head.replace(b"\0", b"")
    return bool(markup.root(head) and (_MESSAGE.search(plain) or _SPACE.search(plain)))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each entry and each balance, in the file's order."""
    del options
    yield from Reader().items(pieces)
