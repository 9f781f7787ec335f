"""Bank statements for tests: OFX files of the rows that a test names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Row:
    """One transaction; `fitid` is the bank's own id of it, absent where empty."""

    day: date
    amount: str = "-12.50"
    name: str = "Baker"
    memo: str = ""
    fitid: str = ""


def ofx(
    rows: Sequence[Row], account: str = "12345678", said: str = "", covers: tuple[date, date] | None = None
) -> bytes:
    """A statement as a bank writes it; `said` makes the file another one without changing a row. `covers`: its days."""
    period = f"<DTSTART>{covers[0]:%Y%m%d}<DTEND>{covers[1]:%Y%m%d}" if covers else ""
    body = "".join(
        f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{row.day:%Y%m%d}<TRNAMT>{row.amount}"
        f"{f'<FITID>{row.fitid}' if row.fitid else ''}<NAME>{row.name}<MEMO>{row.memo}</STMTTRN>\n"
        for row in rows
    )
    return (
        f"OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nNEWFILEUID:{said}\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
        f"<CURDEF>EUR<BANKACCTFROM><BANKID>999<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM>\n"
        f"<BANKTRANLIST>{period}\n{body}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    ).encode()
