"""Inglenook beside its peers: the same data and the same jobs, one after the other in the same run.

The peers keep it unencrypted and know nothing of where it came from; Inglenook does what it always does.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from appliance.store.series import Array
from tests.benchmarks import bench_readings
from tests.benchmarks.bench_money import transactions
from tests.benchmarks.peers import actual, duckdb_table, hledger, inglenook, jobs, plain_sqlite, victoria_metrics
from tests.benchmarks.peers.jobs import POWER, REGISTER, Peer
from tests.benchmarks.row import Row

TEN_YEARS_S, STEP_S = 3650 * 86_400, 10
BEGIN_MS = 1_451_606_400_000  # 2016
ALL, FEWER = 20_000, 2_000  # Actual: the same 20,000 again take it longer than four minutes
US = "Inglenook"
T = TypeVar("T")


def peers() -> list[Peer]:
    """The columns, Inglenook first."""
    return [
        Peer(US, True, inglenook.Keeper, inglenook.bank),
        Peer("plain SQLite", True, plain_sqlite.Keeper, plain_sqlite.bank),
        Peer("victoria-metrics", victoria_metrics.installed(), victoria_metrics.Keeper),
        Peer("DuckDB", duckdb_table.installed(), duckdb_table.Keeper),
        Peer("hledger", hledger.installed(), bank=hledger.bank),
        Peer("Actual", actual.installed(), bank=actual.bank, transactions=FEWER),
    ]


def rows() -> list[Row]:
    at_ms, table = bench_readings.parsed(bench_readings.content())
    return [*_at_rest(at_ms, table[:, 0]), _from_csv(at_ms, table), *_ten_years(table[:, 0]), *_bank()]


def _at_rest(at_ms: Array, watts: Array) -> list[Row]:
    return [
        _row(
            f"UCI minutes at rest, {series}: what they add to the files",
            "bytes a reading",
            _kept(jobs.bytes_a_reading, series, at_ms, values),
        )
        for series, values in ((REGISTER, np.cumsum(watts) // 60), (POWER, watts))
    ]


def _from_csv(at_ms: Array, table: Array) -> Row:
    columns = [f"column{number}" for number in range(1, table.shape[1] + 1)]
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        file = Path(folder) / "minutes.csv"
        decimals = ["%d", *["%.3f"] * len(columns)]
        np.savetxt(file, np.column_stack([at_ms, table / 1000]), fmt=decimals, delimiter=",")
        seconds = _kept(jobs.csv_seconds, file, columns)
    rates = {name: each and table.size / each for name, each in seconds.items()}
    return _row("UCI minutes from CSV, seven series", "readings a second", rates)


def _ten_years(watts: Array) -> list[Row]:
    count = TEN_YEARS_S // STEP_S
    at_ms = BEGIN_MS + np.arange(count, dtype=np.int64) * STEP_S * 1000
    noise = np.random.default_rng(7).integers(-3, 4, count)
    long = np.maximum(0, np.resize(np.repeat(watts, 60 // STEP_S), count) + noise)
    decades = _kept(jobs.decade, at_ms, long)
    rates = {name: count / each.seconds if each else None for name, each in decades.items()}
    charts = {name: each.chart_ms if each else None for name, each in decades.items()}
    return [
        _row("Ten years of 10-second readings from arrays", "readings a second", rates),
        _row("Those ten years charted by the day, the middle of three", "ms", charts),
    ]


def _bank() -> list[Row]:
    imports = {peer.name: _imported_twice(peer) for peer in peers() if peer.bank}
    few = ", ".join(f"{peer.name}: {peer.transactions:,}" for peer in peers() if peer.transactions != ALL)
    return [
        _row(f"{what} ({few})", "rows a second", {name: each and each[turn] for name, each in imports.items()})
        for turn, what in enumerate((f"{ALL:,} bank rows into an empty store", "The same bank rows again"))
    ]


def _imported_twice(peer: Peer) -> tuple[float, float] | None:
    """Rows a second of the first time, and of the second."""
    said = transactions(peer.transactions, "FIRST", 1)
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        seconds = measured(peer, peer.bank, Path(folder), said) if peer.bank else None
    return seconds and (len(said) / seconds[0], len(said) / seconds[1])


def _kept(job: Callable[..., T], *given: object) -> dict[str, T | None]:
    """What a job measured of each that keeps readings."""
    return {peer.name: measured(peer, job, peer.keeper, *given) for peer in peers() if peer.keeper}


def measured(peer: Peer, job: Callable[..., T], *given: object) -> T | None:
    """None where the peer is not installed, or does not run here, which says why."""
    if not peer.installed:
        return None
    print(f"  {peer.name}: {job.__name__}", file=sys.stderr)
    try:
        return job(*given)
    except (OSError, subprocess.SubprocessError) as error:
        if peer.name == US:
            raise
        print(f"  {peer.name} is left out of this: {error}", file=sys.stderr)
        return None


def _row(name: str, unit: str, values: dict[str, float | None]) -> Row:
    others = {peer: value for peer, value in values.items() if peer != US}
    return Row(name, values[US] or math.nan, None, unit, peers=others)
