"""Rollups against a naive model of them, and refreshed bit by bit against rebuilt as a whole."""

from collections import defaultdict
from datetime import UTC, date, datetime
from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select

from appliance.derive import happenings, registers, rollups
from appliance.derive.happenings import KIND
from appliance.derive.registers import RESET, SWAP
from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.ingest import meter_facts, stating
from appliance.records import Source
from appliance.store import imports, series
from appliance.store.database import Store
from appliance.store.models import RegisterStep, Rollup
from appliance.store.series import Columns, Lineage, SeriesId

MINUTE_MS = 60_000
KINDS = {"register": ("kWh", 0), "delta": ("kWh", 900), "gauge": ("kW", 0)}
EDGE = 20_543 * 96  # the quarter in which March 2026 turns into April, 2026-03-31T00:00Z, less a day
_numbers = count()

Block = dict[int, int]  # minutes after `FIRST_MS` -> value
FIRST_MS = (EDGE + 90) * QUARTER_MS
BLOCKS = st.lists(
    st.dictionaries(st.integers(0, 150), st.integers(-5, 1000), min_size=1, max_size=12), min_size=1, max_size=4
)


def _append(connection: Connection, made: SeriesId, block: Block, seconds: int) -> None:
    said = {"at_us": 0, "file": "f", "format": "x", "sha256": None, "named_source": "", "options": {}, "retry_of": None}
    ordered = sorted(block.items())
    at_ms = np.array([FIRST_MS + minute * MINUTE_MS for minute, _ in ordered], np.int64)
    values = np.array([value for _, value in ordered], np.int64)
    columns = Columns(at_ms, np.full(len(at_ms), seconds, np.int64), values)
    series.append(connection, made, columns, Lineage(imports.begin(connection, **said)))


