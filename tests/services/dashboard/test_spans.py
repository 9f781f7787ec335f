"""Spans of time as a household counts them, on the days on which clocks change too."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import UserError
from services.dashboard import spans

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
HOUR_MS = 3_600_000


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)])
def test_a_day_has_the_hours_it_has(day: str, hours: int) -> None:
    span = spans.preset("day", date.fromisoformat(day), AMSTERDAM)
    assert span.to_ms - span.from_ms == hours * HOUR_MS


@pytest.mark.parametrize(
    ("name", "title", "earlier", "later"),
    [
        ("day", "Saturday 1 March 2025", "Friday 28 February 2025", "Sunday 2 March 2025"),
        ("week", "24 Feb 2025 to 2 Mar 2025", "17 Feb 2025 to 23 Feb 2025", "3 Mar 2025 to 9 Mar 2025"),
        ("month", "March 2025", "February 2025", "April 2025"),
        ("year", "2025", "2024", "2026"),
    ],
)
def test_presets_and_what_lies_beside_them(name: str, title: str, earlier: str, later: str) -> None:
    span = spans.preset(name, date(2025, 3, 1), AMSTERDAM)
    before, after = span.beside(-1, AMSTERDAM), span.beside(1, AMSTERDAM)
    assert before
    assert after
    assert (span.title, before.title, after.title) == (title, earlier, later)
    assert (before.to_ms, after.from_ms) == (span.from_ms, span.to_ms)


def test_a_span_asks_for_itself_again() -> None:
    everything = (0, 10**12)
    for said in ({"span": "month", "at": "2025-03-09"}, {"from": "2025-03-09", "to": "2025-03-11"}, {"span": "all"}):
        span = spans.asked(said, date(2025, 1, 1), everything, AMSTERDAM)
        again = spans.asked(span.arguments(), date(2025, 1, 1), everything, AMSTERDAM)
        assert (again.from_ms, again.to_ms) == (span.from_ms, span.to_ms)


def test_the_calendar_ends() -> None:
    assert spans.preset("year", date(2199, 5, 5), AMSTERDAM).beside(1, AMSTERDAM) is None
    with pytest.raises(UserError):
        spans.preset("day", date(1899, 1, 1), AMSTERDAM)
