"""The switch check in a cold process: 500 tariffs over a household's year of half-hours, with reading the store."""

import json
import random
import tempfile
import time
from pathlib import Path

from appliance import supplies, switching
from appliance import tariffs as engine
from appliance.config import Config
from appliance.ingest import importing
from appliance.store.database import open_store
from tests.benchmarks import bench_tariffs
from tests.benchmarks.row import Row
from tests.costs.tariffs import INDEX, keep_prices
from tests.switching.household import BRUSSELS, FIRST, LAST, ON, a_year, agreed, midnight


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        config = Config(Path(folder))
        _fill(config)
        with open_store(config) as store:
            start = time.perf_counter()
            found = switching.compare(store, supplies.named(store, "", BRUSSELS), BRUSSELS, ON)
            seconds = time.perf_counter() - start
    if len(found.offers) < bench_tariffs.TARIFFS:
        raise RuntimeError("tariffs were left out of the comparison")
    return [Row("500 tariffs compared over the year in the store", seconds, 3, "s")]


def _fill(config: Config) -> None:
    chance = random.Random(5)
    with open_store(config, make=True) as store:
        a_year(store)
        keep_prices(store, midnight(FIRST), midnight(LAST) + 96)
        offers = [json.loads(engine.write(bench_tariffs.tariff(chance, each))) for each in range(bench_tariffs.TARIFFS)]
        for offer in offers:
            for charge in offer["charges"]:
                charge.update({"index": INDEX} if charge["kind"] == "dynamic" else {})
        importing.import_bytes(store, json.dumps(offers).encode(), "offers.json")
        agreed(store, offers[0]["name"])
