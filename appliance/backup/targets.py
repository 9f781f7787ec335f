"""Where backups go, as DIR/backup.json keeps it, mode 0600:

    {"disk": {"where": "/media/disk/inglenook", "sealed": W, "state": {...}}}

W holds the passwords, sealed with the key of the home store. The state says how the last
backup and the last drill went.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag

from appliance.backup import ssh
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.keys import HOME, KeyRing, write_durably
from appliance.store.store_key import opened, wrap

FILE = "backup.json"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
NIGHT = timedelta(hours=2, minutes=30)
AGAIN = timedelta(hours=1)
DRILL_AFTER = timedelta(days=30)
REMOTE = ("sftp:", "rest:http://", "rest:https://", "s3:http://", "s3:https://")
WAYS = (
    "a folder such as /media/disk/inglenook, sftp:USER@HOST:/FOLDER, rest:https://HOST:8000/NAME, or "
    "s3:https://HOST/BUCKET"
)


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """What opens a target: user and password of its server (S3: key id and secret key), and restic's password."""

    user: str
    password: str
    repository: str


@dataclass(frozen=True, slots=True)
class Target:
    """One place to back up to. Times are UTC, None for never; a problem is "" where all was well."""

    name: str
    where: str
    tried: datetime | None = None
    good: datetime | None = None
    problem: str = ""
    snapshot: str = ""
    bytes: int = 0
    added: int = 0
    wanted: bool = True
    drilled: datetime | None = None
    drill: str = ""
    drill_problem: str = ""

    def is_due(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether a backup is to be made: asked for, or a night has come since the last good one."""
        if self.wanted:
            return True
        if self.tried and now - self.tried < AGAIN:
            return False
        return self.good is None or self.good < _last_night(now, zone)

    def is_drill_due(self, now: datetime) -> bool:
        return self.good is not None and (self.drilled is None or now - self.drilled >= DRILL_AFTER)


def _last_night(now: datetime, zone: ZoneInfo) -> datetime:
    local = now.astimezone(zone)
    at = local.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT
    return (at if at <= local else at - timedelta(days=1)).astimezone(UTC)


def every(config: Config) -> list[Target]:
    """All targets, by name. UserError where their file is damaged."""
    return [_target(name, said) for name, said in sorted(_read(config).items())]


def named(config: Config, name: str) -> Target:
    """The target of that name; UserError, with those that there are."""
    found = {each.name: each for each in every(config)}
    if name not in found:
        known = f"there are: {', '.join(found)}" if found else "there is none yet: inglenook backup add --help"
        raise UserError(f"there is no backup {name!r}; {known}")
    return found[name]


def need_new(config: Config, name: str, where: str) -> None:
    """UserError with all that is wrong with a new target."""
    problems = []
    if not NAME.fullmatch(name):
        problems.append(f"{name!r}: a backup's name has small letters, digits and hyphens, such as usb-disk")
    if name in _read(config):
        problems.append(f"there is a backup {name!r} already; give this one another name")
    problems += where_problems(where)
    if where.startswith("/") and Path(where).resolve().is_relative_to(config.data):
        problems.append(f"{where}: it lies in the box's own folder, and would be lost with it; name another disk")
    if problems:
        raise UserError(problems)


def where_problems(where: str) -> Iterator[str]:
    """What is wrong with a place as it is said."""
    if not where.startswith(("/", *REMOTE)) or not where.isprintable():
        yield f"{where!r} is no place for a backup; write {WAYS}"
    elif where.startswith("sftp:") and not ssh.is_place(where):
        yield f"{where!r} is no machine that is reached by SSH; write sftp:USER@HOST:/FOLDER, or with a port sftp://USER@HOST:PORT//FOLDER"
    elif "@" in where and not where.startswith(("/", "sftp:")):
        yield "leave the user and the password out of the address: they are asked for apart, and kept sealed"
    elif where.startswith("/") and not Path(where).parent.is_dir():
        yield f"{where}: {Path(where).parent} is not there; plug the disk in, or name a folder on one that is"


def add(config: Config, name: str, where: str, secret: Secret) -> Target:
    """Keeps a target, which is due at once."""
    with _changed(config) as document:
        document[name] = {"where": where, "sealed": _sealed(config, name, secret), "state": {}}
    return named(config, name)


def want(config: Config, name: str, *, drill: bool = False) -> None:
    """Has it backed up, or drilled, as soon as may be."""
    named(config, name)
    say(config, name, **({"drilled": None} if drill else {"wanted": True}))


def remove(config: Config, name: str) -> None:
    """Forgets a target, and what opens it; what lies there stays, and the recovery kit still opens it."""
    named(config, name)
    with _changed(config) as document:
        del document[name]


def reseal(config: Config, name: str, secret: Secret) -> None:
    """Keeps other passwords of a target."""
    with _changed(config) as document:
        document[name]["sealed"] = _sealed(config, name, secret)


def say(config: Config, name: str, **state: Any) -> None:
    """Keeps how something went, field by field; of a target that was removed meanwhile, nothing."""
    with _changed(config) as document:
        if name in document:
            document[name]["state"] |= {
                key: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
                for key, value in state.items()
            }


def secret(config: Config, name: str) -> Secret:
    """What opens a target."""
    key = KeyRing(config.data).open(HOME)
    for wrapping in key.every_derived("backup"):
        with suppress(InvalidTag, ValueError):
            return Secret(**json.loads(opened(_read(config)[name]["sealed"], wrapping, HOME, name)))
    raise UserError(f"{config.data / FILE}: what opens the backup {name!r} is damaged; remove it, and add it again")


def _sealed(config: Config, name: str, secret: Secret) -> str:
    key = KeyRing(config.data).open(HOME)
    return wrap(json.dumps(asdict(secret)).encode(), key.derived("backup"), HOME, name)


def _target(name: str, said: dict[str, Any]) -> Target:
    state = {field.name: said["state"][field.name] for field in fields(Target) if field.name in said["state"]}
    state |= {key: datetime.fromisoformat(state[key]) for key in ("tried", "good", "drilled") if state.get(key)}
    return Target(name, said["where"], **state)


def _read(config: Config) -> dict[str, Any]:
    path = config.data / FILE
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        for name, said in document.items():
            _target(name, said)
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: this does not say where backups go; move it away, and add them again") from None
    return document


@contextmanager
def _changed(config: Config) -> Iterator[dict[str, Any]]:
    """The file, to be changed by this process alone."""
    config.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(config.run / f"{FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document = _read(config)
        yield document
        write_durably(config.data / FILE, json.dumps(document, indent=1).encode())
    finally:
        os.close(lock)
