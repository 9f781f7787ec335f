"""What everybody at home is to know of the box itself: its disk breaks or is nearly full, its clock is not set."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

from appliance.ingest import clock
from appliance.store import room
from services.dashboard.box import box

READ_ONLY = (
    "The card reports errors, and was made read-only so that nothing on it is spoilt: nothing new is stored, and "
    "readings wait in memory, which does not hold them for long. Unplug the box and plug it in again: it looks over "
    "the card as it starts. Then back up (the page Backup), and replace the card: it will do this again."
)


def of_the_box() -> list[str]:
    """In full sentences, each with what to do; none where all is well."""
    return [*of_its_disk(), *of_its_clock()]


def of_its_disk() -> list[str]:
    """Why nothing is stored, or imports wait."""
    data = box().config.data
    said = [READ_ONLY] if is_read_only(data) else []
    why = room.lacking(data)
    return [*said, f"{why[:1].upper()}{why[1:]}."] if why else said


def is_read_only(folder: Path) -> bool:
    """Whether its disk takes nothing any more: one that broke tells nobody but who writes.

    From Linux 6.12 on, statvfs(2) says nothing of an ext4 that was made read-only by `errors=remount-ro`.
    """
    try:
        os.utime(folder)
    except OSError as error:
        return error.errno in (errno.EROFS, errno.EIO)
    return False


def of_its_clock() -> list[str]:
    """On the appliance, which often has no clock chip; elsewhere the clock is the machine's owner's affair."""
    if "INGLENOOK_CLOCK" not in os.environ or clock.is_synced():
        return []
    return [
        f"The box’s clock is not set: it believes that it is {datetime.now(UTC):%d %B %Y, %H:%M} UTC. It sets itself "
        "by the internet: look whether the router is on and the cable is in. Meters are read meanwhile, and their "
        "readings get their right times afterwards."
    ]
