"""A new box from a backup and the 24 words: the way back after a fire, a theft, or a dead card.

    1. the newest backup is restored into DIR/run/restore, looked into, and made this box's own: its home store opens
       with the key of this box, it has no session and no invitation of the old one, and what was in the spool is sealed
       into it. The words are needed for nothing more
    2. DIR/run/restore becomes DIR/restored: from here on the next start finishes it
    3. nobody has the home store open; what was said on pages, then the stores take the places of this box's own, which
       are empty
    4. DIR/restored goes

A power cut before the second step leaves the box as it was, and what was restored is begun anew.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from appliance import backup, people
from appliance.backup import restic as words_of
from appliance.backup import ssh
from appliance.backup.drill import SPARE_BYTES
from appliance.backup.restic import UNLOCKED, RepositoryError, Restic
from appliance.backup.targets import FILE as TARGETS_FILE
from appliance.backup.targets import Secret, where_problems
from appliance.config import FILE, HOUSEHOLD_FILE, METERS_FILE, RESTORED, Config, load
from appliance.deleting.places import remove
from appliance.errors import UserError
from appliance.ingest import sealing, spool
from appliance.store import kit_backups, lease, room
from appliance.store.database import HOME, NewerStoreError, open_store
from appliance.store.destroying import sync_folder
from appliance.store.keys import KeyRing

FILES = (HOUSEHOLD_FILE, METERS_FILE, TARGETS_FILE, FILE)
PATIENCE_S = 60.0
LOOKING, FETCHING, OPENING, PLACING = "looking for the backup", "bringing it back", "opening it", "putting it in place"
_NONE = (
    "there is no backup in this place. Look at it once more: it is what the page Backup of the old box said, such as "
    "/media/disk/inglenook"
)
_WORDS = {
    words_of.AWAY: "it is not there. Plug the disk in, or see that the other machine is on, then begin again",
    words_of.PULLED: "it does not answer any more, as a disk that was pulled out. Plug it in again, then begin again",
    words_of.ANOTHERS: (
        "these words do not open it: they are another household's, a person's own, or of an earlier kit. Take the "
        "newest kit of the household"
    ),
    words_of.DAMAGED: (
        "it is damaged: some of it is not what was written. Take another of your backups; if there is none, copy this "
        "one to a new disk and begin again from there"
    ),
    words_of.NOT_LET_IN: (
        "it does not let this box in. Add the line that this page shows (inglenook backup key prints it) to the file "
        ".ssh/authorized_keys of that user there, then begin again"
    ),
    words_of.REFUSED: "it does not let the box in. See that the user, the password and the rights there are right",
    words_of.FULL: "the disk of this box is full: it is too small for this backup. Take a larger one, then begin again",
}

Told = Callable[[str, int | None], None]
"""Hears what is being done, and how many hundredths of that are done, where it is known."""


def restore(config: Config, where: str, user: str, password: str, words: list[str]) -> list[str]:
    """Brings the newest backup back into the box's folder, which holds nothing yet, and opens home by its kit.

    The stores that need the recovery kit of their own person. UserError where the folder is in use, the words do not
    open the backup, or it cannot be read; the folder is as it was then.
    """
    need_nothing_here(config)
    if HOME in config.store_names() and not lease.is_free(config.stores / HOME):
        raise UserError(f"the box of {config.data} is running; stop it, then restore")
    bring(config, where, user, password, words)
    take_over(config)
    return [each for each in KeyRing(config.data).store_names() if each != HOME]


def bring(
    config: Config, where: str, user: str, password: str, words: list[str], told: Told = lambda _step, _percent: None
) -> None:
    """The first two steps, which a box that runs can do. UserError as `restore`."""
    if problems := list(where_problems(where)):
        raise UserError(problems)
    secret = Secret(user, password, kit_backups.password(words))
    need_nothing_here(config)
    scratch = config.run / "restore"
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.rmtree(config.data / RESTORED, ignore_errors=True)  # of one that nobody put in its place
    scratch.mkdir(mode=0o700, parents=True)
    try:
        _fetch(config, where, secret, scratch, told)
        told(OPENING, None)
        backup.put_together(scratch)
        _make_own(config, scratch, words)
        _sync(scratch)
        scratch.replace(config.data / RESTORED)
        sync_folder(config.data)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def need_nothing_here(config: Config) -> None:
    """UserError where there is something that a restore would lose."""
    if config.database_url:
        raise UserError("the stores of this box are in PostgreSQL: whoever runs that server brings them back there")
    names = config.store_names()
    if not names:
        return
    with open_store(config, HOME) as home:
        is_new = names == [HOME] and people.household(home) is None
    if not is_new:
        raise UserError(
            f"{config.data} holds a household already, and nothing of it is overwritten; restore into an empty folder: "
            "inglenook --data FOLDER backup restore"
        )


def _fetch(config: Config, where: str, secret: Secret, scratch: Path, told: Told) -> None:
    told(LOOKING, None)
    ssh.forget(config, where)
    try:
        asking = Restic(config, where, secret, PATIENCE_S)
        if not json.loads(asking.run("snapshots", "latest", "--tag=inglenook", "--json", UNLOCKED)):
            raise UserError(f"the backup {where}: {_NONE}")
        _need_room(config, Restic(config, where, secret))
        told(FETCHING, None)
        Restic(config, where, secret).restore(scratch, lambda percent: told(FETCHING, percent))
    except RepositoryError as error:
        said = _NONE if error.is_absent else _WORDS.get(error.reason)
        raise UserError(f"the backup {where}: {said}" if said else error.problems) from None


def _need_room(config: Config, restic: Restic) -> None:
    told = json.loads(restic.run("stats", "latest", "--tag=inglenook", "--mode=restore-size", "--json", UNLOCKED))
    room.need(config.data, told["total_size"] + SPARE_BYTES, "bringing the backup back")


def _make_own(config: Config, scratch: Path, words: list[str]) -> None:
    """Its home store opens with this box's key, and who may read here may read there.

    It lets in no browser and no invitation of the old box, which somebody else may have now.
    """
    ring, own = KeyRing(scratch), KeyRing(config.data)
    own.box_key()
    for name in ("stores", f"stores/{HOME}"):
        if (config.data / name).is_dir() and (scratch / name).is_dir():
            _make_anew(scratch / name, (config.data / name).stat().st_mode & 0o777)
    ring.box_file.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(own.box_file, ring.box_file)
    try:
        ring.prove_kit(HOME, words)
        ring.use_kit(HOME, words)
        with open_store(load(scratch), HOME) as home:
            people.let_nobody_in(home)
            sealing.seal_all(home, scratch / "spool")
    except NewerStoreError:
        raise UserError(
            "this backup was made by a newer Inglenook than the one on this box. Put the newest image on the card, "
            "then begin again"
        ) from None
    finally:
        ring.box_file.unlink()


def _make_anew(folder: Path, mode: int) -> None:
    """The folder with another mode, and shared (appliance/shared.py) where what it lies in passes its group on.

    A service may not set that mark (RestrictSUIDSGID=), and chmod without it takes it away; a new folder has it.
    """
    aside, mask = folder.with_name("aside.new"), os.umask(0)
    folder.rename(aside)
    try:
        folder.mkdir(mode)
    finally:
        os.umask(mask)
    for path in aside.iterdir():
        path.rename(folder / path.name)
    aside.rmdir()


def _sync(folder: Path) -> None:
    """Makes what restic wrote survive a power cut: it leaves that to the kernel."""
    for at, _, names in os.walk(folder):
        for name in names:
            with (Path(at) / name).open("rb") as file:
                os.fsync(file)
        sync_folder(Path(at))


def take_over(config: Config) -> None:
    """The last two steps; UserError where somebody has the home store open. It may be done twice."""
    if (config.data / RESTORED / "stores").is_dir():
        try:
            need_nothing_here(config)
        except UserError:  # somebody claimed the box before it came to this
            remove(config.data / RESTORED)
            raise
    restored, before = config.data / RESTORED, config.data / RESTORED / "before"
    with ExitStack() as held:
        if (config.stores / HOME).is_dir():
            held.enter_context(lease.alone(config.stores / HOME))
        if (restored / "stores").is_dir():
            for segment in spool.segments(config.spool):  # of meters that nobody had named, for a store that goes
                segment.unlink(missing_ok=True)
            _take_files(config, restored)
            if config.stores.is_dir():
                # A cut between the two moves leaves it behind, and systemd makes the folders of stores anew at boot.
                shutil.rmtree(before, ignore_errors=True)
                config.stores.replace(before)
            (restored / "stores").replace(config.stores)
            sync_folder(config.data)
        remove(restored)


def _take_files(config: Config, restored: Path) -> None:
    (config.data / "keys").mkdir(mode=0o700, exist_ok=True)
    for path in restored.glob("keys/*"):
        path.replace(config.data / "keys" / path.name)
    for path in _existing(restored, FILES):
        if path.name != FILE or not (config.data / FILE).exists():  # what this box is told about itself stays
            path.replace(config.data / path.name)


def _existing(folder: Path, names: Iterable[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).exists()]
