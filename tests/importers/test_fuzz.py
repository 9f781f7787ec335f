"""Each importer against files that nobody wrote: its samples, cut, spliced, doubled and changed byte by byte.

The same files on every run, so that it fails for what was changed alone; `FUZZ_S=600` tries others, ten minutes each.
"""

import os
import random
import time
from collections.abc import Iterator

import pytest

from appliance import importers
from tests.contracts import importers as contract

FUZZ_S = float(os.environ.get("FUZZ_S") or 0)
FILES = 600
LONGEST_S = 5.0  # of a file of 100 kB: a hang, on however slow a machine
TIMES = 10  # of a file, in memory, above what reading anything takes
LEAST_BYTES = 2 << 20
PACKED = {"pdf_bill": 40 << 20}  # what a small file may hold packed has a budget of its own
MOST = 100_000
TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n", b"\r\n", b'"', b'""', b"'", b";", b",", b"\t", b"<", b">",
    b"</", b"<!--", b"<![CDATA[", b"&amp;", b"&x;", b"{", b"}", b"[", b"]", b":", b"\\", b"=", b"?", b"-", b"+",
    b"1.234,56", b"1,234.56", b"99999999999999999999", b"1e309", b"NaN", b"-0", b"2026-02-30", b"30/02/2026", b"00:00",
    b"25:61", b"\xc3\x28", b"\xed\xa0\x80", b"=cmd()", b" " * 300, b"A" * 5000, b"END:", b"BEGIN:", b"From ",
    b":61:", b"^",
)  # fmt: skip


def _files(samples: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Without end."""
    while True:
        data = bytearray(chance.choice(samples))
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
            last = min(last, first + chance.choice((1, 4, 40, 4000)))
            other = chance.choice(samples)
            begin = chance.randrange(len(other) + 1)
            data[first:last] = chance.choice(
                (
                    b"",
                    chance.choice(TOKENS),
                    bytes(data[first:last]) * chance.choice((2, 3, 50)),
                    other[begin : begin + chance.choice((1, 10, 300))],
                    bytes(chance.randrange(256) for _ in range(chance.randrange(8))),
                    bytes(byte ^ (1 << chance.randrange(8)) for byte in data[first:last]),
                )
            )
        yield bytes(data[:MOST])


@pytest.mark.parametrize("format_", importers.names())
def test_no_file_brings_an_importer_down_holds_it_up_or_fills_the_memory(format_: str) -> None:
    paths = contract.samples(format_)
    samples, options = [path.read_bytes() for path in paths], [contract.stated(format_, path) for path in paths]
    seed = random.randrange(1 << 30) if FUZZ_S else 7
    chance = random.Random(seed)
    until_s, number, slowest_s = time.monotonic() + FUZZ_S, 0, 0.0
    for number, data in enumerate(_files(samples, chance)):
        if time.monotonic() > until_s if FUZZ_S else number == FILES:
            break
        began_s = time.process_time()
        importers.named(format_).identify(data[: importers.HEAD_BYTES], "file")
        items = contract.extracted(format_, data, chance.choice(options))
        seconds = time.process_time() - began_s
        slowest_s = max(slowest_s, seconds)
        contract.keeps_the_rules(items, len(data))
        assert seconds < LONGEST_S, f"seed {seed}, file {number}: {len(data)} bytes took {seconds:.1f} s"
        if number % 50 == 0:
            need_memory(format_, data, f"seed {seed}, file {number}")
    print(f"{format_}: {number} files, the slowest {slowest_s:.2f} s")


def need_memory(format_: str, data: bytes, which: str) -> None:
    needed = contract.needed_bytes(format_, data)
    most = PACKED.get(format_, max(LEAST_BYTES, TIMES * len(data)))
    assert needed < most, f"{which}: {len(data)} bytes took {needed:,} of memory"
