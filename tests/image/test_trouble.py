"""What the appliance does when it is in trouble: pages say it, meters are read on, and there is a way out.

On a machine of its own, whose data lies on a small disk.
"""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import requests

from services import sign
from tests.image import machine
from tests.image.machine import BOX, DATA, PATIENCE_S, SERVICES, Machine, until
from tests.image.visitor import METER, SCREEN, Visitor
from tests.statements import Row, ofx

DISK = "256m"
FILL = f'fallocate --length $(($(df --output=avail --block-size=1 "{DATA}" | tail -n 1) - 4194304)) "{DATA}/filler"'
UNITS = tuple(f"{service}.service" for service in SERVICES)


@pytest.fixture(scope="module")
def troubled(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The appliance, begun anew with its data on a disk that is soon full."""
    with machine.booted(built, tmp_path_factory.mktemp("troubled")) as running:
        running.run("systemctl", "stop", "inglenook-dashboard.socket", *UNITS)
        running.run("rm", "--force", SCREEN)  # the code of the box that it was
        running.run("mkdir", "-p", str(Path(f"/{sign.FILE}").parent))
        running.run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", DATA)
        running.run("systemd-tmpfiles", "--create", "inglenook.conf")
        running.run("systemctl", "restart", "inglenook-sign.path")  # it watches what lay there before
        running.run("systemctl", "start", "inglenook-setup.service", "inglenook-dashboard.socket", *UNITS)
        yield running


@pytest.fixture(scope="module")
def at_home(troubled: Machine, tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """Who has claimed it, and set up a meter."""
    visitor = Visitor(troubled, tmp_path_factory.mktemp("visitor"))
    assert "recovery kit" in visitor.claims().text
    troubled.write(f"{DATA}/inglenook.toml", METER)
    until(lambda: visitor.get("/api/now").json().get("import_w") is not None, "the meter's power is known")
    return visitor


def _status(visitor: Visitor) -> int:
    """What the box answers with; 0 for nothing, as while it is started again."""
    try:
        return visitor.get("/now").status_code
    except requests.RequestException:
        return 0


def test_a_clock_that_was_never_set_is_said(at_home: Visitor) -> None:
    assert "The box’s clock is not set: it believes that it is" in at_home.get("/now").text


def test_as_the_disk_fills_imports_wait_and_the_meter_is_read_on(troubled: Machine, at_home: Visitor) -> None:
    troubled.run("sh", "-c", FILL)
    file = f"{DATA}/inbox/home/march.ofx"
    troubled.write(file, ofx([Row(date(2026, 3, 1), "-3.00", "Bakery")]).decode(), "inglenook:inglenook")
    try:
        until(lambda: "the disk is nearly full" in troubled.journal("inglenook-scheduler"), "the import waits")
        assert "Meters are still read; imports wait" in at_home.get("/import?store=home").text
        before = at_home.get("/api/now").json()["at_ms"]
        until(lambda: at_home.get("/api/now").json()["at_ms"] > before, "another reading comes")
        assert troubled.run("ls", file)
    finally:
        troubled.run("rm", f"{DATA}/filler")
    troubled.run("touch", file)
    until(lambda: "march.ofx" in at_home.get("/import?store=home").text, "the import goes on")


def test_a_damaged_configuration_is_said_and_set_aside(troubled: Machine, at_home: Visitor) -> None:
    troubled.write(f"{DATA}/inglenook.toml", "[dashboard\n")
    said = "the meters are read as before"
    until(lambda: said in troubled.journal("inglenook-collector"), "the collector goes on")
    troubled.run("systemctl", "restart", "--no-block", *UNITS)
    until(lambda: _status(at_home) == 503, "the page says it")
    assert f"{DATA}/inglenook.toml: Expected" in at_home.get("/").text
    with troubled.network(outside=True):
        assert "The box cannot begin" in requests.get(f"http://{BOX}/", timeout=PATIENCE_S).text
    shown = f"/{sign.ISSUE}"
    until(lambda: "Set inglenook.toml aside" in troubled.run("cat", shown), "the screen says it")
    code = re.findall(r"aside with the code:  (\S+)", troubled.run("cat", shown))[-1]
    assert code in troubled.run("cat", f"/{sign.FILE}")
    with troubled.network(outside=True):
        at_home.session.post(f"https://{BOX}/set-aside", {"code": code}, timeout=PATIENCE_S)
    until(lambda: _status(at_home) == 200, "the box goes on")
    until(lambda: code not in troubled.run("cat", shown), "the screen says the address alone")
    assert troubled.run("ls", str(Path(f"/{sign.FILE}").parent)) == ""
    assert "https = true" in troubled.run("cat", f"{DATA}/inglenook.toml")
    assert troubled.run("cat", f"{DATA}/inglenook.toml.set-aside") == "[dashboard"


def test_a_lost_store_is_said_and_readings_are_kept_for_it(troubled: Machine, at_home: Visitor) -> None:
    troubled.write(f"{DATA}/inglenook.toml", METER)
    store, elsewhere = f"{DATA}/stores/home/store.db", f"{DATA}/lost"
    troubled.run("systemctl", "stop", *UNITS)
    troubled.run("mv", store, elsewhere)
    troubled.run("systemctl", "start", "--no-block", *UNITS)
    until(lambda: _status(at_home) == 503, "the page says it")
    page = at_home.get("/").text
    assert f"{store} is missing" in page
    assert "bring everything back from the last" in page
    until(lambda: troubled.shown("inglenook-collector.service", "ActiveState") == ["active"], "the meter is read")
    troubled.run("mv", elsewhere, store)
    until(lambda: _status(at_home) == 200, "the box goes on by itself")
