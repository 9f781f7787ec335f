"""Ten times the data: the same page or chart of a box with some years of data, and of one with ten times as much.

Each is asked of the dashboard in a process of its own, in turns, and about another day each time: the newest records,
months and days that both boxes have alike, since what the larger one has more lies before them.
"""

import json
import random
import subprocess
import sys
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import numpy as np
from flask.testing import FlaskClient

from appliance import people
from appliance.config import Config
from appliance.derive import rollups
from appliance.ingest.importing import import_bytes
from appliance.people import Household
from appliance.store.database import HOME, Store, open_store
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests.benchmarks.bench_money import DAYS, ofx, transactions
from tests.benchmarks.bench_readings import store_series
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

TIMES, MOST = 10, 1.2
BANK_ROWS = 20_000  # in two years
READINGS, STEP_MS = 365 * 8_640, 10_000  # in one
END = date(2026, 1, 1)
NAME, PASSWORD = "Anna", "a long password"
TURNS, ASKED_EACH = 5, 9

QUERIES = {
    "the newest records": "/records?store=home",
    "the records of a month": "/records?store=home&from={first}&to={last}",
    "a word within a month's records": "/records?store=home&from={first}&to={last}&search=rail",
    "the chart of a month": "/api/history?series=electricity.power@uci&span=month&at={first}",
    "the chart of a day": "/api/history?series=electricity.power@uci&span=day&at={first}",
}


def rows() -> list[Row]:
    with scratch_config() as once, scratch_config() as ten_times:
        _build(once, 1)
        _build(ten_times, TIMES)
        turns = [(_asked(once), _asked(ten_times)) for _ in range(TURNS)]
    found = []
    for what in QUERIES:
        small, large = (min(turn[which][what] for turn in turns) for which in (0, 1))
        print(f"{what}: {small:.1f} ms, {large:.1f} ms", file=sys.stderr)
        found.append(Row(f"Ten times the data: {what}", large / small, MOST, "times as long"))
    return found


def _build(config: Config, times: int) -> None:
    with open_store(config, HOME, make=True) as home:
        people.claim(config, home, Household("Bench", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
        for before in range(times):
            first_day = END - timedelta(days=DAYS * (before + 1))
            account = f"A{before}"
            import_bytes(home, ofx(transactions(BANK_ROWS, account, before, first_day), account), f"{account}.ofx")
        _take_readings(home, READINGS * times)


def _take_readings(home: Store, count: int) -> None:
    end_ms = (END - date(1970, 1, 1)).days * 86_400_000
    at_ms = end_ms - np.arange(count, 0, -1, dtype=np.int64) * STEP_MS
    store_series(home, "electricity.power", "kW", at_ms, np.random.default_rng(7).integers(100, 3_000, count))
    rollups.refresh(home)


def _asked(config: Config) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_ten_times", str(config.data)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    times: dict[str, float] = json.loads(said.splitlines()[-1])
    return times


def ask(data: Path) -> dict[str, float]:
    """The median of each query, in milliseconds."""
    app = make_app(Config(data))
    with closing(box(app).stores) as stores:
        client = app.test_client()
        client.set_cookie(SESSION_COOKIE, people.sign_in(stores.home, NAME, PASSWORD) or "")
        return {what: median(_times_ms(client, path)) for what, path in QUERIES.items()}


def _times_ms(client: FlaskClient, path: str) -> list[float]:
    chance = random.Random(7)
    times = []
    for _ in range(ASKED_EACH):
        first = END - timedelta(days=chance.randrange(31, 360))
        asked = path.format(first=first, last=first + timedelta(days=30))
        start = time.perf_counter()
        response = client.get(asked)
        times.append((time.perf_counter() - start) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"{asked} answers {response.status}")
    return times


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]))))
