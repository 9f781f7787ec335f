"""What a box makes in its folder, and how that goes."""

import shutil
from pathlib import Path

from appliance.config import HOUSEHOLD_FILE, METERS_FILE, RESTORED, Config
from appliance.shared import is_shared
from appliance.store.destroying import sync_folder

HELD = ("lock", "collector.sock")


def own_places(config: Config) -> list[Path]:
    """What a box makes in its folder, but for the marker and the configuration, which go last."""
    names = ("stores", "keys", "inbox", "spool", "run", RESTORED, "updates", "update-trial", "update-kept")
    return [config.data / each for each in (*names, HOUSEHOLD_FILE, METERS_FILE, "past.json", "backup.json")]


def remove(path: Path) -> None:
    """Removes a folder or a file, so that a power cut does not bring it back.

    A folder that an appliance shares among its services is emptied: they made none of it, and could not make it anew.
    What a service that runs holds there, its lock or its socket, stays.
    """
    if path.is_dir() and not path.is_symlink():
        if not is_shared(path):
            shutil.rmtree(path)
            sync_folder(path.parent)
            return
        for each in path.iterdir():
            if each.name not in HELD:
                remove(each)
        return
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)
