"""What everybody at home is to know of the box itself: that its disk is nearly full, that its clock is not set."""

import os
from datetime import UTC, datetime

from appliance.ingest import clock
from appliance.store import room
from services.dashboard.box import box


def of_the_box() -> list[str]:
    """In full sentences, each with what to do; none where all is well."""
    return [*of_its_disk(), *of_its_clock()]


def of_its_disk() -> list[str]:
    """Why imports wait."""
    why = room.lacking(box().config.data)
    return [f"{why[:1].upper()}{why[1:]}."] if why else []


def of_its_clock() -> list[str]:
    """On the appliance, which often has no clock chip; elsewhere the clock is the machine's owner's affair."""
    if "INGLENOOK_CLOCK" not in os.environ or clock.is_synced():
        return []
    return [
        f"The box’s clock is not set: it believes that it is {datetime.now(UTC):%d %B %Y, %H:%M} UTC. It sets itself "
        "by the internet: look whether the router is on and the cable is in. Meters are read meanwhile, and their "
        "readings get their right times afterwards."
    ]
