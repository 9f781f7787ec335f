"""Taking files from the inbox into a store. One in no known format is kept there too, with the reason."""

import errno
import logging
import os
from pathlib import Path

from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.ingest.inbox import State, need_no_writer, state_of
from appliance.store.database import Store, open_store

log = logging.getLogger(__name__)


def take(config: Config, name: str, paths: list[Path]) -> None:
    """Imports files into the store of that name, and removes those that are in it. What stays is logged with why."""
    try:
        with open_store(config, name) as store:
            for path in paths:
                _take(config, store, path)
    except UserError as error:  # of this store; the others' inboxes go on
        log.warning("the inbox of %s waits: %s", name, error)


def _take(config: Config, store: Store, path: Path) -> None:
    try:
        _import(config, store, path)
    except BlockingIOError:
        return  # somebody still has it open for writing: it is looked at again
    except (UserError, OSError) as error:
        log.warning("%s stays in the inbox: %s", path, error)
    except Exception:  # a bug met in one file: the others are imported all the same
        log.exception("%s stays in the inbox", path)


def _import(config: Config, store: Store, path: Path) -> None:
    if path.lstat().st_size > importing.IMPORT_BYTES:
        importing.import_file(store, path)  # says why it cannot
    data, state = _content(path, config.inbox)
    name = importing.shown(Path(path.name))
    try:
        report = importing.import_bytes(store, data, name)
    except importing.UnknownFormatError as error:
        report = importing.keep_refused(store, data, name, str(error))
    if state_of(path.lstat()) == state:
        path.unlink()  # one that was written to meanwhile is taken as a whole, once it is whole
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
