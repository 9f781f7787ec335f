"""A recording of a real meter, which no one here made."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance.meters import Counters, dsmr
from tests.contracts.meters import fed
from tests.corpus import corpus_file


@pytest.mark.parametrize("piece_bytes", [97, 4096, 1_000_000])
def test_reads_all_566_telegrams_of_a_serial_port(piece_bytes: int) -> None:
    data = corpus_file("meters/dsmr4-serial-566-telegrams.txt").read_bytes()
    meter = dsmr.Meter(dsmr.Options(), ZoneInfo("Europe/Amsterdam"))
    frames = fed(meter, _pieces(data, piece_bytes), now_ms=0)
    low = [reading for frame in frames for reading in frame.readings if reading.role == "electricity.import.t1"]
    assert meter.counters == Counters(telegrams=566, crc_errors=0, partial=1, refused=0)
    assert (low[0].value, low[-1].value) == (Decimal("3432.827"), Decimal("3432.921"))
    assert (low[0].at_ms, low[-1].at_ms) == (1_553_436_319_000, 1_553_436_885_000)
    assert {frame.device for frame in frames} == {"E0044007131650618"}


def _pieces(data: bytes, count: int) -> Iterator[bytes]:
    for first in range(0, len(data), count):
        yield data[first : first + count]
