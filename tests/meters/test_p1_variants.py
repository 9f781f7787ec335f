"""The oddities of the P1 port in each country, and what a meter remembers of its own past."""

import logging
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import meters
from appliance.errors import UserError
from appliance.meters import Counters, dsmr
from appliance.records import Outage
from appliance.store.series import kind_of
from tests.meters.test_dsmr import NOW_MS, POWER, at_ms, meter, telegram, unchecked, values
from tests.p1_sealing import KEY, sealed

NOW = "0-0:1.0.0(231102121548W)"


def port(zone: str = "Europe/Brussels", **options: str) -> dsmr.Meter:
    return dsmr.Meter(dsmr.Options(**options), ZoneInfo(zone))


# Belgium


def test_the_peak_of_this_month_stands_at_its_own_time_and_grows_over_the_month() -> None:
    decoder = port()
    said = ["(231102114500W)(03.064*kW)", "(231102114500W)(03.064*kW)", "(231105181500W)(04.120*kW)"]
    frames = [decoder.feed(telegram(NOW, f"1-0:1.6.0{each}"), NOW_MS)[0] for each in said]
    peaks = [(reading.role, reading.at_ms, str(reading.value)) for frame in frames for reading in frame.readings]
    role = "electricity.demand.month_peak"
    assert peaks == [
        (role, at_ms("2023-11-02T10:45Z"), "3.064"),
        (role, at_ms("2023-11-02T10:45Z"), "3.064"),
        (role, at_ms("2023-11-05T17:15Z"), "4.120"),
    ]


def test_thirteen_months_of_peaks_each_at_its_own_time_across_the_changes_of_clocks() -> None:
    months = [
        f"({n // 12 + 22:02}{n % 12 + 1:02}01000000W)({n // 12 + 22:02}{n % 12 + 1:02}15120000W)" for n in range(13)
    ]
    history = "".join(f"{month}({number:02}.500*kW)" for number, month in enumerate(months))
    (frame,) = port().feed(telegram(NOW, f"0-0:98.1.0(13)(1-0:1.6.0)(1-0:1.6.0){history}"), NOW_MS)
    assert [reading.value for reading in frame.readings] == [Decimal(f"{number}.500") for number in range(13)]
    assert frame.readings[0].at_ms == at_ms("2022-01-15T11:00Z")


def test_a_month_without_a_peak_is_none_and_no_fault() -> None:
    decoder = port()
    empty = "(230801000000S)(632525252525W)(00.000*kW)"
    full = "(230901000000S)(230831181500S)(01.862*kW)"
    frames = decoder.feed(telegram(NOW, f"0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0){empty}{full}"), NOW_MS)
    assert values(frames) == [("electricity.demand.month_peak", "1.862")]
    assert decoder.counters.refused == 0


def test_a_peak_without_a_time_is_refused() -> None:
    decoder = port()
    assert values(decoder.feed(telegram(POWER, "1-0:1.6.0(632525252525W)(02.000*kW)"), NOW_MS)) == [
        ("electricity.power", "0.378")
    ]
    assert decoder.counters.refused == 1


def test_breaker_and_limiter_are_no_readings() -> None:
    lines = ("0-0:96.3.10(1)", "0-0:17.0.0(999.9*kW)", "1-0:31.4.0(999*A)", "0-1:24.4.0(1)")
    assert values(port().feed(telegram(POWER, *lines), NOW_MS)) == [("electricity.power", "0.378")]


# Luxembourg


def _apdus(count: int = 3, key: str = KEY) -> list[bytes]:
    return [sealed(telegram(f"1-0:1.7.0(00.{number:03}*kW)"), number, key) for number in range(count)]


def test_an_encrypted_port_is_read_with_its_key_whatever_the_counter_does() -> None:
    first, second, third = _apdus()
    decoder = port(key=KEY)
    frames = decoder.feed(third + first + first + second, NOW_MS)
    assert [value for _, value in values(frames)] == ["0.002", "0.000", "0.000", "0.001"]
    assert decoder.counters == Counters(telegrams=4)


