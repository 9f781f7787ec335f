"""The Insight page of a box with ten years of a house, three plugs, the sun, the weather and the grid's carbon.

What is asked first is the page; what it then fetches looks at two years of eight series. In a process of its own.
"""

import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from appliance.store.database import Store
from tests.benchmarks import dashboard
from tests.benchmarks.bench_costs import DAYS, ZONE
from tests.benchmarks.dashboard import FIRST_MS
from tests.benchmarks.row import Row
from tests.costs.tariffs import NIGHT, known
from tests.meter_series import keep

ASKED_EACH = 11
PARTS = {"The Insight page": "/insight", "What the Insight page fetches": "/insight/found"}
AT_MOST_MS = {"/insight": 50, "/insight/found": None}
QUARTERS = (  # role, source, highest value of a quarter-hour in 10^-6 kWh
    ("electricity.import", "house", 300_000),
    ("electricity.export", "house", 100_000),
    ("solar.energy", "roof", 200_000),
    *(("plug.energy", f"plug {number}", 30_000) for number in range(3)),
)


def rows() -> list[Row]:
    took_ms = dashboard.asked("tests.benchmarks.bench_insight_page", _fill, "Night")
    return [
        Row(f"{name}, ten years in the store", took_ms[name], AT_MOST_MS[path], "ms") for name, path in PARTS.items()
    ]


def _fill(home: Store) -> None:
    chance = random.Random(7)
    for role, source, highest in QUARTERS:
        values = [chance.randrange(highest) for _ in range(DAYS * 96)]
        keep(home, role, values, first_ms=FIRST_MS, seconds=900, source=source)
    degrees = [chance.randrange(-50, 250) for _ in range(DAYS * 24)]
    keep(
        home, "temperature.outside", degrees, first_ms=FIRST_MS, seconds=3600, unit="°C", exponent=-1, source="garden"
    )  # fmt: skip
    grams = [chance.randrange(50, 400) for _ in range(DAYS * 48)]
    keep(home, "electricity.carbon", grams, first_ms=FIRST_MS, unit="g/kWh", exponent=0, source="grid")
    known(home, ZONE.key, NIGHT)


def ask(data: Path) -> dict[str, float]:
    """The median of each, in milliseconds."""
    with dashboard.signed_in(data) as client:
        chance, took = random.Random(7), {name: list[float]() for name in PARTS}
        for _ in range(ASKED_EACH):
            last = datetime.now(UTC).date() - timedelta(days=chance.randrange(60, DAYS - 800))
            for name, path in PARTS.items():
                start = time.perf_counter()
                answer = client.get(f"{path}?store=home&to={last}")
                took[name].append((time.perf_counter() - start) * 1000)
                if answer.status_code != 200 or ("Appliances on a plug" in answer.text) != (path != "/insight"):
                    raise RuntimeError(f"{path} of the year to {last} is not whole: {answer.status}")
        return {name: median(times) for name, times in took.items()}


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]))))
