"""Series: readings packed and read back exactly, whatever overlaps what."""

from collections.abc import Iterable
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from appliance.records import Source
from appliance.store import imports, packing, series
from appliance.store.database import Store
from appliance.store.models import Chunk
from appliance.store.series import Columns, Lineage, SeriesId

Reading = tuple[int, int, int]  # at_ms, seconds, value
_numbers = count()
in_one_store = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

INT64 = st.integers(-(2**63), 2**63 - 1)
TIMES = st.integers(0, 40)
BLOCKS = st.lists(st.lists(st.tuples(TIMES, st.just(0), st.integers(0, 5)), min_size=1, max_size=8), max_size=5)


def _made(
    connection: Connection, role: str = "gas", unit: str = "m3", seconds: int = 0, exponent: int = -3
) -> SeriesId:
    return series.found_or_made(connection, Source(f"meter {next(_numbers)}"), role, unit, exponent, seconds)


def _columns(readings: Iterable[Reading]) -> Columns:
    at_ms, seconds, values = zip(*readings, strict=True)
    return Columns(np.array(at_ms, np.int64), np.array(seconds, np.int64), np.array(values, np.int64))


def _readings(columns: Columns) -> list[Reading]:
    return list(zip(columns.at_ms.tolist(), columns.seconds.tolist(), columns.values.tolist(), strict=True))


def _import(connection: Connection) -> int:
    said = {"at_us": 0, "file": "f", "format": "x", "sha256": None, "named_source": "", "options": {}, "retry_of": None}
    return imports.begin(connection, **said)


def _append(connection: Connection, to: SeriesId, readings: Iterable[Reading], quality: str = "") -> int:
    import_id = _import(connection)
    series.append(connection, to, _columns(readings), Lineage(import_id, 0, 1, quality=quality))
    return import_id


# ---- packing ----


@given(st.lists(INT64, min_size=1, max_size=300))
def test_numbers_come_back_as_they_were_packed(values: list[int]) -> None:
    assert packing.unpack(packing.pack(np.array(values, np.int64))).tolist() == values


@in_one_store
@given(
    readings=st.lists(st.tuples(st.integers(-(2**52), 2**52), st.integers(0, 10**6), INT64), min_size=1, max_size=50)
)
def test_readings_come_back_in_order_of_time(store: Store, readings: list[Reading]) -> None:
    with store.write() as connection:
        made = _made(connection)
        _append(connection, made, readings)
        assert sorted(_readings(series.read(connection, made))) == sorted(readings)
        at_ms = series.read(connection, made).at_ms
    assert (np.diff(at_ms) >= 0).all()


@in_one_store
@given(blocks=BLOCKS, begin=TIMES, end=TIMES)
def test_a_span_has_the_newest_import_s_readings_and_no_others(
    store: Store, blocks: list[list[Reading]], begin: int, end: int
) -> None:
    standing: dict[int, list[Reading]] = {}
    with store.write() as connection:
        made = _made(connection)
        for block in blocks:
            _append(connection, made, block)
            standing |= {at: [each for each in block if each[0] == at] for at in {each[0] for each in block}}
        found = _readings(series.read(connection, made, begin, end))
        expected = [each for at in sorted(standing) if begin <= at < end for each in standing[at]]
        assert sorted(found) == sorted(expected)
        assert [each[0] for each in found] == [each[0] for each in expected]
        everything = _readings(series.read_all(connection, made, 0, 40))
    assert sorted(everything) == sorted(each for block in blocks for each in block)


@in_one_store
@given(blocks=BLOCKS, at=TIMES)
def test_the_reading_before_and_the_one_after_an_instant(store: Store, blocks: list[list[Reading]], at: int) -> None:
    with store.write() as connection:
        made = _made(connection)
        for block in blocks:
            _append(connection, made, block)
        standing = _readings(series.read(connection, made))
        before = [value for when, _, value in standing if when < at]
        after = [when for when, _, _ in standing if when > at]
        assert series.last_before(connection, made, at) == (before[-1] if before else None)
        assert series.first_after(connection, made, at) == (after[0] if after else None)
        assert series.first_value(connection, made) == (standing[0][2] if standing else None)
        ends = series.extent(connection, made)
    assert (ends[:2] if ends else None) == ((standing[0][0], standing[-1][0]) if standing else None)


@in_one_store
@given(parts=st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=20), min_size=1, max_size=12))
def test_what_a_collector_brings_in_parts_keeps_every_reading(store: Store, parts: list[list[int]]) -> None:
    lineage, at, expected = Lineage(link="serial", meter="dsmr", device="E1", boot="b"), 0, list[Reading]()
    with store.write() as connection:
        made = _made(connection)
        for steps in parts:
            block = [(at := at + step, 0, at) for step in steps]
            series.append(connection, made, _columns(block), lineage)
            expected += block
        assert _readings(series.read(connection, made)) == expected
        extent = series.extent(connection, made)
    assert extent == (expected[0][0], expected[-1][0], len(expected))