def _model(kind: str, blocks: list[Block]) -> dict[int, list[int]]:
    """Each quarter's values, as a person would put them together: shares of what was counted, else the values."""
    standing: Block = {}
    for block in blocks:
        standing |= block
    ordered = [(FIRST_MS + minute * MINUTE_MS, value) for minute, value in sorted(standing.items())]
    quarters: dict[int, list[int]] = defaultdict(list)
    if kind == "register":
        at_ms, values = (np.array(each, np.int64) for each in zip(*ordered, strict=True))
        amounts = registers.used(Columns(at_ms, np.zeros(len(values), np.int64), values), "kWh", -3).amounts.tolist()
        quarters[(ordered[0][0] - 1) // QUARTER_MS].append(0)
        for ((begun, _), (ended, _)), amount in zip(pairwise(ordered), amounts[1:], strict=True):
            for quarter, share in _shared(begun, ended, amount):
                quarters[quarter].append(share)
    else:
        for at, value in ordered:
            quarters[at // QUARTER_MS].append(value)
    return quarters


def _shared(begun: int, ended: int, amount: int) -> list[tuple[int, int]]:
    """A step within two quarters is the later one's; a longer one is each quarter's by its time."""
    first, last = (begun - 1) // QUARTER_MS, (ended - 1) // QUARTER_MS
    if last - first <= 1:
        return [(last, amount)]
    edges = [begun, *range((begun // QUARTER_MS + 1) * QUARTER_MS, ended, QUARTER_MS), ended]
    reached = [amount * (edge - begun) // (ended - begun) for edge in edges]
    return [(begin // QUARTER_MS, b - a) for begin, a, b in zip(edges, reached, reached[1:], strict=False)]


def _everything(connection: Connection, made: SeriesId) -> Quarters:
    return rollups.read(connection, made, EDGE - 1000, EDGE + 1000)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(KINDS)), blocks=BLOCKS)
def test_rollups_are_what_the_model_says_and_as_if_rebuilt(store: Store, kind: str, blocks: list[Block]) -> None:
    unit, seconds = KINDS[kind]
    with store.write() as connection:
        made = series.found_or_made(connection, Source(f"meter {next(_numbers)}"), "role", unit, -3, seconds)
    for block in blocks:
        with store.write() as connection:
            _append(connection, made, block, seconds)
        assert rollups.refresh(store) == 1
    with store.write() as connection:
        found = _everything(connection, made)
        connection.execute(delete(Rollup).where(Rollup.series_id == made.id))
        ends = series.extent(connection, made)
        assert ends
        rollups.rebuild(connection, made, *ends[:2])
        rebuilt = _everything(connection, made)
    expected = _model(kind, blocks)
    assert dict(zip(found.quarters.tolist(), found.totals.tolist(), strict=True)) == {
        quarter: sum(values) for quarter, values in expected.items()
    }
    if kind == "gauge":
        extremes = list(zip(found.counts.tolist(), found.lows.tolist(), found.highs.tolist(), strict=True))
        assert extremes == [
            (len(expected[each]), min(expected[each]), max(expected[each])) for each in sorted(expected)
        ]
    for name in Quarters.__slots__:
        assert getattr(found, name).tolist() == getattr(rebuilt, name).tolist()


def test_a_reading_on_the_boundary_closes_the_quarter_before_it(store: Store) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "gas", "m3", -3, 0)
        _append(connection, made, {0: 100, 15: 130, 16: 135}, 0)
    rollups.refresh(store)
    with store.read() as connection:
        found = _everything(connection, made)
    first = FIRST_MS // QUARTER_MS
    assert dict(zip(found.quarters.tolist(), found.totals.tolist(), strict=True)) == {
        first - 1: 0,
        first: 30,
        first + 1: 5,
    }


def test_what_rules_find_is_kept_and_goes_when_it_is_no_more(store: Store) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "gas", "m3", -3, 0)
        _append(connection, made, {1: 900_000, 2: 910_000, 30: 0}, 0)
    assert _findings(store) == [("reset", 30, 0)]
    with store.write() as connection:
        _append(connection, made, {31: 911_000}, 0)  # so it was no reset
    assert _findings(store) == [("spike", 30, 0)]
    with store.read() as connection:
        assert _everything(connection, made).totals.sum() == 11_000


def test_a_gap_holds_what_was_counted_in_it_evenly_and_says_that_it_is_an_estimate(store: Store) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "electricity.import", "kWh", -3, 0)
        _append(connection, made, {0: 1000, 15: 1100, 75: 1201, 90: 1210}, 0)
    rollups.refresh(store)
    with store.read() as connection:
        found = _everything(connection, made)
    assert found.totals.tolist() == [0, 100, 25, 25, 25, 26, 9]
    assert found.cuts.tolist() == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("said", [SWAP, RESET])
@pytest.mark.parametrize("day", [date(2026, 3, 15), date(2026, 3, 31), date(2026, 4, 1)])
def test_what_happened_on_a_day_counts_once_however_it_is_counted(store: Store, day: date, said: str) -> None:
    noon_ms = int(datetime(day.year, day.month, day.day, 14, tzinfo=UTC).timestamp()) * 1000
    stating.add(store, KIND, {"at": day.isoformat(), "event": said, "source": "m", "old_register": "9000.5"}, "Ann")
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "electricity.import", "kWh", -3, 0)
    for hour in range(-40, 41):
        value = 9_000_000 + hour * 10_000 + 400 if hour < 0 else hour * 100
        columns = Columns(*(np.array([each], np.int64) for each in (noon_ms + hour * 3_600_000, 0, value * 1000)))
        with store.write() as connection:
            series.append(connection, made, columns, Lineage(link="serial", boot="b"))
        if hour % 3 == 0:
            rollups.refresh(store)
    rollups.refresh(store)
    in_steps = _total(store, made)
    with store.write() as connection:
        ends = series.extent(connection, made)
        assert ends
        rollups.rebuild(connection, made, *ends[:2], happenings.every(connection))
    assert _total(store, made) == in_steps
    [moment] = _moments(store, made)
    assert moment == noon_ms


def _total(store: Store, made: SeriesId) -> int:
    with store.read() as connection:
        return int(rollups.read(connection, made, EDGE - 10_000, EDGE + 10_000).totals.sum())


def _moments(store: Store, made: SeriesId) -> list[int]:
    with store.read() as connection:
        return [each.at_ms for each in happenings.of_series(connection, happenings.every(connection), made)]


def test_an_event_with_too_many_digits_stops_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_facts, "check", lambda *_: None)  # as a file may bring one
    said = {"at": "2026-03-31", "event": "swap", "source": "m", "old_register": "9" * 18}
    stating.add(store, KIND, said, "Ann")
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "gas", "m3", -3, 0)
        _append(connection, made, {0: 1000, 3: 1500}, 0)
    assert rollups.refresh(store) == 1
    assert _total(store, made) == 500


def test_two_values_of_one_instant_stop_nothing(store: Store) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "electricity.import", "kWh", -3, 0)
        for value in (0, 500_000_000, 900_000_000):
            columns = Columns(*(np.array([each], np.int64) for each in (FIRST_MS + bool(value) * 10_000, 0, value)))
            series.append(connection, made, columns, Lineage(link="serial", boot=str(value)))
    assert rollups.refresh(store) == 1
    assert rollups.refresh(store) == 0


def test_readings_that_come_before_others_change_what_those_were(store: Store) -> None:
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "electricity.import", "kWh", -3, 0)
        _append(connection, made, {30: 900_000_000, 45: 101_000_000}, 0)
    rollups.refresh(store)
    with store.write() as connection:
        _append(connection, made, {15: 100_000_000}, 0)
    assert _findings(store) == [("spike", 30, 0)]
    assert _total(store, made) == 1_000_000


def _findings(store: Store) -> list[tuple[str, int, int]]:
    rollups.refresh(store)
    with store.read() as connection:
        rows = connection.execute(select(RegisterStep.__table__).order_by(RegisterStep.at_ms)).all()
    return [(each.what, (each.at_ms - FIRST_MS) // MINUTE_MS, each.used) for each in rows]


def test_a_refresh_with_nothing_new_does_nothing(store: Store) -> None:
    assert rollups.refresh(store) == 0
    with store.write() as connection:
        made = series.found_or_made(connection, Source("m"), "gas", "m3", -3, 0)
        _append(connection, made, {0: 1}, 0)
    assert [rollups.refresh(store), rollups.refresh(store)] == [1, 0]
