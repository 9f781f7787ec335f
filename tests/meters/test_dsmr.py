"""The oddities of P1 ports: clocks, versions without a checksum, and what happens to telegrams on their way."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.crc import crc16_arc
from appliance.meters import Counters, dsmr
from appliance.records import Frame

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW_MS = 1_700_000_000_000


def telegram(*lines: str, line_end: str = "\r\n") -> bytes:
    """A DSMR 5 telegram of these lines, with its checksum."""
    body = "\r\n".join(["/TST5\\METER", "", "1-3:0.2.8(50)", *lines, "!"]).encode()
    return (body + f"{crc16_arc(body):04X}\r\n".encode()).replace(b"\r\n", line_end.encode())


def unchecked(*lines: str) -> bytes:
    """A DSMR 2.2 telegram of these lines."""
    return "\r\n".join(["/TST5\\OLD", "", *lines, "!", ""]).encode()


def meter(zone: ZoneInfo = AMSTERDAM) -> dsmr.Meter:
    return dsmr.Meter(dsmr.Options(), zone)


def values(frames: list[Frame]) -> list[tuple[str, str]]:
    return [(reading.role, str(reading.value)) for frame in frames for reading in frame.readings]


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


POWER = "1-0:1.7.0(00.378*kW)"


def test_checksum_is_crc_16_arc() -> None:
    assert crc16_arc(b"123456789") == 0xBB3D


@pytest.mark.parametrize(
    ("zone", "stamp", "instant"),
    [
        ("Europe/Amsterdam", "190324150519W", "2019-03-24T14:05:19Z"),
        ("Europe/Amsterdam", "190724150519S", "2019-07-24T13:05:19Z"),
        ("Europe/Amsterdam", "211031023000S", "2021-10-31T00:30:00Z"),  # the doubled hour, first pass
        ("Europe/Amsterdam", "211031023000W", "2021-10-31T01:30:00Z"),  # and second
        ("Europe/Amsterdam", "211031015959S", "2021-10-30T23:59:59Z"),
        ("Europe/Amsterdam", "211031030000W", "2021-10-31T02:00:00Z"),
        ("Europe/Dublin", "211031013000S", "2021-10-31T00:30:00Z"),  # where winter is what is called saving time
        ("Europe/Dublin", "211031013000W", "2021-10-31T01:30:00Z"),
        ("Australia/Lord_Howe", "210404014500S", "2021-04-03T14:45:00Z"),  # a doubled half hour
        ("Australia/Lord_Howe", "210404014500W", "2021-04-03T15:15:00Z"),
        ("UTC", "210724150519S", "2021-07-24T15:05:19Z"),  # a zone that knows no summer time
        ("Europe/Amsterdam", "240229120000W", "2024-02-29T11:00:00Z"),
    ],
)
def test_local_time_with_its_flag_becomes_utc(zone: str, stamp: str, instant: str) -> None:
    (frame,) = meter(ZoneInfo(zone)).feed(telegram(f"0-0:1.0.0({stamp})", POWER), NOW_MS)
    assert frame.readings[0].at_ms == at_ms(instant)


@pytest.mark.parametrize(
    "stamp",
    [
        "191324150519W",  # month 13
        "190230150519W",
        "230229120000W",
        "190324250519W",
        "190324150560W",
        "190331023000W",  # the skipped hour
        "190331023000S",
        "1903241505W",
        "rubbish",
    ],
)
def test_a_time_that_never_was_is_refused_and_counted(stamp: str) -> None:
    port = meter()
    assert port.feed(telegram(f"0-0:1.0.0({stamp})", POWER), NOW_MS) == []
    assert port.counters == Counters(refused=1)
    assert len(port.feed(telegram("0-0:1.0.0(190324150519W)", POWER), NOW_MS)) == 1


@pytest.mark.parametrize("stamp", ["000101010000W", "700101010000W"])
def test_a_clock_that_was_never_set_gives_the_time_of_arrival(stamp: str) -> None:
    (frame,) = meter().feed(telegram(f"0-0:1.0.0({stamp})", POWER), NOW_MS)
    assert frame.readings[0].at_ms == NOW_MS


def test_version_2_has_the_time_of_arrival_and_gas_over_two_lines() -> None:
    port = meter()
    gas = ("0-1:24.1.0(03)", "0-1:24.3.0(121030140000)(00)(60)(1)(0-1:24.2.1)(m3)", "(00024.123)")
    (frame,) = port.feed(unchecked("0-0:96.1.1()", "1-0:1.8.1(01234.567*kWh)", *gas), NOW_MS)
    energy, burnt = frame.readings
    assert (energy.at_ms, burnt.at_ms) == (NOW_MS, at_ms("2012-10-30T13:00:00Z"))
    assert (burnt.role, burnt.value, burnt.unit) == ("gas", Decimal("24.123"), "m3")
    assert frame.device == "TST5\\OLD"


@pytest.mark.parametrize(
    ("now", "instant"), [("2021-10-31T00:31:00Z", "2021-10-31T00:30Z"), ("2021-10-31T01:31:00Z", "2021-10-31T01:30Z")]
)
def test_without_a_flag_the_doubled_hour_is_the_latest_that_was(now: str, instant: str) -> None:
    gas = ("0-1:24.1.0(3)", "0-1:24.3.0(211031023000)(00)(60)(1)(0-1:24.2.1)(m3)", "(00024.123)")
    (frame,) = meter().feed(unchecked(*gas), at_ms(now))
    assert frame.readings[0].at_ms == at_ms(instant)


@pytest.mark.parametrize(
    "lines",
    [
        ("1-3:0.2.8(50)", POWER),  # a later version, whose checksum went missing
        ("0-0:96.1.4(50217)", POWER),
        ("0-0:1.0.0(190324150519W)", POWER),
        (POWER, "1-0:1.8.1(0123"),  # cut
        (POWER, POWER),  # two telegrams run together
    ],
)
def test_without_a_checksum_only_what_reads_as_version_2_is_believed(lines: tuple[str, ...]) -> None:
    port = meter()
    assert port.feed(unchecked(*lines), NOW_MS) == []
    assert port.counters == Counters(partial=1)


def test_version_3_may_state_a_time_without_a_flag() -> None:
    (frame,) = meter().feed(unchecked("0-0:1.0.0(190724150519)", POWER), NOW_MS)
    assert frame.readings[0].at_ms == at_ms("2019-07-24T13:05:19Z")


def test_a_port_that_has_sent_checksums_is_not_believed_without() -> None:
    port = meter()
    port.feed(telegram(POWER), NOW_MS)
    assert port.feed(unchecked(POWER), NOW_MS) == []


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_may_have_lost_their_carriage_returns(line_end: str) -> None:
    assert values(meter().feed(telegram(POWER, line_end=line_end), NOW_MS)) == [("electricity.power", "0.378")]


def test_a_wrong_checksum_costs_its_own_telegram_alone() -> None:
    good = telegram(POWER)
    port = meter()
    frames = port.feed(good + good.replace(b"00.378", b"99.378") + good, NOW_MS)
    assert values(frames) == [("electricity.power", "0.378")] * 2
    assert port.counters == Counters(telegrams=2, crc_errors=1)


def test_a_stream_that_begins_in_the_middle_has_one_partial_telegram() -> None:
    good = telegram(POWER)
    port = meter()
    assert len(port.feed(good[20:] + good, NOW_MS)) == 1
    assert port.counters == Counters(telegrams=1, partial=1)


def test_a_telegram_that_lost_its_end_does_not_take_the_next_with_it() -> None:
    good = telegram(POWER)
    for lost in range(5, len(good) - 6):
        port = meter()
        assert len(port.feed(good[:lost] + good, NOW_MS)) == 1, lost
        assert port.counters == Counters(telegrams=1, partial=1), lost


def test_what_looks_like_a_header_within_a_telegram_is_no_harm() -> None:
    assert len(meter().feed(telegram("0-0:96.13.0(/TST5)", POWER), NOW_MS)) == 1


def test_garbage_between_telegrams_is_passed_over() -> None:
    good = telegram(POWER)
    port = meter()
    assert len(port.feed(good + b"\0\xff!/x!!\r\n//" + good, NOW_MS)) == 2
    assert port.counters == Counters(telegrams=2, partial=1)


@pytest.mark.parametrize("start", [b"", b"/TST5\\HUGE\r\n"])
def test_a_huge_line_is_dropped_and_counts_once(start: bytes) -> None:
    port = meter()
    assert len(port.feed(start + b"1" * 1_000_000 + telegram(POWER), NOW_MS)) == 1
    assert port.counters == Counters(telegrams=1, partial=1)


def test_a_header_that_the_end_of_the_buffer_cuts_in_two_is_kept() -> None:
    good = telegram(POWER)
    for tail in range(1, 8):
        port = meter()
        assert len(port.feed(b"1" * (dsmr.BUFFER_BYTES - tail) + good, NOW_MS)) == 1, tail


def test_values_are_exact_and_in_the_unit_of_their_role() -> None:
    lines = (
        "1-0:1.8.0(006545766*Wh)",
        "1-0:1.7.0(000000286*W)",
        "0-1:24.1.0(012)",
        "0-1:24.2.1(190324150000W)(12.5*MJ)",
    )
    assert values(meter().feed(telegram(*lines), NOW_MS)) == [
        ("electricity.import", "6545.766"),
        ("electricity.power", "0.286"),
        ("heat", "0.0125"),
    ]


@pytest.mark.parametrize(
    "line", ["1-0:1.7.0(9999.999*kW)", "1-0:32.7.0(65535.0*V)", "1-0:1.8.1(1.0*V)", "1-0:1.8.1(-1.0*kWh)"]
)
def test_an_absurd_value_is_refused_and_the_others_stand(line: str) -> None:
    port = meter()
    assert values(port.feed(telegram(line, "1-0:2.7.0(00.100*kW)"), NOW_MS)) == [("electricity.power.export", "0.100")]
    assert port.counters == Counters(telegrams=1, refused=1)


def test_an_mbus_reading_with_an_impossible_time_is_refused_alone() -> None:
    port = meter()
    frames = port.feed(telegram(POWER, "0-1:24.1.0(003)", "0-1:24.2.1(190331023000W)(1.0*m3)"), NOW_MS)
    assert values(frames) == [("electricity.power", "0.378")]
    assert port.counters.refused == 1


def test_channels_tell_their_device_and_a_second_of_a_kind_its_channel() -> None:
    stamp = "(190324150000W)"
    lines = [
        *("0-1:24.1.0(003)", f"0-1:24.2.1{stamp}(1.5*m3)", "0-2:24.1.0(007)", f"0-2:24.2.1{stamp}(2.5*m3)"),
        *("0-3:24.1.0(002)", f"0-3:24.2.1{stamp}(3.5*kWh)", "0-4:24.1.0(003)", f"0-4:24.2.3{stamp}(4.5*m3)"),
    ]
    assert values(meter().feed(telegram(*lines), NOW_MS)) == [
        ("gas", "1.5"),
        ("water", "2.5"),
        ("electricity.slave", "3.5"),
        ("gas.channel4", "4.5"),
    ]


@pytest.mark.parametrize(
    ("stated", "device"),
    [
        ("4530303434", "E0044"),
        ("3960221976967177082151037881335713", "3960221976967177082151037881335713"),
        ("00000000", "00000000"),
        ("XYZ", "XYZ"),
        ("", "TST5\\METER"),
    ],
)
def test_the_device_is_its_own_number_or_the_header(stated: str, device: str) -> None:
    (frame,) = meter().feed(telegram(f"0-0:96.1.1({stated})", POWER), NOW_MS)
    assert frame.device == device


def test_no_zone_and_no_country_is_written_into_the_code() -> None:
    assert "Europe/" not in Path(dsmr.__file__).read_text()
