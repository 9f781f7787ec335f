"""Recurrence rules: in plain words, and worked out as dateutil does, without its endless searches."""

import time
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance import recurrence

BEGIN = datetime(2026, 1, 5, 9, 30)  # a Monday


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=WEEKLY;BYDAY=MO", "every week on Monday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;COUNT=10", "every 2 weeks on Monday, Wednesday and Friday, 10 times"),
        ("freq=weekly;byday=mo,tu,we,th,fr", "every week from Monday to Friday"),
        ("FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20261231", "every month on the last Friday, until 31 December 2026"),
        ("FREQ=MONTHLY;BYDAY=2TU,4TU", "every month on the second Tuesday and the fourth Tuesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,22,-1", "every month on the 1st, the 22nd and the last day"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last working day"),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "every month on the first Saturday or Sunday"),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25", "every year on 25 December"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "every year on the last Sunday in March"),
        ("FREQ=YEARLY;BYYEARDAY=100,-1", "every year on the year’s 100th day and last day"),
        ("FREQ=YEARLY;BYWEEKNO=20", "every year in the year’s 20th week"),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=5", "every day at 9:05 and 17:05"),
        ("RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=OMIT", "every year"),
        ("FREQ=MINUTELY;INTERVAL=5", "every 5 minutes"),
    ],
)
def test_a_rule_is_said_in_plain_words(rule: str, words: str) -> None:
    assert recurrence.words(recurrence.read(rule)) == words


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("", "how often"),
        ("FREQ=SOMETIMES", "how often"),
        ("W1 MO #0", "NAME=VALUE"),
        ("FREQ=DAILY;FREQ=WEEKLY", "each name once"),
        ("FREQ=DAILY;INTERVAL=0", "from 1 on"),
        ("FREQ=DAILY;COUNT=many", "from 1 on"),
        ("FREQ=DAILY;UNTIL=20260230", "no day or time"),
        ("FREQ=WEEKLY;BYDAY=XX", "day of the week"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "from 1 to 31"),
        ("FREQ=DAILY;BYHOUR=-1", "from 0 to 23"),
        ("RSCALE=HEBREW;FREQ=YEARLY", "RSCALE"),
        ("FREQ=DAILY;BYDAY=" + "MO," * 1000, "longer"),
    ],
)
def test_what_is_no_rule_says_why(rule: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        recurrence.read(rule)


def between(rule: str, first: datetime, end: datetime, begin: datetime = BEGIN) -> list[datetime]:
    return list(recurrence.between(recurrence.read(rule), begin, first, end))


def test_a_count_is_counted_from_the_beginning() -> None:
    found = between("FREQ=WEEKLY;COUNT=4", datetime(2026, 1, 12), datetime(2027, 1, 1))
    assert [each.date() for each in found] == [date(2026, 1, 12), date(2026, 1, 19), date(2026, 1, 26)]


def test_the_first_is_one_though_the_rule_would_not_give_it_and_counts() -> None:
    found = between("FREQ=WEEKLY;BYDAY=WE;COUNT=3", BEGIN, datetime(2027, 1, 1))
    assert [each.date() for each in found] == [date(2026, 1, 5), date(2026, 1, 7), date(2026, 1, 14)]


def test_a_week_of_the_year_is_on_the_day_of_the_first() -> None:
    found = between("FREQ=YEARLY;BYWEEKNO=20", datetime(2027, 1, 1), datetime(2028, 1, 1))
    assert [each.date() for each in found] == [date(2027, 5, 17)]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19;BYMINUTE=1,2,3,4,5,6,7,8,9,10",
        "FREQ=DAILY;INTERVAL=999999999",
    ],
)
def test_a_rule_that_never_occurs_again_or_too_often_has_its_first_alone(rule: str) -> None:
    assert between(rule, BEGIN, datetime(2030, 1, 1)) == [BEGIN]


def test_a_rule_that_never_occurs_again_is_given_up_soon() -> None:
    """It takes three seconds; dateutil by itself looks on until the year 9999, which takes it a minute."""
    began = time.process_time()
    for month in range(2, 12, 2):
        for rule in ("FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2,3,4", "FREQ=HOURLY;BYDAY=MO"):
            assert between(f"{rule};BYMONTH={month};BYMONTHDAY=31;BYYEARDAY=1", BEGIN, datetime(2030, 1, 1)) == [BEGIN]
    assert time.process_time() - began < 20


def test_its_end_is_an_instant_a_local_time_or_a_day() -> None:
    local, instant = datetime(2026, 3, 1, 19), datetime(2026, 3, 1, 18, tzinfo=UTC)
    ends = {"20260301T180000Z": False, "20260301T175959Z": True, "20260301": False, "20260228": True}
    ends |= {"20260301T190000": False, "20260301T185959": True}
    for until, is_over in ends.items():
        assert recurrence.read(f"FREQ=DAILY;UNTIL={until}").is_over(local, instant) is is_over, until


_RULES = st.builds(
    lambda *parts: ";".join(filter(None, parts)),
    st.sampled_from(["FREQ=YEARLY", "FREQ=MONTHLY", "FREQ=WEEKLY", "FREQ=DAILY"]),
    st.sampled_from(["", "INTERVAL=2", "INTERVAL=5"]),
    st.sampled_from(["", "BYMONTH=1,6", "BYMONTH=2"]),
    st.sampled_from(["", "BYDAY=MO,FR", "BYDAY=WE", "BYMONTHDAY=1,15,-1", "BYMONTHDAY=29"]),
    st.sampled_from(["", "BYHOUR=8,20", "WKST=SU"]),
    st.sampled_from(["", "COUNT=7", "COUNT=200"]),
)


@settings(deadline=None)  # where a rule never occurs again, dateutil takes its time
@given(_RULES, st.integers(0, 3000), st.integers(1, 900))
def test_what_is_worked_out_far_on_is_what_dateutil_gives_from_the_beginning(rule: str, days: int, length: int) -> None:
    first = BEGIN + timedelta(days=days)
    end = first + timedelta(days=length)
    every = takewhile(lambda at: at < end, rrule.rrulestr(rule, dtstart=BEGIN))
    theirs = [at for at in islice(every, 20_000) if at >= first]
    ours = between(rule, first, end)
    is_counted = "COUNT" in rule and BEGIN not in rrule.rrulestr(rule, dtstart=BEGIN)
    if not is_counted:  # there, the first counts for us and not for dateutil
        assert [at for at in ours if at != BEGIN] == [at for at in theirs if at != BEGIN]
