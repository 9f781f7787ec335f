"""What a box makes in its folder, and how that goes."""

import shutil
from pathlib import Path

from appliance.config import HOUSEHOLD_FILE, Config
from appliance.store.destroying import sync_folder


def own_places(config: Config) -> list[Path]:
    """What a box makes in its folder, but for the marker and the configuration, which go last."""
    folders = [config.stores, config.data / "keys", config.inbox, config.spool, config.data / "run"]
    of_updates = [config.data / name for name in ("updates", "update-trial", "update-kept")]
    return [*folders, *of_updates, config.data / HOUSEHOLD_FILE, config.data / "past.json", config.data / "backup.json"]


def remove(path: Path) -> None:
    """Removes a folder or a file, so that a power cut does not bring it back."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)
