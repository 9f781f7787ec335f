"""Pulses: each counted once, in its second, exactly; bounces and noise told from them; the missed ones known."""

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.messages import to_line
from appliance.meters import pulses
from appliance.records import Frame, MeterReading

NOW_MS = 1_700_000_000_000
BOOT_NS = 8_123_000_000_000  # the monotonic clock at NOW_MS
MS = 1_000_000


def _meter(**options: object) -> pulses.Meter:
    return pulses.Meter(pulses.Options(**options), ZoneInfo("UTC"))  # type: ignore[arg-type]


def _edge(at_ms: float, read_ms: float | None = None, seq: int | None = None) -> bytes:
    """An edge so many milliseconds after NOW_MS, and when it was read."""
    said = {
        "edge_ns": BOOT_NS + round(at_ms * MS),
        "read_ns": BOOT_NS + round((at_ms if read_ms is None else read_ms) * MS),
    }
    return to_line("gpiochip0/17", json.dumps(said | ({"seq": seq} if seq is not None else {})).encode())


def _live(meter: pulses.Meter, *at_ms: float, until_ms: float) -> list[Frame]:
    """Edges that are read as they happen, and the end of the last one's second."""
    frames = [frame for at in at_ms for frame in meter.feed(_edge(at), NOW_MS + round(at))]
    return frames + meter.feed(b"", NOW_MS + round(until_ms))


def _used(frames: list[Frame], role: str = "electricity.import") -> list[tuple[int, str]]:
    """Seconds after NOW_MS, and what was used in them."""
    return [((each.at_ms - NOW_MS) // 1000, str(each.value)) for each in _readings(frames) if each.role == role]


def _readings(frames: list[Frame]) -> Iterator[MeterReading]:
    return (reading for frame in frames for reading in frame.readings)


def test_a_second_is_one_reading_given_out_when_it_is_over() -> None:
    meter = _meter()
    assert meter.feed(_edge(100) + _edge(600), NOW_MS + 600) == []
    assert meter.feed(b"", NOW_MS + 999) == []
    (frame,) = meter.feed(b"", NOW_MS + 1000)
    used = MeterReading("electricity.import", NOW_MS, Decimal("0.002"), "kWh", seconds=1)
    assert frame == Frame("gpiochip0/17", (used,))
    assert meter.feed(b"", NOW_MS + 5000) == []
    assert meter.counters.telegrams == 1


def test_a_later_edge_shows_that_a_second_is_over() -> None:
    meter = _meter()
    assert meter.feed(_edge(500), NOW_MS + 500) == []
    assert _used(meter.feed(_edge(1200), NOW_MS + 1200)) == [(0, "0.001")]


def test_an_edge_is_in_the_second_in_which_it_happened_however_late_it_is_read() -> None:
    meter = _meter()
    stalled = b"".join(_edge(at, read_ms=30_000) for at in (400, 900, 1500, 29_000))
    frames = meter.feed(stalled, NOW_MS + 30_000) + meter.feed(b"", NOW_MS + 30_500)
    assert _used(frames) == [(0, "0.002"), (1, "0.001"), (29, "0.001")]


def test_a_pulse_that_is_found_after_its_second_was_given_out_goes_into_the_next() -> None:
    meter = _meter()
    meter.feed(_edge(100), NOW_MS + 100)
    assert _used(meter.feed(b"", NOW_MS + 1001)) == [(0, "0.001")]
    frames = meter.feed(_edge(999, read_ms=1002), NOW_MS + 1002)
    frames += meter.feed(_edge(1500), NOW_MS + 1500) + meter.feed(b"", NOW_MS + 2000)
    assert _used(frames) == [(1, "0.002")]


def test_three_pulses_to_the_kwh_are_one_kwh_at_every_third() -> None:
    meter = _meter(per_unit=Decimal(3))
    frames = _live(meter, *range(0, 9000, 1000), until_ms=9000)
    values = [reading.value for reading in _readings(frames) if reading.unit == "kWh"]
    assert [str(value) for value in values[:3]] == ["0.333333", "0.333333", "0.333334"]
    assert sum(values) == 3


@pytest.mark.parametrize(
    ("per_unit", "value"),
    [("1000", "0.001"), ("100", "0.01"), ("1", "1"), ("800", "0.00125"), ("6400", "0.00015625"), ("0.1", "10")],
)
def test_a_pulse_that_is_a_finite_decimal_is_stated_with_all_its_places(per_unit: str, value: str) -> None:
    frames = _live(_meter(per_unit=Decimal(per_unit)), 0, until_ms=1000)
    assert _used(frames) == [(0, value)]


@given(st.integers(1, 20_000), st.lists(st.integers(1, 50), min_size=1, max_size=60))
def test_the_sum_is_never_a_millionth_behind(per_unit: int, counts: list[int]) -> None:
    scale = pulses._Scale(Decimal(per_unit))
    so_far, total = 0, Decimal(0)
    for count in counts:
        so_far += count
        total += scale.value(count)
        assert 0 <= Decimal(so_far) / per_unit - total < Decimal("0.000001")


def test_bounces_of_one_pulse_are_refused_a_long_tail_of_them_too() -> None:
    meter = _meter()
    tail = [100 + 1.5 * number for number in range(20)]
    assert _used(_live(meter, *tail, 500, until_ms=1000)) == [(0, "0.002")]
    assert meter.counters.refused == 19


def test_noise_beyond_the_rate_of_a_meter_is_refused() -> None:
    meter = _meter(max_per_s=10, debounce_ms=Decimal(0))
    assert _used(_live(meter, *range(0, 1000, 5), until_ms=1000)) == [(0, "0.010")]
    assert meter.counters.refused == 190


def test_edges_that_the_kernel_dropped_are_counted_where_that_is_noticed_and_said_to_be_estimated() -> None:
    meter = _meter()
    frames = meter.feed(_edge(0, seq=1), NOW_MS)
    frames += meter.feed(_edge(20_500, seq=42) + _edge(20_600, seq=43), NOW_MS + 20_600)
    frames += meter.feed(_edge(21_100, seq=44), NOW_MS + 21_100) + meter.feed(b"", NOW_MS + 22_000)
    assert _used(frames) == [(0, "0.001"), (20, "0.042"), (21, "0.001")]
    assert [each.quality for each in _readings(frames) if each.unit == "kWh"] == ["", "estimated", ""]
    assert meter.counters.missed == 40


def test_missing_numbers_beyond_what_the_time_allows_are_noise() -> None:
    meter = _meter()
    meter.feed(_edge(0, seq=1), NOW_MS)
    frames = meter.feed(_edge(9000, seq=4_000_000_000), NOW_MS + 9000) + meter.feed(b"", NOW_MS + 10_000)
    assert _used(frames)[1] == (9, "2.001")
    assert (meter.counters.missed, meter.counters.refused) == (2000, 1)


def test_a_line_that_is_opened_again_counts_its_edges_from_one() -> None:
    meter = _meter()
    meter.feed(_edge(0, seq=500), NOW_MS)
    frames = meter.feed(_edge(3000, seq=1) + _edge(3500, seq=2), NOW_MS + 3500) + meter.feed(b"", NOW_MS + 4000)
    assert _used(frames) == [(0, "0.001"), (3, "0.002")][-len(_used(frames)) :]
    assert meter.counters.missed == 0


def test_power_is_what_was_used_by_the_time_between_pulses_to_the_watt() -> None:
    frames = _live(_meter(), 0, 1300, 2600, 2933, 3_602_933, until_ms=3_603_000)
    powers = [(each.at_ms - NOW_MS, str(each.value)) for each in _readings(frames) if each.unit == "kW"]
    assert powers == [(1300, "2.769"), (2933, "4.409"), (3_602_933, "0.001")]


@pytest.mark.parametrize(
    ("options", "roles"),
    [
        ({"role": "electricity.export"}, {"electricity.export", "electricity.power.export"}),
        ({"role": "solar"}, {"solar", "solar.power"}),
        ({"role": "gas", "unit": "m3", "per_unit": Decimal(100)}, {"gas"}),
    ],
)
def test_names_the_power_beside_what_is_counted(options: dict[str, object], roles: set[str]) -> None:
    frames = _live(_meter(**options), 0, 1300, 2600, until_ms=3000)
    assert {reading.role for reading in _readings(frames)} == roles


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "1",
        "[]",
        "{}",
        '{"edge_ns": 1}',
        '{"edge_ns": 2, "read_ns": 1}',
        '{"edge_ns": -1, "read_ns": 1}',
        '{"edge_ns": 1.5, "read_ns": 2}',
        '{"edge_ns": 1, "read_ns": 86400000000002}',
        '{"edge_ns": 1, "read_ns": NaN}',
    ],
)
def test_what_is_no_edge_is_refused_and_counted(payload: str) -> None:
    meter = _meter()
    meter.feed(to_line("gpiochip0/17", payload.encode()), NOW_MS)
    assert meter.feed(b"", NOW_MS + 10_000) == []
    assert meter.counters.refused == 1


