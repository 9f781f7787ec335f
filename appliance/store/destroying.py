"""Destroying what opens a store; and which deletions of whole stores were begun and did not end."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.config import DELETING
from appliance.errors import UserError

if TYPE_CHECKING:
    from appliance.store.keys import KeyRing

BOX = "box"  # no store has this name in DIR/deleting, since theirs begin with "store-"


def marker(data: Path, name: str) -> Path:
    """The file that says that a deletion was begun: of the box, or of "store-NAME"."""
    return data / DELETING / f"{name}.json"


def need_not_begun(data: Path, store: str) -> None:
    """UserError, with the way to the end, where the deletion of this store was begun."""
    if marker(data, BOX).exists():
        raise UserError(f"the deletion of the box in {data} was begun and is not finished; run: inglenook delete box")
    if (begun := marker(data, f"store-{store}")).exists():
        name = json.loads(begun.read_bytes())["name"]
        raise UserError(
            f"the deletion of {name} and of the store {store!r} was begun and is not finished; run: inglenook delete "
            f"person {name!r}"
        )


def destroy_all_keys(ring: "KeyRing", stores: Iterable[str] | None = None) -> None:
    """The keys of stores, of all by default, and then the box's."""
    for name in ring.store_names() if stores is None else stores:
        destroy_keys(ring.folder(name))
    overwrite(ring.box_file)


def destroy_keys(folder: Path) -> None:
    """Overwrites and removes what opens the store of this folder; from then on nothing does."""
    for name in ("keys.json", "tries.json"):
        overwrite(folder / name)
    for scratch in folder.glob("keys.json.*"):
        overwrite(scratch)


def overwrite(path: Path) -> None:
    """Writes something else over the bytes of a file, and removes it."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    unlink(path)


def unlink(path: Path) -> None:
    """Removes a file, so that a power cut does not bring it back."""
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
