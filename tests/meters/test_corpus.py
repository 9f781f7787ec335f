"""A recording of a real meter, which no one here made."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sml import SmlBase, SmlGetListResponse, SmlListEntry

from appliance.meters import Counters, dsmr, sml
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


@pytest.mark.parametrize("piece_bytes", [97, 1_000_000])
def test_reads_every_value_of_an_optical_head_as_pysml_does(piece_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly: pysml's own values are floats, so its scaling is done here, on its integers."""
    monkeypatch.setattr(SmlListEntry, "scale_value", _scaled)
    data = corpus_file("meters/sml-serial-dnt.bin").read_bytes()
    meter = sml.Meter(sml.Options(), ZoneInfo("Europe/Berlin"))
    frames = fed(meter, _pieces(data, piece_bytes), now_ms=0)
    assert meter.counters == Counters(telegrams=878)
    roles = {
        "1-0:2.8.0*255": "electricity.export",
        "1-0:2.8.1*255": "electricity.export.t1",
        "1-0:2.8.2*255": "electricity.export.t2",
        "1-0:15.7.0*255": "electricity.power",
    }
    theirs = [{roles[name]: value for name, value in values.items() if name in roles} for values in _pysml(data)]
    ours = [{reading.role: reading.value * 1000 for reading in frame.readings} for frame in frames]
    assert all(values.pop("electricity.power.export") == 0 for values in ours)  # its status says: from the grid
    assert ours == theirs
    assert {frame.device for frame in frames} == {"1DNT0100008240"}


def _pysml(data: bytes) -> Iterator[dict[str, Decimal]]:
    """Of each list in the stream: OBIS id -> value in the meter's unit, exact."""
    while data:
        end, messages = SmlBase.find_frame(data)
        data = data[end:] if end else b""
        for message in messages or []:
            if isinstance(message["messageBody"], SmlGetListResponse):
                yield {entry["objName"]: entry["value"] for entry in message["messageBody"]["valList"]}


def _scaled(entry: SmlListEntry) -> None:
    if "scaler" in entry:
        entry["value"] = Decimal(entry["value"]).scaleb(entry["scaler"])