def test_a_wrong_key_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    decoder = port(key="F" * 32)
    with caplog.at_level(logging.WARNING):
        assert decoder.feed(b"".join(_apdus()), NOW_MS) == []
        assert decoder.feed(b"".join(_apdus()), NOW_MS) == []
    assert decoder.counters == Counters(crc_errors=6)
    assert [record.getMessage() for record in caplog.records] == [decoder.note]
    assert "the key does not open" in decoder.note
    assert "F" * 32 not in caplog.text


def test_noise_before_the_first_telegram_is_no_wrong_key() -> None:
    first, *others = _apdus()
    decoder = port(key=KEY)
    assert len(decoder.feed(first[:-1] + b"\0" + b"".join(others), NOW_MS)) == 2
    assert (decoder.counters.crc_errors, decoder.note) == (1, "")


def test_an_encrypted_port_without_a_key_says_that_it_wants_one() -> None:
    decoder = port()
    first, second, _ = _apdus()
    for piece in (first[30:], second[:-1]):
        assert decoder.feed(piece, NOW_MS) == []
        assert not decoder.note
        assert not decoder.wants
    decoder.feed(second[-1:], NOW_MS)
    assert "ask the grid operator for the key" in decoder.note
    assert decoder.wants == ("key",)


def test_what_was_said_of_a_key_holds_until_a_telegram_is_read() -> None:
    for decoder, good in ((port(key=KEY), _apdus()[0]), (port(), telegram(POWER))):
        decoder.feed(b"".join(_apdus(key="F" * 32)), NOW_MS)
        assert decoder.wants == ("key",)
        assert decoder.feed(good, NOW_MS)
        assert not decoder.note
        assert not decoder.wants


def test_a_port_that_is_not_encrypted_is_told_so_by_no_noise() -> None:
    decoder = port()
    false = b"\xdb\x08SAGgp\x00\x00\x01\x82\x1f\xff\x30\x00\x00\x00\x00"
    decoder.feed(false, NOW_MS)
    assert decoder.wants == ()


@pytest.mark.parametrize("counter_or_flag", [3, 13, 16, 30, -1])
def test_any_byte_that_is_wrong_costs_its_own_telegram_alone(counter_or_flag: int) -> None:
    first, second, third = (bytearray(apdu) for apdu in _apdus())
    second[counter_or_flag] ^= 0x01
    decoder = port(key=KEY)
    frames = decoder.feed(bytes(first + second + third), NOW_MS)
    assert [value for _, value in values(frames)] == ["0.000", "0.002"]


def test_what_looks_like_the_beginning_of_a_long_one_holds_nothing_up() -> None:
    false = b"\xdb\x08SAGgp\x00\x00\x01\x82\x1f\xff\x30\x00\x00\x00\x00"
    decoder = port(key=KEY)
    assert len(decoder.feed(false + b"".join(_apdus()), NOW_MS)) == 3
    assert decoder.counters == Counters(telegrams=3, partial=1)


def test_the_key_is_not_shown_and_a_key_that_is_none_is_said() -> None:
    assert KEY not in repr(dsmr.Options(key=KEY, authentication_key=KEY))
    with pytest.raises(UserError) as raised:
        dsmr.Options(key="secret", authentication_key="secret too", clock="solar")
    assert len(raised.value.problems) == 3
    assert not any("secret" in problem for problem in raised.value.problems)


# Sweden


@pytest.mark.parametrize("flag", ["W", "S", ""])
def test_a_clock_that_stays_on_winter_time_has_no_doubled_and_no_skipped_hour(flag: str) -> None:
    decoder = port("Europe/Stockholm", clock="winter")
    stamps = ["210328015959", "210328020000", "210328025959", "210328030000", "210717184019", "211031023000"]
    frames = [decoder.feed(telegram(f"0-0:1.0.0({stamp}{flag})", POWER), NOW_MS)[0] for stamp in stamps]
    assert [frame.readings[0].at_ms for frame in frames] == [
        at_ms(f"2021-{month}-{day}T{time}Z")
        for month, day, time in [
            *(("03", "28", time) for time in ("00:59:59", "01:00:00", "01:59:59", "02:00:00")),
            ("07", "17", "17:40:19"),
            ("10", "31", "01:30:00"),
        ]
    ]


