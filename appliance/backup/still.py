"""Holding the data folder still while it is copied, with the box running, nobody waiting, and no second copy of stores.

A store's file changes only where SQLite checkpoints: otherwise what is written goes to the log beside it (WAL). Whoever
checkpoints holds the lock WAL_CKPT_LOCK, byte 121 of `store.db-shm` (SQLite, "WAL-mode File Format", section 2.3). With
that lock held here, the file with the log beside it is one state of the store, and stays so for hours, while everybody
reads and writes. The file's pages are the ones of yesterday but for those that changed, so that a backup stays small,
where every other copy would encrypt each page anew.

    1. each store is checkpointed where the box can open it, so that its log is short; then the lock is taken
    2. the spool is copied to DIR/run/backup, then the logs. Where a segment of the spool was sealed into the store and
       deleted meanwhile, both are copied again: so no reading is in neither
    3. what reads the folder reads the stores' files as they lie there, and the copies
"""

import fcntl
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from appliance.backup.targets import FILE as TARGETS_FILE
from appliance.config import FILE, HOUSEHOLD_FILE, METERS_FILE, Config
from appliance.errors import UserError
from appliance.ingest import spool
from appliance.store import lease
from appliance.store.database import open_store
from appliance.store.keys import LockedError

CHECKPOINT_LOCK = 121
TRIES = 100
CHANGING = ("store.db-wal", "store.db-shm", "lock", "tries.json", "*.new")
BESIDE = Path("run") / "backup"


@contextmanager
def held_still(config: Config) -> Iterator[list[str]]:
    """What to back up, relative to the data folder, with what to leave out; it is held still until the block ends."""
    beside = config.data / BESIDE
    names = config.store_names()
    with ExitStack() as held:
        for name in names:
            _hold(config, name, held)
        try:
            _copy(config, names, beside)
            yield [*_paths(config), *(f"--exclude=stores/*/{each}" for each in CHANGING)]
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _hold(config: Config, name: str, held: ExitStack) -> None:
    """Keeps a store from being checkpointed, and from getting another key.

    One that the box can open stays open meanwhile: whoever opens it first of all would need that lock for a moment.
    """
    folder = config.stores / name
    held.callback(os.close, lease.share(folder))
    number = os.open(folder / "store.db-shm", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    held.callback(os.close, number)  # after the connection below: a close lets go of the process's other locks, too
    with suppress(LockedError):
        store = held.enter_context(open_store(config, name))
        connection = held.enter_context(store.engine.connect())
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # type: ignore[union-attr]
    fcntl.fcntl(number, fcntl.F_OFD_SETLKW, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, CHECKPOINT_LOCK, 1, 0))


def _paths(config: Config) -> list[str]:
    files = [FILE, HOUSEHOLD_FILE, METERS_FILE, TARGETS_FILE]
    authorities = [str(path.relative_to(config.data)) for path in config.data.glob("keys/authority-*.pem")]
    return ["stores", str(BESIDE), *authorities, *(name for name in files if (config.data / name).exists())]


def _copy(config: Config, names: list[str], beside: Path) -> None:
    for _ in range(TRIES):
        shutil.rmtree(beside, ignore_errors=True)
        (beside / "spool").mkdir(mode=0o700, parents=True)
        before = _copy_spool(config, beside / "spool")
        for name in names:
            _copy_log(config.stores / name, beside / "stores" / name)
        if before <= set(map(_identity, spool.segments(config.spool))):
            return
    raise UserError("the spool is sealed so often that no moment was found to copy it; try again in a minute")


def _copy_spool(config: Config, to: Path) -> set[bytes]:
    """Which segments were copied; one that was sealed meanwhile is in the store."""
    copied = set()
    for segment in spool.segments(config.spool):
        with suppress(FileNotFoundError):
            shutil.copyfile(segment, to / segment.name)
            copied.add(_identity(to / segment.name))
    return copied


def _identity(segment: Path) -> bytes:
    """The segment's header: its name is given again to another one."""
    with suppress(FileNotFoundError), segment.open("rb") as file:
        return file.read(spool.HEADER_BYTES)
    return b""


def _copy_log(store: Path, to: Path) -> None:
    to.mkdir(mode=0o700, parents=True)
    with suppress(FileNotFoundError):
        shutil.copyfile(store / "store.db-wal", to / "store.db-wal")
