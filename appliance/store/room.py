"""The room on the disk of the data, of which the last is for the meters: imports wait before it is gone."""

import shutil
from pathlib import Path

MOST_BYTES, SHARE = 256 << 20, 20
"""An import waits where less is free than this, and than this share (1/20) of the whole disk."""


def lacking(folder: Path) -> str:
    """Why imports wait, and what to do; "" where there is room."""
    disk = shutil.disk_usage(folder)
    spare = min(MOST_BYTES, disk.total // SHARE)
    if disk.free >= spare:
        return ""
    return (
        f"the disk is nearly full: {disk.free / 1e6:,.0f} MB of {disk.total / 1e6:,.0f} MB are left. Meters are still "
        "read; imports wait, and go on by themselves once there is room. Delete what you no longer need (the page "
        "Keeping says what is old), or move the box to a larger card with a backup"
    )
