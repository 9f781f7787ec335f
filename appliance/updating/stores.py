"""The stores, as an update goes: the new release is tried on copies, and each is kept as it was until that is good.

    python -m appliance.updating.stores copy|keep|restore|forget --data DIR

Run as the user whose stores these are, by the release that ran before. Only where the new release has another layout of
stores is there anything to do.

    DIR/update-trial/   a data folder of copies, made while the box runs, on which the new release is tried
    DIR/update-kept/    each store as it was before the new release opened it, a folder a store, which has its name once
                        it is whole; nobody writes a store from then on until the new release is good, so nothing is
                        lost where they are put back. Readings wait in the spool meanwhile
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from appliance.backup.still import BESIDE, held_still
from appliance.config import Config
from appliance.store.destroying import sync_folder
from appliance.store.keys import KeyRing
from appliance.updating.failures import FAILURES, words

TRIAL, KEPT = "update-trial", "update-kept"
_OF_DATABASE = ("store.db", "store.db-wal")
_OF_PROCESSES = ("store.db-", "lock")


def size(config: Config) -> int:
    """Bytes of all stores' databases."""
    return sum(path.stat().st_size for path in config.stores.glob("*/store.db*"))


def copy(config: Config) -> Path:
    """A data folder with a copy of each store, as it is at one moment. What is not its database is linked."""
    trial = config.data / TRIAL
    shutil.rmtree(trial, ignore_errors=True)
    (trial / "keys").mkdir(mode=0o700, parents=True)
    with held_still(config):
        shutil.copy(KeyRing(config.data).box_file, trial / "keys")
        for name in config.store_names():
            _copy_store(config.stores / name, trial / "stores" / name)
            with suppress(FileNotFoundError):
                log = Path("stores") / name / "store.db-wal"
                shutil.copyfile(config.data / BESIDE / log, trial / log)
    return trial


def _copy_store(folder: Path, to: Path) -> None:
    """All but what only its own processes use. The modes of its folders are the box's, and are not copied."""
    to.mkdir(mode=0o700, parents=True)
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            (to / path.relative_to(folder)).mkdir(mode=0o700)
        elif path.name == "store.db":
            shutil.copyfile(path, to / path.name)
        elif not path.name.startswith(_OF_PROCESSES) and path.suffix != ".new":
            os.link(path, to / path.relative_to(folder))


def keep(config: Config) -> None:
    """Keeps every store as it is, while nobody has it open."""
    for name in config.store_names():
        whole = config.data / KEPT / name
        part = whole.with_name(f"{name}.new")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        for each in _OF_DATABASE:
            with suppress(FileNotFoundError):
                _copy_durably(config.stores / name / each, part / each)
        sync_folder(part)
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
    if (config.data / KEPT).is_dir():
        sync_folder(config.data / KEPT)


def restore(config: Config) -> None:
    """Puts each store that was kept back; begun again after a power cut, it comes to the same end."""
    for whole in sorted((config.data / KEPT).glob("*")):
        if not whole.name.endswith(".new"):
            _put_back(whole, config.stores / whole.name)
    forget(config)


def _put_back(whole: Path, store: Path) -> None:
    """What the new release wrote beside the database goes first: it belongs to another one than is put back."""
    for beside in ("store.db-wal", "store.db-shm"):
        (store / beside).unlink(missing_ok=True)
    sync_folder(store)
    for each in _OF_DATABASE:
        if (whole / each).exists():
            _copy_durably(whole / each, store / f"{each}.new")
            (store / f"{each}.new").replace(store / each)
            sync_folder(store)


def forget(config: Config) -> None:
    """Nothing is kept any more, and nothing tried."""
    shutil.rmtree(config.data / TRIAL, ignore_errors=True)
    forget_kept(config)


def forget_kept(config: Config) -> None:
    """No store is kept as it was any more."""
    shutil.rmtree(config.data / KEPT, ignore_errors=True)


def _copy_durably(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fchmod(file.fileno(), 0o600)
        os.fsync(file.fileno())


VERBS: dict[str, Callable[[Config], object]] = {"copy": copy, "keep": keep, "restore": restore, "forget": forget}


def main() -> None:
    parser = argparse.ArgumentParser(prog="stores", description=__doc__)
    parser.add_argument("verb", choices=sorted(VERBS))
    parser.add_argument("--data", type=Path, required=True)
    said = parser.parse_args()
    try:
        VERBS[said.verb](Config(said.data.absolute()))  # not `load`: a broken file keeps no store from being put back
    except FAILURES as error:
        sys.exit(words(error))


if __name__ == "__main__":
    main()
