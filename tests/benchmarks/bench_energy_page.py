"""The Energy page of a box with ten years of quarter-hours, on a tariff that follows a market: any month, any year.

It is asked of the dashboard in a process of its own; the last readings are of the last two months, which stand on top.
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
from tests.costs.tariffs import DYNAMIC, INDEX, known
from tests.meter_series import keep

AT_MOST_MS = 50
ASKED_EACH = 15
SPANS = ("day", "month", "year")


def rows() -> list[Row]:
    took_ms = dashboard.asked("tests.benchmarks.bench_energy_page", _fill, "Dynamic")
    return [
        Row(f"The Energy page of a {name}, ten years in the store", took_ms[name], AT_MOST_MS, "ms") for name in SPANS
    ]


def _fill(home: Store) -> None:
    chance, quarters = random.Random(7), DAYS * 96
    used = [chance.randrange(900_000) for _ in range(quarters)]
    market = [chance.randrange(-50_000, 300_000) for _ in range(quarters + 96)]
    keep(home, "electricity.import", used, first_ms=FIRST_MS, seconds=900)
    keep(
        home, "electricity.price", market, first_ms=FIRST_MS, seconds=900, unit="EUR/kWh",
        source=f"{INDEX} quarter-hourly",
    )  # fmt: skip
    known(home, ZONE.key, DYNAMIC)


def ask(data: Path) -> dict[str, float]:
    """The median of each span, in milliseconds."""
    with dashboard.signed_in(data) as client:
        chance, found = random.Random(7), {}
        for name in SPANS:
            times = []
            for _ in range(ASKED_EACH):
                at = datetime.now(UTC).date() - timedelta(days=chance.randrange(60, DAYS))
                start = time.perf_counter()
                page = client.get(f"/energy?store=home&span={name}&at={at}")
                times.append((time.perf_counter() - start) * 1000)
                if page.status_code != 200 or "As on a bill" not in page.text:
                    raise RuntimeError(f"the page of the {name} of {at} is not whole: {page.status}")
            found[name] = median(times)
    return found


if __name__ == "__main__":
    print(json.dumps(ask(Path(sys.argv[1]))))
