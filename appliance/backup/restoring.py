"""A new box from a backup and the 24 words: the way back after a fire, a theft, or a dead card."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from appliance import backup, people
from appliance.backup.restic import Restic
from appliance.backup.targets import FILE as TARGETS_FILE
from appliance.backup.targets import Secret, where_problems
from appliance.config import FILE, HOUSEHOLD_FILE, METERS_FILE, Config, load
from appliance.errors import UserError
from appliance.store import kit_backups, lease
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing

FILES = (HOUSEHOLD_FILE, METERS_FILE, TARGETS_FILE, FILE)


def restore(config: Config, where: str, user: str, password: str, words: list[str]) -> list[str]:
    """Brings the newest backup back into the box's folder, which holds nothing yet, and opens home by its kit.

    The stores that need the recovery kit of their own person. UserError where the folder is in use, the words do not
    open the backup, or it cannot be read; the folder is as it was then.
    """
    if problems := list(where_problems(where)):
        raise UserError(problems)
    restic = Restic(where, Secret(user, password, kit_backups.password(words)))
    _need_nothing_here(config)
    scratch = config.run / "restore"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700, parents=True)
    try:
        restic.run("restore", "latest", f"--target={scratch}", "--tag=inglenook")
        backup.put_together(scratch)
        KeyRing(scratch).prove_kit(HOME, words)
        _take_over(config, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    ring = KeyRing(config.data)
    ring.use_kit(HOME, words)
    open_store(load(config.data), HOME).close()
    return [each for each in ring.store_names() if each != HOME]


def _need_nothing_here(config: Config) -> None:
    """UserError where there is something that a restore would lose, or somebody has it open."""
    ring = KeyRing(config.data)
    if not ring.store_names():
        return
    if not lease.is_free(config.stores / HOME):
        raise UserError(f"the box of {config.data} is running; stop it, then restore")
    with open_store(config, HOME) as home:
        is_new = ring.store_names() == [HOME] and people.household(home) is None
    if not is_new:
        raise UserError(
            f"{config.data} holds a household already, and nothing of it is overwritten; restore into an empty folder: "
            "inglenook --data FOLDER backup restore"
        )


def _take_over(config: Config, scratch: Path) -> None:
    """Moves what was restored to its place; the stores last, since with them the box is there."""
    (config.data / "keys").mkdir(mode=0o700, exist_ok=True)
    for path in scratch.glob("keys/*"):
        path.replace(config.data / "keys" / path.name)
    for path in _existing(scratch, FILES):
        if path.name != FILE or not (config.data / FILE).exists():  # what this box is told about itself stays
            path.replace(config.data / path.name)
    for name in ("spool", "stores"):
        shutil.rmtree(config.data / name, ignore_errors=True)
        if (scratch / name).exists():
            (scratch / name).replace(config.data / name)


def _existing(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()]
