"""The oddities of Modbus: floats, late and foreign answers, what is not answered, and any device by its map."""

import struct
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.register_message import ReadInputRegistersRequest, ReadInputRegistersResponse

from appliance import meters
from appliance.crc import crc16_modbus
from appliance.errors import UserError
from appliance.meters import Counters, _modbus_registers, modbus
from appliance.meters._float32 import shortest
from appliance.meters._modbus_frames import RTU, TCP, Answer, Framing, Listening, Question
from appliance.meters._modbus_registers import Device, devices
from appliance.obis import plausible
from appliance.records import Frame

NOW_MS = 1_700_000_000_000
VOLTS = Question(1, 4, 0, 2)
SAID = bytes.fromhex("01 04 04 43 66 33 34 1B 38")  # Eastron's manuals, section "Read input registers": 230.2 V

_registers = st.binary(min_size=2, max_size=120).filter(lambda data: not len(data) % 2)


def _float(text: str) -> bytes:
    return struct.pack(">f", float(text))


def _rtu(body: bytes) -> bytes:
    return body + crc16_modbus(body).to_bytes(2, "little")


NUMBER = bytes.fromhex("01 03 FC 00 00 02")
TOLD = _rtu(bytes.fromhex("01 03 04 01 22 3F F2"))


class Line:
    """A meter and its clock, and a device that answers when the test says so; it has told its number."""

    def __init__(self, **options: Any) -> None:
        self.meter = modbus.Meter(modbus.Options(device="sdm120", **options), ZoneInfo("UTC"))
        self.now_ms = NOW_MS
        self.tell_number()

    def tell_number(self, told: bytes = TOLD) -> None:
        assert self.asked() == _rtu(NUMBER)
        self.hear(told)

    def asked(self, wait_ms: int = 500) -> bytes:
        """The next question; at the first poll that has one."""
        for _ in range(100):
            if question := self.meter.poll(self.now_ms):
                return question
            self.now_ms += wait_ms
        raise AssertionError("nothing is asked any more")

    def hear(self, data: bytes) -> list[Frame]:
        self.now_ms += 100
        return self.meter.feed(data, self.now_ms)

    def answer(self, question: bytes, **values: str) -> list[Frame]:
        return self.hear(answer_to(question, {int(name[1:], 16): text for name, text in values.items()}))


def answer_to(question: bytes, values: dict[int, str]) -> bytes:
    address, count = struct.unpack(">HH", question[2:6])
    data = bytearray(2 * count)
    for register, text in values.items():
        at = 2 * (register - address)
        data[at : at + 4] = _float(text)
    return _rtu(question[:2] + bytes([2 * count]) + data)


def roles(frames: list[Frame]) -> dict[str, str]:
    return {reading.role: str(reading.value) for frame in frames for reading in frame.readings}


@pytest.mark.parametrize(
    "text", ["1234.56", "230.2", "0.1", "131072.02", "16777216", "0.015", "9999999", "1e-45", "3.4028235e+38", "0"]
)
def test_a_float_is_the_decimal_that_was_meant(text: str) -> None:
    assert shortest(_float(text)) == Decimal(text)
    assert shortest(_float(f"-{text}")) == -Decimal(text)


@given(st.binary(min_size=4, max_size=4))
def test_every_float_is_told_from_every_other_by_its_decimal(data: bytes) -> None:
    (number,) = struct.unpack(">f", data)
    found = shortest(data)
    if found is None:
        assert number != number or abs(number) == float("inf")
    else:
        assert struct.pack(">f", float(found)) == data
        assert len(found.as_tuple().digits) <= 9


def test_the_checksum_is_crc_16_modbus() -> None:
    assert crc16_modbus(b"123456789") == 0x4B37


def test_asks_and_reads_as_in_the_makers_manual() -> None:
    assert RTU.wrapped(VOLTS) == bytes.fromhex("01 04 00 00 00 02 71 CB")
    answer = Listening(RTU, VOLTS).feed(SAID)
    assert answer == Answer(bytes.fromhex("43663334"))
    [volts] = [each for each in _modbus_registers.device("sdm120").blocks[0].registers if each.unit == "V"]
    assert volts.value(answer.registers) == Decimal("230.2")  # the float32 next to it, 230.20001