def test_small_parts_grow_into_few_chunks(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        for at in range(64):
            series.append(connection, made, _columns([(at, 0, at)]), Lineage(link="serial", boot="b"))
        assert _chunks(connection, made) < 8
        assert len(series.read(connection, made)) == 64


def test_parts_of_another_run_of_the_machine_keep_their_own_lineage(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        for at, boot in enumerate(["b1", "b2", "b2"]):
            series.append(connection, made, _columns([(at, 0, at)]), Lineage(link="serial", boot=boot))
        found = connection.execute(select(Chunk.boot, Chunk.readings).where(Chunk.series_id == made.id)).all()
    assert sorted(found) == [("b1", 1), ("b2", 2)]


def test_a_long_block_is_cut_into_chunks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "CHUNK_READINGS", 10)
    with store.write() as connection:
        made = _made(connection)
        _append(connection, made, [(at, 0, at) for at in range(25)])
        assert _chunks(connection, made) == 3
        assert series.read(connection, made).values.tolist() == list(range(25))


def _chunks(connection: Connection, made: SeriesId) -> int:
    return len(connection.execute(select(Chunk.id).where(Chunk.series_id == made.id)).all())


# ---- overlap, quality, spans ----


def test_a_revised_value_takes_the_place_of_the_old_and_the_old_stays(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        _append(connection, made, [(0, 0, 1), (10, 0, 2)], quality="estimated")
        _append(connection, made, [(10, 0, 3)], quality="read")
        columns, qualities = series.read_with_quality(connection, made)
        assert (columns.values.tolist(), qualities) == ([1, 3], ["estimated", "read"])
        assert series.read_all(connection, made, 0, 10).values.tolist() == [1, 2, 3]


def test_equal_instants_in_one_import_are_all_kept(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        _append(connection, made, [(0, 0, 1), (0, 0, 1), (0, 0, 2)])
        assert series.read(connection, made).values.tolist() == [1, 1, 2]


def test_readings_of_a_span_carry_the_quality_of_their_own_block(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        _append(connection, made, [(0, 0, 1), (20, 0, 3)], quality="a")
        _append(connection, made, [(10, 0, 2), (30, 0, 4)], quality="b")
        columns, qualities = series.read_with_quality(connection, made, 10, 30)
    assert (columns.values.tolist(), qualities) == ([2, 3], ["b", "a"])


def test_an_empty_series_has_nothing_of_anything(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        series.append(connection, made, series.NO_READINGS, Lineage())
        assert len(series.read(connection, made)) == 0
        assert series.extent(connection, made) is None
        assert series.last_before(connection, made, 5) is series.first_after(connection, made, 5) is None
        assert series.stale(connection) == []


# ---- what a series is ----


@pytest.mark.parametrize(
    ("unit", "seconds", "kind"),
    [("kWh", 0, "register"), ("kWh", 900, "delta"), ("kW", 0, "gauge"), ("kW", 900, "gauge"), ("m3", 0, "register")],
)
def test_unit_and_interval_say_what_the_numbers_are(store: Store, unit: str, seconds: int, kind: str) -> None:
    with store.write() as connection:
        assert _made(connection, unit=unit, seconds=seconds).kind == kind


def test_a_series_is_found_again_by_source_and_role(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection)
        assert series.found_or_made(connection, Source(made.source), "gas", "m3", -2, 0) == made
        assert series.found_or_made(connection, Source(made.source), "water", "m3", -2, 0).id != made.id


@pytest.mark.parametrize(
    ("unit", "exponent", "seconds", "said"),
    [("kWh", -3, 0, "in kWh"), ("m3", -3, 3600, "delta in m3"), ("m3", -9, 0, "finer")],
)
def test_numbers_that_do_not_fit_a_series_are_refused(
    store: Store, unit: str, exponent: int, seconds: int, said: str
) -> None:
    with store.write() as connection:
        made = _made(connection)
        with pytest.raises(ValueError, match=said):
            series.found_or_made(connection, Source(made.source), "gas", unit, exponent, seconds)


def test_a_series_is_as_fine_as_its_source_and_never_coarser_than_a_millionth(store: Store) -> None:
    with store.write() as connection:
        assert _made(connection, exponent=0).exponent == -6
        assert _made(connection, exponent=-9).exponent == -9


def test_a_series_knows_the_longest_interval_of_its_source(store: Store) -> None:
    with store.write() as connection:
        made = _made(connection, unit="kWh", seconds=3600)
        series.found_or_made(connection, Source(made.source), "gas", "kWh", -3, 900)
        series.found_or_made(connection, Source(made.source), "gas", "kWh", -3, 86_400)
        assert [each.seconds for each in series.every(connection, source=made.source)] == [86_400]
