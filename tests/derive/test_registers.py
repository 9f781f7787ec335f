"""Registers: after a swap, a reset, a rollover or a garbled value the sum is what was used, and no spike is in it."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.derive.registers import (
    BACK,
    JUMP,
    MOVE,
    MULTIPLIER,
    RESET,
    ROLLOVER,
    SPIKE,
    SWAP,
    Finding,
    Happening,
    used,
)
from appliance.store.series import Columns

MINUTE_MS = 60_000
Said = tuple[Happening, ...]


def _columns(values: list[float], every_ms: int = MINUTE_MS) -> Columns:
    """A reading each minute from 0 on, in Wh of kWh."""
    at_ms = np.arange(len(values), dtype=np.int64) * every_ms
    scaled = np.array([round(value * 1000) for value in values], np.int64)
    return Columns(at_ms, np.zeros(len(values), np.int64), scaled)


def _of(values: list[float], devices: list[str] | None = None, said: Said = ()) -> tuple[float, list[tuple[str, int]]]:
    """What was used altogether in kWh, and what was found, at which reading."""
    found = used(_columns(values), "kWh", -3, devices, said)
    return int(found.amounts.sum()) / 1000, [(each.what, each.at_ms // MINUTE_MS) for each in found.findings]


@given(st.lists(st.integers(0, 1600), min_size=1, max_size=50))
def test_plain_use_is_the_difference_and_nothing_is_found(steps: list[int]) -> None:
    columns = _columns([(5_000_000 + sum(steps[: number + 1])) / 1000 for number in range(len(steps))])
    found = used(columns, "kWh", -3)
    assert found.amounts.tolist() == [0, *np.diff(columns.values).tolist()]
    assert found.findings == []


@pytest.mark.parametrize(
    ("values", "expected", "findings"),
    [
        ([812.0, 812.4, 0.1, 0.3], 0.4 + 0.1 + 0.2, [(RESET, 2)]),
        ([99_998.0, 99_999.5, 0.5, 1.0], 1.5 + 1.0 + 0.5, [(ROLLOVER, 2)]),
        ([9_999.9, 0.2], 0.3, [(ROLLOVER, 1)]),
        ([999_999.95, 0.05], 0.1, [(ROLLOVER, 1)]),
        ([500.0, 500.2, 4_000_000.0, 500.4, 500.5], 0.5, [(SPIKE, 2)]),
        ([500.0, 500.2, 0.0, 500.4, 500.5], 0.5, [(SPIKE, 2)]),
        ([4.8, 0.0, 5.0], 0.2, [(SPIKE, 1)]),
        ([0.3, 0.0, 0.4], 0.4, [(RESET, 1)]),
        ([500.0, 500.2, 0.0], 0.2, [(RESET, 2)]),
        ([500.0, 300.0, 300.5], 0.5, [(BACK, 1)]),
        ([500.0, 9000.0, 9000.5], 0.5, [(JUMP, 1)]),
        ([5000.0, 5000.1, 0.0, 0.0, 5000.2], 0.2, [(SPIKE, 2)]),
        ([50.0, 50.1, 0.0, 0.0, 50.2], 0.2, [(SPIKE, 2)]),
        ([50.0, *[9e6] * 15, 50.2, 50.3], 0.3, [(SPIKE, 1)]),
        ([0.0, 5000.2, 5000.3], 0.1, [(JUMP, 1)]),
        ([50.0, 50.01, 49.99, 50.0, 50.02], 0.02, []),
        ([80.0, 80.01, 80.005, 80.012], 0.012, []),
        ([9950.0, 0.5], 0.5, [(RESET, 1)]),
    ],
)
def test_what_a_counter_does_beside_counting(
    values: list[float], expected: float, findings: list[tuple[str, int]]
) -> None:
    total, found = _of(values)
    assert (total, found) == (round(expected, 3), findings)


@pytest.mark.parametrize(
    ("unit", "hours", "values", "expected", "findings"),
    [
        ("kWh", 31, [3000.0, 2999.9], 0, []),
        ("kWh", 720, [10_000.0, 10_500.0, 10_450.0, 10_700.0], 700, []),
        ("m3", 336, [10_000.0, 10_100.0, 10_090.0, 10_300.0], 300, []),
        ("kWh", 336, [45_000.0, 12_000.0, 12_100.0], 100, [BACK]),
        ("kWh", 14, [20.0, 0.5, 1.5], 1.5, [RESET]),
    ],
    ids=["a night", "monthly estimates", "fortnights of gas", "another meter without a number", "a day's counter"],
)
def test_readings_that_are_far_apart(
    unit: str, hours: int, values: list[float], expected: float, findings: list[str]
) -> None:
    found = used(_columns(values, hours * 3_600_000), unit, -3)
    assert found.amounts.sum() == expected * 1000
    assert [each.what for each in found.findings] == findings


def test_an_exchange_in_a_long_gap_is_none_of_the_use() -> None:
    gap = _columns([12_000.0, 40_000.0], 14 * 86_400_000)
    found = used(gap, "kWh", -3, ["A", "B"])
    assert (int(found.amounts.sum()), [each.what for each in found.findings]) == (0, [SWAP])
    assert _of([4_321.5, 4_390.0], ["A", "B"]) == (0.0, [(SWAP, 1)])
    assert _of([4_321.5, 4_321.6, 17.0], ["A", "", "B"]) == (0.1, [(SWAP, 2)])


def test_another_meter_counts_from_where_it_begins() -> None:
    assert _of([4_321.0, 4_321.5, 17.0, 17.2], ["A", "A", "B", "B"]) == (0.7, [(SWAP, 2)])
    assert _of([3.0, 3.5, 1_817.0, 1_817.2], ["A", "A", "B", "B"]) == (0.7, [(SWAP, 2)])


def test_a_meter_that_only_changes_its_name_goes_on_counting() -> None:
    assert _of([4_321.0, 4_321.5, 4_321.6], ["A", "A", "B"]) == (0.6, [])
    assert _of([4_321.0, 4_321.5, 4_321.6], ["", "A", "A"]) == (0.6, [])


@pytest.mark.parametrize(
    ("values", "said", "expected"),
    [
        ([400.0, 10.0, 10.5], [Happening(30_000, SWAP, before=401_000, after=9_500)], 1.0 + 0.5 + 0.5),
        ([400.0, 10.0, 10.5], [Happening(60_000, SWAP)], 0.5),
        ([400.0, 10.0, 10.5], [Happening(30_000, RESET)], 10.5),
        ([400.0, 10.0], [Happening(30_000, RESET, before=402_000)], 2.0 + 10.0),
        ([99_000.0, 500.0], [Happening(30_000, ROLLOVER)], 1_500.0),
        ([899.0, 2.0], [Happening(30_000, ROLLOVER, before=900_000)], 3.0),
        ([400.0, 8_000.0, 8_001.0], [Happening(30_000, MOVE)], 1.0),
        (
            [400.0, 10.0, 10.5],
            [Happening(20_000, SWAP, 400_500, 100_000), Happening(40_000, SWAP, 100_200, 9_000)],
            2.2,
        ),
        ([100.0, 110.0, 120.0, 130.0], [Happening(60_000, MULTIPLIER, factor=Decimal("0.1"), until_ms=120_000)], 21.0),
        ([100.0, 110.0, 120.0], [Happening(60_000, MULTIPLIER, factor=Decimal(1) / 3)], 10 + 3.333),
    ],
)
def test_what_a_person_says_stands_before_every_rule(
    values: list[float], said: list[Happening], expected: float
) -> None:
    assert _of(values, said=tuple(said)) == (round(expected, 3), [])


def test_a_clock_that_was_read_two_hours_late_and_is_put_right_counts_nothing_twice() -> None:
    late, true = 120 + np.arange(0, 300, dtype=np.int64), np.arange(300, 600, dtype=np.int64)
    minutes, wh = np.concatenate([late, true]), 40 * np.arange(600, dtype=np.int64)  # 2.4 kW all the time
    order = np.argsort(minutes, kind="stable")
    found = used(Columns(minutes[order] * MINUTE_MS, np.zeros(600, np.int64), wh[order]), "kWh", -3)
    assert int(found.amounts.sum()) == wh[-1] - wh[0]
    assert found.findings == []


def test_a_finding_says_what_it_counted() -> None:
    [finding] = used(_columns([812.0, 0.1]), "kWh", -3).findings
    assert finding == Finding(MINUTE_MS, RESET, 812_000, 100, 100)
    assert finding.is_sure
    assert not Finding(0, BACK, 2, 1, 0).is_sure


def test_one_reading_or_none_counts_nothing() -> None:
    assert used(_columns([5.0]), "kWh", -3).amounts.tolist() == [0]
    assert used(_columns([]), "kWh", -3).amounts.tolist() == []