@pytest.mark.parametrize(("framing", "theirs"), [(RTU, FramerRTU), (TCP, FramerSocket)])
@given(unit=st.integers(1, 247), address=st.integers(0, 65_000), data=_registers, transaction=st.integers(1, 65_535))
def test_speaks_as_pymodbus_does(
    framing: Framing, theirs: Any, unit: int, address: int, data: bytes, transaction: int
) -> None:
    count = len(data) // 2
    question = Question(unit, 4, address, count, transaction)
    framer = theirs(DecodePDU(True))
    asked = ReadInputRegistersRequest(address=address, count=count, dev_id=unit, transaction_id=transaction)
    assert framing.wrapped(question) == framer.buildFrame(asked)
    words = list(struct.unpack(f">{count}H", data))
    said = ReadInputRegistersResponse(registers=words, dev_id=unit, transaction_id=transaction)
    assert Listening(framing, question).feed(framer.buildFrame(said)) == Answer(data)
    refused = ExceptionResponse(4, 2, device_id=unit, transaction=transaction)
    assert Listening(framing, question).feed(framer.buildFrame(refused)) == Answer(exception=2)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(_rtu(bytes.fromhex("02 04 04 43 66 33 34")), id="unit"),
        pytest.param(_rtu(bytes.fromhex("01 03 04 43 66 33 34")), id="function"),
        pytest.param(_rtu(bytes.fromhex("01 04 06 43 66 33 34 00 00")), id="length"),
        pytest.param(SAID[:-1] + b"\0", id="checksum"),
        pytest.param(RTU.wrapped(VOLTS), id="echo of the question"),
        pytest.param(SAID[:5], id="cut"),
    ],
)
def test_what_is_no_answer_is_passed_over_and_the_answer_found_behind_it(other: bytes) -> None:
    listening = Listening(RTU, VOLTS)
    assert listening.feed(other) is None
    assert listening.feed(SAID) == Answer(bytes.fromhex("43663334"))


@given(st.binary(max_size=400), st.integers(0, 10), st.integers(1, 255))
def test_over_tcp_transaction_unit_function_and_lengths_must_be_right(junk: bytes, place: int, flipped: int) -> None:
    question = Question(1, 4, 0, 2, 0x1234)
    said = bytearray(bytes.fromhex("1234 0000 0007 01 04 04 43663334"))
    place = min(place, 8)  # of what stands before the registers
    said[place] ^= flipped
    assert Listening(TCP, question).feed(bytes(said)) is None
    found = Listening(TCP, question).feed(junk + bytes(said))
    assert found is None or bytes.fromhex("1234 0000") in junk


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one() -> None:
    line = Line()
    late = answer_to(line.asked(), {0x00: "230"})
    line.now_ms += modbus.TIMEOUT_MS
    assert line.meter.poll(line.now_ms) == b""  # its time is up
    assert line.hear(late) == []
    assert line.meter.poll(line.now_ms + modbus.QUIET_MS - 1) == b""
    frames = line.answer(line.asked(), x46="50", x48="1.5", x4A="0")
    assert roles(frames) == {
        "electricity.frequency": "50.00",
        "electricity.import": "1.500",
        "electricity.export": "0.000",
    }
    assert line.meter.counters == Counters(telegrams=1, missed=1)


def test_what_a_round_brought_is_kept_where_its_last_question_is_not_answered() -> None:
    line = Line()
    assert line.answer(line.asked(), x00="230", x0C="100") == []
    line.asked()
    line.now_ms += modbus.TIMEOUT_MS
    assert line.asked() == _rtu(NUMBER)
    frames = line.hear(TOLD)
    line.answer(line.asked(), x00="231", x0C="200")
    assert [(each.at_ms - NOW_MS, each.value) for each in frames[0].readings if each.role == "electricity.power"] == [
        (0, Decimal("0.1"))
    ]
    (second,) = line.answer(line.asked(), x48="1.5")
    assert roles([second])["electricity.power"] == "0.2000"


def _round(line: Line) -> list[Frame]:
    return [frame for values in ({"x00": "230"}, {"x48": "1.5"}) for frame in line.answer(line.asked(), **values)]


def test_a_device_that_is_another_one_after_a_silence_is_known_by_its_number() -> None:
    line = Line()
    (before,) = _round(line)
    line.asked()
    line.now_ms += modbus.TIMEOUT_MS
    line.answer(line.asked(), x48="1.5")
    line.tell_number(_rtu(bytes.fromhex("01 03 04 01 22 3F F3")))
    after = _round(line)
    assert before.device == "Eastron SDM120 19021810"
    assert {frame.device for frame in after} == {"Eastron SDM120 19021811"}


@pytest.mark.parametrize("told", ["01 83 02", "01 03 04 00 00 00 00", "01 03 04 FF FF FF FF"])
def test_a_device_without_a_number_is_known_by_its_unit(told: str) -> None:
    line = Line()
    line.meter = modbus.Meter(modbus.Options(device="sdm120"), ZoneInfo("UTC"))
    line.tell_number(_rtu(bytes.fromhex(told)))
    assert {frame.device for frame in _round(line)} == {"Eastron SDM120 at unit 1"}
    assert line.asked() != _rtu(NUMBER)


def test_readings_wait_for_the_number_and_none_is_lost_where_it_never_comes() -> None:
    line = Line()
    line.meter = modbus.Meter(modbus.Options(device="sdm120"), ZoneInfo("UTC"))
    frames: list[Frame] = []
    for number in range(modbus.NUMBER_ROUNDS):
        assert not frames, number
        assert line.asked() == _rtu(NUMBER)
        line.now_ms += modbus.TIMEOUT_MS
        frames = _round(line)
    (frame,) = frames
    imports = [each for each in frame.readings if each.role == "electricity.import"]
    assert len({each.at_ms for each in imports}) == modbus.NUMBER_ROUNDS
    assert frame.device == "Eastron SDM120 at unit 1"
    for _ in range(2):
        assert line.asked() != _rtu(NUMBER)
        line.now_ms += modbus.TIMEOUT_MS


