"""The job that works out what is new, in every store, after files were taken in."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from appliance import people
from appliance.config import load
from appliance.derive import attributes
from appliance.ingest import importing, stating
from appliance.people import Household
from appliance.store.database import HOME, open_store
from appliance.store.models import Attribute, EventFact
from tests import disks
from tests.statements import Row, ofx

ENDED_S = 120.0
DISK_BYTES, SHORT_BYTES = 32 << 20, 1 << 20


def test_the_job_links_and_works_out_what_is_new_in_every_store(tmp_path: Path) -> None:
    config = load(tmp_path)
    with open_store(config, HOME, make=True) as home:
        people.claim(config, home, Household("Home Farm", "Europe/Amsterdam", "EUR"), "Ada", "a hearth of words")
    with open_store(config, "ada") as store:
        importing.import_bytes(
            store, ofx([Row(date(2026, 3, 10), "-25.00", "HAZEL 17")]).replace(b"EUR", b"USD"), "s.ofx"
        )
        said = {"party": "Hazel", "title": "Food", "at": "2026-03-10", "amount": "25", "unit": "USD"}
        ordered = stating.add(store, "shop.order", said, "Ada").id
        attributes.add_table(store, "exchange-rates", "r.csv", b"pair,rate\nUSD/EUR,0.5\n", "pair")
    command = [sys.executable, "-m", "services.job", "derive", "--data", str(tmp_path)]
    assert subprocess.run(command, timeout=ENDED_S, check=False).returncode == 0
    with open_store(config, "ada") as store, store.read() as connection:
        assert connection.execute(select(EventFact.fact)).scalars().all()[-1] == ordered
        assert set(connection.execute(select(Attribute.value)).scalars()) == {"12.50 EUR", "-12.50 EUR"}


@pytest.mark.parametrize("job", ["rollups", "derive", "marts"])
def test_what_is_worked_out_waits_while_the_disk_is_nearly_full(tmp_path: Path, job: str) -> None:
    with disks.mounted(tmp_path / "card", DISK_BYTES) as card:
        open_store(load(card), HOME, make=True).close()
        command = [sys.executable, "-m", "services.job", job, "--data", str(card)]
        disks.leave_free(card, SHORT_BYTES)
        done = subprocess.run(command, timeout=ENDED_S, capture_output=True, text=True, check=False)
        assert (done.returncode, "the disk is nearly full" in done.stderr) == (2, True), done.stderr
        disks.make_room(card)
        assert subprocess.run(command, timeout=ENDED_S, check=False).returncode == 0
