"""Thinning: fewer readings of old months, each as it was, and no total or chart changes."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance import energy, thinning
from appliance.derive import rollups
from appliance.errors import UserError
from appliance.records import Source
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage, SeriesId

NOW = datetime(2026, 11, 25, tzinfo=UTC)
FIRST_MS = int(datetime(2026, 7, 31, tzinfo=UTC).timestamp()) * 1000
CUT_MS = int(datetime(2026, 8, 1, tzinfo=UTC).timestamp()) * 1000
LINEAGE = Lineage(link="serial", meter="dsmr", device="E1", boot="b")


def _made(store: Store, role: str, unit: str, values: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> SeriesId:
    """A value every ten seconds of two days, the first of which is old enough to be thinned."""
    at_ms = FIRST_MS + np.arange(len(values), dtype=np.int64) * 10_000
    with store.write() as connection:
        made = series_store.found_or_made(connection, Source("house"), role, unit, -3, 0)
        for boot, part in (("b1", at_ms < CUT_MS), ("b2", at_ms >= CUT_MS)):
            columns = Columns(at_ms[part], np.zeros(int(part.sum()), np.int64), values[part])
            series_store.append(connection, made, columns, replace(LINEAGE, boot=boot))
    return made


TWO_DAYS = 2 * 8640


def _readings(store: Store, made: SeriesId) -> Columns:
    with store.read() as connection:
        return series_store.read(connection, made)


def _charts(store: Store, made: SeriesId) -> list[list[int]]:
    span = (FIRST_MS, FIRST_MS + 2 * 86_400_000)
    values = [
        energy.stepped(store, [made], *span, ZoneInfo("Europe/Brussels"), step) for step in ("quarter-hour", "day")
    ]
    return [column.tolist() for each in values for column in (each.totals, each.counts, each.lows, each.highs)]


def test_a_thinned_register_gives_the_same_totals_of_actual_readings(store: Store) -> None:
    values = np.cumsum(np.random.default_rng(1).integers(0, 5, TWO_DAYS)) + 1000
    values[3000:] -= values[3000]  # a reset
    made = _made(store, "electricity.import", "kWh", values)
    before, all_of = _charts(store, made), _readings(store, made)
    thinning.state(store, [made], 3, "quarter-hour")
    gone = thinning.run(store, now=NOW)
    kept = _readings(store, made)
    assert len(kept) == len(all_of) - gone
    assert len(kept.where(kept.at_ms < CUT_MS)) < 110
    assert len(kept.where(kept.at_ms >= CUT_MS)) == 8640
    places = np.searchsorted(all_of.at_ms, kept.at_ms)
    assert (all_of.values[places] == kept.values).all()
    assert _charts(store, made) == before
    with store.write() as connection:  # and if all of it were counted anew
        rollups.rebuild(connection, made, FIRST_MS, FIRST_MS + 2 * 86_400_000)
    assert _charts(store, made) == before
    assert thinning.run(store, now=NOW) == 0


def test_a_thinned_gauge_keeps_its_extremes_and_what_was_drawn(store: Store) -> None:
    values = np.random.default_rng(2).integers(0, 4000, TWO_DAYS)
    made = _made(store, "electricity.power", "kW", values)
    before = _charts(store, made)
    thinning.state(store, [made], 3, "quarter-hour")
    assert thinning.run(store, now=NOW) > 8000
    kept = _readings(store, made)
    old = kept.where(kept.at_ms < CUT_MS)
    assert len(old) <= 3 * 96 + 1
    assert (int(old.values.min()), int(old.values.max())) == (int(values[:8640].min()), int(values[:8640].max()))
    assert _charts(store, made) == before


def test_nothing_is_thinned_that_nobody_asked_for_or_that_is_no_more(store: Store) -> None:
    made = _made(store, "electricity.power", "kW", np.arange(TWO_DAYS, dtype=np.int64))
    assert thinning.run(store, now=NOW) == 0
    thinning.state(store, [made], 3, "minute")
    thinning.state(store, [made], 0, "minute")
    assert thinning.run(store, now=NOW) == 0
    assert len(_readings(store, made)) == TWO_DAYS


def test_what_an_import_brought_stays_whole(store: Store) -> None:
    from appliance.ingest import importing
    from tests.green_button import hours

    importing.import_bytes(store, hours([500, 1500, 700]), "m.xml", source="meter")
    with store.read() as connection:
        [made] = series_store.every(connection)
    with pytest.raises(UserError, match="adds up"):
        thinning.state(store, [made], 3, "hour")


def test_says_all_that_is_wrong(store: Store) -> None:
    with pytest.raises(UserError) as told:
        thinning.state(store, [], 5000, "century")
    assert len(told.value.problems) == 2
