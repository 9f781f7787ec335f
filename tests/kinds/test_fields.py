"""What a person types, and the one normal form of it."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from appliance.kinds import Field, FieldType


@pytest.mark.parametrize(
    ("type_", "typed", "normal"),
    [
        ("text", "  Rosa\t Keller \n", "Rosa Keller"),
        ("text", "👩‍👧 خانه‌ام", "👩‍👧 خانه‌ام"),
        ("lines", " one \r\n\r\n\ttwo\r\n", "one\n\n two"),
        ("whole", "+007", "7"),
        ("whole", "−7", "-7"),
        ("decimal", "12.50", "12.50"),
        ("decimal", "-0.0", "0.0"),
        ("decimal", ".5", "0.5"),
        ("decimal", "−1200", "-1200"),
        ("day", " 2024-02-29 ", "2024-02-29"),
        ("time", "2026-11-22 14:03+01:00", "2026-11-22T14:03:00+01:00"),
        ("time", "2026-11-22t14:03:07.5z", "2026-11-22T14:03:07.500000Z"),
        ("when", "2026-11-22", "2026-11-22"),
        ("when", "2026-11-22T14:03:00+00:00", "2026-11-22T14:03:00Z"),
        ("yes_no", "True", "yes"),
        ("yes_no", "off", "no"),
        ("web", "https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("email", "jürgen.o'neil+x@post.example.co.uk", "jürgen.o'neil+x@post.example.co.uk"),
        ("phone", "+44 (0)20 7946-0018", "+442079460018"),
        ("phone", "(020) 7946 0018", "02079460018"),
        ("phone", "112", "112"),
        ("place", "+51.5007 , -0.1246", "51.5007,-0.1246"),
        ("place", "-90,180", "-90,180"),
        ("photo", f" {'AB' * 32}", "ab" * 32),
        ("file", "0" * 64, "0" * 64),
        ("meter_point", "13 1234 5678 907", "1312345678907"),
        ("meter_point", "S 00 111 222 13 1234 5678 907", "1312345678907"),
        ("meter_point", "5414 4882 0041 2345 61", "541448820041234561"),
        ("meter_point", "qaaavzzzzz3", "QAAAVZZZZZ3"),
        ("meter_point", "41373559241", "41373559241"),
        ("meter_point", "10012345678", "10012345678"),
        ("meter_point", "FR 1234567890 1234", "FR12345678901234"),
    ],
)
def test_what_is_typed_has_one_normal_form(type_: str, typed: str, normal: str) -> None:
    assert FieldType(type_).read(typed) == normal


@pytest.mark.parametrize(
    ("type_", "typed", "says"),
    [
        ("text", "a\0b", "cannot be shown"),
        ("text", "\ud800", "cannot be shown"),
        ("text", "x" * 1001, "at most 1,000"),
        ("whole", "1.0", "such as 42"),
        ("whole", "٣", "such as 42"),
        ("decimal", "12,50", "a point before the decimals"),
        ("decimal", "1e5", "a point"),
        ("decimal", "NaN", "a point"),
        ("decimal", "", "a point"),
        ("day", "22/11/2026", "such as 2026-11-22"),
        ("day", "2026-02-30", "a day of the calendar"),
        ("day", "20261122", "such as 2026-11-22"),
        ("time", "2026-11-22T14:03", "offset"),
        ("time", "2026-11-22T25:03Z", "such as"),
        ("time", "0001-01-01T00:00+01:00", "such as"),
        ("time", "2026-11-22", "such as"),
        ("when", "soon", "such as 2026-11-22"),
        ("yes_no", "perhaps", "yes or no"),
        ("web", "javascript:alert(1)", "https://"),
        ("web", "javascript://example.org/%0aalert(1)", "https://"),
        ("web", "www.example.org", "https://"),
        ("web", "https://", "https://"),
        ("web", "https://[1", "https://"),
        ("web", "https://example.org/a b", "https://"),
        ("web", "https://example.org:99999/", "https://"),
        ("email", "kim@home", "kim@example.org"),
        ("email", "kim at example.org", "kim@example.org"),
        ("email", "a@b.example,c@d.example", "kim@example.org"),
        ("phone", "call me", "digits"),
        ("phone", "12", "digits"),
        ("phone", "1" * 16, "digits"),
        ("place", "91,0", "51.5007"),
        ("meter_point", "1312345678097", "as it stands on the bill"),
        ("meter_point", "541448820041234571", "as it stands on the bill"),
        ("meter_point", "QAAAVZZZZZ4", "as it stands on the bill"),
        ("meter_point", "41373559214", "as it stands on the bill"),
        ("meter_point", "the one in the hall", "write its digits"),
        ("place", "0,180.5", "51.5007"),
        ("place", "London", "51.5007"),
    ],
)
def test_what_cannot_be_kept_says_what_to_write(type_: str, typed: str, says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("(", r"\(")):
        FieldType(type_).read(typed)


def test_a_choice_is_found_however_it_is_written_and_else_named() -> None:
    field = Field("Type", FieldType.CHOICE, choices=("SMS", "MMS"))
    assert field.read(" sms ") == "SMS"
    with pytest.raises(ValueError, match="'fax' is not there to choose; write one of SMS, MMS"):
        field.read("fax")


@settings(deadline=None)
@given(st.sampled_from(FieldType), st.text() | st.from_regex(r"[ +\-0-9.:,@/TZ]{0,30}"))
def test_reading_twice_changes_nothing_and_only_plain_sentences_are_raised(type_: FieldType, text: str) -> None:
    try:
        normal = type_.read(text)
    except ValueError as error:
        told = str(error)
    else:
        told = "; write nothing else"
        assert type_.read(normal) == normal
        normal.encode()
    assert "; write" in told


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**17), max_value=10**17))
def test_decimals_keep_their_digits(number: Decimal) -> None:
    assert Decimal(FieldType.DECIMAL.read(f"{number:f}")).as_tuple() == (number if number else abs(number)).as_tuple()


@settings(deadline=None)
@given(st.datetimes(), st.integers(-1439, 1439))
def test_a_time_stays_the_same_instant_in_the_offset_it_was_said_in(naive: datetime, minutes: int) -> None:
    at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    try:
        at.astimezone(UTC)
    except OverflowError:
        assume(False)
    read = datetime.fromisoformat(FieldType.TIME.read(at.isoformat()))
    assert (read, read.utcoffset()) == (at, at.utcoffset())


@settings(deadline=None)
@given(st.dates())
def test_a_day_stays_the_same_day(day: date) -> None:
    assert FieldType.DAY.read(day.isoformat()) == FieldType.WHEN.read(day.isoformat()) == day.isoformat()
