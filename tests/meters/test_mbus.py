"""The oddities of M-Bus: kinds of values, directions and tariffs, what is refused, and what a weak checksum lets by."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import meterbus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import meters
from appliance.errors import UserError
from appliance.meters import Counters, mbus
from appliance.meters._mbus_frames import Listening, request, reset, select
from appliance.meters._mbus_records import Record, StructureError, records
from appliance.records import Frame
from tests.contracts.meters import Sample, samples_of

NOW_MS = 1_700_000_000_000
ADDRESS = 5
ACKNOWLEDGED = b"\xe5"

_every_sample = pytest.mark.parametrize("sample", samples_of("mbus"), ids=str)


def telegram(
    data: str, *, medium: int = 4, number: str = "12345678", status: int = 0, signature: str = "0000"
) -> bytes:
    """A meter's answer with these records."""
    header = bytes.fromhex(number)[::-1] + bytes.fromhex(f"CD25 01 {medium:02X} 00 {status:02X} {signature}")
    return long(b"\x72" + header + bytes.fromhex(data))


def long(data: bytes) -> bytes:
    body = bytes([0x08, ADDRESS]) + data
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) % 256, 0x16])


def meter(**options: Any) -> mbus.Meter:
    return mbus.Meter(mbus.Options(**{"address": ADDRESS} | options), ZoneInfo("UTC"))


def heard(said: bytes, asked: mbus.Meter | None = None, now_ms: int = NOW_MS) -> list[Frame]:
    """What a meter makes of an answer to its request."""
    asked = asked or meter()
    assert asked.poll(now_ms) == reset(ADDRESS)
    asked.feed(ACKNOWLEDGED, now_ms)
    assert asked.poll(now_ms) == request(ADDRESS, True)
    return asked.feed(said, now_ms + 300)


def values(frames: list[Frame]) -> dict[str, str]:
    return {each.role: f"{each.value} {each.unit}" for frame in frames for each in frame.readings}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("01 06 7B", {"heat": "0.4428 GJ"}),  # 123 kWh
        ("03 13 153100", {"heat.volume": "12.565 m3"}),
        ("06 03 000000000100", {"heat": "15461.8822656 GJ"}),
        ("07 03 0000000001000000", {"heat": "15461.8822656 GJ"}),
        ("09 5B 21", {"heat.temperature.flow": "21 °C"}),
        ("0A 5E 34E2", {}),  # a letter that is no minus
        ("0A 5E 34A2", {}),
        ("0A 62 34F0", {"heat.temperature.difference": "-3.4 K"}),
        ("0E 08 123456789012", {"heat": "129.078563412 GJ"}),
        ("05 5B 22F32642", {"heat.temperature.flow": "41.737 °C"}),
        ("05 5B 0000C07F", {}),  # no number
        ("02 5E 0080", {}),  # the lowest number of all: not to be had
        ("02 65 F6FF", {"heat.temperature.external": "-0.10 °C"}),
        ("04 FB00 0A000000", {"heat": "3.60 GJ"}),  # tenths of a MWh
        ("04 FB09 02000000", {"heat": "2 GJ"}),
        ("02 40 1000", {"heat.flow": "0.0000960 m3/h"}),  # 1.6 millilitres a minute
        ("02 48 1000", {"heat.flow": "0.000057600 m3/h"}),
        ("04 8674 D2040000", {"heat": "0.044424 GJ"}),  # 10^-2
        ("04 867D D2040000", {"heat": "4442.4 GJ"}),  # a thousandfold
        ("04 863B D2040000", {"heat": "4.4424 GJ"}),
        ("04 863C D2040000", {"cooling": "4.4424 GJ"}),
        ("2F 2F 01 06 7B 2F", {"heat": "0.4428 GJ"}),
        ("01 06 7B 0F 06 FF FF", {"heat": "0.4428 GJ"}),  # the maker's own
        ("11 06 7B", {}),  # a maximum
        ("41 06 7B", {}),  # stored
        ("8101 06 7B", {}),  # stored, by its extension
        ("8140 06 7B", {}),  # of another part
        ("8110 06 7B", {}),  # a tariff of heat: what it counts is the maker's own
        ("01 867F 7B", {}),
        ("01 8622 7B", {}),  # an hour
        ("0D 78 03 414243 01 06 7B", {"heat": "0.4428 GJ"}),
        ("02 7C 03 255248 0500 01 06 7B", {"heat": "0.4428 GJ"}),  # what it is stands in a text
    ],
)
def test_current_values_of_every_kind_are_exact(data: str, said: dict[str, str]) -> None:
    assert values(heard(telegram(data))) == said


