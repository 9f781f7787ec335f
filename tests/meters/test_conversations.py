"""Every meter that must be asked against the contract: it asks as recorded, and goes on whatever it is answered."""

import json
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.records import Frame, MeterReading
from tests.contracts.conversations import ANSWER_MS, Device, Talk, held, spoken
from tests.contracts.meters import Sample, as_json, conversations, read
from tests.meters.test_contract import HELD_BYTES, PLACES, damaged, damages_of

_every_conversation = pytest.mark.parametrize("sample", conversations(), ids=str)
_checked_conversation = pytest.mark.parametrize(
    "sample", [sample for sample in conversations() if sample.given["checksums"]], ids=str
)


def _said(frames: Iterable[Frame]) -> list[tuple[str, MeterReading]]:
    """What was said by which device, whenever it was heard: readings without a time of their own have none."""
    every = [(frame.device, reading) for frame in frames for reading in frame.readings]
    return [(device, each if each.stated else replace(each, at_ms=0)) for device, each in every]


def _sound(answer: bytes) -> bytes:
    return answer


def _talk(sample: Sample, line: Iterable[Callable[[bytes], bytes]]) -> Talk:
    talk = Talk(sample.meter(), sample.given["now_ms"])
    spoken(talk, Device(sample.turns, sample.given["echoed_bytes"]), line)
    return talk


@_every_conversation
def test_asks_as_recorded_and_reads_what_is_expected(sample: Sample) -> None:
    expected = json.loads(sample.expectation.read_text())
    frames, counters = read(sample)
    assert sample.given | as_json(frames, counters) == expected
    assert counters.telegrams == len(frames)


@_every_conversation
@given(cuts=st.lists(PLACES, max_size=12), bytewise=st.booleans())
@settings(max_examples=40, deadline=None)
def test_reads_the_same_in_any_pieces_of_the_answers(sample: Sample, cuts: list[int], bytewise: bool) -> None:
    def cut(answer: bytes) -> list[bytes]:
        inside = range(len(answer)) if bytewise else sorted(cut % (len(answer) + 1) for cut in cuts)
        return [answer[first:last] for first, last in pairwise([0, *inside, len(answer)])]

    meter, given_ = sample.meter(), sample.given
    talk = held(meter, sample.turns, given_["now_ms"], given_["echoed_bytes"], cut)
    assert (talk.frames, meter.counters) == read(sample)


@_every_conversation
def test_asks_once_and_waits_for_the_answer(sample: Sample) -> None:
    talk = Talk(sample.meter(), sample.given["now_ms"])
    assert talk.asked()
    assert all(talk.meter.poll(talk.now_ms + ms) == b"" for ms in range(0, ANSWER_MS, 50))


@_checked_conversation
@given(damages=damages_of(), first=st.integers(0, 5))
@settings(max_examples=150, deadline=None, derandomize=True)  # a 16-bit checksum lets one in 65,536 damages pass
def test_takes_no_value_from_damaged_answers(
    sample: Sample, damages: list[tuple[str, int, int, bytes]], first: int
) -> None:
    sound = _said(read(sample)[0])
    line = [_sound] * first + [lambda answer: damaged(answer, damages)] * 4
    assert all(each in sound for each in _said(_talk(sample, line).frames))


@_every_conversation
@given(junk=st.binary(max_size=600), first=st.integers(0, 5), count=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_goes_on_with_the_next_question_after_silence_and_junk(
    sample: Sample, junk: bytes, first: int, count: int
) -> None:
    """Three rounds are enough: the one that was disturbed, one that is begun anew, and one over for a late answer."""
    sound = _said(read(sample)[0])
    disturbed = _talk(sample, [_sound] * first + [lambda answer: junk] * count)
    before = len(disturbed.frames)
    spoken(disturbed, Device(sample.turns, sample.given["echoed_bytes"]), [_sound] * (3 * len(sample.turns)))
    again = _said(disturbed.frames[before:])
    assert all(each in again for each in sound)


@_every_conversation
def test_memory_is_bounded_whatever_it_is_answered(sample: Sample) -> None:
    talk = Talk(sample.meter(), sample.given["now_ms"])
    tracemalloc.start()
    try:
        for turn in sample.turns:
            talk.asked()
            for _ in range(64):
                talk.meter.feed((turn.answer[:-1] * (16_384 // max(1, len(turn.answer) - 1) + 1))[:16_384], talk.now_ms)
                talk.meter.feed(b"\0" * 16_384, talk.now_ms)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < HELD_BYTES
