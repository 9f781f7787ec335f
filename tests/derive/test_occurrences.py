"""Occurrences of events that repeat, exact over changes of clocks, in what is shown and in what is asked for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.derive import occurrences
from appliance.ingest import importing, stating
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.query import Query
from appliance.store.records import Stored

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
CHOIR = ("DTSTART;TZID=Europe/Amsterdam:20260302T193000", "DTEND;TZID=Europe/Amsterdam:20260302T210000")
WEEKLY = (*CHOIR, "UID:1", "RRULE:FREQ=WEEKLY", "SUMMARY:Choir")


def calendar(*events: Sequence[str], head: str = "VERSION:2.0", name: str = "VEVENT") -> bytes:
    bodies = ["\r\n".join([f"BEGIN:{name}", *lines, f"END:{name}"]) for lines in events]
    return "\r\n".join(["BEGIN:VCALENDAR", head, *bodies, "END:VCALENDAR", ""]).encode()


def bring(store: Store, *events: Sequence[str], head: str = "VERSION:2.0", name: str = "VEVENT") -> list[Stored]:
    """The records of a calendar's components, in the file's order."""
    data = calendar(*events, head=head, name=name)
    report = importing.import_bytes(store, data, "c.ics", zone="Europe/Amsterdam")
    assert report.stored == len(events), report
    with store.read() as connection:
        return sorted(timeline.matching(connection, Query(import_id=report.id)), key=lambda each: each.id)


def begins(record: Stored, first: str, last: str) -> list[str]:
    found = occurrences.between(record, date.fromisoformat(first), date.fromisoformat(last), AMSTERDAM)
    return [occurrences.said(each.begins) for each in found]


def test_half_past_seven_is_half_past_seven_in_winter_and_in_summer(store: Store) -> None:
    [choir] = bring(store, WEEKLY)
    assert begins(choir, "2026-03-20", "2026-04-06") == [
        "2026-03-23T18:30:00Z",
        "2026-03-30T17:30:00Z",
        "2026-04-06T17:30:00Z",
    ]
    [found] = occurrences.between(choir, date(2026, 3, 30), date(2026, 3, 30), AMSTERDAM)
    assert found.ends == datetime(2026, 3, 30, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "day", "instant"),
    [
        ("20260301T023000", "2026-03-29", "2026-03-29T01:30:00Z"),  # half past two is left out: half past three
        ("20261001T023000", "2026-10-25", "2026-10-25T00:30:00Z"),  # it comes twice: the first one
    ],
)
def test_the_hours_of_a_change_of_clocks(store: Store, begin: str, day: str, instant: str) -> None:
    [each] = bring(store, (f"DTSTART;TZID=Europe/Amsterdam:{begin}", "RRULE:FREQ=DAILY", "SUMMARY:Early"))
    assert begins(each, day, day) == [instant]


def test_a_zone_of_the_file_s_own_is_kept_with_the_event(store: Store) -> None:
    part = (
        "BEGIN:{}\r\nDTSTART:{}\r\nTZOFFSETFROM:{}\r\nTZOFFSETTO:{}\r\nRRULE:FREQ=YEARLY;BYMONTH={};BYDAY={}\r\nEND:{}"
    )
    zone = "\r\n".join(
        [
            "BEGIN:VTIMEZONE\r\nTZID:House",
            part.format("DAYLIGHT", "20070311T020000", "-0500", "-0400", 3, "2SU", "DAYLIGHT"),
            part.format("STANDARD", "20071104T020000", "-0400", "-0500", 11, "1SU", "STANDARD"),
            "END:VTIMEZONE",
        ]
    )
    [each] = bring(store, ("DTSTART;TZID=House:20260302T090000", "RRULE:FREQ=WEEKLY", "SUMMARY:x"), head=zone)
    assert begins(each, "2026-03-01", "2026-03-10") == ["2026-03-02T14:00:00Z", "2026-03-09T13:00:00Z"]


def test_what_is_left_out_or_stands_elsewhere_is_none_and_what_is_listed_besides_is_one(store: Store) -> None:
    choir, changed = bring(
        store,
        (
            *WEEKLY,
            "EXDATE;TZID=Europe/Amsterdam:20260309T193000",
            "EXDATE;VALUE=DATE:20260316",
            "RDATE;VALUE=PERIOD:20260311T190000Z/PT30M",
            "RDATE:20260302T183000Z",
        ),
        ("UID:1", "RECURRENCE-ID:20260323T183000Z", "DTSTART:20260324T183000Z", "SUMMARY:Choir on Tuesday"),
    )
    assert begins(choir, "2026-03-01", "2026-03-31") == [
        "2026-03-02T18:30:00Z",
        "2026-03-11T19:00:00Z",
        "2026-03-30T17:30:00Z",
    ]
    assert begins(changed, "2026-03-01", "2026-03-31") == ["2026-03-24T18:30:00Z"]
    [listed] = occurrences.between(choir, date(2026, 3, 11), date(2026, 3, 11), AMSTERDAM)
    assert listed.ends == datetime(2026, 3, 11, 19, 30, tzinfo=UTC)


def test_from_a_change_of_all_later_ones_on_there_is_none(store: Store) -> None:
    choir, _ = bring(
        store,
        WEEKLY,
        ("UID:1", "RECURRENCE-ID;RANGE=THISANDFUTURE:20260316T183000Z", "DTSTART:20260317T183000Z", "SUMMARY:Later"),
    )
    assert begins(choir, "2026-03-01", "2026-12-31") == ["2026-03-02T18:30:00Z", "2026-03-09T18:30:00Z"]


@pytest.mark.parametrize(
    ("until", "count"), [("20260316T183000Z", 3), ("20260316T182959Z", 2), ("20260316", 3), ("20260315", 2)]
)
def test_an_end_is_the_last_that_may_be(store: Store, until: str, count: int) -> None:
    [choir] = bring(store, (*CHOIR, f"RRULE:FREQ=WEEKLY;UNTIL={until}", "SUMMARY:Choir"))
    assert len(begins(choir, "2026-01-01", "2027-01-01")) == count


def test_days_stay_days(store: Store) -> None:
    [bins] = bring(store, ("DTSTART:20260303", "DTEND:20260305", "RRULE:FREQ=WEEKLY;INTERVAL=2", "SUMMARY:Bins"))
    assert begins(bins, "2026-03-01", "2026-03-31") == ["2026-03-03", "2026-03-17", "2026-03-31"]
    [found] = occurrences.between(bins, date(2026, 3, 17), date(2026, 3, 17), AMSTERDAM)
    assert found.ends == date(2026, 3, 18)


def test_a_birthday_on_29_february_comes_again_after_its_years(store: Store) -> None:
    [birthday] = bring(store, ("DTSTART:20240229", "RRULE:FREQ=YEARLY", "SUMMARY:Birthday"))
    found = occurrences.upcoming(birthday, datetime(2025, 1, 1, tzinfo=UTC), AMSTERDAM)
    assert [each.begins for each in found] == [date(2028, 2, 29), date(2032, 2, 29)]


def test_the_next_ones_are_those_that_are_not_past(store: Store) -> None:
    [choir] = bring(store, WEEKLY)
    now = datetime(2026, 3, 9, 18, 31, tzinfo=UTC)
    found = occurrences.upcoming(choir, now, AMSTERDAM, count=2)
    assert [occurrences.said(each.begins) for each in found] == ["2026-03-16T18:30:00Z", "2026-03-23T18:30:00Z"]
    over = bring(store, (*CHOIR, "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:Short"))[0]
    assert occurrences.upcoming(over, now, AMSTERDAM) == []


def test_a_to_do_counts_from_its_begin(store: Store) -> None:
    [todo] = bring(store, ("DTSTART:20260101", "DUE:20260131", "RRULE:FREQ=YEARLY", "SUMMARY:Tax"), name="VTODO")
    [found] = occurrences.between(todo, date(2027, 1, 1), date(2027, 12, 31), AMSTERDAM)
    assert (found.begins, found.ends) == (date(2027, 1, 1), date(2027, 1, 31))


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=ODD", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
def test_a_rule_that_cannot_be_worked_out_gives_the_first_alone(store: Store, rule: str) -> None:
    [each] = bring(store, (*CHOIR, f"RRULE:{rule}", "SUMMARY:x"))
    assert begins(each, "2026-01-01", "2040-01-01") == ["2026-03-02T18:30:00Z"]


def test_an_hour_s_rule_is_bounded(store: Store) -> None:
    [each] = bring(store, ("DTSTART:20200101T000000Z", "RRULE:FREQ=HOURLY", "SUMMARY:Bell"))
    assert len(begins(each, "2026-01-01", "2199-01-01")) == occurrences.MOST


def test_an_event_that_a_person_said_occurs_when_it_does(store: Store) -> None:
    said = {"title": "Dentist", "at": "2026-03-10T09:00:00+01:00", "until": "2026-03-10T10:00:00+01:00"}
    number = stating.add(store, "calendar.event", said, "Ada").id
    with store.read() as connection:
        [record] = timeline.matching(connection, Query(kind="calendar.event"))
    assert record.id == number
    assert not occurrences.repeats(record.fields)
    assert begins(record, "2026-03-10", "2026-03-10") == ["2026-03-10T08:00:00Z"]


def test_lists_that_a_person_mended_badly_are_passed_over(store: Store) -> None:
    [choir] = bring(store, (*WEEKLY, "RDATE:20260311T190000Z"))
    stating.correct(store, choir.id, {"rdate": "some day\n2026-03-12T19:00:00Z/later", "exdate": "never"}, "Ada", "")
    with store.read() as connection:
        [record] = timeline.matching(connection, Query(kind="calendar.event"))
    assert begins(record, "2026-03-02", "2026-03-12") == ["2026-03-02T18:30:00Z", "2026-03-09T18:30:00Z"]


def test_what_began_earlier_and_occurs_in_the_days_that_are_asked_for_is_found(store: Store) -> None:
    bring(
        store,
        WEEKLY,
        (*CHOIR, "RRULE:FREQ=WEEKLY;COUNT=2", "SUMMARY:Short"),
        ("DTSTART:20260401", "SUMMARY:Once"),
        ("DTSTART:20260505", "RRULE:FREQ=DAILY", "SUMMARY:Begins in them"),
    )

    def found(**asked: object) -> list[tuple[str, int]]:
        query = Query(**{"kind": "calendar.event", "zone": AMSTERDAM, **asked})  # type: ignore[arg-type]
        with store.read() as connection:
            return [(record.title, len(times)) for record, times in occurrences.matching(connection, query)]

    assert found(first_day=date(2026, 5, 4), last_day=date(2026, 5, 18)) == [("Choir", 3)]
    assert found(first_day=date(2026, 5, 5), last_day=date(2026, 5, 10)) == []
    assert found(first_day=date(2026, 5, 4), last_day=date(2026, 5, 18), search="short") == []
    assert found(first_day=date(2026, 5, 4), last_day=date(2026, 5, 18), kind="") == []
    assert found(last_day=date(2026, 5, 18)) == []