def test_winter_time_that_is_stated_in_summer_is_winter_time() -> None:
    (frame,) = meter().feed(telegram("0-0:1.0.0(210717184019W)", POWER), NOW_MS)
    assert frame.readings[0].at_ms == at_ms("2021-07-17T17:40:19Z")


# Hungary


def test_a_power_factor_beyond_one_is_refused_and_the_others_stand() -> None:
    decoder = port("Europe/Budapest")
    frames = decoder.feed(telegram("1-0:13.7.0(4.556)", "1-0:33.7.0(0.991)", "1-0:14.7.0(50.00*Hz)"), NOW_MS)
    assert values(frames) == [("electricity.power_factor.l1", "0.991"), ("electricity.frequency", "50.00")]
    assert decoder.counters.refused == 1


def test_a_value_without_its_unit_is_refused() -> None:
    decoder = port()
    assert decoder.feed(telegram("1-0:1.8.1(000123.456)"), NOW_MS) == []
    assert decoder.counters == Counters(refused=1)


def test_registers_of_another_kind_than_peaks_make_none() -> None:
    history = "0-0:98.1.0(230701000000S)(000040.777*kWh)(000008.950*kWh)(03.564*kW)(02.156*kW)"
    assert values(port().feed(telegram(POWER, history), NOW_MS)) == [("electricity.power", "0.378")]


def test_reactive_energy_is_a_register_and_reactive_power_a_gauge() -> None:
    assert (kind_of("kvarh", 0), kind_of("kvar", 0), kind_of("", 0)) == ("register", "gauge", "gauge")


# What a meter remembers


def test_the_log_of_power_failures_is_the_meters_outages() -> None:
    log = "1-0:99.97.0(2)(0-0:96.7.19)(210328031000S)(0000000900*s)(211031023000W)(0000007200*s)"
    (frame,) = port().feed(telegram(POWER, log), NOW_MS)
    assert frame.outages == (
        Outage(at_ms("2021-03-28T00:55Z"), at_ms("2021-03-28T01:10Z")),  # over the skipped hour, 15 minutes
        Outage(at_ms("2021-10-30T23:30Z"), at_ms("2021-10-31T01:30Z")),  # over the doubled hour, two hours
    )


@pytest.mark.parametrize(
    "entry",
    [
        "(000101000001W)(2147483647*s)",  # what a log that was never cleared begins with
        "(210328031000S)(2147483647*s)",
        "(210331250000S)(0000000900*s)",
        "(632525252525W)(0000000900*s)",
        "(210328031000S)(0000000000*s)",
        "(210328031000S)(0000000900)",
    ],
)
def test_a_failure_that_cannot_have_been_is_no_outage(entry: str) -> None:
    (frame,) = port().feed(telegram(POWER, f"1-0:99.97.0(1)(0-0:96.7.19){entry}"), NOW_MS)
    assert frame.outages == ()


# Spikes and wrong days


