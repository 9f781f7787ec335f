"""The jobs that Inglenook and its peers are given, and how each is timed."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from appliance.store.series import Array
from tests.benchmarks.bench_money import Transaction

DAY_MS = 86_400_000
ASKED = 3
REGISTER, POWER = "register", "power"  # kWh and kW, in thousandths


class Keeper(Protocol):
    """Keeps readings in a folder of its own, empty at first. What it took is on the disk when `take` returns."""

    def __init__(self, folder: Path) -> None: ...

    def take(self, series: str, at_ms: Array, thousandths: Array) -> None: ...

    def take_csv(self, file: Path, columns: Sequence[str]) -> None:
        """A file without a head: milliseconds since 1970 UTC, then a series of kW with three decimals a column."""

    def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
        """The mean of each day (UTC) in kW, oldest first; every day has readings."""

    def close(self) -> None: ...


TwoImports = tuple[float, float]  # seconds of the first, and of the same again
Bank = Callable[[Path, Sequence[Transaction]], TwoImports]


@dataclass(frozen=True, slots=True)
class Peer:
    """One column of the table. What it does not do is None; `transactions` is how many it is given of them."""

    name: str
    installed: bool
    keeper: type[Keeper] | None = None
    bank: Bank | None = None
    transactions: int = 20_000


@dataclass(frozen=True, slots=True)
class Decade:
    """Ten years of one series, taken and asked for."""

    seconds: float
    chart_ms: float


def bytes_a_reading(keeper: type[Keeper], series: str, at_ms: Array, thousandths: Array) -> float:
    """What the readings add to an empty store's files."""
    with _folder() as folder:
        with closing(keeper(folder)):
            pass
        empty = _size(folder)
    with _folder() as folder:
        with closing(keeper(folder)) as kept:
            kept.take(series, at_ms, thousandths)
        return (_size(folder) - empty) / len(at_ms)


def csv_seconds(keeper: type[Keeper], file: Path, columns: Sequence[str]) -> float:
    """How long a CSV file takes until it is kept."""
    with _folder() as folder, closing(keeper(folder)) as kept:
        start = time.perf_counter()
        kept.take_csv(file, columns)
        return time.perf_counter() - start


def decade(keeper: type[Keeper], at_ms: Array, thousandths: Array) -> Decade:
    """Whole days of readings taken, and charted by the day. RuntimeError where the chart is wrong."""
    days = (at_ms - at_ms[0]) // DAY_MS
    right = np.bincount(days, thousandths) / np.bincount(days) / 1000
    with _folder() as folder, closing(keeper(folder)) as kept:
        start = time.perf_counter()
        kept.take(POWER, at_ms, thousandths)
        seconds = time.perf_counter() - start
        asked = [_charted(kept, int(at_ms[0]), len(right), right) for _ in range(ASKED)]
    return Decade(seconds, median(asked) * 1000)


def _charted(kept: Keeper, from_ms: int, days: int, right: NDArray[np.float64]) -> float:
    start = time.perf_counter()
    means = kept.days(POWER, from_ms, from_ms + days * DAY_MS)
    seconds = time.perf_counter() - start
    if len(means) != days or not np.allclose(means, right, atol=0.001):
        raise RuntimeError(f"{type(kept).__name__} gives a wrong chart")
    return seconds


def two_imports(take: Callable[[], int], transactions: int) -> TwoImports:
    """Times `take`, which gives how many transactions were new, twice. RuntimeError where that is wrong."""
    seconds = []
    for expected in (transactions, 0):
        start = time.perf_counter()
        taken = take()
        seconds.append(time.perf_counter() - start)
        if taken != expected:
            raise RuntimeError(f"{taken} new transactions, not {expected}")
    return seconds[0], seconds[1]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        yield Path(folder)


def _size(folder: Path) -> int:
    """Without the caches that victoria-metrics writes when it stops: no reading is in them."""
    files = [path for path in folder.rglob("*") if path.is_file() and "cache" not in path.relative_to(folder).parts]
    return sum(path.stat().st_size for path in files)
