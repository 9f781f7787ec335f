"""Charts over ten simulated years of 10-second readings: any span, in a cold process, with nothing remembered."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from appliance import energy
from appliance.config import Config
from appliance.derive import rollups
from appliance.house import House, Registers, history
from appliance.records import Source
from appliance.store import series as series_store
from appliance.store.database import HOME, Store, open_store
from appliance.store.series import Columns, Lineage
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

ZONE = ZoneInfo("Europe/Amsterdam")
STEP_S, YEARS, DAYS = 10, 10, 3650
BEGIN_MS = 1_451_606_400_000  # 2016
DAY_MS = 86_400_000
SPANS_DAYS = (0.05, 0.25, 1, 2, 3, 7, 31, 92, 366, 1_000, 2_000)
ASKED_EACH = 3


def rows() -> list[Row]:
    with scratch_config() as config:
        build_s = _build(config)
        size = sum(path.stat().st_size for path in (config.stores / HOME).glob("store.db*"))
        asked = [sys.executable, "-m", "tests.benchmarks.bench_charts", str(config.data)]
        ten_years, worst = json.loads(subprocess.run(asked, check=True, capture_output=True).stdout)
    readings = 2 * DAYS * 86_400 // STEP_S
    return [
        Row("A ten-year chart, in the server, first of a process", ten_years, 30, "ms"),
        Row("The slowest chart of random spans over ten years", worst, 30, "ms"),
        Row("Ten years of 10-second readings, two series, whole store", size / readings, None, "bytes a reading"),
        Row("The same stored and rolled up", readings / build_s, None, "readings a second"),
    ]


def _build(config: Config) -> float:
    year = np.array(
        [watts for _, _, watts, _ in history(House(1, ZONE, 4.0), Registers(), BEGIN_MS, BEGIN_MS + 365 * DAY_MS)]
    )
    start = time.perf_counter()
    with open_store(config, HOME, make=True) as store:
        register_mwh = 0
        for number in range(YEARS):
            with store.write() as connection:
                at_ms = (
                    BEGIN_MS + number * 365 * DAY_MS + np.arange(365 * 86_400 // STEP_S, dtype=np.int64) * STEP_S * 1000
                )
                noise = np.random.default_rng(number).integers(-3, 4, len(at_ms))
                watts = np.maximum(0, np.repeat(year, 60 // STEP_S) + noise)
                counted = register_mwh + np.cumsum(watts) * 1000 * STEP_S // 3600
                register_mwh = int(counted[-1])
                for role, unit, values in (
                    ("electricity.power", "kW", watts * 1000),
                    ("electricity.import", "kWh", counted // 1000 * 1000),
                ):
                    series = series_store.found_or_made(connection, Source("house"), role, unit, -6, 0)
                    columns = Columns(at_ms, np.zeros(len(at_ms), np.int64), values)
                    series_store.append(connection, series, columns, Lineage(link="bench"))
            rollups.refresh(store)
    return time.perf_counter() - start


def ask(data: Path) -> tuple[float, float]:
    """The first ten-year chart of this process, and the slowest of random spans, in milliseconds."""
    chance = random.Random(7)
    end_ms = BEGIN_MS + DAYS * DAY_MS
    with open_store(Config(data), HOME) as store:
        first = _timed_ms(store, "electricity.import", BEGIN_MS, end_ms)
        worst = first
        for days in SPANS_DAYS * ASKED_EACH:
            begin = BEGIN_MS + int(chance.random() * (DAYS - days) * DAY_MS)
            for role in ("electricity.import", "electricity.power"):
                worst = max(worst, _timed_ms(store, role, begin, begin + int(days * DAY_MS)))
    return first, worst


def _timed_ms(store: Store, role: str, from_ms: int, to_ms: int) -> float:
    start = time.perf_counter()
    chart = energy.chart(store, "house", role, from_ms, to_ms, ZONE)
    milliseconds = (time.perf_counter() - start) * 1000
    if not chart.values:
        raise RuntimeError(f"an empty chart of {role}")
    print(f"{role} {(to_ms - from_ms) / DAY_MS:.2f} days: {milliseconds:.1f} ms, {len(chart.values)}", file=sys.stderr)
    return milliseconds


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]))))
