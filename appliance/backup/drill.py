"""The drill: a backup is restored into a scratch folder, opened and looked through, so that it is known to be one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from appliance import backup, checking
from appliance.backup import targets
from appliance.config import Config
from appliance.errors import UserError
from appliance.store import room
from appliance.store import series as series_store
from appliance.store.database import HOME, Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.models import RecordRow

SPARE_BYTES = 64 << 20
_RESTORING = "every byte of the backup was read and found right; to restore it beside the box, as the drill does,"


@dataclass(frozen=True, slots=True)
class Found:
    """What a restored backup holds; `shut` are stores that only their person opens, which were not looked into."""

    stores: int
    facts: int
    readings: int
    shut: tuple[str, ...]

    def __str__(self) -> str:
        words = ", ".join((_many(self.stores, "store"), _many(self.facts, "fact"), _many(self.readings, "reading")))
        closed = f"; not looked into, since only their person opens them: {', '.join(self.shut)}" if self.shut else ""
        return f"restored to an empty folder and found whole: {words}{closed}"


def _many(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else f'{one}s'}"


def drill(config: Config, name: str, now: datetime) -> Found:
    """Restores the newest backup beside the box, looks through it, and reads every byte of the repository.

    What came of it is kept. UserError where anything is wrong with it.
    """
    try:
        found = _drilled(config, name)
    except UserError as error:
        targets.say(config, name, drilled=now, drill_problem=" ".join(error.problems))
        raise
    targets.say(config, name, drilled=now, drill=str(found), drill_problem="")
    return found


def _drilled(config: Config, name: str) -> Found:
    restic = backup.opened(config, name)
    restic.run("check", "--read-data")
    with _scratch(config) as folder:
        room.need(config.data, targets.named(config, name).bytes + SPARE_BYTES, _RESTORING)
        restic.run("restore", "latest", f"--target={folder}", "--tag=inglenook")
        backup.put_together(folder)
        found = _look_through(config, folder)
    restic.run("prune")
    return found


@contextmanager
def _scratch(config: Config) -> Iterator[Path]:
    folder = config.run / "drill"
    shutil.rmtree(folder, ignore_errors=True)  # of one that a power cut ended
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _look_through(config: Config, folder: Path) -> Found:
    """UserError with all that is wrong."""
    restored, live = Config(folder, zone=config.zone), KeyRing(config.data)
    ring, problems, shut = KeyRing(folder), list[str](), list[str]()
    missing = sorted(set(live.store_names()) - set(ring.store_names()))
    problems += [f"the store {each!r} is not in the backup; back up again" for each in missing]
    ring.box_file.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(live.box_file, ring.box_file)
    facts = readings = 0
    for store in ring.store_names():
        if store == HOME and ring.document(store)["wraps"].get("kit") != live.document(store)["wraps"].get("kit"):
            problems.append("the recovery kit of the household was made after this backup; back up again")
        if ring.facts(store).is_locked or ring.is_anothers(store):
            shut.append(store)
            continue
        with open_store(restored, store) as opened:
            problems += [f"{store}: {each}" for each in checking.problems(opened, restored.stores / store)]
            facts, readings = facts + _facts(opened), readings + _readings(opened)
    if problems:
        raise UserError(problems)
    return Found(len(ring.store_names()), facts, readings, tuple(shut))


def _facts(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(RecordRow)).scalar_one()


def _readings(store: Store) -> int:
    with store.read() as connection:
        extents = (series_store.extent(connection, each) for each in series_store.every(connection))
        return sum(each[2] for each in extents if each)