def test_refusals_are_counted_by_their_code() -> None:
    line = Line()
    for code in (2, 2, 6):
        assert line.asked()[1] == 4
        line.hear(_rtu(bytes([1, 0x84, code])))
    assert line.meter.exceptions == {2: 2, 6: 1}
    assert line.meter.counters == Counters()


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    line = Line(interval_s=3600)
    for values in ({"x00": "230"}, {"x48": "1.5"}):
        frames = line.answer(line.asked(), **values)
    assert len(frames) == 1
    line.now_ms = NOW_MS - 86_400_000
    assert line.meter.poll(line.now_ms)


def test_asks_at_its_interval() -> None:
    line = Line(interval_s=30)
    for _ in range(2):
        line.answer(line.asked())
    assert line.meter.poll(NOW_MS + 29_999) == b""
    assert line.meter.poll(NOW_MS + 30_000)


def test_an_impossible_value_is_refused_on_both_sides_of_zero() -> None:
    line = Line()
    line.answer(line.asked(), x0C="-5000000")
    frames = line.answer(line.asked(), x48="200000000", x4A="-0.001")
    assert not roles(frames).keys() & {"electricity.power", "electricity.power.export", "electricity.import"}
    assert "electricity.export" not in roles(frames)
    assert line.meter.counters.refused == 1


@pytest.mark.parametrize("name", devices())
def test_a_device_s_questions_are_short_enough_and_tell_their_answers_apart(name: str) -> None:
    device = _modbus_registers.device(name)
    counts = [block.count for block in device.blocks]
    assert len(set(counts)) == len(counts), "on a serial line an answer is known by its length alone"
    assert max(counts) <= 60, "30 values, which every Eastron allows"
    registers = [each for block in device.blocks for each in block.registers]
    roles = [each.role for each in registers]
    assert len(set(roles)) == len(roles)
    for register in registers:
        assert plausible(Decimal(0), register.unit)
        assert register.type != "float32" or register.decimals is not None, "a series has one number of decimals"


OTHER = """
title = "Any meter"
origin = "a test"
function = 3
most_registers = 10
gap = 0
low_word_first = {low}
[[registers]]
address = 100
type = "uint32"
role = "electricity.import"
unit = "kWh"
scale = "0.01"
[[registers]]
address = 102
type = "int16"
role = "electricity.power"
reverse = "electricity.power.export"
unit = "kW"
scale = "0.001"
[[registers]]
address = 104
type = "uint64"
role = "electricity.export"
unit = "kWh"
scale = "0.001"
[[registers]]
address = 111
type = "uint16"
role = "electricity.voltage.l1"
unit = "V"
scale = "0.1"
"""


def _other(folder: Path, monkeypatch: pytest.MonkeyPatch, low: str) -> Device:
    (folder / "other.toml").write_text(OTHER.format(low=low))
    monkeypatch.setattr(_modbus_registers, "MAPS", folder)
    return _modbus_registers.device("other")


@pytest.mark.parametrize(
    ("low", "data"),
    [("false", "0001 E240 FF38 0000 0000 000B C614"), ("true", "E240 0001 FF38 C614 000B 0000 0000")],
)
def test_a_further_device_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, low: str, data: str) -> None:
    _other(tmp_path, monkeypatch, low)
    meter = modbus.Meter(modbus.Options(device="other"), ZoneInfo("UTC"))
    said = bytes.fromhex(data)
    answers = {100: said[:6], 104: said[6:], 111: bytes.fromhex("0902")}
    frames: list[Frame] = []
    for at_ms in (NOW_MS, NOW_MS + 500, NOW_MS + 1000):
        question = meter.poll(at_ms)
        registers = answers[int.from_bytes(question[2:4], "big")]
        assert question[5] == len(registers) // 2
        frames += meter.feed(_rtu(bytes([1, 3, len(registers)]) + registers), at_ms + 100)
    assert roles(frames) == {
        "electricity.import": "1234.56",
        "electricity.power": "0.000",
        "electricity.power.export": "0.200",
        "electricity.export": "771.604",
        "electricity.voltage.l1": "230.6",
    }


def test_every_problem_of_the_options_is_said() -> None:
    with pytest.raises(UserError) as raised:
        modbus.Options(device="sdm999", framing="ascii", unit_id=0, interval_s=0)
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "device",
        "framing",
        "unit_id",
        "interval_s",
    ]
    assert modbus.Options(framing="tcp", unit_id=255)


def test_is_silent_after_three_of_its_own_intervals() -> None:
    assert Line(interval_s=600).meter.silent_s == 1800
    assert Line(interval_s=1).meter.silent_s == meters.SILENT_S
