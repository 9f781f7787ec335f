"""Inglenook itself: encrypted, each write synced, with the lineage and the rollups that it always keeps."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from appliance import energy
from appliance.config import Config
from appliance.derive import rollups
from appliance.ingest.importing import import_bytes
from appliance.store.database import HOME, open_store
from appliance.store.series import Array
from tests.benchmarks.bench_money import Transaction, ofx
from tests.benchmarks.bench_readings import store_series
from tests.benchmarks.peers.jobs import REGISTER, TwoImports, two_imports


class Keeper:
    """The home store. Rollups are made when readings are taken, as the scheduler does, not by the first chart."""

    def __init__(self, folder: Path) -> None:
        self._open = ExitStack()
        self._store = self._open.enter_context(open_store(Config(folder), HOME, make=True))

    def take(self, series: str, at_ms: Array, thousandths: Array) -> None:
        store_series(self._store, series, "kWh" if series == REGISTER else "kW", at_ms, thousandths)
        rollups.refresh(self._store)

    def take_csv(self, file: Path, columns: Sequence[str]) -> None:
        table = np.loadtxt(file, delimiter=",")
        at_ms = table[:, 0].astype(np.int64)
        for number, series in enumerate(columns, 1):
            self.take(series, at_ms, np.round(table[:, number] * 1000).astype(np.int64))

    def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
        return energy.chart(self._store, "uci", series, from_ms, to_ms, ZoneInfo("UTC"), "day").values

    def close(self) -> None:
        self._open.close()


def bank(folder: Path, transactions: Sequence[Transaction]) -> TwoImports:
    """An OFX file, imported twice."""
    statement = ofx(transactions, "FIRST")
    with open_store(Config(folder), HOME, make=True) as store:
        return two_imports(lambda: import_bytes(store, statement, "first.ofx").stored, len(transactions))
