"""Taking files from the inbox into a store. One in no known format is kept there too, with the reason.

What comes for a store that is locked is sealed to its public key, and imported when the store is open again.
"""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.ingest.inbox import State, need_no_writer, state_of
from appliance.store import waiting
from appliance.store.database import Store, open_store
from appliance.store.imports import Report
from appliance.store.keys import KeyRing
from appliance.store.waiting import Waiting

log = logging.getLogger(__name__)

_Keep = Callable[[Waiting], None]


def take(config: Config, name: str, paths: list[Path]) -> None:
    """Imports files into the store of that name, and removes those that are in it. What stays is logged with why."""
    ring = KeyRing(config.data)
    try:
        if ring.facts(name).is_locked:
            folder, public = ring.folder(name), ring.public(name)
            _take_all(config, paths, lambda file: waiting.put(folder, public, file))
            return
        with open_store(config, name) as store:
            take_waiting(config, store)
            _take_all(config, paths, lambda file: _log(store, _imported(store, file)))
    except UserError as error:  # of this store; the others' inboxes go on
        log.warning("the inbox of %s waits: %s", name, error)


def take_waiting(config: Config, store: Store) -> list[Report]:
    """Imports what came while the store was locked, each file once; what stays is logged with why."""
    reports = []
    for path in waiting.files(KeyRing(config.data).folder(store.name)):
        try:
            with waiting.taken(path, store.key.privates) as file:
                if file is not None:
                    reports.append(_imported(store, file))
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
    data, state = _content(path, config.inbox)
    keep(Waiting(name, data))
    if state_of(path.lstat()) == state:
        path.unlink()  # one that was written to meanwhile is taken as a whole, once it is whole


def _imported(store: Store, file: Waiting) -> Report:
    try:
        return importing.import_bytes(store, file.content, file.name)
    except importing.UnknownFormatError as error:
        return importing.keep_refused(store, file.content, file.name, str(error))


def _log(store: Store, report: Report) -> None:
    log.info("inbox of %s: import %d, %d stored, %d rejected", store.name, report.id, report.stored, report.rejected)


def _content(path: Path, inbox: Path) -> tuple[bytes, State]:
    """A file's bytes, and its state before they were read. OSError where a link has been put in its way."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not Path(f"/proc/self/fd/{number}").readlink().is_relative_to(inbox.resolve()):
            raise OSError(errno.ELOOP, "a link leads out of the inbox")
        need_no_writer(number)
        state = state_of(os.fstat(number))
        return file.read(), state
