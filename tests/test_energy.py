"""Energy: any span of any role, exact over the days on which clocks change, and never more points than can be drawn."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import energy
from appliance.derive import steps
from appliance.errors import UserError
from appliance.records import Source
from appliance.store import imports, series
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage

HOUR_MS, DAY_MS, QUARTER_MS = 3_600_000, 86_400_000, 900_000
FIRST_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
UTC = ZoneInfo("UTC")
_sources = count()
in_one_store = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _kept(
    store: Store,
    values: Sequence[int],
    *,
    role: str = "gas",
    unit: str = "m3",
    every_ms: int = HOUR_MS,
    seconds: int = 0,
    source: str = "house",
    exponent: int = -6,
    first_ms: int = FIRST_MS,
) -> None:
    at_ms = first_ms + np.arange(len(values), dtype=np.int64) * every_ms
    columns = Columns(at_ms, np.full(len(values), seconds, np.int64), np.array(values, np.int64))
    said = {"at_us": 0, "file": "f", "format": "x", "sha256": None, "named_source": "", "options": {}, "retry_of": None}
    with store.write() as connection:
        made = series.found_or_made(connection, Source(source, f"The {source}"), role, unit, exponent, seconds)
        series.append(connection, made, columns, Lineage(imports.begin(connection, **said)))


def _totals(
    store: Store, role: str, from_ms: int, to_ms: int, zone: str, step: str, source: str = ""
) -> dict[int, int]:
    parts = energy.resolved(store, source, role)
    values = energy.stepped(store, parts, from_ms, to_ms, ZoneInfo(zone), step)
    return dict(zip(values.starts_s.tolist(), values.totals.tolist(), strict=True))


@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Europe/London", "2026-03-29", 92),
        ("Europe/London", "2026-10-25", 100),
        ("Europe/Brussels", "2026-03-29", 92),
        ("Europe/Brussels", "2026-10-25", 100),
        ("Australia/Lord_Howe", "2026-10-04", 94),
        ("Australia/Lord_Howe", "2026-04-05", 98),
    ],
)
def test_the_day_on_which_clocks_change_has_what_flowed_in_it(store: Store, zone: str, day: str, quarters: int) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    first_ms = int((begin - timedelta(days=2)).timestamp() * 1000) // QUARTER_MS * QUARTER_MS
    _kept(store, range(0, 7 * 600, 7), every_ms=QUARTER_MS, first_ms=first_ms)  # 7 each quarter-hour
    begin_ms = int(begin.timestamp() * 1000)
    found = _totals(store, "gas", begin_ms - DAY_MS, begin_ms + 2 * DAY_MS, zone, "day")
    assert found[begin_ms // 1000] == 7 * quarters


@in_one_store
@given(
    steps_of=st.lists(st.integers(0, 500), min_size=2, max_size=150),
    zone=st.sampled_from(["Europe/London", "Australia/Lord_Howe"]),
)
def test_days_add_up_to_the_register_s_own_difference(store: Store, steps_of: list[int], zone: str) -> None:
    source = f"house {next(_sources)}."
    first_ms = int(datetime(2026, 3, 27, tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    values = np.cumsum(steps_of).tolist()
    _kept(store, values, source=source, first_ms=first_ms)
    end_ms = first_ms + len(values) * HOUR_MS
    for step in ("hour", "day", "month"):
        found = _totals(store, "gas", first_ms - DAY_MS, end_ms, zone, step, source)
        assert sum(found.values()) == values[-1] - values[0]


@in_one_store
@given(values=st.lists(st.integers(0, 5000), min_size=1, max_size=100), every=st.sampled_from([900, 3600, 86_400]))
def test_deltas_add_up_and_are_never_split_finer_than_they_were_given(
    store: Store, values: list[int], every: int
) -> None:
    source = f"grid {next(_sources)}."
    _kept(store, values, role="electricity.import", unit="kWh", every_ms=every * 1000, seconds=every, source=source)
    end_ms = FIRST_MS + len(values) * every * 1000
    parts = energy.resolved(store, source, "electricity.import")
    found = energy.stepped(store, parts, FIRST_MS, end_ms, UTC, "quarter-hour")
    assert (found.totals.tolist(), found.step_s) == (values, every)
    assert sum(_totals(store, "electricity.import", FIRST_MS, end_ms, "UTC", "month", source).values()) == sum(values)


def test_the_mean_of_a_gauge_is_of_all_its_values(store: Store) -> None:
    _kept(store, [100, 200, 600, 50], role="electricity.power", unit="kW", every_ms=20 * 60_000)
    parts = energy.resolved(store, "", "electricity.power")
    values = energy.stepped(store, parts, FIRST_MS, FIRST_MS + HOUR_MS, UTC, "hour")
    assert (values.totals.tolist(), values.counts.tolist()) == ([900], [3])
    assert (values.lows.tolist(), values.highs.tolist()) == ([100], [600])


# ---- which series a role is ----


def test_both_tariffs_together_are_what_was_imported(store: Store) -> None:
    _kept(store, [1_000_000, 1_500_000, 1_500_000], role="electricity.import.t1", unit="kWh")
    _kept(store, [200, 200, 207], role="electricity.import.t2", unit="kWh", exponent=-7)
    parts = energy.resolved(store, "", "electricity.import")
    columns, exponent = energy.raw(store, parts, None, None)
    assert [Decimal(value).scaleb(exponent) for value in columns.values.tolist()] == [
        Decimal("1.00002"),
        Decimal("1.50002"),
        Decimal("1.5000207"),
    ]
    values = energy.stepped(store, parts, FIRST_MS, FIRST_MS + DAY_MS, UTC, "day")
    assert sum(Decimal(each).scaleb(values.exponent) for each in values.totals.tolist()) == Decimal("0.5000007")
    assert ("house", "electricity.import") in {(each.source, each.role) for each in energy.series(store)}


def test_a_total_of_its_own_stands_over_the_sum_of_tariffs(store: Store) -> None:
    for role in ("electricity.import", "electricity.import.t1", "electricity.import.t2"):
        _kept(store, [1, 2], role=role, unit="kWh")
    assert [part.role for part in energy.resolved(store, "", "electricity.import")] == ["electricity.import"]


def test_a_role_of_several_sources_names_them_and_is_found_by_one(store: Store) -> None:
    for source in ("house", "barn"):
        _kept(store, [1, 2], source=source)
    with pytest.raises(UserError, match="several sources; name one: barn/gas, house/gas"):
        energy.resolved(store, "", "gas")
    assert [part.source for part in energy.resolved(store, "barn", "gas")] == ["barn"]


def test_a_role_that_is_not_there_says_which_are(store: Store) -> None:
    with pytest.raises(UserError, match="nothing yet"):
        energy.resolved(store, "", "water")
    _kept(store, [1, 2])
    with pytest.raises(UserError, match=r"no water; it has: gas"):
        energy.resolved(store, "", "water")
    with pytest.raises(UserError, match=r"no nowhere/gas"):
        energy.resolved(store, "nowhere", "gas")


# ---- charts ----


@pytest.mark.parametrize("hours", [1, 30, 47, 24 * 10, 24 * 500])
@pytest.mark.parametrize("step", ["auto", "raw"])
def test_a_chart_of_a_gauge_has_no_more_points_than_can_be_drawn(store: Store, hours: int, step: str) -> None:
    every_ms = max(10_000, hours * HOUR_MS // 9_000)
    _kept(store, range(9_000), role="electricity.power", unit="kW", every_ms=every_ms)
    end_ms = FIRST_MS + hours * HOUR_MS
    chart = energy.chart(store, "", "electricity.power", FIRST_MS, end_ms, UTC, step)
    assert min(100, hours * 30) <= len(chart.times_s) <= energy.POINTS + 1
    assert len(chart.times_s) == len(chart.values) == len(chart.lows) == len(chart.highs)
    assert chart.kind == "gauge"
    assert max(chart.highs) == (min(9_000, -(-hours * HOUR_MS // every_ms)) - 1) / 10**6


@pytest.mark.parametrize("days", [1, 4, 40, 400, 3_000])
def test_a_chart_of_a_register_has_bars_that_can_be_told_apart(store: Store, days: int) -> None:
    _kept(store, range(0, days * 24 * 50, 50))
    end_ms = FIRST_MS + days * DAY_MS
    chart = energy.chart(store, "", "gas", FIRST_MS, end_ms, UTC)
    assert 10 <= len(chart.times_s) <= 421
    assert chart.kind == "total"
    assert sum(chart.values) == pytest.approx((days * 24 - 1) * 50 / 10**6)
    assert chart.lows == chart.highs == []


def test_a_few_raw_readings_are_drawn_as_they_are(store: Store) -> None:
    _kept(store, [250_000, 300_000], role="electricity.power", unit="kW", every_ms=10_000)
    chart = energy.chart(store, "", "electricity.power", FIRST_MS, FIRST_MS + HOUR_MS, UTC)
    assert (chart.times_s, chart.values, chart.step_s) == ([FIRST_MS // 1000, FIRST_MS // 1000 + 10], [0.25, 0.3], 0)


@pytest.mark.parametrize("step", ["auto", *steps.NAMES])
def test_a_chart_of_a_span_without_readings_is_empty(store: Store, step: str) -> None:
    _kept(store, [1, 2])
    for from_ms, to_ms in ((0, DAY_MS), (FIRST_MS + DAY_MS, FIRST_MS)):
        assert energy.chart(store, "", "gas", from_ms, to_ms, UTC, step).values == []


@pytest.mark.parametrize(
    ("value", "exponent", "shown"),
    [
        (3432827, -3, "3432.827"),
        (5_000_000, -6, "5.000"),
        (1_234_567, -6, "1.234567"),
        (0, -6, "0.000"),
        (-5, -1, "-0.500"),
    ],
)
def test_a_value_is_shown_exactly_with_three_decimals_or_what_it_needs(value: int, exponent: int, shown: str) -> None:
    assert format(energy.decimal(value, exponent), "f") == shown
