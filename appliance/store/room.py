"""The room on the disk of the data, of which the last is for the meters: everything else waits before it is gone.

What takes little at a time waits where that is begun (`lacking`); what takes much asks for it first (`need`).
"""

import shutil
from pathlib import Path

from appliance.errors import NotNowError

MOST_BYTES, SHARE = 256 << 20, 20
"""Kept free is this, or this share (1/20) of the whole disk where that is less."""
_NEXT = "delete what you no longer need (the page Keeping says what is old), or move the box to a larger card"


def lacking(folder: Path) -> str:
    """Why imports wait, and what to do; "" where there is room."""
    disk = shutil.disk_usage(folder)
    if disk.free >= _kept(disk.total):
        return ""
    return (
        f"the disk is nearly full: {disk.free / 1e6:,.0f} MB of {disk.total / 1e6:,.0f} MB are left. Meters are still "
        f"read; imports wait, and go on by themselves once there is room: {_NEXT} with a backup"
    )


def need(folder: Path, bytes_: int, what: str) -> None:
    """NotNowError where a disk has not so many bytes beside what is kept free; `what` takes them, in a sentence."""
    disk = shutil.disk_usage(folder)
    left = max(disk.free - _kept(disk.total), 0)
    if left < bytes_:
        raise NotNowError(
            f"{what} takes {bytes_ / 1e6:,.0f} MB of the disk for a while, and {left / 1e6:,.0f} MB are left beside "
            f"what is kept free: {_NEXT}, and try again"
        )


def _kept(total: int) -> int:
    return min(MOST_BYTES, total // SHARE)
