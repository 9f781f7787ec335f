"""Costs from an encrypted store of ten years of quarter-hours: read, priced and added up, with nothing remembered."""

import random
import time
from datetime import date
from zoneinfo import ZoneInfo

from appliance import costs, supplies
from appliance.derive import rollups
from appliance.store.database import Store
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_store
from tests.costs.tariffs import DYNAMIC, INDEX, NIGHT, known
from tests.meter_series import keep

ZONE = ZoneInfo("Europe/Brussels")
BEGIN_MS = 1_451_602_800_000  # 2016 in Brussels
DAYS = 3_653
FIRST, LAST = date(2016, 1, 1), date(2025, 12, 31)


def rows() -> list[Row]:
    with scratch_store() as store:
        chance = random.Random(7)
        quarters = DAYS * 96
        keep(
            store, "electricity.import", [chance.randrange(900_000) for _ in range(quarters)], first_ms=BEGIN_MS,
            seconds=900,
        )  # fmt: skip
        keep(
            store, "electricity.price", [chance.randrange(-50_000, 300_000) for _ in range(quarters)],
            first_ms=BEGIN_MS, seconds=900, unit="EUR/kWh", source=f"{INDEX} quarter-hourly",
        )  # fmt: skip
        known(store, ZONE.key, NIGHT, DYNAMIC)
        rollups.refresh(store)  # as the first look at readings leaves it
        return [
            Row("Ten years of a store's quarter-hours under another tariff", _took(store, "Night"), 1, "s"),
            Row("Ten years of a store's quarter-hours under dynamic prices", _took(store, "Dynamic"), 1, "s"),
            Row(
                "A month's costs, by days",
                1000 * _took(store, "Dynamic", date(2024, 10, 1), date(2024, 10, 31)),
                50,
                "ms",
            ),
        ]


def _took(store: Store, tariff: str, first: date = FIRST, last: date = LAST) -> float:
    supply = supplies.named(store, "electricity", ZONE)
    start = time.perf_counter()
    found = costs.cost(store, supply, ZONE, first, last, tariff)
    days = found.days
    seconds = time.perf_counter() - start
    if len(days) != (last - first).days + 1 or found.told:
        raise RuntimeError(f"the costs are not whole: {found.told}")
    return seconds
