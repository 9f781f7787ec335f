"""The oddities of optical heads: kinds of checksums, signs, times that are none, and what happens on the way."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance.crc import crc16_kermit, crc16_x25
from appliance.meters import Counters, sml
from appliance.meters._sml import FILE_BYTES
from appliance.records import Frame, MeterReading
from tests.sml_head import OPTIONAL, WH, A, W, entry, file, house, integer, message, octets, reading, several, time

NOW_MS = 1_700_000_000_000
DZG = bytes.fromhex("0A01445A470000000042")
DRAWN, FED = 0x1C0104, 0x1C0904  # the status word of an mME


def meter() -> sml.Meter:
    return sml.Meter(sml.Options(), ZoneInfo("Europe/Berlin"))


def values(frames: list[Frame]) -> list[tuple[str, str]]:
    return [(each.role.removeprefix("electricity."), str(each.value)) for frame in frames for each in frame.readings]


def one(data: bytes) -> list[tuple[str, str]]:
    return values(meter().feed(data, NOW_MS))


def register(at: bytes = OPTIONAL, status: int | None = None) -> bytes:
    stated = OPTIONAL if status is None else integer(status, 4, signed=False)
    return entry("1.0.1.8.0.255", integer(12345678), WH, -1, stated, at)


def test_checksums_are_those_of_their_names() -> None:
    assert (crc16_x25(b"123456789"), crc16_kermit(b"123456789")) == (0x906E, 0x2189)


@pytest.mark.parametrize("algorithm", [crc16_x25, crc16_kermit])
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("part", ["file", "message"])
def test_checksums_may_be_of_either_kind_in_either_order(algorithm, order, part) -> None:  # type: ignore[no-untyped-def]
    good = house(10, 20)
    if part == "file":
        assert one(good[:-2] + algorithm(good[:-2]).to_bytes(2, order)) == one(good)
    else:
        start, following = good.index(b"\x72\x63\x07\x01") - 10, good.rindex(b"\x76\x05")
        changed = good[: following - 3] + algorithm(good[start : following - 4]).to_bytes(2, order)
        changed += good[following - 1 :]
        assert one(changed[:-2] + crc16_x25(changed[:-2]).to_bytes(2, "little")) == one(good)


def test_a_message_s_own_checksum_counts_too() -> None:
    good = bytearray(house(10, 20))
    good[good.index(bytes.fromhex("1B520055")) + 7] ^= 1
    good[-2:] = crc16_x25(bytes(good[:-2])).to_bytes(2, "little")
    head = meter()
    assert head.feed(bytes(good), NOW_MS) == []
    assert head.counters == Counters(crc_errors=1)


def test_power_is_stated_both_ways_and_never_negative() -> None:
    assert one(house(10, 20))[-2:] == [("power", "0.020"), ("power.export", "0.000")]
    assert one(house(10, -20))[-2:] == [("power", "0.000"), ("power.export", "0.020")]
    assert one(house(10, 0))[-2:] == [("power", "0.000"), ("power.export", "0.000")]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x182, ("1.4", "0.0")),
        (0x1A2, ("0.0", "1.4")),
        (DRAWN, ("1.4", "0.0")),
        (FED, ("0.0", "1.4")),
    ],
)
def test_power_without_its_direction_has_that_of_the_status(status: int, expected: tuple[str, str]) -> None:
    power = entry("1.0.15.7.0.255", integer(14, 4), W, 2)
    told = {role: Decimal(value) for role, value in one(reading(register(status=status), power))}
    assert (told["power"], told["power.export"]) == tuple(map(Decimal, expected))


def test_power_whose_direction_is_nowhere_is_refused() -> None:
    head = meter()
    power = entry("1.0.15.7.0.255", integer(14, 4), W)
    assert values(head.feed(reading(register(), power), NOW_MS)) == [("import", "1234.5678")]
    assert head.counters == Counters(telegrams=1, refused=1)


@pytest.mark.parametrize(
    ("number", "status", "server", "expected"),
    [
        (integer(0x8025 - 65536, 2), DRAWN, DZG, "0.32805"),  # libsml's issue 59
        (integer(-10550, 2), FED, DZG, "-0.10550"),  # libsml's issue 105
        (integer(-126061, 4), FED, DZG, "-1.26061"),
        (integer(-126061, 4), DRAWN, DZG, "-1.26061"),  # no power of a house reads as four bytes unsigned
        (integer(0x8025 - 65536, 2), None, DZG, "-0.32731"),
        (integer(0x8025 - 65536, 2), DRAWN, b"\x0a\x01EMH\0\0\0\0\x42", "-0.32731"),
    ],
)
def test_a_short_negative_number_of_dzg_is_what_the_status_says(
    number: bytes, status: int | None, server: bytes, expected: str
) -> None:
    told = dict(one(reading(register(status=status), entry("1.0.16.7.0.255", number, W, -2), server=server)))
    assert Decimal(told["power"]) - Decimal(told["power.export"]) == Decimal(expected)


@pytest.mark.parametrize(
    ("own", "lists", "at_ms", "stated"),
    [
        (time(2, 1_600_000_000), OPTIONAL, 1_600_000_000_000, True),
        (OPTIONAL, time(2, 1_600_000_000), 1_600_000_000_000, True),
        (time(2, 1_600_000_001), time(2, 1_600_000_002), 1_600_000_001_000, True),
        (several(b"\x62\x03", several(integer(1_600_000_000, 4, signed=False), b"\x53\0\x3c", b"\x53\0\0")), OPTIONAL,
         1_600_000_000_000, True),
        (time(1, 1_600_000_000), time(1, 5), NOW_MS, False),  # seconds since it has power
        (time(2, 99_043_543), OPTIONAL, NOW_MS, False),  # said to be a time, and is none
        (integer(1_600_000_000, 4, signed=False), OPTIONAL, NOW_MS, False),  # Holley leaves the choice out
    ],
)  # fmt: skip
def test_only_a_real_time_is_the_meter_s_own(own: bytes, lists: bytes, at_ms: int, stated: bool) -> None:
    (frame,) = meter().feed(reading(register(own), at=lists), NOW_MS)
    assert [(each.at_ms, each.stated) for each in frame.readings] == [(at_ms, stated)]


@pytest.mark.parametrize(
    ("number", "unit", "scaler", "expected"),
    [
        (integer(26107_7034231, 8), WH, -4, "26107.7034231"),
        (integer(5), WH, 3, "5"),
        (integer(200, 1, signed=False), WH, 0, "0.2"),
        (integer(0xFFFFFF, 3, signed=False), WH, -1, "1677.7215"),
    ],
)
def test_registers_are_exact_in_kwh(number: bytes, unit: int, scaler: int, expected: str) -> None:
    [(role, value)] = one(reading(entry("1.0.1.8.0.255", number, unit, scaler)))
    assert role == "import"
    assert Decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    "bad",
    [
        entry("1.0.1.8.0.255", integer(-1), WH),
        entry("1.0.1.8.0.255", integer(2**60), WH),
        entry("1.0.1.8.0.255", integer(1), A),
        entry("1.0.1.8.0.255", integer(1), WH, 99),
        entry("1.0.16.7.0.255", integer(-(2**31), 4), W),
    ],
)
def test_an_absurd_value_is_refused_and_the_others_stand(bad: bytes) -> None:
    head = meter()
    good = entry("1.0.2.8.0.255", integer(7), WH)
    assert ("export", "0.007") in values(head.feed(reading(bad, good), NOW_MS))
    assert head.counters == Counters(telegrams=1, refused=1)


def test_earlier_periods_and_what_is_no_reading_are_passed_over() -> None:
    others = [
        entry("1.0.1.8.0.96", integer(1), WH),
        entry("1.0.3.8.0.255", integer(1), 32),
        entry("1.0.1.8.1.255", octets(b"text"), WH),
        entry("129.129.199.130.3.255", octets(b"EMH")),
    ]
    head = meter()
    assert values(head.feed(reading(*others, register()), NOW_MS)) == [("import", "1234.5678")]
    assert head.counters == Counters(telegrams=1)


@pytest.mark.parametrize(
    ("server", "device"),
    [
        ("0A01445A470002822ADD", "1DZG0042085085"),
        ("090149534B000407DA33", "1ISK0067623475"),
        ("06454D4801027156CD45", "06454D4801027156CD45"),  # EMH
        ("3032323830383136", "02280816"),
        ("0A01000000000000002A", "0A01000000000000002A"),
    ],
)
def test_the_device_is_its_server_id(server: str, device: str) -> None:
    (frame,) = meter().feed(reading(register(), server=bytes.fromhex(server)), NOW_MS)
    assert frame.device == device


def test_four_escape_bytes_within_a_value_are_no_end() -> None:
    key = octets(b"\x1b" * 9 + b"\x1a\x00\x12\x34")
    assert one(reading(entry("129.129.199.130.5.255", key), register())) == [("import", "1234.5678")]


@pytest.mark.parametrize("body", [OPTIONAL, several(OPTIONAL), integer(5), several(*[OPTIONAL] * 7)])
def test_a_list_that_is_none_is_refused(body: bytes) -> None:
    head = meter()
    assert head.feed(file(message(0x0701, body)) + house(10, 20), NOW_MS) != []
    assert head.counters == Counters(telegrams=1, refused=1)


@pytest.mark.parametrize("inside", ["7F" * 40, "F1" * 40, "8F8F8F8F8F8F0F", "0F", "45FFFFFFFF", "6A" + "11" * 9, ""])
def test_what_no_value_can_be_is_refused_and_never_raises(inside: str) -> None:
    begun = bytes.fromhex("76 05 00000001 6200 6200 72 63 0701".replace(" ", "") + inside)
    head = meter()
    bad = file(begun + b"\x63" + crc16_x25(begun).to_bytes(2, "little") + b"\x00")
    assert len(head.feed(bad + house(10, 20), NOW_MS)) == 1
    assert head.counters == Counters(telegrams=1, refused=1)


def test_a_file_that_lost_its_end_anywhere_does_not_take_the_next_with_it() -> None:
    good = house(10, 20)
    for lost in range(8, len(good)):
        head = meter()
        assert len(head.feed(good[:lost] + good, NOW_MS)) == 1, lost
        assert (head.counters.telegrams, head.counters.partial + head.counters.crc_errors) == (1, 1), lost


def test_what_never_ends_counts_once_and_costs_itself() -> None:
    good = house(10, 20)
    head = meter()
    frames = head.feed(good[:8] + b"v" * FILE_BYTES * 3 + good, NOW_MS)
    assert len(frames) == 1
    assert head.counters == Counters(telegrams=1, partial=1)


def test_a_stream_that_begins_in_the_middle_has_one_partial_file() -> None:
    good = house(10, 20)
    head = meter()
    assert len(head.feed(good[30:] + good + good, NOW_MS)) == 2
    assert head.counters == Counters(telegrams=2, partial=1)


def test_what_comes_alone_before_a_file_counts_as_what_comes_with_it() -> None:
    head = meter()
    head.feed(b"x", NOW_MS)
    head.feed(house(10, 20), NOW_MS)
    assert head.counters == Counters(telegrams=1, partial=1)


def test_readings_are_of_the_moment_when_they_came() -> None:
    head = meter()
    head.feed(house(10, 20), NOW_MS)
    (frame,) = head.feed(house(11, 20), NOW_MS + 1000)
    assert frame.readings[0] == MeterReading("electricity.import", NOW_MS + 1000, Decimal("0.0011"), "kWh")
