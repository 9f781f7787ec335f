"""Time zones: by every name that calendars use, and by definitions of their own, exact over changes of clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from appliance import recurrence, zones
from appliance.zones import Change, Defined, Observance

NEW_YORK = ("20070311T020000 -18000 -14400 FREQ=YEARLY;BYMONTH=3;BYDAY=2SU\n"
            "20071104T020000 -14400 -18000 FREQ=YEARLY;BYMONTH=11;BYDAY=1SU")  # fmt: skip


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ('"GMT Standard Time"', "Europe/London"),
        ("Central Standard Time 1", "America/Chicago"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("UTC", "UTC"),
        ("GMT+0530", "UTC+05:30"),
        ("-03:00", "UTC-03:00"),
        ("Etc/GMT-1", "Etc/GMT-1"),
    ],
)
def test_a_zone_is_found_by_what_calendars_call_it(said: str, name: str) -> None:
    zone = zones.named(said)
    assert zone is not None
    assert zones.name_of(zone) == name
    assert zones.named(name) == zone


@pytest.mark.parametrize(
    "said", ["", "Our house", "../../etc/passwd", "Europe", "a/London", "(UTC+01:00) Paris", "+99:00"]
)
def test_what_names_no_zone_is_none(said: str) -> None:
    assert zones.named(said) is None


def test_a_definition_is_exact_in_every_hour_of_twenty_years() -> None:
    defined, real = zones.defined("house", NEW_YORK), ZoneInfo("America/New_York")
    at = datetime(2008, 1, 1)
    while at.year < 2028:
        assert at.replace(tzinfo=defined).utcoffset() == at.replace(tzinfo=real).utcoffset(), at
        instant = at.replace(tzinfo=UTC)
        assert instant.astimezone(defined).replace(tzinfo=None) == instant.astimezone(real).replace(tzinfo=None), at
        at += timedelta(minutes=30 * 11)  # by and by every half-hour of the day, and each of those that change
    for day in (datetime(2026, 3, 8), datetime(2026, 11, 1)):
        for minutes in range(0, 24 * 60, 30):
            local = day + timedelta(minutes=minutes)
            assert local.replace(tzinfo=defined).utcoffset() == local.replace(tzinfo=real).utcoffset(), local


def test_before_its_first_change_a_definition_holds_what_was_before() -> None:
    zone = zones.defined("x", "20000101T000000 3600 7200")
    assert datetime(1999, 6, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)
    assert datetime(2001, 6, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)


def test_a_rule_that_ended_leaves_its_last_offset() -> None:
    written = (
        "20000326T020000 3600 7200 FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20100328T010000Z\n"
        "20001029T030000 7200 3600 FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;COUNT=11"
    )
    zone = zones.defined("x", written)
    offsets = [datetime(year, 7, 1, tzinfo=zone).utcoffset() for year in (2009, 2010, 2011, 2020)]
    assert offsets == [timedelta(hours=2), timedelta(hours=2), timedelta(hours=1), timedelta(hours=1)]


def test_a_definition_written_down_is_the_same_again() -> None:
    zone = zones.defined("house", NEW_YORK)
    assert zone.written() == NEW_YORK
    dated = Defined("x", [Observance(Change(datetime(2000, 1, 1), *[timedelta(hours=1)] * 2), [datetime(2001, 1, 1)])])
    assert dated.written() == "20000101T000000,20010101T000000 3600 3600"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=YEARLY;BYMONTH=2,3",
        "FREQ=YEARLY;BYMONTH=2;BYDAY=SU",
        "FREQ=YEARLY;BYMONTH=2;BYDAY=1SU,1MO",
        "FREQ=YEARLY;BYYEARDAY=100",
    ],
)
def test_a_rule_of_no_one_day_a_year_defines_no_zone(rule: str) -> None:
    with pytest.raises(ValueError, match="no one day of a year"):
        Observance(Change(datetime(2000, 1, 1), timedelta(), timedelta(hours=1)), (), recurrence.read(rule))


def test_a_definition_of_nothing_or_of_too_much_is_none() -> None:
    one = Observance(Change(datetime(2000, 1, 1), timedelta(), timedelta()))
    with pytest.raises(ValueError, match="no clock"):
        Defined("x", [])
    with pytest.raises(ValueError, match="more than"):
        Defined("x", [one] * (zones.MOST_OBSERVANCES + 1))
    with pytest.raises(ValueError, match="any on Earth"):
        Observance(Change(datetime(2000, 1, 1), timedelta(), timedelta(hours=40)))