@given(st.data())
def test_every_pulse_counts_once_and_no_second_is_said_twice_however_edges_are_read(data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.integers(5, 4000), min_size=1, max_size=40))
    meter, frames, waiting, at_ms, now_ms, read_ms = _meter(), list[Frame](), list[int](), 0, 0, 0
    for gap in gaps:
        at_ms += gap
        waiting.append(at_ms)
        if data.draw(st.booleans()):
            now_ms = max(now_ms, at_ms + data.draw(st.integers(0, 3000)))
            late_ms = data.draw(st.integers(0, 2))  # the loop is a little late to look at its clock
            read_ms = max(read_ms, at_ms, now_ms - late_ms)
            batch = b"".join(_edge(at, read_ms=read_ms) for at in waiting)
            waiting.clear()
            frames += meter.feed(batch, NOW_MS + now_ms)
        if data.draw(st.booleans()):
            now_ms += data.draw(st.integers(0, 1500))
            frames += meter.feed(b"", NOW_MS + now_ms)
    frames += meter.feed(b"".join(_edge(at, read_ms=max(now_ms, at_ms)) for at in waiting), NOW_MS + max(now_ms, at_ms))
    frames += meter.feed(b"", NOW_MS + max(now_ms, at_ms) + 60_000)
    used = [each for each in _readings(frames) if each.unit == "kWh"]
    assert sum(each.value for each in used) == Decimal(len(gaps)) / 1000
    assert max(Counter((each.role, each.at_ms, each.seconds) for each in _readings(frames)).values()) == 1
    assert meter.counters.refused == 0


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        pulses.Options(per_unit=Decimal(0), unit="BTU", role="Gas!", debounce_ms=Decimal(-1), max_per_s=0)
    assert len(raised.value.problems) == 5
