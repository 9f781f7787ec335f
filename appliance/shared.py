"""Who may read what the box writes: its own user, and on an appliance also the collector, which is a user of its own.

A folder is for its group too where the group may enter it and it passes the group on to what is made in it (setgid).
No folder is so by itself: the appliance's are made so on purpose.
"""

import stat
from pathlib import Path


def is_shared(folder: Path) -> bool:
    """Whether what is written into this folder is for its group too."""
    marks = stat.S_ISGID | stat.S_IXGRP
    return folder.stat().st_mode & marks == marks


def file_mode(folder: Path) -> int:
    """The mode of a file in this folder that the collector or its reader needs: 0600, or 0640 where shared."""
    return 0o640 if is_shared(folder) else 0o600
