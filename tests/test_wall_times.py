"""The wall's clock: which instants its times are, on the days on which it is changed above all."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.wall_times import LAST_YEAR, LocalClock, Walk, ZoneOptions, clock, day, stamp

PUT_BACK = {
    "Europe/London": ("2024-10-27", "01", "2024-10-27T00:00"),
    "Europe/Brussels": ("2024-10-27", "02", "2024-10-27T00:00"),
    "Australia/Sydney": ("2024-04-07", "02", "2024-04-06T15:00"),
}
"""Zone -> the day, its doubled hour, and the instant at which that begins for the first time."""

PUT_FORWARD = {
    "Europe/London": ("2024-03-31", "01"),
    "Europe/Brussels": ("2024-03-31", "02"),
    "Australia/Sydney": ("2024-10-06", "02"),
}


def instants(zone: str, times: list[str]) -> list[str]:
    """What the rows of a series with these times are, in UTC."""
    walk = Walk(LocalClock(zone, "UTC"))
    return [utc(walk.instant(stamp(time)[0])) for time in times]


def utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


def passes(zone: str) -> tuple[list[str], list[str], list[str]]:
    """The quarters of the doubled hour as the clock shows them, and the instants of both passes."""
    date, hour, begin = PUT_BACK[zone]
    first = datetime.fromisoformat(f"{begin}+00:00")
    shown = [f"{date} {hour}:{minute:02}" for minute in (0, 15, 30, 45)]
    ways = [[first + timedelta(minutes=minute + 15 * each) for each in range(4)] for minute in (0, 60)]
    earlier, later = ([each.strftime("%Y-%m-%dT%H:%M") for each in way] for way in ways)
    return shown, earlier, later


def around(zone: str) -> tuple[str, str]:
    """The quarter before the doubled hour and the one after it, as the clock shows them."""
    date, hour, _ = PUT_BACK[zone]
    return f"{date} {int(hour) - 1:02}:45", f"{date} {int(hour) + 1:02}:00"


@pytest.mark.parametrize("zone", PUT_BACK)
def test_an_hour_that_comes_twice_is_neither_doubled_nor_lost(zone: str) -> None:
    shown, earlier, later = passes(zone)
    before, after = around(zone)
    found = instants(zone, [before, *shown, *shown, after])
    assert found[1:-1] == earlier + later
    assert found == sorted(set(found))


@pytest.mark.parametrize("zone", PUT_BACK)
def test_newest_first_the_second_pass_comes_first(zone: str) -> None:
    shown, earlier, later = passes(zone)
    before, after = around(zone)
    found = instants(zone, [after, *shown[::-1], *shown[::-1], before])
    assert found[1:-1] == later[::-1] + earlier[::-1]


@pytest.mark.parametrize("zone", PUT_BACK)
def test_passes_that_are_sorted_into_one_another_are_told_by_which_comes_first(zone: str) -> None:
    shown, earlier, later = passes(zone)
    mixed = [time for time in shown for _ in range(2)]
    assert instants(zone, [around(zone)[0], *mixed])[1:] == [
        each for pair in zip(earlier, later, strict=True) for each in pair
    ]


def test_after_a_gap_the_step_back_tells_that_the_second_pass_began() -> None:
    times = [f"2024-10-27 {time}" for time in ("01:45", "02:00", "02:15", "02:00", "02:45", "03:00")]
    assert [each[-5:] for each in instants("Europe/Brussels", times)] == [
        "23:45",
        "00:00",
        "00:15",
        "01:00",
        "01:45",
        "02:00",
    ]


def test_the_year_after_the_doubled_hour_begins_anew() -> None:
    times = [f"2023-10-29 {time}" for time in ("01:59", "02:00", "02:30", "02:00", "02:30", "03:00")]
    times += ["2024-10-27 01:59", "2024-10-27 02:00"]
    assert instants("Europe/Brussels", times)[-1] == "2024-10-27T00:00"


@pytest.mark.parametrize(
    ("start", "end", "begins", "seconds"),
    [
        ("02:45", "03:00", "2024-10-27T01:45", 900),  # alone, it can only be the last quarter of the second pass
        ("02:45", "02:00", "2024-10-27T00:45", 900),  # and this of the first
        ("02:00", "02:15", "2024-10-27T00:00", 900),
        ("00:00", "23:59", "2024-10-26T22:00", 89_940),
        ("01:45", "02:00", "2024-10-26T23:45", 900),
    ],
)
def test_the_end_of_an_interval_tells_its_pass(start: str, end: str, begins: str, seconds: int) -> None:
    walk = Walk(LocalClock("Europe/Brussels", "UTC"))
    at_ms, length = walk.interval(stamp(f"2024-10-27 {start}")[0], stamp(f"2024-10-27 {end}")[0])
    assert (utc(at_ms), length) == (begins, seconds)


@pytest.mark.parametrize("zone", PUT_FORWARD)
def test_a_time_that_never_was_is_refused(zone: str) -> None:
    date, hour = PUT_FORWARD[zone]
    walk = Walk(LocalClock(zone, "UTC"))
    with pytest.raises(ValueError, match=f"never was in {zone}"):
        walk.instant(stamp(f"{date} {hour}:30")[0])
    before = walk.instant(stamp(f"{date} {int(hour) - 1:02}:45")[0])
    assert walk.instant(stamp(f"{date} {int(hour) + 1:02}:00")[0]) - before == 900_000


@pytest.mark.parametrize("zone", PUT_FORWARD)
def test_a_day_on_which_clocks_are_changed_has_23_or_25_hours(zone: str) -> None:
    lengths = []
    for date in (PUT_FORWARD[zone][0], PUT_BACK[zone][0]):
        begin = day(date)
        lengths.append(Walk(LocalClock(zone, "UTC")).interval(begin, begin + 86_400_000)[1])
    assert lengths == [23 * 3600, 25 * 3600]


def test_an_interval_may_end_when_clocks_are_put_forward() -> None:
    walk = Walk(LocalClock("Europe/Brussels", "UTC"))
    assert [
        walk.interval(stamp("2024-03-31 01:45")[0], stamp(f"2024-03-31 {end}")[0])[1] for end in ("02:00", "03:00")
    ] == [900, 900]
    with pytest.raises(ValueError, match="ends before"):
        walk.interval(stamp("2024-03-31 05:00")[0], stamp("2024-03-31 04:00")[0])


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)).map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(["Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_an_instant_is_one_at_which_the_clock_shows_the_time(at: datetime, zone: str) -> None:
    there = at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    shown_ms = stamp(there.strftime("%Y-%m-%d %H:%M:%S"))[0]
    found = Walk(LocalClock(zone, "UTC")).instant(shown_ms)
    assert found in LocalClock(zone, "UTC").instants(shown_ms)
    assert datetime.fromtimestamp(found / 1000, ZoneInfo(zone)).replace(tzinfo=None) == there.replace(tzinfo=None)


def test_days_and_times_are_read_as_files_write_them() -> None:
    assert day("2007-01-31") == day("31/1/2007") == day("31/1/07") == day("31-01-2007") == day("20070131")
    assert clock("0:01:00") == clock("00:01") == 60_000
    assert clock("24:00") == 86_400_000
    assert clock("00:00:01.5") == 1500
    assert stamp("2024-07-01T00:00:00+01:00") == (day("2024-07-01"), 3_600_000)
    assert stamp("2024-07-01 00:00-0330")[1] == -12_600_000
    assert stamp("2024-07-01T00:00Z") == (day("2024-07-01"), 0)
    assert stamp("2024-07-01") == (day("2024-07-01"), None)


@pytest.mark.parametrize(
    "text", ["", "2024-02-30", "1666-01-01", f"{LAST_YEAR + 1}-01-01", "31/02/2024", "1/2-2024", "today", "٢٠٢٤-01-01"]
)
def test_what_is_no_day_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="date"):
        day(text)


@pytest.mark.parametrize("text", ["", "25:00", "24:01", "12:60", "12", "12:00:60", "noon"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        clock(text)


@pytest.mark.parametrize("text", ["", "2024-01-01 12", "2024-01-01T12:00:00+99:00", "01/01/2024 12:00"])
def test_what_is_no_stamp_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|offset"):
        stamp(text)


def test_a_zone_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match="Europe/Brussels"):
        ZoneOptions("Brussels")
