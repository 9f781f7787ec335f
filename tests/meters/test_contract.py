"""Every meter against the contract: the same frames however bytes arrive, and no wrong value from a broken stream."""

import json
import tracemalloc
from dataclasses import fields
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import links, meters
from appliance.messages import parsed
from tests.contracts.meters import Sample, as_json, fed, read, samples, samples_of

HELD_BYTES = 262_144
"""What a meter may hold on to, whatever it was fed."""

_every_sample = pytest.mark.parametrize("sample", samples(), ids=str)
_checked_sample = pytest.mark.parametrize(
    "sample", [sample for sample in samples() if sample.given["checksums"]], ids=str
)
PLACES = st.integers(0, 2**20)


@st.composite
def damages_of(draw: st.DrawFn) -> list[tuple[str, int, int, bytes]]:
    """Some things that happen to a stream: at a place, over a length, with bytes from elsewhere."""
    kinds = st.sampled_from(["flip", "drop", "repeat", "insert", "truncate"])
    one = st.tuples(kinds, PLACES, st.integers(1, 200), st.binary(min_size=1, max_size=20))
    return draw(st.lists(one, min_size=1, max_size=4))


def damaged(data: bytes, damages: list[tuple[str, int, int, bytes]]) -> bytes:
    for kind, place, length, other in damages:
        at = place % (len(data) + 1)
        head, hit, tail = data[:at], data[at : at + length], data[at + length :]
        flipped = bytes(byte ^ (1 << length % 8) for byte in hit[:1]) + hit[1:]
        new = {"flip": flipped, "drop": b"", "repeat": hit * 2, "insert": other + hit, "truncate": b""}[kind]
        data = head + new + (b"" if kind == "truncate" else tail)
    return data


@pytest.mark.parametrize("name", meters.names())
def test_has_samples_each_with_its_expectation_and_origin(name: str) -> None:
    assert samples_of(name), f"put a sample of {name} into tests/samples/meters/{name}/"
    for sample in samples_of(name):
        assert sample.expectation.exists(), f"run python -m tests.contracts.meters for {sample}"
        assert sample.given["origin"]


@pytest.mark.parametrize("name", meters.names())
def test_has_a_title_options_with_defaults_and_a_new_meter_has_seen_nothing(name: str) -> None:
    module = meters.named(name)
    assert module.TITLE
    assert all(field.metadata.get("title") for field in fields(module.Options))
    meter = module.Meter(module.Options(), ZoneInfo("UTC"))
    assert meter.counters == meters.Counters()
    assert isinstance(meter.poll(0), bytes)
    assert meter.feed(b"", 0) == []


@pytest.mark.parametrize("name", meters.names())
def test_says_over_which_links_it_comes_and_lines_of_messages_come_over_no_wire_of_a_meter_s_own(name: str) -> None:
    said = set(meters.links_of(name))
    assert said <= set(links.names())
    takes_messages = all(isinstance(parsed(line), dict) for line in samples_of(name)[0].data.splitlines())
    assert takes_messages == said.isdisjoint({"serial", "tcp"})


@_every_sample
def test_reads_what_is_expected(sample: Sample) -> None:
    expected = json.loads(sample.expectation.read_text())
    frames, counters = read(sample)
    assert sample.given | as_json(frames, counters) == expected
    assert counters.telegrams == len(frames)


@_every_sample
def test_reads_the_same_byte_by_byte(sample: Sample) -> None:
    meter = sample.meter()
    frames = fed(meter, (bytes([byte]) for byte in sample.data), sample.given["now_ms"])
    assert (frames, meter.counters) == read(sample)


@_every_sample
@given(cuts=st.lists(PLACES, max_size=12), damages=damages_of())
@settings(max_examples=60, deadline=None)
def test_reads_the_same_in_any_pieces_even_when_damaged(
    sample: Sample, cuts: list[int], damages: list[tuple[str, int, int, bytes]]
) -> None:
    for data in (sample.data, damaged(sample.data * 2, damages)):
        places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
        pieces = [data[first:last] for first, last in pairwise(places)]
        meter = sample.meter()
        frames = fed(meter, pieces, sample.given["now_ms"])
        assert (frames, meter.counters) == read(sample, data)


@_checked_sample
@given(damages=damages_of())
@settings(max_examples=150, deadline=None, derandomize=True)  # a 16-bit checksum lets one in 65,536 damages pass
def test_takes_no_value_from_a_damaged_frame(sample: Sample, damages: list[tuple[str, int, int, bytes]]) -> None:
    sound, _ = read(sample)
    frames, _ = read(sample, damaged(sample.data * 2, damages))
    assert all(frame in sound for frame in frames)


def _without_false_messages(sample: Sample, data: bytes) -> bytes:
    """Without lines that damage turned into other messages.

    A message has no checksum, so that one of another device, or of a later pulse, is taken at its word.
    """
    sent = sample.data.splitlines(keepends=True)
    lines = data.splitlines(keepends=True)
    return b"".join(line for line in lines if line in sent or not isinstance(parsed(line), dict))


@_every_sample
@given(junk=st.binary(max_size=3000), damages=damages_of())
@settings(max_examples=60, deadline=None)
def test_goes_on_after_junk_and_loses_one_frame_at_most(
    sample: Sample, junk: bytes, damages: list[tuple[str, int, int, bytes]]
) -> None:
    sound, _ = read(sample)
    frames, _ = read(sample, _without_false_messages(sample, damaged(sample.data, damages)) + junk + sample.data)
    assert frames[len(frames) - len(sound) + 1 :] == sound[1:]


@_every_sample
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_memory_is_bounded_whatever_is_fed(sample: Sample, cut: float) -> None:
    data = sample.data
    endless = data[: int(len(data) * cut)].replace(b"!", b"?") or b"?"
    meter = sample.meter()
    tracemalloc.start()
    try:
        for junk in (endless, data[:1], b"\0", b"/", b"\n"):
            for _ in range(64):
                meter.feed((junk * (16_384 // len(junk) + 1))[:16_384], 0)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < HELD_BYTES