@pytest.mark.parametrize(
    ("medium", "data", "said"),
    [
        (3, "0C 13 78563412", {"gas": "12345.678 m3"}),
        (7, "0C 13 78563412", {"water": "12345.678 m3"}),
        (22, "0C 13 78563412", {"water": "12345.678 m3"}),
        (6, "0C 13 78563412", {"water.hot": "12345.678 m3"}),
        (10, "0C 0E 78563412", {"cooling": "12345.678 GJ"}),
        (13, "02 2B 18FC", {"heat.power": "0.000 kW", "cooling.power": "1.000 kW"}),
        (4, "02 2B 18FC", {}),  # of a meter of heat alone it cannot be
        (2, "02 2B 18FC", {"electricity.power": "0.000 kW", "electricity.power.export": "1.000 kW"}),
        (2, "02 2B E803", {"electricity.power": "1.000 kW", "electricity.power.export": "0.000 kW"}),
        (2, "84 10 03 E8030000", {"electricity.import.t1": "1.000 kWh"}),
        (2, "84 A0 40 03 E8030000", {}),  # the second tariff of another part
        (2, "84 10 83 3C E8030000", {"electricity.export.t1": "1.000 kWh"}),
        (2, "02 FD48 0109 02 FD48 0209", {"electricity.voltage.l1": "230.5 V"}),  # the first of several
        (2, "02 FD59 2C01", {"electricity.current.l1": "0.300 A"}),
        (2, "04 0E 01000000", {}),  # in joules, which no decimal of kWh is
        (8, "01 6E 05", {}),  # a heat cost allocator counts what only its maker knows
    ],
)  # fmt: skip
def test_roles_follow_the_medium(medium: int, data: str, said: dict[str, str]) -> None:
    assert values(heard(telegram(data, medium=medium))) == said


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(telegram("0C 06 78563412", signature="0005"), id="encrypted"),
        pytest.param(telegram("0C 06 78563412", status=1), id="busy"),
        pytest.param(telegram("0C 06 78563412", status=2), id="its own error"),
        pytest.param(telegram("0C 06 785634"), id="breaks off"),
        pytest.param(telegram("0C 06 78563412 0C"), id="breaks off after a value"),
        pytest.param(telegram("8C" + "8F" * 12), id="no end of extensions"),
        pytest.param(telegram("0D 78 FF"), id="a length that cannot be"),
        pytest.param(long(b"\x73" + bytes(16)), id="fixed structure"),
        pytest.param(long(b"\x72\x01\x02"), id="no whole header"),
    ],
)
def test_what_cannot_be_used_is_refused_whole_and_counted(said: bytes) -> None:
    asked = meter()
    assert heard(said, asked) == []
    assert asked.counters == Counters(refused=1)


def test_a_question_without_a_good_answer_is_asked_again_twice_and_the_next_round_begins_anew() -> None:
    asked = meter(interval_s=60)
    now_ms = NOW_MS
    questions = []
    for _ in range(5):
        questions.append(asked.poll(now_ms))
        assert asked.poll(now_ms + mbus.TIMEOUT_MS - 1) == b""
        now_ms += mbus.TIMEOUT_MS
    assert questions == [reset(ADDRESS), *[request(ADDRESS, True)] * 3, b""]
    assert asked.counters == Counters(missed=4)
    assert asked.poll(NOW_MS + 60_000) == reset(ADDRESS)


def test_a_damaged_telegram_is_asked_for_again_with_the_same_bit_and_the_next_with_the_other() -> None:
    asked = meter()
    assert heard(telegram("01 06 7B")[:-2] + b"\0\x16", asked) == []
    now_ms = NOW_MS + 300 + mbus.TIMEOUT_MS
    assert asked.poll(now_ms) == request(ADDRESS, True)
    assert values(asked.feed(telegram("01 06 7B 1F"), now_ms)) == {"heat": "0.4428 GJ"}
    assert asked.poll(now_ms) == request(ADDRESS, False)
    assert values(asked.feed(telegram("01 5B 15"), now_ms)) == {"heat.temperature.flow": "21 °C"}
    assert asked.poll(now_ms) == b""
    assert asked.counters == Counters(telegrams=2, crc_errors=1)


