"""iCalendar's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import UserError
from appliance.importers import icalendar
from appliance.records import Item, Record, Rejected, Source, Warned


def items(text: str, **said: str) -> list[Item]:
    return list(icalendar.extract(text.encode(), icalendar.Options(**said)))


def calendar(*lines: str, head: str = "VERSION:2.0", name: str = "VEVENT") -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", head, f"BEGIN:{name}", *lines, f"END:{name}", "END:VCALENDAR", ""])


def event(*lines: str, zone: str = "Europe/Amsterdam", **said: str) -> Record:
    [record] = [item for item in items(calendar(*lines, **said), zone=zone) if isinstance(item, Record)]
    return record


@pytest.mark.parametrize(
    ("line", "at", "offset"),
    [
        ("DTSTART;VALUE=DATE:20260301", date(2026, 3, 1), None),
        ("DTSTART:20260301", date(2026, 3, 1), None),
        ("DTSTART:20260301T090000Z", datetime(2026, 3, 1, 9), 0),
        ("DTSTART:20260701T090000", datetime(2026, 7, 1, 9), 2),
        ("DTSTART;TZID=America/New_York:20260701T090000", datetime(2026, 7, 1, 9), -4),
        ('DTSTART;TZID="Eastern Standard Time";VALUE=DATE-TIME:20260701T090000', datetime(2026, 7, 1, 9), -4),
        ("DTSTART;TZID=UTC+05:30:20260701T090000", datetime(2026, 7, 1, 9), 5.5),
        ("DTSTART:2026-07-01T09:00:00+03:00", datetime(2026, 7, 1, 9), 3),
        ("DTSTART:20260701t0900", datetime(2026, 7, 1, 9), 2),
        ("DTSTART:20260701T235960Z", datetime(2026, 7, 1, 23, 59, 59), 0),
        ("DTSTART;TZID=Europe/Berlin:20261025T023000", datetime(2026, 10, 25, 2, 30), 2),  # the first of two
        ("DTSTART;TZID=Europe/Berlin:20260329T023000", datetime(2026, 3, 29, 2, 30), 1),  # left out: as before
    ],
)
def test_a_time_is_that_of_its_zone(line: str, at: date, offset: float | None) -> None:
    found = event(line).at
    if offset is None:
        assert found == at
        assert not isinstance(found, datetime)
    else:
        assert isinstance(found, datetime)
        assert found.replace(tzinfo=None) == at
        assert found.utcoffset() == timedelta(hours=offset)


def test_a_calendar_s_own_zone_stands_over_what_is_stated() -> None:
    assert event("DTSTART:20260701T090000", head="X-WR-TIMEZONE:America/New_York").fields["zone"] == "America/New_York"
    assert event("DTSTART:20260701T090000").fields == {"zone": "Europe/Amsterdam", "floating": "yes"}


def test_without_any_zone_a_time_is_utc_and_that_is_told() -> None:
    found = items(calendar("DTSTART:20260701T090000"))
    assert [item.message for item in found if isinstance(item, Warned)] == [
        "Times that name no zone are taken as UTC; state theirs: zone=Europe/London, say."
    ]
    with pytest.raises(UserError, match="not a time zone"):
        icalendar.Options(zone="Atlantis")


def test_a_zone_with_commas_in_its_name_is_found_with_and_without_quotes() -> None:
    name = "(UTC+01:00) Amsterdam, Berlin"
    zone = f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\n"
    zone += "TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    for said in (f'"{name}"', name):
        found = event(f"DTSTART;TZID={said}:20260701T090000", head=zone, zone="")
        assert found.at == datetime(2026, 7, 1, 8, tzinfo=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("lines", "until"),
    [
        (["DTSTART:20260301", "DTEND:20260302"], "2026-03-01"),
        (["DTSTART:20260301", "DTEND:20260304"], "2026-03-03"),
        (["DTSTART:20260301", "DTEND:20260301"], "2026-03-01"),
        (["DTSTART:20260301", "DURATION:P3D"], "2026-03-03"),
        (["DTSTART:20260301T090000Z", "DTEND:20260301T100000Z"], "2026-03-01T10:00:00Z"),
        (["DTSTART:20260301T090000Z", "DURATION:PT1H30M"], "2026-03-01T10:30:00Z"),
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"], "2026-03-29T10:00:00Z"),
        (["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"], "2026-03-29T11:00:00Z"),
        (["DTSTART:20260301T090000Z", "DTEND:20260301T080000Z"], None),
        (["DTSTART:20260301T090000Z", "DTEND:20260302"], None),
        (["DTSTART:20260301T090000Z", "DURATION:-PT1H"], None),
    ],
)
def test_an_end_is_the_last_day_or_an_instant(lines: list[str], until: str | None) -> None:
    assert event(*lines).fields.get("until") == until


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (["RRULE:FREQ=WEEKLY"], {"rrule": "FREQ=WEEKLY", "repeats": "every week"}),
        (["RRULE:FREQ=ODD"], {"rrule": "FREQ=ODD", "repeats": "by a rule that this box does not know"}),
        (["RDATE:20260308,20260315"], {"rdate": "2026-03-08\n2026-03-15", "repeats": "on 2 listed days"}),
        (
            ["RRULE:FREQ=DAILY", "EXDATE:20260308", "EXDATE:20260309"],
            {"exdate": "2026-03-08\n2026-03-09", "repeats": "every day, except 2"},
        ),
        (
            ["ORGANIZER;CN=Kim:mailto:kim@example.org", 'ATTENDEE;CN="Lee, B";PARTSTAT=TENTATIVE:mailto:b@example.org'],
            {"organiser": "kim@example.org", "attendees": "Lee, B <b@example.org> (perhaps)"},
        ),
        (
            ["LOCATION:Hall\\, Mill Lane\\nOtley", "STATUS:TENTATIVE"],
            {"place": "Hall, Mill Lane, Otley", "status": "tentative"},
        ),
        (["TRANSP:TRANSPARENT", "CLASS:PRIVATE"], {"shown_as": "free", "privacy": "private"}),
        (["X-OWN:kept", "STATUS:UNHEARD-OF"], {"more": "X-OWN: kept\nSTATUS: UNHEARD-OF"}),
        (["BEGIN:VALARM", "TRIGGER:-PT15M", "END:VALARM"], {"reminders": "15 minutes before it begins"}),
    ],
)
def test_what_an_event_says_is_in_its_fields(lines: list[str], fields: dict[str, str]) -> None:
    found = event("DTSTART:20260301", "SUMMARY:x", *lines).fields
    assert {name: found.get(name) for name in fields} == fields


def test_an_occurrence_that_was_changed_is_a_record_and_named_in_the_first() -> None:
    text = calendar("UID:1", "DTSTART:20260302T190000Z", "RRULE:FREQ=WEEKLY").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260309T190000Z\r\nDTSTART:20260310T190000Z\r\nEND:VEVENT\r\nEND:VCALENDAR",
    )
    first, changed = (item for item in items(text) if isinstance(item, Record))
    assert first.fields["replaced"] == changed.fields["instead_of"] == "2026-03-09T19:00:00Z"
    assert (first.supplier_id, changed.supplier_id) == ("1", "1 2026-03-09T19:00:00Z")
    assert "replaced" not in changed.fields


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("SUMMARY:x", "no DTSTART"),
        ("DTSTART;;VALUE=DATE:20260301", "line 4: its DTSTART cannot be read: a parameter in it has no name"),
        ("DTSTART:20260230", "line 4: its DTSTART cannot be read: '20260230' is not a day of the calendar"),
        ("DTSTART:20260301T250000", "is not a time of day"),
        ("DTSTART:tomorrow", "is no day or time"),
        ("DTSTART:00010101", "too far away"),
    ],
)
def test_what_has_no_time_is_rejected_with_its_line(line: str, reason: str) -> None:
    [reject] = [item for item in items(calendar(line)) if isinstance(item, Rejected)]
    assert (reject.line, reject.where) == (3, "event 1")
    assert reason in reject.reason


def test_each_calendar_is_a_source_of_its_own() -> None:
    text = calendar("DTSTART:20260301", head="X-WR-CALNAME:Work") + calendar("DTSTART:20260301", head="NAME:Home")
    assert [item for item in items(text) if isinstance(item, Source)] == [
        Source("calendar Work", "Work"),
        Source("calendar Home", "Home"),
    ]


def test_to_dos_and_journals_are_what_fits_and_the_rest_is_told() -> None:
    todo = event("SUMMARY:Tax", "DTSTART:20260105", "DUE:20260131", "STATUS:NEEDS-ACTION", name="VTODO")
    assert (todo.kind, todo.at, todo.fields) == (
        "calendar.task",
        date(2026, 1, 31),
        {"begins": "2026-01-05", "status": "to do"},
    )
    journal = event("SUMMARY:Storm", "DTSTART:20260119", "DESCRIPTION:Two tiles", name="VJOURNAL")
    assert (journal.kind, journal.title, journal.memo) == ("note", "Storm", "Two tiles")
    found = items(calendar("DTSTART:20260119", name="VFREEBUSY"))
    assert found[0] == Warned("Not read, as they are no events: 1 VFREEBUSY.")


def test_the_key_holds_what_matters_and_nothing_of_one_export() -> None:
    said = ["UID:1", "DTSTART:20260301T090000Z", "SUMMARY:x"]
    one = event(*said, "DTSTAMP:20260101T000000Z", "SEQUENCE:1", "X-MOZ-LASTACK:1")
    assert event("DTSTAMP:20260102T000000Z", *said, "LAST-MODIFIED:20260101T000000Z").detail == one.detail
    for line in (
        "DTEND:20260301T100000Z",
        "RRULE:FREQ=DAILY",
        "LOCATION:Hall",
        "STATUS:CANCELLED",
        "ATTENDEE:mailto:a@b",
    ):
        assert event(*said, line).detail != one.detail


def _zones(count: int, years: range) -> bytes:
    part = b"BEGIN:STANDARD\nDTSTART:16010101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
    part += b"RRULE:FREQ=YEARLY;BYMONTH=2;BYDAY=5SU\nEND:STANDARD\n"
    events = b"".join(b"BEGIN:VEVENT\nDTSTART;TZID=x:%d0101T000000\nEND:VEVENT\n" % year for year in years)
    return b"BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\n" + part * count + b"END:VTIMEZONE\n" + events


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:VCALENDAR\n" * 100_000,
        b"BEGIN:VEVENT\n" * 100_000,
        b"BEGIN:VEVENT\nDTSTART:20260101\n" + b"RRULE:x\n" * 500_000,
        b"BEGIN:VEVENT\nDTSTART:20260101\nEXDATE:" + b"20260101," * 500_000,
        b"BEGIN:VEVENT\nDTSTART:20260101\n" + b"BEGIN:VALARM\n" * 200_000,
        _zones(110, range(1600, 2400)),
        _zones(5_000, range(1600, 2400)),
    ],
    ids=["calendars", "unclosed", "rules", "dates", "alarms", "zones", "too many zones"],
)
def test_hostile_files_take_linear_time(data: Any) -> None:
    """Ten seconds is a hundred times what it takes; a quadratic reader would take hours."""
    began = time.process_time()
    for _ in icalendar.extract(data, icalendar.Options()):
        pass
    assert time.process_time() - began < 10
