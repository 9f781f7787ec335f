"""The appliance boots, its services say truly that they are ready, and nothing failed."""

import json

from tests.image.machine import SERVICES, Machine

IN_A_CONTAINER = {"chrony.service"}
"""What a container may not do: set this machine's clock."""


def test_every_unit_is_started_and_none_failed(appliance: Machine) -> None:
    failed = {each["unit"] for each in json.loads(appliance.run("systemctl", "--failed", "--output=json"))}
    assert failed <= IN_A_CONTAINER, appliance.journal()
    for service in SERVICES:
        assert appliance.shown(f"{service}.service", "ActiveState", "NRestarts") == ["active", "0"], appliance.journal(
            service
        )