def test_a_meter_that_says_on_and_on_that_another_telegram_follows_is_left() -> None:
    asked = meter()
    frames = heard(telegram("01 06 7B 1F"), asked)
    while asked.poll(NOW_MS + 400):
        frames += asked.feed(telegram("01 06 7B 1F"), NOW_MS + 400)
    assert len(frames) == mbus.TELEGRAMS


def test_another_meter_s_answer_is_passed_over() -> None:
    by_number = meter(number="12345678")
    assert by_number.poll(NOW_MS) == reset(0xFD)
    assert by_number.poll(NOW_MS + mbus.UNANSWERED_MS) == select("12345678")
    by_number.feed(ACKNOWLEDGED, NOW_MS + 600)
    assert by_number.poll(NOW_MS + 700) == request(0xFD, True)
    assert by_number.feed(telegram("01 06 7B", number="12345679"), NOW_MS + 800) == []
    assert values(by_number.feed(telegram("01 06 7B"), NOW_MS + 900)) == {"heat": "0.4428 GJ"}
    assert heard(telegram("01 06 7B"), meter()) != []
    wrong_address = bytearray(telegram("01 06 7B"))
    wrong_address[5] += 1
    wrong_address[-2] += 1
    assert heard(bytes(wrong_address)) == []


@_every_sample
@given(place=st.integers(0, 2**16), count=st.integers(1, 20), other=st.binary(min_size=1, max_size=20))
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda hit, count, other: other[:1] + hit[1:], id="one byte"),
        pytest.param(lambda hit, count, other: hit[count:], id="bytes lost"),
        pytest.param(lambda hit, count, other: hit[:count] + hit, id="bytes twice"),
    ],
)
@settings(max_examples=60, deadline=None)
def test_one_damage_gives_no_wrong_value(
    sample: Sample, damage: Callable[[bytes, int, bytes], bytes], place: int, count: int, other: bytes
) -> None:
    """Two damages may cancel each other in an 8-bit sum, so the contract's harder test of checksums is not asked."""
    for turn in sample.turns:
        place %= len(turn.answer) + 1
        damaged = turn.answer[:place] + damage(turn.answer[place:], count, other)
        sound, found = (Listening().long(said) for said in (turn.answer, damaged))
        assert found in (None, sound)


@_every_sample
def test_pymeterbus_reads_the_same(sample: Sample) -> None:
    """Through its floats, so to a part in ten million."""
    for turn in sample.turns:
        frame = Listening().long(turn.answer)
        ours = _records(frame.data[12:]) if frame else []
        if not ours:
            continue
        theirs = [_oracle(each.interpreted) for each in meterbus.load(turn.answer).records]
        for each in ours:
            if each.value is not None:
                assert any(
                    unit == each.measure.unit and float(value) == pytest.approx(float(each.value), rel=1e-7)
                    for unit, value in filter(None, theirs)
                ), each


def _records(data: bytes) -> list[Record]:
    try:
        return records(data)[0]
    except StructureError:
        return []


_UNITS = {"WH": ("kWh", -3), "J": ("GJ", -9), "M3": ("m3", 0), "M3_H": ("m3/h", 0), "W": ("kW", -3), "C": ("°C", 0),
          "K": ("K", 0), "V": ("V", 0), "A": ("A", 0)}  # fmt: skip


def _oracle(said: dict[str, Any]) -> tuple[str, Decimal] | None:
    known = _UNITS.get(said["unit"].removeprefix("MeasureUnit."))
    return (known[0], Decimal(said["value"]).scaleb(known[1])) if known and said["value"] is not None else None


def test_every_problem_of_the_options_is_said() -> None:
    with pytest.raises(UserError) as raised:
        mbus.Options(address=251, number="1234", interval_s=1)
    assert [problem.partition(":")[0] for problem in raised.value.problems] == ["address", "number", "interval_s"]


def test_is_silent_after_three_of_its_own_intervals() -> None:
    assert meter(interval_s=86_400).silent_s == 3 * 86_400
    assert meter(interval_s=10).silent_s == meters.SILENT_S


def test_what_the_meter_says_of_itself_is_kept() -> None:
    asked = meter()
    heard(telegram("01 06 7B", status=0x04), asked)  # its battery is low
    assert asked.status == 0x04
