"""Bank rows: parsed, deduplicated, stored and indexed, into an empty store, again, and into one of a million."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from appliance.ingest.importing import import_bytes
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_store

ROWS = 20_000
MILLION = 1_000_000
PAYEES = [f"{name} {number}" for name in ("Grocer", "Baker", "Energy Co", "Rail", "Café Löwe") for number in range(200)]


def statement(rows: int, account: str, seed: int) -> bytes:
    """An OFX 1.02 statement of an account over two years."""
    return "".join(_statement(rows, account, random.Random(seed))).encode()


def _statement(rows: int, account: str, chance: random.Random) -> Iterator[str]:
    yield "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n"
    yield "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS>"
    yield f"<CURDEF>EUR<BANKACCTFROM><BANKID>100<ACCTID>{account}<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>\n"
    for number in range(rows):
        day = date(2024, 1, 1) + timedelta(days=number * 730 // rows)
        amount = chance.randrange(-50_000, 20_000) / 100
        yield (
            f"<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>{day:%Y%m%d}<TRNAMT>{amount:.2f}<FITID>{account}-{number}"
            f"<NAME>{chance.choice(PAYEES)}<MEMO>card 4411 ref {number}</STMTTRN>\n"
        )
    yield "</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"


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
