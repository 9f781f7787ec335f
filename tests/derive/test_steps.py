"""Steps: local hours, days and months, and none lost or doubled when clocks change."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.derive import steps

HOUR = 3_600
ZONES = ("UTC", "Europe/London", "Europe/Brussels", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana")


def _at(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Europe/Brussels", "2026-03-29", 23),
        ("Europe/Brussels", "2026-10-25", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("America/Havana", "2026-11-01", 25),  # its clocks go back at midnight
        ("America/Havana", "2026-03-08", 23),  # and forward at midnight: this day begins at one
        ("UTC", "2026-03-29", 24),
    ],
)
def test_a_local_day_is_as_long_as_it_was(zone: str, day: str, hours: float) -> None:
    noon = _at(f"{day}T12:00", zone)
    begin, end = steps.boundaries(noon, noon + 1, "day", ZoneInfo(zone)).tolist()
    assert (end - begin) / HOUR == hours
    assert f"{datetime.fromtimestamp(begin, ZoneInfo(zone)):%Y-%m-%d}" == day


def test_a_day_begins_at_its_first_midnight_even_when_asked_in_its_second() -> None:
    zone = ZoneInfo("America/Havana")
    second = int(datetime(2026, 11, 1, 0, 30, fold=1, tzinfo=zone).timestamp())
    assert steps.boundaries(second, second + 1, "day", zone)[0] == second - 1.5 * HOUR


@pytest.mark.parametrize("zone", ZONES)
def test_months_begin_on_local_firsts(zone: str) -> None:
    found = steps.boundaries(_at("2025-11-15T12:00", zone), _at("2026-02-01T00:00", zone), "month", ZoneInfo(zone))
    assert found.tolist() == [_at(f"{month}-01T00:00", zone) for month in ("2025-11", "2025-12", "2026-01", "2026-02")]


@given(
    zone=st.sampled_from(ZONES),
    step=st.sampled_from(list(steps.SECONDS)),
    begin=st.integers(
        int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    ),
    length=st.integers(0, 100 * 86_400),
)
def test_steps_cover_a_span_without_gap(zone: str, step: str, begin: int, length: int) -> None:
    length = min(length, 2_000 * steps.SECONDS[step])
    found = steps.boundaries(begin, begin + length, step, ZoneInfo(zone))
    assert found[0] <= begin
    assert found[-1] >= begin + length
    assert len(found) == 1 or found[-2] < begin + length
    assert (np.diff(found) > 0).all()


def test_a_span_that_ends_before_it_begins_has_no_step() -> None:
    for step in steps.SECONDS:
        assert len(steps.boundaries(10**9, 10**9 - 10**6, step, ZoneInfo("UTC"))) == 1
