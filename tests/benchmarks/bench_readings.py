"""Readings at rest and on their way in: one household's minutes (UCI, 2007), from arrays and from its CSV."""

import io
import os
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from appliance.content import InMemory
from appliance.ingest import importing
from appliance.records import Source
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import Chunk
from appliance.store.series import Array, Columns, Lineage
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_store

CORPUS = Path(os.environ.get("INGLENOOK_CORPUS", Path(__file__).parents[3] / "shared" / "data"))
ZIP = CORPUS / "energy" / "uci-household-power-minutes.zip"
REPEATED = 20  # the half year, so many times over, so that the rate is not that of one commit
UNITS_MS = (3_600_000, 60_000, 1_000)


def rows() -> list[Row]:
    at_ms, table = parsed(content())
    watts = table[:, 0]
    registers = np.cumsum(watts) // 60  # Wh
    return [
        Row("UCI minutes at rest, register", _bytes_a_reading(at_ms, registers, "kWh"), 0.5, "bytes a reading"),
        Row("UCI minutes at rest, power", _bytes_a_reading(at_ms, watts, "kW"), 0.9, "bytes a reading"),
        Row("Readings into the store, from arrays", _from_arrays(at_ms, watts), 2_000_000, "a second", at_most=False),
        Row("Readings into the store, from CSV", _from_csv(), 500_000, "a second", at_most=False),
    ]


def content() -> bytes:
    """The CSV as it lies in the archive."""
    with zipfile.ZipFile(ZIP) as archive:
        return archive.read(archive.namelist()[0])


def parsed(text: bytes) -> tuple[Array, Array]:
    """Instants, and the seven columns in thousandths; rows with a `?` are missing readings."""
    lines = [line for line in text.splitlines()[1:] if b"?" not in line]
    table = np.loadtxt(io.BytesIO(b"\n".join(lines)), delimiter=",", usecols=range(3, 10))
    return _instants(lines), np.round(table * 1000).astype(np.int64)


def _instants(lines: list[bytes]) -> Array:
    """`index,d/m/yy,h:mm:ss,...` as milliseconds; each day's text and each clock's text is read once."""
    cells = [line.split(b",", 3) for line in lines]
    days, day = np.unique([each[1] for each in cells], return_inverse=True)
    clocks, clock = np.unique([each[2] for each in cells], return_inverse=True)
    days_ms = np.array([_day_ms(each.decode()) for each in days])
    clocks_ms = np.array(
        [sum(int(part) * unit for part, unit in zip(each.split(b":"), UNITS_MS, strict=True)) for each in clocks]
    )
    instants: Array = days_ms[day] + clocks_ms[clock]
    return instants


def _day_ms(text: str) -> int:
    """The file writes its first days as 1/1/07 and the others as 14/1/2007."""
    day, month, year = (int(part) for part in text.split("/"))
    return int(datetime(year % 100 + 2000, month, day, tzinfo=UTC).timestamp()) * 1000


def store_series(store: Store, role: str, unit: str, at_ms: Array, thousandths: Array) -> None:
    """Puts a series of thousandths of `unit` into the store, as one import would."""
    with store.write() as connection:
        series = series_store.found_or_made(connection, Source("uci"), role, unit, -3, 0)
        values = thousandths * 10 ** (-3 - series.exponent)
        columns = Columns(at_ms, np.zeros(len(at_ms), np.int64), values)
        series_store.append(connection, series, columns, Lineage(link="bench"))


def _bytes_a_reading(at_ms: Array, thousandths: Array, unit: str) -> float:
    with scratch_store() as store:
        store_series(store, "one", unit, at_ms, thousandths)
        packed = func.sum(func.length(Chunk.times) + func.length(Chunk.figures))
        with store.read() as connection:
            return float(connection.execute(select(packed)).scalar_one()) / len(at_ms)


def _from_arrays(at_ms: Array, watts: Array) -> float:
    span = int(at_ms[-1] - at_ms[0]) + 60_000
    long_at = np.concatenate([at_ms + number * span for number in range(REPEATED)])
    long_watts = np.tile(watts, REPEATED)
    with scratch_store() as store:
        start = time.perf_counter()
        store_series(store, "power", "kW", long_at, long_watts)
        return len(long_at) / (time.perf_counter() - start)


def _from_csv() -> float:
    """An import from end to end: told, read, compared, stored with its original."""
    archive = InMemory("minutes.zip", ZIP.read_bytes())
    with scratch_store() as store:
        start = time.perf_counter()
        [report] = importing.import_every(store, archive).reports
        return report.stored / (time.perf_counter() - start)
