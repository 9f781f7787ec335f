"""Each importer against files of the right parts in the wrong places, with values that nobody would write.

Hypothesis makes them of the samples' own parts (`structures`). The same files on every run; `FUZZ_S=600` tries others,
ten minutes each.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import importers
from tests.contracts import importers as contract
from tests.importers import structures
from tests.importers.structures import Edit
from tests.importers.test_fuzz import LONGEST_S, MOST, need_memory

FUZZ_S = float(os.environ.get("FUZZ_S") or 0)
FILES = 120


@pytest.mark.parametrize("format_", importers.names())
def test_parts_in_the_wrong_places_bring_no_importer_down(format_: str) -> None:
    samples = [(path.read_bytes()[:MOST], contract.stated(format_, path)) for path in contract.samples(format_)]
    tried, slowest_s = 0, 0.0

    @settings(
        max_examples=1_000 if FUZZ_S else FILES,
        derandomize=not FUZZ_S,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(which=st.integers(0, len(samples) - 1), edits=structures.edits())
    def reads(which: int, edits: list[Edit]) -> None:
        nonlocal tried, slowest_s
        tried += 1
        sample, options = samples[which]
        data = structures.changed(structures.taken_apart(sample), edits, MOST)
        began_s = time.process_time()
        importers.named(format_).identify(data[: importers.HEAD_BYTES], "file")
        items = contract.extracted(format_, data, options)
        seconds = time.process_time() - began_s
        slowest_s = max(slowest_s, seconds)
        contract.keeps_the_rules(items, len(data))
        assert seconds < LONGEST_S, f"{len(data)} bytes took {seconds:.1f} s"
        if tried % 40 == 0:
            need_memory(format_, data, f"{len(data)} bytes")

    until_s = time.monotonic() + FUZZ_S
    reads()
    while time.monotonic() < until_s:
        reads()
    print(f"{format_}: {tried} files, the slowest {slowest_s:.2f} s")


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": [1, {"b": null}], "c": "x,}"}',
        b"<OFX><A>1<B>2</A><C/></OFX> tail",
        b'Date;Amount\r\n"1;2";3\n',
        b"BEGIN:VCARD\nFN:Ann\nBEGIN:VCARD\nend:vcard\nEND:VCARD",
        b"--bounds\r\nTo: b\r\n--inner.\r\n\r\na\r\n--inner.--\r\n--bounds\r\nb\r\n--bounds--\r\n",
    ],
)
def test_what_is_taken_apart_is_put_together_again(data: bytes) -> None:
    assert structures.changed(structures.taken_apart(data), [], MOST) == data
