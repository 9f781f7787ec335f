"""The inbox: a folder a store, into which a person (or a share, or a USB stick) drops files to be imported.

A file is taken once it has stopped growing, and is removed when it is in the store, where its original is kept
encrypted. One in no known format is kept there too, with the reason. One that cannot be taken stays where it is.
"""

import errno
import fcntl
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing

log = logging.getLogger(__name__)

UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")
AGAIN_S = 600
_F_SETSIG = 10  # linux/fcntl.h; Python has no name for it

_State = tuple[int, int, int]  # which file, size and time of change


class Inbox:
    """What lay in the inbox at the last look."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._growing: dict[Path, _State] = {}
        self._left: dict[Path, tuple[_State, float]] = {}

    def look(self) -> None:
        """Imports every file that has not changed since the last look."""
        growing: dict[Path, _State] = {}
        for name in KeyRing(self.config.data).store_names():
            folder = self.config.inbox / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if ready := [path for path in _files(folder) if self._is_ready(path, growing)]:
                self._take_all(name, ready)
        self._growing = growing
        self._left = {path: left for path, left in self._left.items() if path in growing}

    def _is_ready(self, path: Path, growing: dict[Path, _State]) -> bool:
        try:
            state = _state(path.lstat())
        except OSError:
            return False
        growing[path] = state
        left, until = self._left.get(path, (None, 0.0))
        return self._growing.get(path) == state and not (left == state and time.monotonic() < until)

    def _take_all(self, name: str, paths: list[Path]) -> None:
        try:
            with open_store(self.config, name) as store:
                for path in paths:
                    self._take(store, path)
        except UserError as error:  # of this store; the others' inboxes go on
            log.warning("the inbox of %s waits: %s", name, error)
            for path in paths:
                self._leave(path)

    def _take(self, store: Store, path: Path) -> None:
        try:
            self._import(store, path)
        except BlockingIOError:
            return  # somebody still has it open for writing: it is looked at again
        except (UserError, OSError) as error:
            log.warning("%s stays in the inbox: %s", path, error)
            self._leave(path)
        except Exception:  # a bug met in one file: the others are imported all the same
            log.exception("%s stays in the inbox", path)
            self._leave(path)

    def _leave(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            self._left[path] = (_state(path.lstat()), time.monotonic() + AGAIN_S)

    def _import(self, store: Store, path: Path) -> None:
        if path.lstat().st_size > importing.IMPORT_BYTES:
            importing.import_file(store, path)  # says why it cannot
        data, state = _content(path, self.config.inbox)
        name = importing.shown(Path(path.name))
        try:
            report = importing.import_bytes(store, data, name)
        except importing.UnknownFormatError as error:
            report = importing.keep_refused(store, data, name, str(error))
        if _state(path.lstat()) == state:
            path.unlink()  # one that was written to meanwhile is taken as a whole, once it is whole
        log.info(
            "inbox of %s: import %d, %d stored, %d rejected", store.name, report.id, report.stored, report.rejected
        )


def _state(found: os.stat_result) -> _State:
    return found.st_ino, found.st_size, found.st_mtime_ns


def _content(path: Path, inbox: Path) -> tuple[bytes, _State]:
    """A file's bytes, and its state before they were read. OSError where a link has been put in its way."""
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not Path(f"/proc/self/fd/{number}").readlink().is_relative_to(inbox.resolve()):
            raise OSError(errno.ELOOP, "a link leads out of the inbox")
        _need_no_writer(number)
        state = _state(os.fstat(number))
        return file.read(), state


def _need_no_writer(number: int) -> None:
    """BlockingIOError where a process has the file open for writing: an upload that pauses is not half a file.

    The kernel gives a read lease on no such file (fcntl(2), F_SETLEASE); other refusals say nothing about writers.
    """
    with suppress(PermissionError):
        try:
            fcntl.fcntl(number, _F_SETSIG, signal.SIGURG)  # what tells of a lease's end is ignored by default
            fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                raise BlockingIOError(error.errno, "still being written") from None
            if error.errno != errno.EINVAL:
                raise


def _files(folder: Path) -> list[Path]:
    """Regular files that nobody is still writing, in folders too; never through a link out of the inbox."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent) / name for name in names if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix not in UNFINISHED]
    return sorted(found)
