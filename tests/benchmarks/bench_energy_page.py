"""The Energy page of a box with ten years of quarter-hours, on a tariff that follows a market: any month, any year.

It is asked of the dashboard in a process of its own; the last readings are of the last two months, which stand on top.
"""

import json
import random
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from appliance import people
from appliance.config import Config
from appliance.derive import rollups
from appliance.ingest import stating
from appliance.people import Household
from appliance.store.database import HOME, Store, open_store
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests.benchmarks.bench_costs import DAYS, ZONE
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config
from tests.costs.tariffs import DYNAMIC, INDEX, known
from tests.meter_series import keep

NAME, PASSWORD = "Anna", "a long password"
AT_MOST_MS = 50
ASKED_EACH = 15
SPANS = ("day", "month", "year")


def rows() -> list[Row]:
    with scratch_config() as config:
        with open_store(config, HOME, make=True) as home:
            people.claim(config, home, Household("Bench", ZONE.key, "EUR"), NAME, PASSWORD)
            _fill(home)
        asked = [sys.executable, "-m", "tests.benchmarks.bench_energy_page", str(config.data)]
        said = subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout
    took_ms = json.loads(said.splitlines()[-1])
    return [
        Row(f"The Energy page of a {name}, ten years in the store", took_ms[name], AT_MOST_MS, "ms") for name in SPANS
    ]


def _fill(home: Store) -> None:
    chance, quarters = random.Random(7), DAYS * 96
    first_ms = (int(time.time()) // 86_400 - DAYS) * 86_400_000
    used = [chance.randrange(900_000) for _ in range(quarters)]
    market = [chance.randrange(-50_000, 300_000) for _ in range(quarters + 96)]
    keep(home, "electricity.import", used, first_ms=first_ms, seconds=900)
    keep(
        home, "electricity.price", market, first_ms=first_ms, seconds=900, unit="EUR/kWh",
        source=f"{INDEX} quarter-hourly",
    )  # fmt: skip
    known(home, ZONE.key, DYNAMIC)
    agreed = {"party": "Ember", "supply": "electricity", "tariff": "Dynamic", "at": "2010-01-01"}
    stating.add(home, "energy.agreement", agreed, NAME, zone=ZONE)
    rollups.refresh(home)  # as the first look at readings leaves it


def ask(data: Path) -> dict[str, float]:
    """The median of each span, in milliseconds."""
    app = make_app(Config(data))
    with closing(box(app).stores) as stores:
        client = app.test_client()
        client.set_cookie(SESSION_COOKIE, people.sign_in(stores.home, NAME, PASSWORD) or "")
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