def test_over_both_changes_of_clocks_telegrams_stay_in_order_and_as_far_apart_as_they_were() -> None:
    autumn = ["211031015950S", "211031020000S", "211031025950S", "211031020000W", "211031025950W", "211031030000W"]
    spring = ["210328015950W", "210328030000S"]
    decoder = port()
    for stamps, apart in ((autumn, [10, 3590, 10, 3590, 10]), (spring, [10])):
        frames = [decoder.feed(telegram(f"0-0:1.0.0({stamp})", POWER), NOW_MS)[0] for stamp in stamps]
        times = [frame.readings[0].at_ms for frame in frames]
        assert [(after - before) // 1000 for before, after in pairwise(times)] == apart


@pytest.mark.parametrize("stamp", ["010101010000W", "060101010000W", "632525252525W", "990101010000W"])
def test_a_time_before_any_p1_port_is_that_of_a_clock_that_was_never_set(stamp: str) -> None:
    (frame,) = port().feed(telegram(f"0-0:1.0.0({stamp})", POWER), NOW_MS)
    assert (frame.readings[0].at_ms, frame.readings[0].stated) == (NOW_MS, False)


@pytest.mark.parametrize("stamp", ["000101010000W", "632525252525W", "700101000000W"])
def test_gas_whose_clock_was_never_set_is_refused_since_its_age_is_unknown(stamp: str) -> None:
    decoder = port()
    frames = decoder.feed(telegram(POWER, "0-1:24.1.0(003)", f"0-1:24.2.1({stamp})(00001.000*m3)"), NOW_MS)
    assert values(frames) == [("electricity.power", "0.378")]
    assert decoder.counters.refused == 1


def test_gas_of_the_doubled_hour_with_flags_is_two_readings_an_hour_apart() -> None:
    decoder = port()
    gas = [
        decoder.feed(telegram(POWER, "0-1:24.1.0(003)", f"0-1:24.2.1(211031020000{flag})(1.0*m3)"), NOW_MS)[0].readings[
            1
        ]
        for flag in "SW"
    ]
    assert gas[1].at_ms - gas[0].at_ms == 3_600_000


@pytest.mark.parametrize(
    ("own", "gas", "instant"),
    [
        ("210717150519S", "210717150000W", "2021-07-17T13:00Z"),  # its flag never changes: it is not an hour ahead
        ("211031022000S", "211031020000W", "2021-10-31T00:00Z"),
        ("211031022000W", "211031020000W", "2021-10-31T01:00Z"),
        ("210717150519W", "210717150000W", "2021-07-17T14:00Z"),  # both stay on winter time
    ],
)
def test_gas_is_never_later_than_the_telegram_that_tells_of_it(own: str, gas: str, instant: str) -> None:
    lines = (f"0-0:1.0.0({own})", "0-1:24.1.0(003)", f"0-1:24.2.1({gas})(00001.000*m3)")
    (frame,) = port().feed(telegram(*lines), NOW_MS)
    assert frame.readings[0].at_ms == at_ms(instant)


def test_gas_of_version_2_in_the_doubled_hour_goes_forward_as_time_does() -> None:
    decoder = meter()
    gas = "0-1:24.3.0(211031020000)(00)(60)(1)(0-1:24.2.1)(m3)"
    times = []
    for heard, cubic_metres in (("2021-10-31T00:20Z", "00024.123"), ("2021-10-31T01:20Z", "00024.500")):
        (frame,) = decoder.feed(unchecked("0-1:24.1.0(3)", gas, f"({cubic_metres})"), at_ms(heard))
        times.append(frame.readings[0].at_ms)
    assert times == [at_ms("2021-10-31T00:00Z"), at_ms("2021-10-31T01:00Z")]


@pytest.mark.parametrize(
    "damage",
    [("1-0:1.8.1(000123.456*kWh", POWER), ("1-0:1.8.1(0001\x7f23.456*kWh)", POWER), (POWER, "1-0:1.7.0(00.379*kW)")],
)
def test_a_telegram_with_marks_of_damage_is_refused_though_its_checksum_is_right(damage: tuple[str, str]) -> None:
    decoder = port()
    assert decoder.feed(telegram(*damage), NOW_MS) == []
    assert decoder.counters == Counters(refused=1)


# The rest


def test_a_checksum_without_its_leading_zeros_is_the_same_number() -> None:
    short = next(
        whole
        for number in range(1000)
        if (whole := telegram(f"1-0:1.7.0(0{number % 10}.{number:03}*kW)"))[-6:-5] == b"0"
    )
    bare = short[:-6] + short[-6:].lstrip(b"0")
    assert len(bare) < len(short)
    assert values(port().feed(bare, NOW_MS)) == values(port().feed(short, NOW_MS))


def test_no_zone_and_no_country_is_written_into_the_code_of_any_part() -> None:
    for part in Path(meters.__file__).parent.glob("_p1_*.py"):
        assert "Europe/" not in part.read_text()
