"""A claimed box, for a benchmark, whose dashboard is asked in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

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
from tests.benchmarks.store import scratch_config

NAME, PASSWORD = "Anna", "a long password"
FIRST_MS = (int(time.time()) // 86_400 - DAYS) * 86_400_000
"""The first of DAYS, the last of which is yesterday."""


def asked(module: str, fill: Callable[[Store], None], tariff: str) -> Any:
    """What `python -m MODULE FOLDER` prints last, as JSON, of a box that was filled and is on that tariff."""
    with scratch_config() as config:
        with open_store(config, HOME, make=True) as home:
            people.claim(config, home, Household("Bench", ZONE.key, "EUR"), NAME, PASSWORD)
            fill(home)
            agreed = {"party": "Ember", "supply": "electricity", "tariff": tariff, "at": "2010-01-01"}
            stating.add(home, "energy.agreement", agreed, NAME, zone=ZONE)
            rollups.refresh(home)  # as the first look at readings leaves it
        command = [sys.executable, "-m", module, str(config.data)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(said.splitlines()[-1])


@contextmanager
def signed_in(data: Path) -> Iterator[FlaskClient]:
    """The browser of who claimed the box."""
    app = make_app(Config(data))
    with closing(box(app).stores) as stores:
        client = app.test_client()
        client.set_cookie(SESSION_COOKIE, people.sign_in(stores.home, NAME, PASSWORD) or "")
        yield client
