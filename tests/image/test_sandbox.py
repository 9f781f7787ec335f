"""The services can do what they need and nothing else; each line of their units is held, and tried where it can be."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.image.machine import DATA, Machine
from tests.image.machine import SERVICES as RUNNING
from tests.image.sandbox import CAN, EXPOSURE, FIRST, MORE, OWN, ROOTS, SEALED, SERVICES
from tests.image.tree import ROOT, STAGE

PROBE = Path(__file__).with_name("probe.py")
PREVIOUS = "/opt/inglenook-previous"
UNITS = {".service", ".socket", ".path"}
WHAT_IT_IS = {"Type", "NotifyAccess", "ExecStart"}
BEHIND = "90-probe.conf"
IN_ITS_PLACE = """[Unit]
ConditionPathExists=
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/opt/inglenook/bin/python -I /run/probe.py
StandardOutput=file:/run/%p.json
"""


def _lines(text: str, section: str = "Service") -> dict[str, list[str]]:
    """Every directive of a section with all its values, in their order, of one file or of several after each other."""
    found: dict[str, list[str]] = {}
    here = ""
    for line in text.splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == section and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def _expected(service: str) -> dict[str, list[str]]:
    tables = [OWN[service], SEALED, MORE.get(service, {})]
    return {name: [value for table in tables for value in table.get(name, [])] for table in tables for name in table}


@pytest.mark.parametrize("service", [*SERVICES, *ROOTS, *FIRST])
def test_every_line_that_a_service_is_started_by_is_the_one_that_is_meant(appliance: Machine, service: str) -> None:
    assert _lines(appliance.run("systemctl", "cat", f"inglenook-{service}.service")) == _expected(service)


def test_systemd_knows_every_line_since_it_passes_over_what_it_does_not(appliance: Machine) -> None:
    units = [path.name for path in (ROOT / "systemd").iterdir() if path.suffix in UNITS]
    assert {Path(name).suffix for name in units} == UNITS
    of_debian = [path.name.removesuffix(".d") for path in (STAGE / "00-system/files/etc/systemd/system").iterdir()]
    command = f"systemd-analyze verify --man=no {' '.join([*units, *of_debian])} 2>&1"
    appliance.run("ln", "-s", "inglenook", PREVIOUS)  # which the first update makes
    said = appliance.run("sh", "-c", command, check=False)
    appliance.run("rm", PREVIOUS)
    assert not [line for line in said.splitlines() if "inglenook" in line], said


def test_every_unit_has_a_table_and_every_line_its_reason() -> None:
    units = sorted((ROOT / "systemd").glob("*.service"))
    assert [path.stem.removeprefix("inglenook-") for path in units] == sorted([*SERVICES, *ROOTS, *FIRST])
    for path in (*units, *(ROOT / "systemd").glob("*.service.d/*.conf")):
        _, _, service = path.read_text(encoding="utf-8").partition("[Service]\n")
        service, _, _ = service.partition("[Install]")
        lines = [line for line in service.splitlines() if line.partition("=")[0] not in WHAT_IT_IS]
        for before, line in zip(["", *lines], lines, strict=False):
            assert before or not line or line.startswith("#"), f"{path}: {line} has no reason above it"


@pytest.mark.parametrize("service", [*SERVICES, *ROOTS, *FIRST])
def test_a_service_is_as_little_exposed_as_is_promised(appliance: Machine, service: str) -> None:
    said = appliance.run("systemd-analyze", "security", "--no-pager", f"inglenook-{service}.service")
    score = float(said.rpartition("exposure level for ")[2].split(":")[1].split()[0])
    assert score <= EXPOSURE[service], said


@pytest.fixture(scope="module")
def probed(appliance: Machine) -> Iterator[Mapping[str, Any]]:
    """What a probe finds out in the place of each service; the services run on afterwards."""
    appliance.write("/run/probe.py", PROBE.read_text(encoding="utf-8"))
    appliance.write(f"{DATA}/meters.toml", "", "inglenook:inglenook")
    appliance.run("chmod", "0640", f"{DATA}/meters.toml")
    appliance.run("install", "-d", "-m", "0777", "/home/somebody", "/media/disk")
    appliance.run("install", "-d", "-m", "0700", "-o", "_chrony", "-g", "_chrony", "/run/chrony")
    yield {service: _probed(appliance, f"inglenook-{service}") for service in SERVICES}
    appliance.run("rm", "-rf", "/home/somebody", "/media/disk", "/run/probe.py", f"{DATA}/meters.toml")
    appliance.run("systemctl", "daemon-reload")
    appliance.run("systemctl", "start", *(f"{service}.service" for service in RUNNING))
    appliance.settled()


def _probed(appliance: Machine, unit: str) -> Any:
    folder = f"/run/systemd/system/{unit}.service.d"
    appliance.run("mkdir", "-p", folder)
    appliance.write(f"{folder}/{BEHIND}", IN_ITS_PLACE)
    appliance.run("systemctl", "daemon-reload")
    appliance.run("systemctl", "stop", f"{unit}.service")
    appliance.run("systemctl", "start", "--job-mode=ignore-dependencies", f"{unit}.service")
    appliance.run("rm", f"{folder}/{BEHIND}")
    return json.loads(appliance.run("cat", f"/run/{unit}.json"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_do_what_it_needs_and_nothing_else(probed: Mapping[str, Any], service: str) -> None:
    tries: dict[str, str] = probed[service]["tries"]
    expected = {name for name, services in CAN.items() if service in services}
    assert expected <= set(tries)
    assert {name for name, came in tries.items() if came == "can"} == expected, tries


@pytest.mark.parametrize("service", SERVICES)
def test_the_kernel_says_so_too(probed: Mapping[str, Any], appliance: Machine, service: str) -> None:
    facts = probed[service]["facts"]
    user = OWN[service]["User"][0]
    number = appliance.run("id", "--user", user)
    assert set(facts["capabilities"].values()) == {"0" * 16}
    assert facts["user namespace"] == ["0", "0", "1", number, number, "1"]
    assert facts["groups"] == [int(appliance.run("id", "--group", OWN[service]["Group"][0]))]
    assert (facts["no new privileges"], facts["core"], facts["folder"]) == (1, 0, "/")
    assert facts["umask"] == "77"
    assert facts["boot"] == appliance.run("cat", "/proc/sys/kernel/random/boot_id").replace("-", "")
    usual = os.getpriority(os.PRIO_PROCESS, appliance.leader)
    assert facts["nice"] == int(OWN[service].get("Nice", [usual])[0])
