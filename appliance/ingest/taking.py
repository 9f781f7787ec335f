"""Taking files from the inbox into a store. One in no known format is kept there too, with the reason.

What comes for a store that is locked is sealed to its public key, and imported when the store is open again.
"""

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from appliance.config import Config
from appliance.content import WHOLE_BYTES, Content, InMemory, of_file
from appliance.errors import NotNowError, UserError
from appliance.ingest import archives, importing
from appliance.ingest.inbox import READ_IN_PART, need_no_writer, state_of
from appliance.store import room, waiting
from appliance.store.database import Store, open_store
from appliance.store.imports import Report
from appliance.store.keys import KeyRing
from appliance.store.waiting import Waiting

log = logging.getLogger(__name__)

LOCKED_BYTES = 256 << 20

_Keep = Callable[[Content], None]


class PartlyReadError(UserError):
    """An archive of which not every file could be read."""


def take(config: Config, name: str, paths: list[Path]) -> None:
    """Imports files into the store of that name, and removes those that are in it. What stays is logged with why."""
    ring = KeyRing(config.data)
    try:
        if ring.facts(name).is_locked:
            folder, public = ring.folder(name), ring.public(name)
            _take_all(config, paths, partial(_wait, folder, public))
            return
        with open_store(config, name) as store:
            take_waiting(config, store)
            _take_all(config, paths, partial(_import, store, config.zone))
    except UserError as error:  # of this store; the others' inboxes go on
        log.warning("the inbox of %s waits: %s", name, error)


def take_waiting(config: Config, store: Store) -> list[Report]:
    """Imports what came while the store was locked, each file once; what stays is logged with why."""
    reports = []
    for path in waiting.files(KeyRing(config.data).folder(store.name)):
        try:
            with waiting.taken(path, store.key.privates) as file:
                if file is not None:
                    reports += _imported(store, config.zone, InMemory(file.name, file.content))
        except (UserError, OSError, ValueError) as error:
            log.warning("%s waits on: %s", path, error)
        except Exception:  # a bug met in one file: the others are imported all the same
            log.exception("%s waits on", path)
    return reports


def _take_all(config: Config, paths: list[Path], keep: _Keep) -> None:
    for path in paths:
        try:
            _take(config, path, keep)
        except BlockingIOError:
            continue  # somebody still has it open for writing: it is looked at again
        except (UserError, OSError) as error:
            log.warning("%s stays in the inbox: %s", path, error)
        except Exception:  # a bug met in one file: the others are imported all the same
            log.exception("%s stays in the inbox", path)


def _take(config: Config, path: Path, keep: _Keep) -> None:
    name = importing.shown(Path(path.name))
    importing.need_importable(name, path.lstat().st_size)
    with _opened(path, config.inbox) as file:
        state = state_of(os.fstat(file.fileno()))
        try:
            keep(of_file(name, file))
        except PartlyReadError as error:
            log.warning("%s is set aside, in %s: %s", path, READ_IN_PART, error)
            aside = path.parent / READ_IN_PART
            aside.mkdir(mode=0o700, exist_ok=True)
            path.rename(_free(aside / path.name))
            return
    if state_of(path.lstat()) == state:
        path.unlink()  # one that was written to meanwhile is taken as a whole, once it is whole


def _free(path: Path) -> Path:
    """A name that no file has yet."""
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.removesuffix(f' {number - 1}')} {number}{path.suffix}")
    return path


def _wait(folder: Path, public: bytes, content: Content) -> None:
    """Seals a file for a store that is locked."""
    if why := room.lacking(folder):
        raise NotNowError(why)
    if content.size > LOCKED_BYTES:
        raise UserError(
            f"the store is locked, and what waits for it is at most {LOCKED_BYTES >> 20} MB a file; this one is taken "
            "once the store is open"
        )
    waiting.put(folder, public, Waiting(content.name, b"".join(content.pieces())))


def _import(store: Store, zone: str | None, content: Content) -> None:
    for report in _imported(store, zone, content):
        counts = report.id, report.stored, report.rejected
        log.info("inbox of %s: import %d, %d stored, %d rejected", store.name, *counts)


def _imported(store: Store, zone: str | None, content: Content) -> list[Report]:
    """Imports a file; one in no known format is kept with the reason. UserError where it cannot be taken now.

    PartlyReadError where an archive holds files that are in no known format: they are not kept.
    """
    done = importing.import_every(store, content, zone=zone)
    for problem in done.problems:
        if not isinstance(problem, importing.UnknownFormatError):
            raise problem
        if done.reports or archives.is_archive(content):
            importing.say_refused(store, content.name, f"{problem}; the archive lies in the inbox, in {READ_IN_PART}")
            raise PartlyReadError(problem.problems)
        if content.size > WHOLE_BYTES:  # a file of which nothing is read is kept only where it is small
            raise problem
        done.reports.append(importing.keep_refused(store, content, str(problem)))
    return done.reports


@contextmanager
def _opened(path: Path, inbox: Path) -> Iterator[BinaryIO]:
    """A file that nobody writes to. OSError where a link has been put in its way."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not Path(f"/proc/self/fd/{number}").readlink().is_relative_to(inbox.resolve()):
            raise OSError(errno.ELOOP, "a link leads out of the inbox")
        need_no_writer(number)
        yield file
