"""Backups with restic: encrypted, nightly, to a folder or a USB disk, over SFTP, a REST server or S3.

What is backed up is the data folder without the box's own key: stores as they lie there (encrypted, each with its keys,
wrapped), the spool, and what was said on pages. So a backup has the same locks as the box: the household's recovery kit
opens the repository and the household's store, each person's store needs the kit of that person.

restic's password derives from the recovery kit of the household (`kit_backups`): 24 words on paper, and
nothing else, lead from a dead box to a new one.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.backup import ssh, targets
from appliance.backup.restic import RepositoryError, Restic
from appliance.backup.targets import Target
from appliance.config import Config
from appliance.errors import UserError
from appliance.store import kit_backups
from appliance.store.keys import HOME, KeyRing

PATIENCE_S = 45.0
KEPT = ("--keep-daily=7", "--keep-weekly=5", "--keep-monthly=12", "--keep-yearly=10")


@dataclass(frozen=True, slots=True)
class Done:
    """What one backup did: the snapshot's number, how many bytes it holds, and how many of them were new."""

    snapshot: str
    bytes: int
    added: int


def add(config: Config, name: str, where: str, user: str, password: str) -> Target:
    """A place to back up to, from now on; its repository is made, or taken on where this kit opens it.

    UserError where it cannot be reached, or holds somebody else's. A machine that another place is on answers with the
    same SSH key as before: any member may try to add a place, and that is no reason to trust another.
    """
    targets.need_new(config, name, where)
    secret = targets.Secret(user, password, _password(config))
    ssh.forget(config, where, [each.where for each in targets.every(config)])
    restic = Restic(config, where, secret, PATIENCE_S)
    try:
        restic.run("cat", "config")
    except RepositoryError as error:
        if not error.is_absent:
            raise
        restic.run("init")
    return targets.add(config, name, where, secret)


def back_up(config: Config, name: str, now: datetime) -> Done:
    """One backup; what came of it is kept. UserError where it did not come about: the earlier ones are whole."""
    targets.say(config, name, tried=now, wanted=False)
    try:
        done = _backed_up(config, name)
    except UserError as error:
        targets.say(config, name, problem=" ".join(error.problems))
        raise
    targets.say(config, name, good=now, problem="", snapshot=done.snapshot, bytes=done.bytes, added=done.added)
    return done


def _backed_up(config: Config, name: str) -> Done:
    from appliance.backup.still import held_still  # opens stores, which the scheduler, that asks what is due, does not

    restic = opened(config, name)
    restic.run("unlock")  # what a backup left that was cut off; one that runs keeps its lock
    with held_still(config) as paths:
        said = restic.run("backup", "--json", "--host=inglenook", "--tag=inglenook", *paths, folder=config.data)
    summary = json.loads(said.splitlines()[-1])
    restic.run("forget", "--group-by=tags", *KEPT)
    return Done(summary["snapshot_id"][:8], summary["total_bytes_processed"], summary["data_added"])


def opened(config: Config, name: str) -> Restic:
    """The repository of a target, which gets the newest kit's password where a kit was made since."""
    where = targets.named(config, name).where
    secret, password = targets.secret(config, name), _password(config)
    restic = Restic(config, where, secret)
    if password != secret.repository:
        restic.change_password(password)
        secret = targets.Secret(secret.user, secret.password, password)
        targets.reseal(config, name, secret)
        restic = Restic(config, where, secret)
    return restic


def _password(config: Config) -> str:
    if config.database_url:
        raise UserError(
            "the stores of this box are in PostgreSQL: whoever runs that server backs them up there (pg_dump), and "
            "inglenook export writes one store out"
        )
    ring = KeyRing(config.data)
    password = kit_backups.kept_password(ring, HOME, ring.open(HOME))
    if password is None:
        raise UserError(
            "a backup is opened with the recovery kit of the household, and this box has none that it could use: make "
            "one and write it down (inglenook kit make), or type the words of yours (inglenook kit prove)"
        )
    return password


def put_together(folder: Path) -> None:
    """In a folder into which a backup was restored, brings what was held still to its place."""
    beside = folder / "run" / "backup"
    if (beside / "spool").is_dir():
        shutil.move(beside / "spool", folder / "spool")
    for log in beside.glob("stores/*/store.db-wal"):
        log.replace(folder / "stores" / log.parent.name / log.name)
    shutil.rmtree(folder / "run", ignore_errors=True)
