"""OFX and QFX: statements of bank accounts, credit cards and investments.

One reader takes OFX 1.x (SGML: a value ends at the next tag, close tags of values are optional) and 2.x (XML), since
what banks write is often neither. The file is never parsed as a tree: see `reader`.

    <OFX> <SIGNONMSGSRSV1> <SONRS> <FI> <ORG>1                        the bank's own name
    <BANKMSGSRSV1> <STMTTRNRS> <STMTRS> <CURDEF>2                     the statement's currency
      <BANKACCTFROM> <BANKID>3 <ACCTID>4 <ACCTTYPE>5 </BANKACCTFROM>
      <BANKTRANLIST> <DTSTART>6 <DTEND>7                                  the days that it covers
        <STMTTRN> <TRNTYPE> <DTPOSTED> <TRNAMT> <FITID> <NAME> <MEMO> </STMTTRN> ... </BANKTRANLIST>
      <BANKTRANLISTP> <STMTTRNP> ... </BANKTRANLISTP>                     what is pending
      <LEDGERBAL> <BALAMT> <DTASOF> </LEDGERBAL> <AVAILBAL> ...           what stood on the account, kept as a balance
    <INVSTMTMSGSRSV1> <INVSTMTTRNRS> <INVSTMTRS> <DTASOF> <CURDEF> <INVACCTFROM> <BROKERID> <ACCTID> </INVACCTFROM>
      <INVTRANLIST> <BUYSTOCK> ... <INVBANKTRAN> <STMTTRN> ... </INVTRANLIST>       see `investments`
      <INVPOSLIST> <POSSTOCK> ... </INVPOSLIST> <INVBAL> <AVAILCASH> ... </INVBAL> <INV401KBAL> <TOTAL> </INV401KBAL>

Figures that a broker works out of these (net worth, what was paid into a plan this year) and open orders are not taken
in.

Source: OFX 1.6 and 2.2, sections 2.2 and 2.3 (headers), 3.2.9 (amounts), 11.3.1 (accounts), 11.4 (statements of banks
and cards), 13.9.2 (of investments).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.content import Data
from appliance.errors import UserError
from appliance.importers.ofx.reader import Reader
from appliance.records import Item, Rejected, Span

TITLE = "OFX or QFX statement of a bank, card or broker"


@dataclass(frozen=True)
class Options:
    """`currency`: what the amounts are in, where a statement names none (ISO 4217, such as EUR)."""

    currency: str = field(default="", metadata={"title": "Currency, where the file names none"})

    def __post_init__(self) -> None:
        if self.currency and not re.fullmatch("[A-Z]{3}", self.currency):
            raise UserError(f"currency={self.currency!r} is no currency code; write three capitals, such as EUR")


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


def extract(data: Data, options: Options) -> Iterator[Item]:
    """A `Source` for each account, each of its rows and holdings as a `Record` or a `Rejected`, and balances."""
    if _UTF16.search(data[:_HEADER_BYTES]):
        whole = Span(0, len(data))
        yield Rejected(whole, 1, "file", "the file is written in UTF-16; save it as UTF-8 and import it again")
        return
    yield from Reader(data, _declared_encoding(data[:_HEADER_BYTES]), options.currency).items()
