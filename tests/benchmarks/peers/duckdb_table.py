"""DuckDB: a table a series, unencrypted, in one file; what was taken is checkpointed."""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from appliance.store.series import Array
from tests.benchmarks.peers import allow_packages
from tests.benchmarks.peers.jobs import DAY_MS


def installed() -> bool:
    allow_packages()
    return importlib.util.find_spec("duckdb") is not None


class Keeper:
    """Arrays and files are read by DuckDB itself."""

    def __init__(self, folder: Path) -> None:
        self._database = importlib.import_module("duckdb").connect(str(folder / "readings.duckdb"))

    def take(self, series: str, at_ms: Array, thousandths: Array) -> None:
        self._database.register("arrays", {"at_ms": at_ms, "value": thousandths})
        self._database.execute(f"CREATE TABLE {series} AS SELECT at_ms, value FROM arrays")
        self._database.unregister("arrays")
        self._database.execute("CHECKPOINT")

    def take_csv(self, file: Path, columns: Sequence[str]) -> None:
        types = ", ".join(f"'{name}': 'DECIMAL(12, 3)'" for name in columns)
        read = f"read_csv('{file}', header = false, columns = {{'at_ms': 'BIGINT', {types}}})"
        self._database.execute(f"CREATE TEMP TABLE file AS FROM {read}")
        for name in columns:
            self._database.execute(f"CREATE TABLE {name} AS SELECT at_ms, (1000 * {name})::BIGINT AS value FROM file")
        self._database.execute("CHECKPOINT")

    def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
        asked = (
            f"SELECT avg(value) FROM {series} WHERE at_ms >= ? AND at_ms < ? "
            f"GROUP BY at_ms // {DAY_MS} ORDER BY at_ms // {DAY_MS}"
        )
        return [mean / 1000 for (mean,) in self._database.execute(asked, [from_ms, to_ms]).fetchall()]

    def close(self) -> None:
        self._database.close()
