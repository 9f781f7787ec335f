"""The oddities of CurrentCost displays: no checksum, a clock that nobody can trust, and history counted backwards."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.meters import Counters, currentcost
from appliance.records import MeterReading

NOW_MS = 1_700_000_000_000
ONE = "<ch1><watts>00345</watts></ch1>"


def live(channels: str = ONE, sensor: str = "0", more: str = "") -> bytes:
    return (
        "<msg><src>CC128-v0.11</src><dsb>00089</dsb><time>13:02:39</time><tmpr>18.7</tmpr>"
        f"<sensor>{sensor}</sensor><id>01234</id><type>1</type>{channels}{more}</msg>"
    ).encode()


def history(time: str, *items: str, sensor: str = "0") -> bytes:
    data = "".join(f"<{item.split('=')[0]}>{item.split('=')[1]}</{item.split('=')[0]}>" for item in items)
    return (
        f"<msg><src>CC128-v0.11</src><dsb>00089</dsb><time>{time}</time><hist><dsw>00032</dsw><type>1</type>"
        f"<units>kwhr</units><data><sensor>{sensor}</sensor>{data}</data></hist></msg>"
    ).encode()


def display(zone: str = "Europe/London") -> currentcost.Meter:
    return currentcost.Meter(currentcost.Options(), ZoneInfo(zone))


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def readings(data: bytes, now: str = "2025-01-15T13:10:50Z", zone: str = "Europe/London") -> tuple[MeterReading, ...]:
    return tuple(reading for frame in display(zone).feed(data, at_ms(now)) for reading in frame.readings)


def test_each_sensor_has_its_own_role_and_only_the_whole_house_the_temperature() -> None:
    assert [reading.role for reading in readings(live() + live(sensor="4"))] == [
        "electricity.power",
        "temperature",
        "plug.4.power",
    ]


def test_readings_have_the_time_of_their_arrival_whatever_the_display_shows() -> None:
    assert {(reading.at_ms, reading.stated) for reading in readings(live())} == {(at_ms("2025-01-15T13:10:50Z"), False)}


@pytest.mark.parametrize(
    ("impulses", "per_kwh", "energy"), [("0000000023", "1000", "0.023000"), ("0000000001", "600", "0.001667")]
)
def test_impulses_are_energy_by_the_displays_own_setting(impulses: str, per_kwh: str, energy: str) -> None:
    said = live("", "3", f"<imp>{impulses}</imp><ipu>{per_kwh}</ipu>")
    assert [(reading.role, str(reading.value), reading.unit) for reading in readings(said)] == [
        ("plug.3.energy", energy, "kWh")
    ]


def test_impulses_without_a_setting_are_no_energy() -> None:
    assert readings(live("", "3", "<imp>0000000023</imp><ipu>0</ipu>")) == ()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("00345", "0034"),  # a digit is missing
        ("00345", "003455"),
        ("00345", "0O345"),
        ("00345", "-0345"),
        ("00345", "003 45"),
        ("13:02:39", "25:02:39"),
        ("<sensor>0<", "<sensor>10<"),
        ("</ch1>", "</ch2>"),
        ("<ch1>", "<ch4>"),
        ("<tmpr>18.7", "<tmpr>187"),
        ("<tmpr>18.7", "<tmpr>918.7"),  # hotter than a house can be
        ("<tmpr>", "<tmprF>"),
        ("CC128", "XX128"),
        ("<type>1", "<type>7"),
        ("<dsb>00089</dsb>", ""),
        ("</id>", "</id><!DOCTYPE x>"),
    ],
)
def test_a_message_that_is_not_one_to_the_last_digit_is_refused_and_counted(good: str, bad: str) -> None:
    decoder = display()
    broken = live().replace(good.encode(), bad.encode(), 1)
    assert broken != live()
    assert decoder.feed(broken, NOW_MS) == []
    assert decoder.counters == Counters(refused=1)


@pytest.mark.parametrize(("shown", "said"), [("18.7", ["18.7"]), (" 8.7", ["8.7"]), ("-1.5", ["-1.5"]), ("8.7", [])])
def test_a_temperature_that_lost_a_digit_is_left_out_and_the_power_stands(shown: str, said: list[str]) -> None:
    power, *temperature = readings(live().replace(b"18.7", shown.encode()))
    assert str(power.value) == "0.345"
    assert [str(reading.value) for reading in temperature] == said


def test_a_channel_that_is_there_twice_is_refused() -> None:
    assert readings(live(ONE + ONE)) == ()


def test_a_message_that_lost_any_part_before_its_end_is_refused_or_partial_and_the_next_stands() -> None:
    whole = live()
    for first in range(len(whole)):
        for length in (1, 7, 30):
            decoder = display()
            frames = decoder.feed(whole[:first] + whole[first + length :] + whole, NOW_MS)
            assert len(frames) in (1, 2)
            assert {reading.value for frame in frames for reading in frame.readings} == {
                reading.value for reading in readings(whole)
            }, (first, length)


def test_a_message_cut_by_the_next_counts_as_partial() -> None:
    decoder = display()
    assert len(decoder.feed(live()[:60] + live(), NOW_MS)) == 1
    assert decoder.counters == Counters(telegrams=1, partial=1)


@pytest.mark.parametrize("hostile", [b"<msg>" + b" " * 200_000, b"<msg>" * 50_000, b"<msg><hist>" + b"<hrs>" * 50_000])
def test_a_hostile_stream_stalls_nothing_and_the_next_message_is_read(hostile: bytes) -> None:
    decoder = display()
    assert len(decoder.feed(hostile + b"</msg>" + live(), NOW_MS)) == 1


def test_digits_without_end_in_a_classics_history_stall_nothing() -> None:
    head = (
        "<msg><date><dsb>00030</dsb><hr>00</hr><min>20</min><sec>11</sec></date><src><name>CC02</name><id>00003</id>"
        "<type>1</type><sver>1.06</sver></src><ch1><watts>00168</watts></ch1><tmpr>25.6</tmpr><hist><hrs><h02>"
    )
    decoder = display()
    assert decoder.feed((head + "1" * 5000 + "</h04></hist></msg>").encode(), NOW_MS) == []
    assert decoder.counters == Counters(refused=1)


def test_history_is_counted_back_from_the_displays_last_odd_hour() -> None:
    (block,) = readings(history("13:10:50", "h024=001.1"))
    assert block == MeterReading(
        "electricity.import.history", at_ms("2025-01-14T13:00Z"), block.value, "kWh", seconds=7200, quality="estimated"
    )
    assert str(block.value) == "1.1"


def test_a_day_of_history_begins_at_midnight_where_the_display_is() -> None:
    (day,) = readings(history("13:10:50", "d002=012.9"), "2025-07-15T12:10:50Z")
    assert (day.role, day.seconds, day.at_ms) == ("electricity.import.history.days", 86_400, at_ms("2025-07-12T23:00Z"))


@pytest.mark.parametrize("time", ["13:01:00", "13:10:50", "14:59:30", "13:00:01"])
def test_a_block_begins_at_one_hour_however_often_and_late_it_is_said(time: str) -> None:
    (block,) = readings(history(time, "h004=001.1"), f"2025-01-15T{time}Z")
    assert block.at_ms == at_ms("2025-01-15T09:00Z")


@pytest.mark.parametrize(("shown", "heard"), [("13:10:50", "13:02:10"), ("13:10:50", "13:19:59")])
def test_a_display_whose_clock_is_minutes_off_has_its_blocks_at_full_hours(shown: str, heard: str) -> None:
    (block,) = readings(history(shown, "h004=001.1"), f"2025-01-15T{heard}Z")
    assert block.at_ms == at_ms("2025-01-15T09:00Z")


def test_a_display_that_was_not_put_forward_has_its_blocks_at_its_own_hours() -> None:
    (block,) = readings(history("13:10:50", "h004=001.1"), "2025-07-15T13:10:50Z")  # 14:10:50 in London
    assert block.at_ms == at_ms("2025-07-15T09:00Z")


def test_nothing_of_history_from_before_the_last_change_of_clocks() -> None:
    said = history("13:10:50", "h038=001.1", "h024=000.9", "d002=011.0", "d001=012.9")
    assert [reading.at_ms for reading in readings(said, "2025-10-27T13:10:50Z")] == [at_ms("2025-10-26T13:00Z")]


def test_an_appliance_that_was_never_there_has_no_history_and_months_none_either() -> None:
    decoder = display()
    assert decoder.feed(history("13:10:50", "h024=000.0", "h022=000.0", sensor="7"), NOW_MS) == []
    assert decoder.feed(history("13:10:50", "m002=257.0"), NOW_MS) == []
    assert decoder.counters == Counters()
    assert readings(history("13:10:50", "h024=000.0", "h022=000.2", sensor="7"))[1].role == "plug.7.energy.history"


@pytest.mark.parametrize("item", ["h024=1.1", "h024=0011", "h024=0.0.1", "x024=001.1"])
def test_history_with_one_item_that_is_none_is_refused_whole(item: str) -> None:
    decoder = display()
    assert decoder.feed(history("13:10:50", "h026=001.0", item), NOW_MS) == []
    assert decoder.counters == Counters(refused=1)
