"""Plain SQLite: a row a reading or a transaction, unencrypted, as Python's own module writes it."""

import csv
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from appliance.store.series import Array
from tests.benchmarks.bench_money import Transaction, write_csv
from tests.benchmarks.peers.jobs import DAY_MS, TwoImports, two_imports

ROWS_AT_ONCE = 1_000_000  # as Python objects, so that ten years fit in memory


class Keeper:
    """A table a series, whose key is the instant."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "readings.db")

    def take(self, series: str, at_ms: Array, thousandths: Array) -> None:
        with self._database:
            insert = self._table(series)
            for begin in range(0, len(at_ms), ROWS_AT_ONCE):
                some = slice(begin, begin + ROWS_AT_ONCE)
                self._database.executemany(insert, zip(at_ms[some].tolist(), thousandths[some].tolist(), strict=True))

    def take_csv(self, file: Path, columns: Sequence[str]) -> None:
        with file.open(newline="") as lines, self._database:
            rows = [[int(cell.replace(".", "")) for cell in row] for row in csv.reader(lines)]
            for number, series in enumerate(columns, 1):
                self._database.executemany(self._table(series), ((row[0], row[number]) for row in rows))

    def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
        """A query a day, which the key answers: GROUP BY sorts all the rows first and takes five times as long."""
        asked = f"SELECT avg(value) FROM {series} WHERE at_ms >= ? AND at_ms < ?"
        spans = ((begin, begin + DAY_MS) for begin in range(from_ms, to_ms, DAY_MS))
        return [self._database.execute(asked, span).fetchone()[0] / 1000 for span in spans]

    def close(self) -> None:
        self._database.close()

    def _table(self, series: str) -> str:
        self._database.execute(f"CREATE TABLE IF NOT EXISTS {series} (at_ms INTEGER PRIMARY KEY, value INTEGER)")
        return f"INSERT INTO {series} VALUES (?, ?)"


def bank(folder: Path, transactions: Sequence[Transaction]) -> TwoImports:
    """A CSV file into a table whose rows are unique by all that they say."""
    file = folder / "bank.csv"
    write_csv(file, transactions)
    database = sqlite3.connect(folder / "bank.db")
    said = "day, id, amount, payee, memo"
    database.execute(f"CREATE TABLE bank ({said}, UNIQUE ({said}))")

    def take() -> int:
        before = database.total_changes
        with file.open(newline="") as lines, database:
            database.executemany("INSERT OR IGNORE INTO bank VALUES (?, ?, ?, ?, ?)", csv.reader(lines))
        return database.total_changes - before

    try:
        return two_imports(take, len(transactions))
    finally:
        database.close()
