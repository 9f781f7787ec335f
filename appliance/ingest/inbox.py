"""The inbox: a folder a store, into which a person (or a share, or a USB stick) drops files to be imported.

A file is taken once nobody writes to it any more, and is removed when it is in the store, where its original is kept
encrypted. One that cannot be taken stays where it is, and is tried again later; so does an export, which is imported as
a whole, by command. Looking costs next to nothing: it runs every few seconds all day; what takes a file is `taking`.
"""

import errno
import fcntl
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from appliance.config import Config
from appliance.ingest.folders import is_export

log = logging.getLogger(__name__)

UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")
AGAIN_S = 600
READ_IN_PART = "Read in part"  # archives of which some files are in no known format
_F_SETSIG = 10  # linux/fcntl.h; Python has no name for it

State = tuple[int, int, int]  # which file, size and time of change


class Inbox:
    """What lay in the inbox at the last look."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._growing: dict[Path, State] = {}
        self._left: dict[Path, tuple[State, float]] = {}
        self._exports: set[Path] = set()

    def look(self, take: Callable[[str, list[Path]], None]) -> None:
        """Has every file taken that has not changed since the last look: `take(store, paths)`."""
        growing: dict[Path, State] = {}
        exports: set[Path] = set()
        for name in self.config.store_names():
            folder = self.config.inbox / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if ready := [path for path in _files(folder, exports) if self._is_ready(path, growing)]:
                take(name, ready)
                self._leave([path for path in ready if _state_now(path) == growing[path]])
        for path in sorted(exports - self._exports):
            log.warning("%s stays in the inbox: this is an export; import it alone: inglenook import %s", path, path)
        self._growing, self._exports = growing, exports
        self._left = {path: left for path, left in self._left.items() if path in growing}

    def _is_ready(self, path: Path, growing: dict[Path, State]) -> bool:
        state = _state_now(path)
        if state is None:
            return False
        growing[path] = state
        left, until = self._left.get(path, (None, 0.0))
        return self._growing.get(path) == state and not (left == state and time.monotonic() < until)

    def _leave(self, paths: list[Path]) -> None:
        """What is still there after it was to be taken is tried again later; sooner where somebody wrote to it."""
        for path in paths:
            state = _state_now(path)
            if state is not None and not _is_open_for_writing(path):
                self._left[path] = (state, time.monotonic() + AGAIN_S)


def state_of(found: os.stat_result) -> State:
    """What changes when a file does."""
    return found.st_ino, found.st_size, found.st_mtime_ns


def need_no_writer(number: int) -> None:
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


def _is_open_for_writing(path: Path) -> bool:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        need_no_writer(number)
    except BlockingIOError:
        return True
    finally:
        os.close(number)
    return False


def _state_now(path: Path) -> State | None:
    try:
        return state_of(path.lstat())
    except OSError:
        return None


def _files(folder: Path, exports: set[Path]) -> list[Path]:
    """Regular files that nobody is still writing, in folders too; never through a link out of the inbox.

    Nothing of an export, which is added to `exports`.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        if is_export(Path(parent)):
            exports.add(Path(parent))
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name != READ_IN_PART]
        paths = (Path(parent) / name for name in names if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix not in UNFINISHED]
    return sorted(found)
