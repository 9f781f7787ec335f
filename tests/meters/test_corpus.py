"""A recording of a real meter, which no one here made: whole, and damaged in every way."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sml import SmlBase, SmlGetListResponse, SmlListEntry

from appliance.meters import Counters, dsmr, sml
from appliance.records import Frame
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


_places = st.integers(0, 2**31)
_mutations = st.lists(
    st.tuples(
        st.sampled_from(["flip", "drop", "repeat", "truncate", "concatenate"]), _places, st.integers(1, 3000), _places
    ),
    min_size=1,
    max_size=12,
)


def _mutated(data: bytes, whole: bytes, mutations: list[tuple[str, int, int, int]]) -> bytes:
    """What may happen to a stream: at a place, over a length, with bytes from elsewhere in the recording."""
    for kind, place, length, other in mutations:
        at = place % (len(data) + 1)
        head, hit, tail = data[:at], data[at : at + length], data[at + length :]
        flipped = bytes(byte ^ (1 << length % 8) for byte in hit[:1]) + hit[1:]
        elsewhere = whole[other % len(whole) :][:length]
        new = {"flip": flipped, "drop": b"", "repeat": hit * 2, "truncate": b"", "concatenate": elsewhere + hit}[kind]
        data = head + new + (b"" if kind == "truncate" else tail)
    return data


@given(first=_places, telegrams=st.integers(1, 12), mutations=_mutations)
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,  # a 16-bit checksum lets one in 65,536 damages pass
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_takes_no_value_from_a_damaged_recording(
    recorded: tuple[bytes, frozenset[Frame]], first: int, telegrams: int, mutations: list[tuple[str, int, int, int]]
) -> None:
    whole, sound = recorded
    start = first % len(whole)
    meter = dsmr.Meter(dsmr.Options(), ZoneInfo("Europe/Amsterdam"))
    frames = meter.feed(_mutated(whole[start : start + telegrams * 700], whole, mutations), 0)
    assert sound.issuperset(frames)


@pytest.fixture(scope="module")
def recorded() -> tuple[bytes, frozenset[Frame]]:
    """The recording, and every frame in it."""
    data = corpus_file("meters/dsmr4-serial-566-telegrams.txt").read_bytes()
    return data, frozenset(dsmr.Meter(dsmr.Options(), ZoneInfo("Europe/Amsterdam")).feed(data, 0))


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
