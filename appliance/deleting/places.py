"""What a box makes in its folder, and how that goes."""

import shutil
from pathlib import Path

from appliance.config import HOUSEHOLD_FILE, RESTORED, Config
from appliance.store.destroying import sync_folder


def own_places(config: Config) -> list[Path]:
    """What a box makes in its folder, but for the marker and the configuration, which go last."""
    names = ("keys", "run", RESTORED, "updates", "update-trial", "update-kept")
    files = [config.data / HOUSEHOLD_FILE, config.data / "past.json", config.data / "backup.json"]
    return [config.stores, config.inbox, config.spool, *(config.data / name for name in names), *files]


def remove(path: Path) -> None:
    """Removes a folder or a file, so that a power cut does not bring it back."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)
