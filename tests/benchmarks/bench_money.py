"""Bank rows: parsed, deduplicated, stored and indexed, into an empty store, again, and into one of a million."""

import csv
import random
import time
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from appliance.ingest.importing import import_bytes
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_store

ROWS = 20_000
MILLION = 1_000_000
DAYS = 730
PAYEES = [f"{name} {number}" for name in ("Grocer", "Baker", "Energy Co", "Rail", "Café Löwe") for number in range(200)]


class Transaction(NamedTuple):
    """What a bank says of one."""

    day: date
    id: str
    cents: int
    payee: str
    memo: str

    @property
    def amount(self) -> str:
        return f"{self.cents / 100:.2f}"


def statement(rows: int, account: str, seed: int) -> bytes:
    """An OFX 1.02 statement of an account over two years."""
    return ofx(transactions(rows, account, seed), account)


def transactions(rows: int, account: str, seed: int, first_day: date = date(2024, 1, 1)) -> list[Transaction]:
    """The transactions of two years, all different, oldest first."""
    chance = random.Random(seed)
    return [
        Transaction(
            first_day + timedelta(days=number * DAYS // rows),
            f"{account}-{number}",
            chance.randrange(-50_000, 20_000),
            chance.choice(PAYEES),
            f"card 4411 ref {number}",
        )
        for number in range(rows)
    ]


def ofx(said: Iterable[Transaction], account: str) -> bytes:
    """The OFX file of them."""
    body = "".join(
        f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{each.day:%Y%m%d}<TRNAMT>{each.amount}<FITID>{each.id}"
        f"<NAME>{each.payee}<MEMO>{each.memo}</STMTTRN>\n"
        for each in said
    )
    return (
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
        f"<CURDEF>EUR<BANKACCTFROM><BANKID>100<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n"
        f"{body}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
    ).encode()


def write_csv(file: Path, said: Iterable[Transaction]) -> None:
    """The same as a CSV file: day, id, amount, payee, memo, and no head."""
    with file.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows((each.day, each.id, each.amount, each.payee, each.memo) for each in said)


def rows() -> list[Row]:
    first = statement(ROWS, "FIRST", 1)
    with scratch_store() as store:
        empty_s = _timed(lambda: import_bytes(store, first, "first.ofx").stored)
        again_s = _timed(lambda: import_bytes(store, first, "first.ofx").duplicate)
        for number in range(MILLION // ROWS):
            import_bytes(store, statement(ROWS, f"A{number}", number), f"{number}.ofx")
        newest = statement(ROWS, "NEWEST", 2)
        full_s = _timed(lambda: import_bytes(store, newest, "newest.ofx").stored)
    return [
        Row("Bank rows into an empty store", ROWS / empty_s, 20_000, "a second", at_most=False),
        Row("The same 20,000 bank rows again", again_s, 1, "s"),
        Row("Bank rows into a store of a million", ROWS / full_s, 10_000, "a second", at_most=False),
    ]


def _timed(run: Callable[[], int]) -> float:
    start = time.perf_counter()
    counted = run()
    seconds = time.perf_counter() - start
    if counted != ROWS:
        raise RuntimeError(f"{counted} rows, not {ROWS}")
    return seconds
