"""The appliance boots, its services say truly that they are ready, and it is claimed and used."""

import json
import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from tests.image import names
from tests.image.machine import DATA, PATIENCE_S, SERVICES, Machine, until
from tests.image.visitor import METER, Visitor
from tests.statements import Row, ofx

ANSWERS_S = 15  # on its first boot, which makes keys and stores, beside other tests
IDLE_KIB = 150 * 1024
PORTS = {("tcp", "*:443"), ("tcp", "*:80"), ("udp", "0.0.0.0:5353"), ("udp", "[::]:5353")}
STICK = "/media/stick"
LINK = re.compile(r'<a [^>]*href="(/[^"#]*)"')
ORDER = ("inglenook-collector", "basic.target", "inglenook-dashboard", "multi-user.target")


@pytest.fixture(scope="module")
def at_home(appliance: Machine, tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """Who has claimed the box."""
    visitor = Visitor(appliance, tmp_path_factory.mktemp("visitor"))
    assert "recovery kit" in visitor.claims().text
    return visitor


def test_every_unit_is_started_and_none_failed(appliance: Machine) -> None:
    assert json.loads(appliance.run("systemctl", "--failed", "--output=json")) == [], appliance.journal()
    for service in SERVICES:
        assert appliance.shown(f"{service}.service", "ActiveState", "NRestarts") == ["active", "0"]


def test_the_dashboard_has_answered_soon_after_the_box_began(appliance: Machine) -> None:
    began_us = int(appliance.run("systemctl", "show", "--property=UserspaceTimestampMonotonic", "--value"))
    [answered_us] = appliance.shown("inglenook-dashboard.service", "ActiveEnterTimestampMonotonic")
    seconds = (int(answered_us) - began_us) / 1e6
    print(f"the dashboard had answered itself {seconds:.1f} s after the box began")
    assert seconds <= ANSWERS_S


def test_the_collector_is_ready_before_everything_else_begins(appliance: Machine) -> None:
    ready_us = [int(appliance.shown(unit(name), "ActiveEnterTimestampMonotonic")[0]) for name in ORDER]
    assert all(before < after for before, after in pairwise(ready_us)), dict(zip(ORDER, ready_us, strict=True))
    after = appliance.shown("inglenook-collector.service", "After")[0].split()
    assert not {name for name in after if "network" in name or "time-sync" in name or "chrony" in name}


@pytest.mark.parametrize("port", [names.PORT, names.ANYWHERE], ids=["by multicast", "by itself"])
def test_a_device_at_home_finds_a_new_box_by_its_name(appliance: Machine, tmp_path: Path, port: int) -> None:
    with appliance.network(outside=True):
        [address] = names.resolved("inglenook.local", port)
    visitor = Visitor(appliance, tmp_path)
    with appliance.network(outside=True):
        page = visitor.session.get(f"https://{address}/", timeout=PATIENCE_S)
    assert page.url == f"https://{address}/claim"
    assert "belongs to nobody yet" in page.text


def test_a_meter_s_power_is_on_the_page_once_the_box_is_claimed(appliance: Machine, at_home: Visitor) -> None:
    appliance.write(f"{DATA}/inglenook.toml", METER)
    until(lambda: at_home.get("/api/now").json().get("import_w") is not None, "the meter's power is known")
    page = at_home.get("/now").text
    assert 'id="no-meter" hidden' in page
    assert at_home.get("/api/now").json()["age_s"] < 60


def test_every_page_of_a_claimed_box_answers(at_home: Visitor) -> None:
    waiting, seen = ["/now"], {"/now"}
    while waiting:
        page = at_home.get(waiting.pop())
        assert page.ok, f"{page.url}: {page.status_code}"
        found = {each.partition("?")[0] for each in LINK.findall(page.text)} - seen
        seen |= found
        waiting += found
    assert len(seen) > 20, seen


def test_the_clock_is_believed_once_it_is_said_to_be_set(appliance: Machine, at_home: Visitor) -> None:
    def is_set() -> str:
        with appliance.network():
            said = requests.get("https://127.0.0.1/metrics", verify=at_home.session.verify, timeout=PATIENCE_S).text
        return next(line for line in said.splitlines() if line.startswith("inglenook_clock"))

    assert is_set().endswith(" 0"), "nothing sets the clock in a container"
    appliance.run("install", "-D", "-m", "0644", "/dev/null", "/run/inglenook/clock-is-set")
    until(lambda: is_set().endswith(" 1"), "the collector sees the sign")


def test_each_service_goes_on_saying_that_it_is_alive(appliance: Machine) -> None:
    def has_said_so_since() -> bool:
        names = ("WatchdogTimestampMonotonic", "ActiveEnterTimestampMonotonic")
        times = [map(int, appliance.shown(f"{service}.service", *names)) for service in SERVICES]
        return all(said > ready for said, ready in times)

    until(has_said_so_since, "all services were heard of again")
    collector = "inglenook-collector.service"
    until(lambda: appliance.shown(collector, "WatchdogUSec")[0].startswith("30.6"), "it says itself how often")


@pytest.fixture
def stick(appliance: Machine) -> Iterator[str]:
    """A disk that is plugged in while everything runs."""
    appliance.run("mkdir", "-p", STICK)
    appliance.run("mount", "-t", "tmpfs", "-o", "mode=0777", "tmpfs", STICK)
    yield STICK
    appliance.run("umount", "--lazy", STICK)


def test_a_disk_that_is_plugged_in_is_backed_up_to_and_watched(
    appliance: Machine, at_home: Visitor, stick: str
) -> None:
    appliance.run("mkdir", f"{stick}/bank")
    appliance.write(f"{stick}/bank/march.ofx", ofx([Row(date(2026, 3, 1), "-3.00", "Bakery")]).decode())
    appliance.run("touch", "--date=yesterday", f"{stick}/bank/march.ofx")
    assert at_home.post("/backup", name="stick", where=f"{stick}/inglenook").ok
    assert at_home.post("/feeds/add/folder", name="bank", path=f"{stick}/bank", pattern="*.ofx", rhythm="900").ok
    until(lambda: "march.ofx" in at_home.get("/import").text, "the watched folder is read")

    def state() -> dict[str, str]:
        found: dict[str, str] = json.loads(appliance.run("cat", f"{DATA}/backup.json"))["stick"]["state"]
        return found

    until(lambda: state().get("good"), "a backup is made")
    assert "config" in appliance.run("ls", f"{stick}/inglenook"), "restic's repository"
    at_home.post("/backup/stick/remove", on="/backup")


def test_only_the_ports_of_the_list_are_open(appliance: Machine) -> None:
    assert appliance.open_ports() == PORTS


def test_all_services_of_a_claimed_box_take_little_memory_when_it_has_just_started(
    appliance: Machine, at_home: Visitor
) -> None:
    appliance.run("systemctl", "restart", *(f"{service}.service" for service in SERVICES))
    assert at_home.get("/now").ok
    taken = appliance.idle_pss_kib()
    assert sum(taken.values()) < IDLE_KIB, taken


def test_who_runs_the_command_as_root_leaves_files_that_the_services_can_open(appliance: Machine) -> None:
    assert "home" in appliance.run("inglenook", "check")
    owners = set(appliance.run("find", DATA, "-printf", "%u\\n").split())
    assert owners <= {"inglenook", "inglenook-collector", "root"}
    assert not appliance.run("find", f"{DATA}/stores", "-user", "root")


def unit(name: str) -> str:
    """As systemd calls it."""
    return name if "." in name else f"{name}.service"
